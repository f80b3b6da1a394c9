// Inverse and determinant of square matrices.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynet/core/watch.h"
#include "dynet/ops/linear.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Writes the inverse of x (n×n) and returns log |det x|; not a number if the determinant is negative. The
/// inverse of a singular x is not a number throughout.
inline real invert(const real* x, unsigned n, real* inverse) {
  thread_local std::vector<double> room;  // rows of [x | I], turned into [I | inverse] by Gauss-Jordan steps
  const size_t width = 2 * size_t{n};
  room.assign(n * width, 0);
  const auto row = [&](unsigned i) { return room.data() + i * width; };
  for (unsigned i = 0; i < n; ++i) {
    for (unsigned k = 0; k < n; ++k) row(i)[k] = static_cast<double>(x[i + size_t{k} * n]);
    row(i)[n + i] = 1;
  }
  double log_determinant = 0;
  bool negative = false;
  for (unsigned k = 0; k < n; ++k) {
    unsigned pivot = k;
    for (unsigned i = k + 1; i < n; ++i)
      if (std::abs(row(i)[k]) > std::abs(row(pivot)[k])) pivot = i;
    if (pivot != k) std::swap_ranges(row(k), row(k) + width, row(pivot));
    const double p = row(k)[k];
    if (p == 0) {
      std::fill_n(inverse, size_t{n} * n, std::numeric_limits<real>::quiet_NaN());
      const bool finite = std::ranges::all_of(room, [](double a) { return std::isfinite(a); });
      return finite ? -std::numeric_limits<real>::infinity() : std::numeric_limits<real>::quiet_NaN();
    }
    log_determinant += std::log(std::abs(p));
    negative ^= (p < 0) ^ (pivot != k);
    for (size_t j = k; j < width; ++j) row(k)[j] /= p;
    worked(static_cast<int64_t>(n * width));
    for (unsigned i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = row(i)[k];
      for (size_t j = k; j < width; ++j) row(i)[j] -= factor * row(k)[j];
    }
  }
  for (unsigned i = 0; i < n; ++i)
    for (unsigned k = 0; k < n; ++k) inverse[i + size_t{k} * n] = static_cast<real>(row(i)[n + k]);
  return negative ? std::numeric_limits<real>::quiet_NaN() : static_cast<real>(log_determinant);
}

inline void check_square(const Dim& x) {
  if (x.nd != 2 || x.rows() != x.cols()) invalid("shape ", x, "; a square matrix is needed");
}

/// The loops of the transposed copy of an n×n matrix.
inline Strides transposing(unsigned n) {
  Strides s;
  s.axis(n, n, 1);
  s.axis(n, 1, n);
  return s;
}

struct Inverse : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "inverse";
  static constexpr auto doc = R"(
      The inverse of a square matrix, by Gauss-Jordan elimination in double precision, whose time grows as
      n³. Of a singular matrix every number of the result is NaN. dX = -Yᵀ dY Yᵀ. Each batch element is
      inverted for itself. ValueError unless x is square.

      >>> x = dy.inputTensor([[2, 0], [0, 4]])
      >>> print(dy.inverse(x).npvalue())
      [[0.5  0.  ]
       [0.   0.25]])";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) {
    check_square(x[0]);
    return x[0];
  }
  static size_t workspace_size(const auto&, Dims x) { return 2 * x[0].batch_size(); }
  static void forward(const auto&, Engine&, const Call& c) {
    for (size_t i = 0; i < c.count; ++i) invert(c.x[0][i], c.dim.rows(), c.y[i]);
  }
  /// dx += -Yᵀ dY Yᵀ, whose transpose is -Y (Yᵀ dY)ᵀ.
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const unsigned n = c.dim.rows();
    const size_t size = c.dim.batch_size();
    const Items first = c.workspace, second = c.workspace.part(size);
    Product product{.m = n,
                    .k = n,
                    .n = n,
                    .transposed = true,
                    .count = c.count,
                    .a = c.y,
                    .x = c.dy,
                    .y = first,
                    .init = {}};
    e.product(product);
    e.move(c.count, transposing(n), {}, false, first, second);
    product.transposed = false, product.x = second, product.y = first;
    e.product(product);
    e.map(map_position<Negate>(), nullptr, c.count, size, first, second);
    e.move(c.count, transposing(n), {}, true, second, c.dx);
  }
  static Expression call(const Expression& x) { return apply<Inverse>(x); }
};

struct LogDeterminant : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "logdet";
  static constexpr auto doc = R"(
      The natural logarithm of the determinant of a square matrix: shape (1,). It is -inf for a singular
      matrix and NaN for a negative determinant. The gradient is the transposed inverse. Computed in double
      precision in time that grows as n³. ValueError unless x is square.

      >>> x = dy.inputTensor([[2, 0], [0, 4]])
      >>> print(round(dy.logdet(x).value(), 4))
      2.0794)";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) {
    check_square(x[0]);
    return Dim({1}, x[0].bd);
  }
  // Kept: the inverse, whose transpose is the slope.
  static size_t saved_size(const auto&, Dims x) { return x[0].batch_size(); }
  static size_t workspace_size(const auto&, Dims x) { return 2 * x[0].batch_size(); }
  static void forward(const auto&, Engine&, const Call& c) {
    for (size_t i = 0; i < c.count; ++i) *c.y[i] = invert(c.x[0][i], c.x_dims[0].rows(), c.saved[i]);
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.x_dims[0], one{1};
    const Items slope = c.workspace, product = c.workspace.part(dim.batch_size());
    e.move(c.count, transposing(dim.rows()), {}, false, c.saved, slope);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, one, slope, c.dy, product);
    e.move(c.count, run_of(dim.batch_size()), {}, true, product, c.dx);
  }
  static Expression call(const Expression& x) { return apply<LogDeterminant>(x); }
};

using Dense = Ops<Inverse, LogDeterminant>;

}  // namespace dynet::engine

namespace dynet {

inline Expression inverse(const Expression& x) { return engine::Inverse::call(x); }
inline Expression logdet(const Expression& x) { return engine::LogDeterminant::call(x); }

}  // namespace dynet
