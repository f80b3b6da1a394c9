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
  static constexpr auto name = "cmult", doc = "Elementwise product with broadcasting: z = x ∘ y.";
  static auto value(auto x, auto y) { return x * y; }
  static auto slope0(auto, auto y, auto) { return y; }
  static auto slope1(auto x, auto, auto) { return x; }
  static uint32_t fuse(Graph&, std::span<const uint32_t> args);
  static Expression call(const Expression& x, const Expression& y) { return apply<Multiply>({x, y}); }
};

struct Divide : Zip<Divide> {
  static constexpr auto name = "cdiv", doc = "Elementwise quotient with broadcasting: z = x / y.";
  static auto value(auto x, auto y) { return x / y; }
  static auto slope0(auto, auto y, auto) { return decltype(y)(1) / y; }
  static auto slope1(auto, auto y, auto z) { return -z / y; }
  static Expression call(const Expression& x, const Expression& y) { return apply<Divide>({x, y}); }
};

struct Pow : Zip<Pow> {
  static constexpr auto
      name = "pow",
      doc =
          "Each element of x to the power of y, which is one number: z = x^y. The gradient of y needs "
          "positive x; at x = 0 both gradients are 0 for y from 0 to below 1, and that of "
          "y for any y that is not negative.";
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
  static constexpr auto name = "bmax",
                        doc = "The larger of x and y, elementwise; of equal numbers y gets the gradient.";
  static auto value(auto x, auto y) { return larger(x, y); }
  static auto slope0(auto x, auto y, auto) { return select(x <= y, decltype(x)(0), decltype(x)(1)); }
  static auto slope1(auto x, auto y, auto) { return select(x > y, decltype(x)(0), decltype(x)(1)); }
  static Expression call(const Expression& x, const Expression& y) { return apply<Maximum>({x, y}); }
};

struct Minimum : Zip<Minimum> {
  static constexpr auto name = "bmin",
                        doc = "The smaller of x and y, elementwise; of equal numbers y gets the gradient.";
  static auto value(auto x, auto y) { return smaller(x, y); }
  static auto slope0(auto x, auto y, auto) { return select(x >= y, decltype(x)(0), decltype(x)(1)); }
  static auto slope1(auto x, auto y, auto) { return select(x < y, decltype(x)(0), decltype(x)(1)); }
  static Expression call(const Expression& x, const Expression& y) { return apply<Minimum>({x, y}); }
};

/// The sum of a matrix and a vector, under a name and with a check of its own.
struct ColumnwiseAdd : Zip<Add> {
  static constexpr auto name = "colwise_add", doc = "Adds the vector bias to each column of the matrix x.";
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
