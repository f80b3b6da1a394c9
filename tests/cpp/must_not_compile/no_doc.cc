// An operation without a sentence of documentation.
// The error must say: T::doc|constraints not satisfied
#include "dynet/dynet.h"

using namespace dynet;
using namespace dynet::engine;

struct Fourth : OpDefaults {
  static constexpr auto name = "fourth";
#ifdef MENDED
  static constexpr auto doc = "The first power of four.";
#endif
  static Dim shape(const NoAttrs&, Dims x) { return x[0]; }
  static void forward(const NoAttrs&, Engine&, const Call&) {}
};

Expression make(const Expression& x) { return apply<Fourth>(x); }
