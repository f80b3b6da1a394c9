// Matrix products. The left operand is a matrix whose gradient the executor sums over all its uses.
#pragma once

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Rows and columns of a · x; throws unless both are matrices or vectors whose inner sizes agree.
inline Dim product_shape(const Dim& a, const Dim& x) {
  if (a.nd > 2 || x.nd > 2) invalid("shapes ", a, " and ", x, "; matrices or vectors are needed");
  if (a.cols() != x.rows())
    invalid("inner sizes differ: ", a, " times ", x,
            "; the columns of the first must be the rows of the second");
  return {a.rows(), x.cols()};
}

/// Calls of the engine that products are made of, for operands of any op.
struct ProductCalls {
  /// dx += Aᵀ dy, or 0 + Aᵀ dy
  static void right_gradient(Engine& e, const Call& c, unsigned a) {
    const Dim& dim = c.x_dims[a];
    e.product({.m = dim.rows(),
               .k = dim.cols(),
               .n = c.dim.cols(),
               .transposed = true,
               .count = c.count,
               .a = c.x[a],
               .packed = c.packed[a],
               .x = c.dy,
               .y = c.dx,
               .init = c.accumulate ? c.dx : Items{}});
  }
  /// dA += dy xᵀ, or 0 + dy xᵀ, for matrices of their own in each item
  static void left_gradient(Engine& e, const Call& c, unsigned a) {
    const unsigned m = c.x_dims[a].rows(), k = c.x_dims[a].cols(), n = c.dim.cols();
    thread_local std::vector<const real*> dy, x;
    for (size_t i = 0; i < c.count; ++i) {
      dy.clear(), x.clear();
      for (size_t column = 0; column < n; ++column)
        dy.push_back(c.dy[i] + column * m), x.push_back(c.x[a + 1][i] + column * k);
      e.outer_sum({m, k, n, dy.data(), x.data(), c.dx[i], c.accumulate});
    }
  }
};

struct MatrixMultiply : OpDefaults {
  static constexpr auto name = "matmul",
                        doc = "Matrix product: {m,k} times {k,n} is {m,n}, {m,k} times {k} is {m}.";
  static constexpr bool hidden = true, overwrites = true;
  static constexpr Fusible fusible_into = fusible_into_sums;
  static constexpr Arg args[] = {"a", "b"};
  static constexpr bool is_matrix(unsigned i) { return i == 0; }
  static Dim shape(const auto&, Dims x) {
    const Dim y = product_shape(x[0], x[1]);
    return (x[1].nd == 1 ? Dim{y.rows()} : y).with_batch(common_batch(x));
  }
  static void forward(const auto&, Engine& e, const Call& c) {
    const Dim& a = c.x_dims[0];
    e.product({.m = a.rows(),
               .k = a.cols(),
               .n = c.dim.cols(),
               .count = c.count,
               .a = c.x[0],
               .packed = c.packed[0],
               .x = c.x[1],
               .y = c.y,
               .init = {}});
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    if (i == 0)
      ProductCalls::left_gradient(e, c, 0);
    else
      ProductCalls::right_gradient(e, c, 0);
  }
  static Expression call(const Expression& a, const Expression& b) { return apply<MatrixMultiply>({a, b}); }
};

struct AffineTransform : OpDefaults {
  static constexpr auto name = "affine_transform";
  static constexpr auto doc = R"(
      b + W1 x1 + W2 x2 + …, as one operation, from the list [b, W1, x1, W2, x2, …]. W (m, k) times x (k,)
      or (k, n) gives (m,) or (m, n); a bias (m,) is added to each column of it. A batch size of 1
      stretches, so that weights are multiplied with a whole mini-batch at once. ValueError for an even
      number of expressions, and where sizes do not fit. Cheaper than the same sum of products, of which it
      keeps no part.

      >>> w, x, b = dy.inputTensor([[1, 2], [3, 4]]), dy.inputVector([1, 1]), dy.inputVector([10, 20])
      >>> print(dy.affine_transform([b, w, x]).npvalue())
      [13. 27.])";
  static constexpr Arg args[] = {"exprs"};
  static constexpr uint32_t identity = 1;
  static constexpr bool overwrites = true;
  static constexpr bool is_matrix(unsigned i) { return i % 2 == 1; }
  static Dim shape(const auto&, Dims x) {
    if (x.size() % 2 == 0) invalid(needs_pairs(x.size()));
    const Dim y = product_shape(x[1], x[2]);
    for (size_t i = 3; i < x.size(); i += 2)
      if (const Dim other = product_shape(x[i], x[i + 1]); !(other == y))
        invalid("products differ in shape: ", y, " and ", other, "; they must be equal");
    if (x[0].nd > 2 || x[0].rows() != y.rows() || (x[0].cols() != 1 && x[0].cols() != y.cols()))
      invalid("a bias of shape ", x[0], " for a product of shape ", y, "; ", y, " or {", y.rows(),
              "} is needed");
    return (y.cols() == 1 ? Dim{y.rows()} : y).with_batch(common_batch(x));
  }
  static void forward(const auto&, Engine& e, const Call& c) {
    Items init = c.x[0];
    bool column = c.x_dims[0].cols() == 1;
    for (size_t i = 1; i < c.x.size(); i += 2) {
      const Dim& w = c.x_dims[i];
      e.product({.m = w.rows(),
                 .k = w.cols(),
                 .n = c.dim.cols(),
                 .count = c.count,
                 .a = c.x[i],
                 .packed = c.packed[i],
                 .x = c.x[i + 1],
                 .y = c.y,
                 .init = init,
                 .init_is_column = column});
      init = c.y, column = false;
    }
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    if (i == 0)
      bias_gradient(e, c);
    else if (is_matrix(i))
      ProductCalls::left_gradient(e, c, i);
    else
      ProductCalls::right_gradient(e, c, i - 1);
  }
  static Expression call(Expressions exprs) {
    if (exprs.empty()) invalid("affine_transform: an empty list; a bias is needed");
    if (exprs.size() == 1) return exprs[0];
    return exprs.size() <= most_arguments ? apply<AffineTransform>(exprs) : in_steps(exprs);
  }

 private:
  /// More than a node can have arguments: what some products and the bias make is the bias of the next ones.
  [[gnu::cold, gnu::noinline]] static Expression in_steps(const Expressions& exprs) {
    constexpr size_t most_products = (most_arguments - 1) / 2;
    if (exprs.size() % 2 == 0) invalid("affine_transform: ", needs_pairs(exprs.size()));
    std::vector<Expression> step{exprs[0]};
    for (size_t i = 1; i < exprs.size();) {
      for (size_t last = std::min(exprs.size(), i + 2 * most_products); i < last; ++i)
        step.push_back(exprs[i]);
      step = {apply<AffineTransform>(step)};
    }
    return step[0];
  }
  static std::string needs_pairs(size_t count) {
    return text(count, " expressions; an odd number is needed: a bias, then matrices and what they multiply");
  }
  static void bias_gradient(Engine& e, const Call& c) {
    const unsigned m = c.dim.rows(), n = c.dim.cols();
    const bool column = c.x_dims[0].cols() == 1 && n > 1;
    if (!c.accumulate) fill_items(e, c.count, c.x_dims[0].batch_size(), 0, c.dx);
    const Strides s = column ? blocks_of(m, n, m, 0) : run_of(size_t{m} * n);
    e.move(c.count, s, {}, true, c.dy, c.dx);
  }
};

/// The sum of a parameter and a product, as the program wrote it (fusion.cc).
struct AddedProduct : AffineTransform {
  struct Attrs {
    uint32_t original[2];  // the nodes of the sum
  };
  static constexpr uint32_t own_size = sizeof(Attrs);
  static constexpr auto name = "added_product", doc = "b + W x, written as a sum and a product.";
  static constexpr bool hidden = true;
  static constexpr const Op& original = op<Add>;
  static void tell(const Attrs&, Dims, AttributeList&) {}
  static std::span<const uint32_t, 2> original_args(const Attrs& a) { return a.original; }
};

using Linear = Ops<MatrixMultiply, AffineTransform, AddedProduct>;

}  // namespace dynet::engine

namespace dynet {

inline Expression operator*(const Expression& a, const Expression& b) {
  return engine::MatrixMultiply::call(a, b);
}
inline Expression affine_transform(engine::Expressions exprs) { return engine::AffineTransform::call(exprs); }

}  // namespace dynet
