// The number type of every value: float, or double in the build that checks gradients.
#pragma once

namespace dynet {

#ifdef DYNET_DOUBLE
using real = double;
#else
using real = float;
#endif

namespace engine {

/// The order in which the largest numbers are chosen: what is not a number comes before all numbers.
constexpr bool ranks_above(real a, real b) { return a > b || (a != a && b == b); }

}  // namespace engine

}  // namespace dynet
