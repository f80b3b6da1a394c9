// Products of the matrices that tensors of three axes consist of.
#pragma once

#include "dynet/ops/linear.h"

namespace dynet::engine {

/// z_b = x_b y_b over the last axis of both, where one matrix stretches.
struct BatchedProduct : OpDefaults {
  static constexpr auto name = "bmm";
  static constexpr auto doc = R"(
      Products of matrices, one for each place of the last axis: x (m, k, n) and y (k, p, n) give z (m, p, n)
      with z_ijb = Σ_l x_ilb y_ljb. Where one of the tensors is a matrix, or its last size is 1, it is
      multiplied with all of the other's. A batch size of 1 stretches. ValueError where sizes do not fit. dx
      = dz yᵀ and dy = xᵀ dz, each summed over what was stretched. dy.einsum names the axes itself.

      >>> x = dy.inputTensor(np.arange(12).reshape(2, 3, 2))
      >>> y = dy.inputTensor(np.ones((3, 1, 2)))
      >>> print(dy.bmm(x, y).npvalue()[:, 0, :])
      [[ 6.  9.]
       [24. 27.]])";
  static constexpr Arg args[] = {"x", "y"};
  static Dim shape(const auto&, Dims x) {
    const Dim &a = x[0], &b = x[1];
    if (a.nd > 3 || b.nd > 3) invalid("shapes ", a, " and ", b, "; tensors of up to three axes are needed");
    if (a[1] != b[0] || (a[2] != b[2] && a[2] != 1 && b[2] != 1))
      invalid("shapes ", a, " and ", b,
              "; the columns of the first must be the rows of the second, and last sizes equal or 1");
    Dim z{a[0], b[1], std::max(a[2], b[2])};
    if (a.nd < 3 && b.nd < 3) z.nd = 2;
    return z.with_batch(common_batch(x));
  }
  static size_t workspace_size(const auto&, Dims x) { return x[1].batch_size(); }

  static void forward(const auto&, Engine& e, const Call& c) {
    const Sizes s(c);
    for (unsigned b = 0; b < s.count; ++b)
      e.product({.m = s.m,
                 .k = s.k,
                 .n = s.n,
                 .count = c.count,
                 .a = s.left(c.x[0], b),
                 .x = s.right(c.x[1], b),
                 .y = s.result(c.y, b),
                 .init = {}});
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    const Sizes s(c);
    if (i == 0) return left_gradient(e, c, s);
    for (unsigned b = 0; b < s.count; ++b) {
      const Items to = s.right(c.dx, b);
      e.product({.m = s.m,
                 .k = s.k,
                 .n = s.n,
                 .transposed = true,
                 .count = c.count,
                 .a = s.left(c.x[0], b),
                 .x = s.result(c.dy, b),
                 .y = c.workspace,
                 .init = {}});
      e.move(c.count, run_of(size_t{s.k} * s.n), {}, true, c.workspace, to);
    }
  }
  static Expression call(const Expression& x, const Expression& y) { return apply<BatchedProduct>({x, y}); }

 private:
  struct Sizes {
    unsigned m, k, n, count;
    bool many_left, many_right;

    explicit Sizes(const Call& c)
        : m(c.x_dims[0][0]),
          k(c.x_dims[0][1]),
          n(c.x_dims[1][1]),
          count(c.dim[2]),
          many_left(c.x_dims[0][2] > 1),
          many_right(c.x_dims[1][2] > 1) {}
    Items left(const Items& x, unsigned b) const { return x.part(many_left ? size_t{m} * k * b : 0); }
    Items right(const Items& y, unsigned b) const { return y.part(many_right ? size_t{k} * n * b : 0); }
    Items result(const Items& z, unsigned b) const { return z.part(size_t{m} * n * b); }
  };
  static void left_gradient(Engine& e, const Call& c, const Sizes& s) {
    thread_local std::vector<const real*> dz, y;
    for (size_t item = 0; item < c.count; ++item)
      for (unsigned b = 0; b < s.count; ++b) {
        dz.clear(), y.clear();
        for (size_t column = 0; column < s.n; ++column) {
          dz.push_back(s.result(c.dy, b)[item] + column * s.m);
          y.push_back(s.right(c.x[1], b)[item] + column * s.k);
        }
        e.outer_sum({s.m, s.k, s.n, dz.data(), y.data(), s.left(c.dx, b)[item], true});
      }
  }
};

using TensorProducts = Ops<BatchedProduct>;

}  // namespace dynet::engine

namespace dynet::functional {

inline Expression bmm(const Expression& x, const Expression& y) { return engine::BatchedProduct::call(x, y); }

}  // namespace dynet::functional
