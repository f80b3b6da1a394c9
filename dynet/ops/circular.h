// Circular convolution and correlation: products with a matrix whose columns are one vector, shifted.
#pragma once

#include "dynet/ops/linear.h"

namespace dynet::engine {

/// The gradients of both operations are such operations again.
struct CircularOp : OpDefaults {
  static constexpr bool overwrites = true;
  static constexpr Arg args[] = {"u", "v"};
  static Dim shape(const auto&, Dims x) {
    if (x[0].nd != 1 || !x[0].same_sizes(x[1]))
      invalid("shapes ", x[0], " and ", x[1], "; two vectors of one size are needed");
    return x[0].with_batch(common_batch(x));
  }
  /// The matrix, as a vector twice; and the other vector, reversed.
  static size_t saved_size(const auto&, Dims x) { return size_t{3} * x[0].rows(); }

  /// y_k = Σ_i a_i b_(i+k mod n).
  static void correlate(Engine& e, const Call& c, Items a, Items b, Items y, Items init) {
    multiply(e, c, b, 0, a, y, init);
  }
  /// y_k = Σ_i a_i b_(k-i mod n): the same with a reversed, as k - i = (n - 1 - i) + k + 1 mod n.
  static void convolve(Engine& e, const Call& c, Items a, Items b, Items y, Items init) {
    const unsigned n = c.dim.rows();
    const Items reversed = c.saved.part(size_t{2} * n);
    Strides backwards;
    backwards.axis(n, -1, 1);
    e.move(c.count, backwards, {.from_offset = n - 1}, false, a, reversed);
    multiply(e, c, b, 1, reversed, y, init);
  }

 private:
  /// y_k = Σ_i x_i b_(i+k+shift mod n). In terms of i + k the columns of the matrix are one number apart.
  static void multiply(Engine& e, const Call& c, Items b, size_t shift, Items x, Items y, Items init) {
    const unsigned n = c.dim.rows();
    e.move(c.count, blocks_of(n, 2, 0, n), {}, false, b, c.saved);
    e.product({.m = n,
               .k = n,
               .n = 1,
               .count = c.count,
               .a = c.saved.part(shift),
               .x = x,
               .y = y,
               .init = init,
               .a_step = 1,
               .short_runs = true});
  }
};

struct CircularConvolution : CircularOp {
  static constexpr auto name = "circ_conv";
  static constexpr auto doc = R"(
      The circular convolution of two vectors of one size n: y_k = Σ_i u_i v_j with j = (k - i) mod n, as
      their discrete Fourier transforms multiplied. A batch size of 1 stretches. ValueError for other
      shapes. The gradients are circular correlations. Holographic embeddings bind two vectors by it.

      >>> u, v = dy.inputVector([1, 2, 3]), dy.inputVector([0, 1, 0])
      >>> print(dy.circ_conv(u, v).npvalue())
      [3. 1. 2.])";
  static void forward(const auto&, Engine& e, const Call& c) { convolve(e, c, c.x[0], c.x[1], c.y, {}); }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    correlate(e, c, c.x[1 - i], c.dy, c.dx, c.accumulate ? c.dx : Items{});
  }
  static Expression call(const Expression& u, const Expression& v) {
    return apply<CircularConvolution>({u, v});
  }
};

struct CircularCorrelation : CircularOp {
  static constexpr auto name = "circ_corr";
  static constexpr auto doc = R"(
      The circular correlation of two vectors of one size n: y_k = Σ_i u_i v_j with j = (i + k) mod n. A
      batch size of 1 stretches. ValueError for other shapes. It undoes circ_conv with the same u, up to
      noise, where u is random, which is how holographic embeddings (Nickel, Rosasco and Poggio 2016)
      compare two entities.

      >>> u, v = dy.inputVector([0, 1, 0]), dy.inputVector([1, 2, 3])
      >>> print(dy.circ_corr(u, v).npvalue())
      [2. 3. 1.])";
  static void forward(const auto&, Engine& e, const Call& c) { correlate(e, c, c.x[0], c.x[1], c.y, {}); }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    const Items init = c.accumulate ? c.dx : Items{};
    if (i == 0)
      correlate(e, c, c.dy, c.x[1], c.dx, init);
    else
      convolve(e, c, c.dy, c.x[0], c.dx, init);
  }
  static Expression call(const Expression& u, const Expression& v) {
    return apply<CircularCorrelation>({u, v});
  }
};

using Circular = Ops<CircularConvolution, CircularCorrelation>;

}  // namespace dynet::engine

namespace dynet {

inline Expression circ_conv(const Expression& u, const Expression& v) {
  return engine::CircularConvolution::call(u, v);
}
inline Expression circ_corr(const Expression& u, const Expression& v) {
  return engine::CircularCorrelation::call(u, v);
}

}  // namespace dynet
