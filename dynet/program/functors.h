// Functions of one or two numbers as objects, as DyNet 2 had them in dynet/functors.h: those that need no
// Eigen. Those that only gradients of its nodes used are not there.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynet/core/real.h"

namespace dynet {

struct FProduct {
  real operator()(real a, real b) const { return a * b; }
};
struct FQuotient {
  real operator()(real a, real b) const { return a / b; }
};
struct FConstantPlus {
  explicit FConstantPlus(real number) : c(number) {}
  real operator()(real x) const { return c + x; }
  real c;
};
struct FConstantMinus {
  explicit FConstantMinus(real number) : c(number) {}
  real operator()(real x) const { return c - x; }
  real c;
};
struct FNegate {
  real operator()(real x) const { return -x; }
};
struct FExp {
  real operator()(real x) const { return std::exp(x); }
};
struct FErf {
  real operator()(real x) const { return std::erf(x); }
};
struct FTanh {
  real operator()(real x) const { return std::tanh(x); }
};
struct FLogisticSigmoid {
  real operator()(real x) const { return 1 / (1 + std::exp(-x)); }
};
struct FSoftSign {
  real operator()(real x) const { return x / (1 + std::abs(x)); }
};
struct FRectify {
  real operator()(real x) const { return std::max(x, real(0)); }
};
struct FSqDist {
  real operator()(real a, real b) const { return (a - b) * (a - b); }
};
struct FHuberForward {
  explicit FHuberForward(real bound) : c(bound) {}
  real operator()(real x) const {
    const real size = std::abs(x);
    return size < c ? x * x / 2 : c * (size - c / 2);
  }
  real c;
};
struct FPairwiseRankLoss {
  explicit FPairwiseRankLoss(real least) : margin(least) {}
  real operator()(real a, real b) const { return std::max(margin - a + b, real(0)); }
  real margin;
};
/// Of the probability of 1 and the truth.
struct FBinaryLogLoss {
  real operator()(real x, real x_true) const {
    const auto log_of = [](real p) { return std::log(std::max(p, std::numeric_limits<real>::min())); };
    return -(x_true == 0 ? 0 : x_true * log_of(x)) - (x_true == 1 ? 0 : (1 - x_true) * log_of(1 - x));
  }
};

}  // namespace dynet
