// An elementwise operation without a gradient.
// The error must say: slope
#include "dynet/dynet.h"

namespace dynet::engine {

struct Twice : Map<Twice> {
  static constexpr auto name = "twice", doc = "y = 2 x.";
  static auto value(auto x) { return x + x; }
};

real derivative(real x) { return Twice::slope(x, x); }

}  // namespace dynet::engine
