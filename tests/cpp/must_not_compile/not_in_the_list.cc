// An elementwise operation that no list names, so that no engine has a kernel for it.
// The error must say: list this op in MapOps
#include "dynet/dynet.h"

namespace dynet::engine {

#ifdef MENDED
using Twice = Negate;
#else
struct Twice : Map<Twice> {
  static constexpr auto name = "twice", doc = "y = 2 x.";
  static auto value(auto x) { return x + x; }
  static auto slope(auto, auto) { return real(2); }
};
#endif

Expression make(const Expression& x) { return apply<Twice>(x); }

}  // namespace dynet::engine
