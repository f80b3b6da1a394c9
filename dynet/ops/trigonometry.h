// Trigonometric and hyperbolic functions, elementwise.
#pragma once

#include "dynet/ops/map.h"

namespace dynet::engine {

// Differences of squares are products here, as near 1 a square is rounded to the spacing of 1.

struct Sin : Map<Sin> {
  static constexpr auto name = "sin", doc = "Sine, elementwise.";
  static auto value(auto x) { return sin(x); }
  static auto slope(auto x, auto) { return cos(x); }
  static Expression call(const Expression& x) { return apply<Sin>(x); }
};

struct Cos : Map<Cos> {
  static constexpr auto name = "cos", doc = "Cosine, elementwise.";
  static auto value(auto x) { return cos(x); }
  static auto slope(auto x, auto) { return -sin(x); }
  static Expression call(const Expression& x) { return apply<Cos>(x); }
};

struct Tan : Map<Tan> {
  static constexpr auto name = "tan", doc = "Tangent, elementwise.";
  static auto value(auto x) { return tan(x); }
  static auto slope(auto, auto y) { return 1 + y * y; }
  static Expression call(const Expression& x) { return apply<Tan>(x); }
};

struct Asin : Map<Asin> {
  static constexpr auto name = "asin", doc = "Inverse sine, elementwise.";
  static auto value(auto x) { return asin(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / sqrt((1 - x) * (1 + x)); }
  static Expression call(const Expression& x) { return apply<Asin>(x); }
};

struct Acos : Map<Acos> {
  static constexpr auto name = "acos", doc = "Inverse cosine, elementwise.";
  static auto value(auto x) { return acos(x); }
  static auto slope(auto x, auto) { return decltype(x)(-1) / sqrt((1 - x) * (1 + x)); }
  static Expression call(const Expression& x) { return apply<Acos>(x); }
};

struct Atan : Map<Atan> {
  static constexpr auto name = "atan", doc = "Inverse tangent, elementwise.";
  static auto value(auto x) { return atan(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / (1 + x * x); }
  static Expression call(const Expression& x) { return apply<Atan>(x); }
};

struct Sinh : Map<Sinh> {
  static constexpr auto name = "sinh", doc = "Hyperbolic sine, elementwise.";
  static auto value(auto x) { return sinh(x); }
  static auto slope(auto x, auto) { return cosh(x); }
  static Expression call(const Expression& x) { return apply<Sinh>(x); }
};

struct Cosh : Map<Cosh> {
  static constexpr auto name = "cosh", doc = "Hyperbolic cosine, elementwise.";
  static auto value(auto x) { return cosh(x); }
  static auto slope(auto x, auto) { return sinh(x); }
  static Expression call(const Expression& x) { return apply<Cosh>(x); }
};

struct Asinh : Map<Asinh> {
  static constexpr auto name = "asinh", doc = "Inverse hyperbolic sine, elementwise.";
  static auto value(auto x) { return asinh(x); }
  static auto slope(auto x, auto) {
    using V = decltype(x);
    const V size = abs(x);
    return V(1) / select(size > 1e8, size, sqrt(x * x + 1));  // where the square may be infinite
  }
  static Expression call(const Expression& x) { return apply<Asinh>(x); }
};

struct Acosh : Map<Acosh> {
  static constexpr auto name = "acosh", doc = "Inverse hyperbolic cosine, elementwise.";
  static auto value(auto x) { return acosh(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / (sqrt(x - 1) * sqrt(x + 1)); }
  static Expression call(const Expression& x) { return apply<Acosh>(x); }
};

struct Atanh : Map<Atanh> {
  static constexpr auto name = "atanh", doc = "Inverse hyperbolic tangent, elementwise.";
  static auto value(auto x) { return atanh(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / ((1 - x) * (1 + x)); }
  static Expression call(const Expression& x) { return apply<Atanh>(x); }
};

using Trigonometry = Ops<Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh>;

}  // namespace dynet::engine

namespace dynet {

inline Expression sin(const Expression& x) { return engine::Sin::call(x); }
inline Expression cos(const Expression& x) { return engine::Cos::call(x); }
inline Expression tan(const Expression& x) { return engine::Tan::call(x); }
inline Expression asin(const Expression& x) { return engine::Asin::call(x); }
inline Expression acos(const Expression& x) { return engine::Acos::call(x); }
inline Expression atan(const Expression& x) { return engine::Atan::call(x); }
inline Expression sinh(const Expression& x) { return engine::Sinh::call(x); }
inline Expression cosh(const Expression& x) { return engine::Cosh::call(x); }
inline Expression asinh(const Expression& x) { return engine::Asinh::call(x); }
inline Expression acosh(const Expression& x) { return engine::Acosh::call(x); }
inline Expression atanh(const Expression& x) { return engine::Atanh::call(x); }

}  // namespace dynet
