// Relatives of softmax whose probabilities may be exactly zero, or bounded.
#pragma once

#include <cmath>
#include <functional>

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"

namespace dynet::engine {

/// The largest of n scores; not a number if one of them is not, or if no score is more than -inf.
inline real top_score(const real* x, size_t n) {
  real top = x[0];
  for (size_t i = 1; i < n; ++i) top = x[i] > top || x[i] != x[i] ? x[i] : top;
  return top > -std::numeric_limits<real>::infinity() ? top : std::numeric_limits<real>::quiet_NaN();
}

/// How far a score is from the largest one, which is at 0 even if it is infinite.
inline double from_top(real x, real top) {
  return x == top ? 0 : static_cast<double>(x) - static_cast<double>(top);
}

/// The projection of scores on the simplex: max(0, distance to the largest score - threshold).
struct SimplexProjection {
  real top;
  double threshold = 0;

  SimplexProjection(const real* x, size_t n) : top(top_score(x, n)) {
    thread_local std::vector<double> near;  // the others are too small for a share, whatever the threshold
    near.clear();
    for (size_t i = 0; i < n; ++i)
      if (const double d = from_top(x[i], top); d > -1) near.push_back(d);
    std::sort(near.begin(), near.end(), std::greater<>());
    double sum = 0;
    for (size_t k = 0; k < near.size(); ++k) {
      sum += near[k];
      const auto count = static_cast<double>(k + 1);
      if (1 + count * near[k] > sum) threshold = (sum - 1) / count;
    }
  }
  /// The share of a score; not a number if one of the scores is not.
  double share(real x) const {
    const double above = from_top(x, top) - threshold;
    return above <= 0 ? 0 : above;
  }
};

struct Sparsemax : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "sparsemax";
  static constexpr auto doc = R"(
      The point of the probability simplex that is closest to the vector x: y = max(0, x - τ), with the τ
      for which y sums to 1. Unlike with softmax small scores get a share of exactly 0. On the support the
      gradient is dy minus its mean there, elsewhere 0. ValueError if x is no vector. (Martins and Astudillo
      2016)

      >>> x = dy.inputVector([1, 0.5, -1])
      >>> print(dy.sparsemax(x).npvalue())
      [0.75 0.25 0.  ])";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) {
    check_vector(x[0]);
    return x[0];
  }
  static void forward(const auto&, Engine&, const Call& c) {
    for (size_t item = 0; item < c.count; ++item) project(c.x[0][item], c.dim.rows(), c.y[item]);
  }
  /// On the support the gradient minus its mean there.
  static void backward(const auto&, Engine&, const Call& c, unsigned) {
    const size_t n = c.dim.rows();
    for (size_t item = 0; item < c.count; ++item) {
      const real *y = c.y[item], *dy = c.dy[item];
      double sum = 0, support = 0;
      for (size_t i = 0; i < n; ++i)
        if (y[i] > 0) sum += static_cast<double>(dy[i]), ++support;
      const auto mean = static_cast<real>(sum / support);  // not a number where the shares are not
      for (size_t i = 0; i < n; ++i)
        if (!(y[i] <= 0)) c.dx[item][i] += dy[i] - mean;
    }
  }
  static void project(const real* x, size_t n, real* y) {
    const SimplexProjection p(x, n);
    for (size_t i = 0; i < n; ++i) y[i] = static_cast<real>(p.share(x[i]));
  }
  static Expression call(const Expression& x) { return apply<Sparsemax>(x); }
};

/// The words of each batch element are the target's support.
struct SparsemaxLoss : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr bool reads_part = true;
  struct Attrs {
    unsigned count;
  };
  static constexpr auto name = "sparsemax_loss";
  static constexpr auto doc = R"(
      The loss that belongs to sparsemax, for a target that is uniform over the classes in target_support: 0
      where sparsemax(x) is that target. Shape (1,); the gradient is sparsemax(x) minus the target.
      ValueError if x is no vector or the list is empty, IndexError for a class that is not there. (Martins
      and Astudillo 2016))";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "target_support"};
  static Dim shape(const Attrs&, Dims x) {
    check_vector(x[0]);
    return Dim({1}, x[0].bd);
  }
  // Kept: the slope, sparsemax(x) minus the target.
  static size_t saved_size(const Attrs&, Dims x) { return x[0].rows(); }
  static void forward(const Attrs& a, Engine&, const Call& c) {
    const size_t n = c.x_dims[0].rows();
    const double share = 1.0 / a.count;
    for (size_t item = 0; item < c.count; ++item) {
      const real* x = c.x[0][item];
      real* slope = c.saved[item];
      const SimplexProjection p(x, n);
      double loss = share / 2;
      for (size_t i = 0; i < n; ++i) {
        const double own = p.share(x[i]);
        slope[i] = static_cast<real>(own);
        if (own != 0) loss += own * (own + 2 * p.threshold) / 2;  // half of distance² - threshold²
      }
      for (unsigned k = 0; k < a.count; ++k) {
        const uint32_t target = c.words[item][k];
        loss -= from_top(x[target], p.top) * share, slope[target] -= static_cast<real>(share);
      }
      *c.y[item] = loss <= 0 ? 0 : static_cast<real>(loss);
    }
  }
  static void backward(const Attrs&, Engine&, const Call& c, unsigned) {
    for (size_t item = 0; item < c.count; ++item)
      for (size_t i = 0; i < c.x_dims[0].rows(); ++i) c.dx[item][i] += c.saved[item][i] * *c.dy[item];
  }
  static Expression call(const Expression& x, Indices target_support) {
    const Dim& from = shape_of(name, x);
    if (target_support.empty()) invalid(name, ": an empty list of classes; at least one is needed");
    check_indices(name, target_support, from.rows(), "axis 0");
    return apply<SparsemaxLoss>(x, {static_cast<unsigned>(target_support.size())},
                                repeated(target_support, from.bd));
  }
};

struct ConstrainedSoftmax : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "constrained_softmax";
  static constexpr auto doc = R"(
      Softmax of the vector x whose probabilities are at most y, number by number: what exceeds its bound is
      cut to it, and the rest is shared out by softmax. y has the shape of x; where the bounds sum to less
      than 1, so does the result. The gradient of a bound that was reached is what the others give up for
      it. ValueError for different shapes or what is no vector. (Martins and Kreutzer 2017)

      >>> x, bound = dy.inputVector([2, 0, 0]), dy.inputVector([0.5, 1, 1])
      >>> print(dy.constrained_softmax(x, bound).npvalue())
      [0.5  0.25 0.25])";
  static constexpr Arg args[] = {"x", "y"};
  static Dim shape(const auto&, Dims x) {
    check_vector(x[0]);
    if (!x[0].same_sizes(x[1])) invalid("shapes differ: ", x[0], " and ", x[1], "; they must be equal");
    return x[0].with_batch(common_batch(x));
  }
  // Kept: 1 where the bound was reached.
  static size_t saved_size(const auto&, Dims x) { return x[0].rows(); }
  static void forward(const auto&, Engine&, const Call& c) {
    for (size_t i = 0; i < c.count; ++i) distribute(c.dim.rows(), c.x[0][i], c.x[1][i], c.y[i], c.saved[i]);
  }
  /// What the free ones give up or gain is shared among them as softmax does.
  static void backward(const auto&, Engine&, const Call& c, unsigned argument) {
    const size_t n = c.dim.rows();
    for (size_t item = 0; item < c.count; ++item) {
      const real *y = c.y[item], *dy = c.dy[item], *bounded = c.saved[item];
      double mass = 0, weighted = 0;
      for (size_t i = 0; i < n; ++i)
        if (bounded[i] == 0)
          mass += static_cast<double>(y[i]),
              weighted += static_cast<double>(y[i]) * static_cast<double>(dy[i]);
      const auto mean = static_cast<real>(mass == 0 ? 0 : weighted / mass);
      for (size_t i = 0; i < n; ++i)
        if ((bounded[i] != 0) == (argument == 1))
          c.dx[item][i] += argument == 1 ? dy[i] - mean : y[i] * (dy[i] - mean);
    }
  }
  static Expression call(const Expression& x, const Expression& y) {
    return apply<ConstrainedSoftmax>({x, y});
  }

 private:
  static void distribute(size_t n, const real* x, const real* bound, real* y, real* bounded) {
    std::fill_n(bounded, n, real(0));
    real top = top_score(x, n);
    for (size_t i = 0; i < n; ++i)
      if (bound[i] != bound[i]) top = bound[i];
    double left = 1;
    for (bool changed = true; changed; top = largest_free(n, x, bounded)) {
      changed = false;
      double sum = 0;
      for (size_t i = 0; i < n; ++i)
        if (bounded[i] == 0)
          sum += static_cast<double>(y[i] = std::exp(static_cast<real>(from_top(x[i], top))));
      const double share = left / sum;
      for (size_t i = 0; i < n; ++i) {
        if (bounded[i] != 0) continue;
        y[i] = static_cast<real>(static_cast<double>(y[i]) * share);
        if (!(y[i] > bound[i])) continue;
        y[i] = bound[i], bounded[i] = 1, left = std::max(0.0, left - static_cast<double>(bound[i]));
        changed = true;
      }
    }
  }
  static real largest_free(size_t n, const real* x, const real* bounded) {
    real top = -std::numeric_limits<real>::infinity();
    for (size_t i = 0; i < n; ++i)
      if (bounded[i] == 0) top = std::max(top, x[i]);
    return top;
  }
};

using SparseSoftmax = Ops<Sparsemax, SparsemaxLoss, ConstrainedSoftmax>;

}  // namespace dynet::engine

namespace dynet {

inline Expression sparsemax(const Expression& x) { return engine::Sparsemax::call(x); }
inline Expression sparsemax_loss(const Expression& x, engine::Indices target_support) {
  return engine::SparsemaxLoss::call(x, target_support);
}
inline Expression constrained_softmax(const Expression& x, const Expression& y) {
  return engine::ConstrainedSoftmax::call(x, y);
}

}  // namespace dynet
