// Random numbers for the program itself: shuffling data and drawing single numbers.
#pragma once

#include <random>

#include "dynet/core/real.h"

namespace dynet {

/// An engine for std::shuffle and the standard distributions; initialize and reset_rng seed it.
inline std::mt19937* const rndeng = [] {
  static std::mt19937 engine{std::random_device{}()};
  return &engine;
}();

/// From 0 up to, but not including, 1.
inline real rand01() { return std::uniform_real_distribution<real>(0, 1)(*rndeng); }
/// From 0 to n - 1.
inline int rand0n(int n) { return std::uniform_int_distribution<int>(0, n - 1)(*rndeng); }
/// Normal with mean 0 and variance 1.
inline real rand_normal() { return std::normal_distribution<real>(0, 1)(*rndeng); }

}  // namespace dynet
