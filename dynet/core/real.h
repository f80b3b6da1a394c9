// The number type of every value: float, or double in the build that checks gradients.
#pragma once

namespace dynet {

#ifdef DYNET_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace dynet
