// Relatives of softmax whose probabilities may be exactly zero, or bounded.
#pragma once

#include <cmath>
#include <functional>

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"

namespace dynet::engine {

/// The threshold τ of the projection of x on the simplex, max(0, x - τ).
inline real simplex_threshold(const real* x, size_t n) {
  thread_local std::vector<real> sorted;
  sorted.assign(x, x + n);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  real sum = 0, threshold = 0;
  for (size_t k = 0; k < n; ++k) {
    sum += sorted[k];
    if (1 + static_cast<real>(k + 1) * sorted[k] > sum) threshold = (sum - 1) / static_cast<real>(k + 1);
  }
  return threshold;
}

struct Sparsemax : OpDefaults {
  static constexpr auto
      name = "sparsemax",
      doc =
          "The point of the probability simplex that is closest to the vector x (Martins and "
          "Astudillo 2016).";
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
      real sum = 0, support = 0;
      for (size_t i = 0; i < n; ++i)
        if (y[i] > 0) sum += dy[i], ++support;
      for (size_t i = 0; i < n; ++i)
        if (y[i] > 0) c.dx[item][i] += dy[i] - sum / support;
    }
  }
  static void project(const real* x, size_t n, real* y) {
    const real threshold = simplex_threshold(x, n);
    for (size_t i = 0; i < n; ++i) y[i] = std::max(real(0), x[i] - threshold);
  }
  static Expression call(const Expression& x) { return apply<Sparsemax>(x); }
};

/// The words of each batch element are the target's support.
struct SparsemaxLoss : OpDefaults {
  struct Attrs {
    unsigned count;
  };
  static constexpr auto
      name = "sparsemax_loss",
      doc =
          "The loss of sparsemax(x) for a target that is uniform over some classes (Martins and "
          "Astudillo 2016).";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "target_support"};
  static Dim shape(const Attrs&, Dims x) {
    check_vector(x[0]);
    return Dim({1}, x[0].bd);
  }
  static size_t aux_size(const Attrs&, Dims x) { return x[0].rows(); }
  static void forward(const Attrs& a, Engine&, const Call& c) {
    const size_t n = c.x_dims[0].rows();
    const real share = real(1) / static_cast<real>(a.count);
    for (size_t item = 0; item < c.count; ++item) {
      const real* x = c.x[0][item];
      const real threshold = simplex_threshold(x, n);
      Sparsemax::project(x, n, c.aux[item]);
      real loss = share / 2;
      for (size_t i = 0; i < n; ++i)
        if (x[i] > threshold) loss += (x[i] * x[i] - threshold * threshold) / 2;
      for (unsigned k = 0; k < a.count; ++k) loss -= x[c.words[item][k]] * share;
      *c.y[item] = std::max(real(0), loss);
    }
  }
  static void backward(const Attrs& a, Engine&, const Call& c, unsigned) {
    const real share = real(1) / static_cast<real>(a.count);
    for (size_t item = 0; item < c.count; ++item) {
      real* slope = c.aux[item];
      for (unsigned k = 0; k < a.count; ++k) slope[c.words[item][k]] -= share;
      for (size_t i = 0; i < c.x_dims[0].rows(); ++i) c.dx[item][i] += slope[i] * *c.dy[item];
      for (unsigned k = 0; k < a.count; ++k) slope[c.words[item][k]] += share;
    }
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
  static constexpr auto
      name = "constrained_softmax",
      doc =
          "Softmax of the vector x whose probabilities are at most y, elementwise (Martins and "
          "Kreutzer 2017).";
  static constexpr Arg args[] = {"x", "y"};
  static Dim shape(const auto&, Dims x) {
    check_vector(x[0]);
    if (!x[0].same_sizes(x[1])) invalid("shapes differ: ", x[0], " and ", x[1], "; they must be equal");
    return x[0].with_batch(common_batch(x));
  }
  // Kept: 1 where the bound was reached.
  static size_t aux_size(const auto&, Dims x) { return x[0].rows(); }
  static void forward(const auto&, Engine&, const Call& c) {
    for (size_t i = 0; i < c.count; ++i) distribute(c.dim.rows(), c.x[0][i], c.x[1][i], c.y[i], c.aux[i]);
  }
  /// What the free ones give up or gain is shared among them as softmax does.
  static void backward(const auto&, Engine&, const Call& c, unsigned argument) {
    const size_t n = c.dim.rows();
    for (size_t item = 0; item < c.count; ++item) {
      const real *y = c.y[item], *dy = c.dy[item], *bounded = c.aux[item];
      real mass = 0, mean = 0;
      for (size_t i = 0; i < n; ++i)
        if (bounded[i] == 0) mass += y[i], mean += y[i] * dy[i];
      if (mass > 0) mean /= mass;
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
    real left = 1;
    for (bool changed = true; changed;) {
      changed = false;
      real largest = -std::numeric_limits<real>::infinity(), sum = 0;
      for (size_t i = 0; i < n; ++i)
        if (bounded[i] == 0) largest = std::max(largest, x[i]);
      for (size_t i = 0; i < n; ++i)
        if (bounded[i] == 0) sum += y[i] = std::exp(x[i] - largest);
      const real share = left / sum;
      for (size_t i = 0; i < n; ++i) {
        if (bounded[i] != 0) continue;
        y[i] *= share;
        if (y[i] <= bound[i]) continue;
        y[i] = bound[i], bounded[i] = 1, left -= bound[i];
        changed = true;
      }
    }
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
