// Trigonometric and hyperbolic functions, elementwise.
#pragma once

#include "dynet/ops/map.h"

namespace dynet::engine {

// Differences of squares are products here, as near 1 a square is rounded to the spacing of 1.

struct Sin : Map<Sin> {
  static constexpr auto name = "sin";
  static constexpr auto doc = R"(
      The sine of each number, in radians: y = sin x. dy/dx = cos x. The shape and the batch size stay.

      >>> x = dy.inputVector([0, np.pi / 6, np.pi / 2])
      >>> print(dy.sin(x).npvalue().round(4))
      [0.  0.5 1. ])";
  static auto value(auto x) { return sin(x); }
  static auto slope(auto x, auto) { return cos(x); }
  static Expression call(const Expression& x) { return apply<Sin>(x); }
};

struct Cos : Map<Cos> {
  static constexpr auto name = "cos";
  static constexpr auto doc = R"(
      The cosine of each number, in radians: y = cos x. dy/dx = -sin x. The shape and the batch size stay.

      >>> x = dy.inputVector([0, np.pi / 3, np.pi])
      >>> print(dy.cos(x).npvalue().round(4))
      [ 1.   0.5 -1. ])";
  static auto value(auto x) { return cos(x); }
  static auto slope(auto x, auto) { return -sin(x); }
  static Expression call(const Expression& x) { return apply<Cos>(x); }
};

struct Tan : Map<Tan> {
  static constexpr auto name = "tan";
  static constexpr auto doc = R"(
      The tangent of each number, in radians: y = sin x / cos x. dy/dx = 1 + y², which is without bound near
      odd multiples of π / 2.

      >>> x = dy.inputVector([0, np.pi / 4])
      >>> print(dy.tan(x).npvalue().round(4))
      [0. 1.])";
  static auto value(auto x) { return tan(x); }
  static auto slope(auto, auto y) { return 1 + y * y; }
  static Expression call(const Expression& x) { return apply<Tan>(x); }
};

struct Asin : Map<Asin> {
  static constexpr auto name = "asin";
  static constexpr auto doc = R"(
      The inverse sine of each number, in radians from -π / 2 to π / 2; NaN where |x| > 1. dy/dx = 1 / √(1 -
      x²), infinite where |x| is 1.

      >>> x = dy.inputVector([-1, 0, 0.5])
      >>> print(dy.asin(x).npvalue().round(4))
      [-1.5708  0.      0.5236])";
  static auto value(auto x) { return asin(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / sqrt((1 - x) * (1 + x)); }
  static Expression call(const Expression& x) { return apply<Asin>(x); }
};

struct Acos : Map<Acos> {
  static constexpr auto name = "acos";
  static constexpr auto doc = R"(
      The inverse cosine of each number, in radians from 0 to π; NaN where |x| > 1. dy/dx = -1 / √(1 - x²),
      infinite where |x| is 1.

      >>> x = dy.inputVector([-1, 0.5, 1])
      >>> print(dy.acos(x).npvalue().round(4))
      [3.1416 1.0472 0.    ])";
  static auto value(auto x) { return acos(x); }
  static auto slope(auto x, auto) { return decltype(x)(-1) / sqrt((1 - x) * (1 + x)); }
  static Expression call(const Expression& x) { return apply<Acos>(x); }
};

struct Atan : Map<Atan> {
  static constexpr auto name = "atan";
  static constexpr auto doc = R"(
      The inverse tangent of each number, in radians between -π / 2 and π / 2. dy/dx = 1 / (1 + x²). The
      shape and the batch size stay.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.atan(x).npvalue().round(4))
      [-0.7854  0.      0.7854])";
  static auto value(auto x) { return atan(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / (1 + x * x); }
  static Expression call(const Expression& x) { return apply<Atan>(x); }
};

struct Sinh : Map<Sinh> {
  static constexpr auto name = "sinh";
  static constexpr auto doc = R"(
      The hyperbolic sine of each number, y = (eˣ - e⁻ˣ) / 2; infinite where |x| is above about 89.4. dy/dx
      = cosh x.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.sinh(x).npvalue().round(4))
      [-1.1752  0.      1.1752])";
  static auto value(auto x) { return sinh(x); }
  static auto slope(auto x, auto) { return cosh(x); }
  static Expression call(const Expression& x) { return apply<Sinh>(x); }
};

struct Cosh : Map<Cosh> {
  static constexpr auto name = "cosh";
  static constexpr auto doc = R"(
      The hyperbolic cosine of each number, y = (eˣ + e⁻ˣ) / 2, 1 or more; infinite where |x| is above about
      89.4. dy/dx = sinh x.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.cosh(x).npvalue().round(4))
      [1.5431 1.     1.5431])";
  static auto value(auto x) { return cosh(x); }
  static auto slope(auto x, auto) { return sinh(x); }
  static Expression call(const Expression& x) { return apply<Cosh>(x); }
};

struct Asinh : Map<Asinh> {
  static constexpr auto name = "asinh";
  static constexpr auto doc = R"(
      The inverse hyperbolic sine of each number, y = ln(x + √(x² + 1)), computed without cancellation.
      dy/dx = 1 / √(x² + 1).

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.asinh(x).npvalue().round(4))
      [-0.8814  0.      0.8814])";
  static auto value(auto x) { return asinh(x); }
  static auto slope(auto x, auto) {
    using V = decltype(x);
    const V size = abs(x);
    return V(1) / select(size > 1e8, size, sqrt(x * x + 1));  // where the square may be infinite
  }
  static Expression call(const Expression& x) { return apply<Asinh>(x); }
};

struct Acosh : Map<Acosh> {
  static constexpr auto name = "acosh";
  static constexpr auto doc = R"(
      The inverse hyperbolic cosine of each number, y = ln(x + √(x² - 1)), 0 or more; NaN where x < 1. dy/dx
      = 1 / √(x² - 1), infinite where x is 1.

      >>> x = dy.inputVector([1, 2])
      >>> print(dy.acosh(x).npvalue().round(4))
      [0.    1.317])";
  static auto value(auto x) { return acosh(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / (sqrt(x - 1) * sqrt(x + 1)); }
  static Expression call(const Expression& x) { return apply<Acosh>(x); }
};

struct Atanh : Map<Atanh> {
  static constexpr auto name = "atanh";
  static constexpr auto doc = R"(
      The inverse hyperbolic tangent of each number, y = ½ ln((1 + x) / (1 - x)); infinite where |x| is 1,
      NaN beyond. dy/dx = 1 / (1 - x²).

      >>> x = dy.inputVector([-0.5, 0, 0.5])
      >>> print(dy.atanh(x).npvalue().round(4))
      [-0.5493  0.      0.5493])";
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
