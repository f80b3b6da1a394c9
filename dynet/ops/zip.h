// z = f(x, y) with DyNet's broadcasting: sizes are aligned from the first axis, and 1 stretches.
#pragma once

#include "dynet/ops/map.h"

namespace dynet::engine {

/// The broadcast shape of x and y; missing trailing sizes count as 1.
inline Dim broadcast(const Dim& x, const Dim& y) {
  Dim r;
  r.nd = std::max(x.nd, y.nd);
  for (unsigned i = 0; i < r.nd; ++i) {
    if (x[i] != y[i] && x[i] != 1 && y[i] != 1)
      invalid("sizes of axis ", i, " differ: ", x, " and ", y, "; they must be equal, or one of them 1");
    r.d[i] = x[i] == 1 ? y[i] : x[i];
  }
  if (x.bd != y.bd && x.bd != 1 && y.bd != 1)
    invalid("batch sizes differ: ", x, " and ", y, "; they must be equal, or one of them 1");
  r.bd = std::max(x.bd, y.bd);
  return r;
}

template <class Self>
struct Zip : OpDefaults {
  static constexpr Arg args[] = {"x", "y"};
  static constexpr bool overwrites = true;
  static Dim shape(const auto&, Dims x) { return broadcast(x[0], x[1]); }
  static void forward(const auto& a, Engine& e, const Call& c) {
    e.zip(zip_position<Self>(), &a, c.count, c.dim, c.x_dims[0], c.x_dims[1], c.x[0], c.x[1], c.y);
  }
  static void backward(const auto& a, Engine& e, const Call& c, unsigned i) {
    e.zip_backward(zip_position<Self>(), i, &a, c.count, c.dim, c.x_dims[0], c.x_dims[1], c.x[0], c.x[1], c.y,
                   c.dy, c.dx, c.accumulate);
  }
};

struct Add : Zip<Add> {
  static constexpr auto name = "add", doc = "Sum of two expressions, with broadcasting: z = x + y.";
  static constexpr uint32_t identity = 3;
  static constexpr bool hidden = true;
  static constexpr Fusible absorbs = fusible_into_sums;
  static auto value(auto x, auto y) { return x + y; }
  static auto slope0(auto x, auto, auto) { return decltype(x)(1); }
  static auto slope1(auto x, auto, auto) { return decltype(x)(1); }
  static uint32_t fuse(Graph&, std::span<const uint32_t> args);
  static Expression call(const Expression& x, const Expression& y) { return apply<Add>({x, y}); }
};

struct Subtract : Zip<Subtract> {
  static constexpr auto name = "subtract",
                        doc = "Difference of two expressions, with broadcasting: z = x - y.";
  static constexpr uint32_t identity = 1;
  static constexpr bool hidden = true;
  static auto value(auto x, auto y) { return x - y; }
  static auto slope0(auto x, auto, auto) { return decltype(x)(1); }
  static auto slope1(auto x, auto, auto) { return decltype(x)(-1); }
  static Expression call(const Expression& x, const Expression& y) { return apply<Subtract>({x, y}); }
};

struct Multiply : Zip<Multiply> {
  static constexpr Fusible fusible_into = fusible_into_sums, absorbs = fusible_into_products;
  static constexpr auto name = "cmult";
  static constexpr auto doc = R"(
      The product of x and y, number by number: z = x ∘ y. Sizes are aligned from the first axis on, and a
      size of 1 stretches, as does a batch size of 1: (3, 2) times (3,) multiplies each column by the
      vector, (3, 2) times (1, 2) each row. ValueError where sizes differ otherwise. dz/dx = y and dz/dy =
      x, summed over what was stretched. x * y of two expressions is the matrix product instead.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.cmult(x, dy.inputVector([10, 100])).npvalue())
      [[ 10.  20.]
       [300. 400.]])";
  static auto value(auto x, auto y) { return x * y; }
  static auto slope0(auto, auto y, auto) { return y; }
  static auto slope1(auto x, auto, auto) { return x; }
  static uint32_t fuse(Graph&, std::span<const uint32_t> args);
  static Expression call(const Expression& x, const Expression& y) { return apply<Multiply>({x, y}); }
};

struct Divide : Zip<Divide> {
  static constexpr auto name = "cdiv";
  static constexpr auto doc = R"(
      The quotient of x and y, number by number: z = x / y. Sizes are aligned from the first axis on, and a
      size of 1 stretches, as does a batch size of 1; ValueError where sizes differ otherwise. dz/dx = 1 / y
      and dz/dy = -z / y, summed over what was stretched. Division by 0 gives ±inf, or NaN for 0 / 0. x / y
      of two expressions is the same.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.cdiv(x, dy.inputVector([2, 4])).npvalue())
      [[0.5  1.  ]
       [0.75 1.  ]])";
  static auto value(auto x, auto y) { return x / y; }
  static auto slope0(auto, auto y, auto) { return decltype(y)(1) / y; }
  static auto slope1(auto, auto y, auto z) { return -z / y; }
  static Expression call(const Expression& x, const Expression& y) { return apply<Divide>({x, y}); }
};

struct Pow : Zip<Pow> {
  static constexpr auto name = "pow";
  static constexpr auto doc = R"(
      Each number of x to the power of y, z = x^y. y is an expression of one number, of shape (1,), or a
      batch of them; x ** 2 with a plain number is cheaper. ValueError if y has more numbers. dz/dx = y x^(y
      - 1) and dz/dy = z ln x summed over x, which is NaN where x is negative. At x = 0 both gradients are 0
      for y from 0 to below 1, where they would be infinite, and that of y for any y that is not negative.

      >>> x = dy.inputVector([1, 4, 9])
      >>> print(dy.pow(x, dy.scalarInput(0.5)).npvalue())
      [1. 2. 3.])";
  static Dim shape(const auto&, Dims x) {
    if (x[1].batch_size() != 1) invalid("the exponent has shape ", x[1], "; one number is needed");
    return x[0].truncate().with_batch(common_batch(x));
  }
  static auto value(auto x, auto y) { return pow(x, y); }
  static auto slope0(auto x, auto y, auto) {
    using V = decltype(x);
    return select(y == 0 || (x == 0 && y > 0 && y < 1), V(0), y * pow(x, y - 1));
  }
  static auto slope1(auto x, auto y, auto z) {
    return select(z == 0 || (x == 0 && y == 0), decltype(z)(0), z * log(x));
  }
  static Expression call(const Expression& x, const Expression& y) { return apply<Pow>({x, y}); }
};

struct Maximum : Zip<Maximum> {
  static constexpr auto name = "bmax";
  static constexpr auto doc = R"(
      The larger of x and y, number by number: z = max(x, y). A size or a batch size of 1 stretches;
      ValueError where sizes differ otherwise. The gradient goes to the larger one, and to y where both are
      equal. For a whole list take emax, for the largest number of one expression max_dim.

      >>> x, y = dy.inputVector([1, 5]), dy.inputVector([3, 2])
      >>> print(dy.bmax(x, y).npvalue())
      [3. 5.])";
  static auto value(auto x, auto y) { return larger(x, y); }
  static auto slope0(auto x, auto y, auto) { return select(x <= y, decltype(x)(0), decltype(x)(1)); }
  static auto slope1(auto x, auto y, auto) { return select(x > y, decltype(x)(0), decltype(x)(1)); }
  static Expression call(const Expression& x, const Expression& y) { return apply<Maximum>({x, y}); }
};

struct Minimum : Zip<Minimum> {
  static constexpr auto name = "bmin";
  static constexpr auto doc = R"(
      The smaller of x and y, number by number: z = min(x, y). A size or a batch size of 1 stretches;
      ValueError where sizes differ otherwise. The gradient goes to the smaller one, and to y where both are
      equal. For the smallest number of one expression take min_dim.

      >>> x, y = dy.inputVector([1, 5]), dy.inputVector([3, 2])
      >>> print(dy.bmin(x, y).npvalue())
      [1. 2.])";
  static auto value(auto x, auto y) { return smaller(x, y); }
  static auto slope0(auto x, auto y, auto) { return select(x >= y, decltype(x)(0), decltype(x)(1)); }
  static auto slope1(auto x, auto y, auto) { return select(x < y, decltype(x)(0), decltype(x)(1)); }
  static Expression call(const Expression& x, const Expression& y) { return apply<Minimum>({x, y}); }
};

/// The sum of a matrix and a vector, under a name and with a check of its own.
struct ColumnwiseAdd : Zip<Add> {
  static constexpr auto name = "colwise_add";
  static constexpr auto doc = R"(
      The sum of a matrix x (r, c) and a vector y (r,), which is added to each column; as x + y, but
      ValueError for anything but a matrix and a vector of as many rows. A batch size of 1 stretches. The
      gradient of y is summed over the columns.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.colwise_add(x, dy.inputVector([10, 100])).npvalue())
      [[ 11.  12.]
       [103. 104.]])";
  static constexpr uint32_t identity = 3;
  static constexpr Arg args[] = {"x", "y"};
  static Dim shape(const auto&, Dims x) {
    if (x[0].nd > 2 || !x[1].is_vector() || x[0].rows() != x[1].rows())
      invalid("shapes ", x[0], " and ", x[1], "; a matrix and a vector of as many rows are needed");
    return broadcast(x[0], x[1]);
  }
  static Expression call(const Expression& x, const Expression& bias) {
    return apply<ColumnwiseAdd>({x, bias});
  }
};

using Pairwise = Ops<Add, Subtract, Multiply, Divide, Pow, Maximum, Minimum>;

}  // namespace dynet::engine

namespace dynet {

inline Expression operator+(const Expression& x, const Expression& y) { return engine::Add::call(x, y); }
inline Expression operator-(const Expression& x, const Expression& y) { return engine::Subtract::call(x, y); }
inline Expression operator/(const Expression& x, const Expression& y) { return engine::Divide::call(x, y); }
inline Expression cmult(const Expression& x, const Expression& y) { return engine::Multiply::call(x, y); }
inline Expression cdiv(const Expression& x, const Expression& y) { return engine::Divide::call(x, y); }
inline Expression pow(const Expression& x, const Expression& y) { return engine::Pow::call(x, y); }
inline Expression max(const Expression& x, const Expression& y) { return engine::Maximum::call(x, y); }
inline Expression min(const Expression& x, const Expression& y) { return engine::Minimum::call(x, y); }
inline Expression colwise_add(const Expression& x, const Expression& bias) {
  return engine::ColumnwiseAdd::call(x, bias);
}

}  // namespace dynet
