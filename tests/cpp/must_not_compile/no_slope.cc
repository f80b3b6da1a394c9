// An elementwise operation without a gradient.
// The error must say: slope
#include "dynet/dynet.h"

namespace dynet::engine {

struct Twice : Map<Twice> {
  static constexpr auto name = "twice", doc = "y = 2 x.";
  static auto value(auto x) { return x + x; }
#ifdef MENDED
  static auto slope(auto, auto) { return real(2); }
#endif
};

real derivative(real x) { return Twice::slope(x, x); }

}  // namespace dynet::engine
