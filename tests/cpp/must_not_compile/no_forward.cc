// An operation without a value.
// The error must say: T::forward|constraints not satisfied
#include "dynet/dynet.h"

using namespace dynet;
using namespace dynet::engine;

struct Nothing : OpDefaults {
  static constexpr auto name = "nothing", doc = "Has no value.";
  static Dim shape(const NoAttrs&, Dims x) { return x[0]; }
#ifdef MENDED
  static void forward(const NoAttrs&, Engine&, const Call&) {}
#endif
};

Expression make(const Expression& x) { return apply<Nothing>(x); }
