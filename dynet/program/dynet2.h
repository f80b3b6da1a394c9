// What programs written for DyNet 2 found in its headers beside its own classes: the standard library, macros
// that throw, and a few small helpers. New programs need nothing of it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iomanip>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "dynet/core/error.h"

#ifndef DYNET_INVALID_ARG
/// Throws std::invalid_argument or std::runtime_error; what is written with << is the text.
#define DYNET_INVALID_ARG(what)                    \
  do {                                             \
    std::ostringstream dynet_what;                 \
    dynet_what << what;                            \
    throw std::invalid_argument(dynet_what.str()); \
  } while (0)
#define DYNET_RUNTIME_ERR(what)                 \
  do {                                          \
    std::ostringstream dynet_what;              \
    dynet_what << what;                         \
    throw std::runtime_error(dynet_what.str()); \
  } while (0)
/// Throws unless the condition holds.
#define DYNET_ARG_CHECK(condition, what)       \
  do {                                         \
    if (!(condition)) DYNET_INVALID_ARG(what); \
  } while (0)
#define DYNET_ASSERT(condition, what)          \
  do {                                         \
    if (!(condition)) DYNET_RUNTIME_ERR(what); \
  } while (0)
#endif

/// The type of the indices in a tensor of indices.
namespace Eigen {

using DenseIndex = std::ptrdiff_t;

}  // namespace Eigen

namespace dynet {

/// Where the operations were before DyNet 2.1.
namespace expr {

using namespace dynet;

}  // namespace expr

/// What GPUs throw.
struct cuda_not_implemented : std::logic_error {
  using std::logic_error::logic_error;
};
struct cuda_exception : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Weight decay as an object of its own, which a program advances; a collection has one by
/// get_weight_decay().
struct L2WeightDecay {
  explicit L2WeightDecay(float lambda = 1e-6f) { set_lambda(lambda); }
  void set_lambda(float number) {
    if (!(number >= 0 && number < 1))
      throw std::domain_error(
          engine::text("Bad value of lambda: ", number, "; weight decay must lie in [0, 1)"));
    lambda = number;
  }
  float get_lambda() const { return lambda; }
  void update_weight_decay(unsigned updates = 1) {
    for (unsigned i = 0; i < updates; ++i) factor -= factor * lambda;
  }
  float current_weight_decay() const { return factor; }
  bool parameters_need_rescaled() const { return factor < 0.25f; }
  void reset_weight_decay() { factor = 1; }

  float factor = 1, lambda = 0;
};

}  // namespace dynet
