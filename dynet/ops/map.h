// y_i = f(x_i): each op gives its value and its slope; the engine vectorises both.
//
// value and slope are templates over the number type: scalars or vectors of any instruction set.
#pragma once

#include <limits>

#include "dynet/ops/check.h"

namespace dynet::engine {

/// An op with a backward of its own that does not heed Call::accumulate says overwrites = false.
template <class Self>
struct Map : OpDefaults {
  static constexpr Arg args[] = {"x"};
  static constexpr bool overwrites = true;
  static Dim shape(const auto&, Dims x) { return x[0]; }
  static void forward(const auto& a, Engine& e, const Call& c) {
    e.map(map_position<Self>(), &a, c.count, c.dim.batch_size(), c.x[0], c.y);
  }
  static void backward(const auto& a, Engine& e, const Call& c, unsigned) {
    e.map_backward(map_position<Self>(), &a, c.count, c.dim.batch_size(), c.x[0], c.y, c.dy, c.dx,
                   c.accumulate);
  }
};

// -- arithmetic with a number

struct Negate : Map<Negate> {
  static constexpr auto name = "negate", doc = "The negative, elementwise: y = -x.";
  static constexpr bool hidden = true;
  static auto value(auto x) { return -x; }
  static auto slope(auto x, auto) { return decltype(x)(-1); }
  static Expression call(const Expression& x) { return apply<Negate>(x); }
};

struct AddConstant : Map<AddConstant> {
  struct Attrs {
    real constant;
  };
  static constexpr auto name = "add_constant", doc = "A number added to each element: y = x + constant.";
  static constexpr uint32_t identity = 1;
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "constant"};
  static auto value(auto x, const Attrs& a) { return x + a.constant; }
  static auto slope(auto x, auto, const Attrs&) { return decltype(x)(1); }
  static Expression call(const Expression& x, real constant) { return apply<AddConstant>(x, {constant}); }
};

/// A gradient that is known becomes that of an argument: a slope of 1.
inline void identity_backward(Engine& e, const Call& c, size_t size, Items known) {
  const AddConstant::Attrs nothing{};
  e.map_backward(map_position<AddConstant>(), &nothing, c.count, size, known, known, known, c.dx,
                 c.accumulate);
}

struct ConstantMinus : Map<ConstantMinus> {
  struct Attrs {
    real constant;
  };
  static constexpr auto name = "constant_minus", doc = "A number minus each element: y = constant - x.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "constant"};
  static auto value(auto x, const Attrs& a) { return a.constant - x; }
  static auto slope(auto x, auto, const Attrs&) { return decltype(x)(-1); }
  static Expression call(const Expression& x, real constant) { return apply<ConstantMinus>(x, {constant}); }
};

struct ConstantOver : Map<ConstantOver> {
  struct Attrs {
    real constant;
  };
  static constexpr auto name = "constant_over", doc = "A number divided by each element: y = constant / x.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "constant"};
  static auto value(auto x, const Attrs& a) { return decltype(x)(a.constant) / x; }
  static auto slope(auto x, auto y, const Attrs&) { return -y / x; }
  static Expression call(const Expression& x, real constant) { return apply<ConstantOver>(x, {constant}); }
};

struct Scale : Map<Scale> {
  struct Attrs {
    real factor;
  };
  static constexpr auto name = "scale", doc = "A number times x: y = factor * x.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "factor"};
  static auto value(auto x, const Attrs& a) { return x * a.factor; }
  static auto slope(auto x, auto, const Attrs& a) { return decltype(x)(a.factor); }
  static Expression call(const Expression& x, real factor) { return apply<Scale>(x, {factor}); }
};

/// A product with the inverse of the divisor would be rounded twice.
struct DivideBy : Map<DivideBy> {
  struct Attrs {
    real divisor;
  };
  static constexpr auto name = "divide_by", doc = "Each element divided by a number: y = x / divisor.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "divisor"};
  static auto value(auto x, const Attrs& a) { return x / a.divisor; }
  static auto slope(auto x, auto, const Attrs& a) { return decltype(x)(1 / a.divisor); }
  static Expression call(const Expression& x, real divisor) { return apply<DivideBy>(x, {divisor}); }
};

struct Power : Map<Power> {
  struct Attrs {
    real exponent;
  };
  static constexpr auto
      name = "power",
      doc = "Each element to the power of a number: y = x^exponent. Its gradient at 0 is finite.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "exponent"};
  static auto value(auto x, const Attrs& a) { return pow(x, decltype(x)(a.exponent)); }
  /// At 0 a power of less than 1 is as steep as a wall: its gradient is 0 there, as that of a root is.
  static auto slope(auto x, auto, const Attrs& a) {
    using V = decltype(x);
    if (a.exponent == 0) return V(0);
    const V s = pow(x, V(a.exponent - 1)) * a.exponent;
    return a.exponent > 0 && a.exponent < 1 ? select(x == 0, V(0), s) : s;
  }
  static Expression call(const Expression& x, real exponent);
};

// -- powers, exponents, logarithms

struct Square : Map<Square> {
  static constexpr auto name = "square";
  static constexpr auto doc = R"(
      The square of each number, y = x². The shape and the batch size stay. dy/dx = 2x. x ** 2 is the same
      operation; x ** y with an expression y costs more.

      >>> x = dy.inputVector([-3, 0.5])
      >>> print(dy.square(x).npvalue())
      [9.   0.25])";
  static auto value(auto x) { return x * x; }
  static auto slope(auto x, auto) { return x + x; }
  static Expression call(const Expression& x) { return apply<Square>(x); }
};

struct Cube : Map<Cube> {
  static constexpr auto name = "cube";
  static constexpr auto doc = R"(
      The third power of each number, y = x³, which keeps the sign. The shape and the batch size stay. dy/dx
      = 3x². x ** 3 is the same operation.

      >>> x = dy.inputVector([-2, 0.5])
      >>> print(dy.cube(x).npvalue())
      [-8.     0.125])";
  static auto value(auto x) { return x * x * x; }
  static auto slope(auto x, auto) { return x * x * 3; }
  static Expression call(const Expression& x) { return apply<Cube>(x); }
};

/// It is not differentiable at 0, where its gradient is 0 here, as that of the absolute value is.
struct Sqrt : Map<Sqrt> {
  static constexpr auto name = "sqrt";
  static constexpr auto doc = R"(
      The square root of each number, y = √x; NaN where x is negative. dy/dx = 1 / (2y), and 0 where x is 0:
      the root is infinitely steep there, and a gradient of infinity would spoil the parameters.

      >>> x = dy.inputVector([0, 2.25, 9])
      >>> print(dy.sqrt(x).npvalue())
      [0.  1.5 3. ])";
  static auto value(auto x) { return sqrt(x); }
  static auto slope(auto, auto y) { return select(y > 0, decltype(y)(real(0.5)) / y, y); }
  static Expression call(const Expression& x) { return apply<Sqrt>(x); }
};

struct Exp : Map<Exp> {
  static constexpr auto name = "exp";
  static constexpr auto doc = R"(
      The natural exponential of each number, y = eˣ. dy/dx = y. In 32-bit floats the result is infinite
      from about x = 88.73 on, and 0 below about -87.34; use logsumexp, softmax or log_softmax where
      exponentials are summed.

      >>> x = dy.inputVector([0, 1])
      >>> print(dy.exp(x).npvalue().round(4))
      [1.     2.7183])";
  static auto value(auto x) { return exp(x); }
  static auto slope(auto, auto y) { return y; }
  static Expression call(const Expression& x) { return apply<Exp>(x); }
};

struct Log : Map<Log> {
  static constexpr auto name = "log";
  static constexpr auto doc = R"(
      The natural logarithm of each number, y = ln x; -inf where x is 0, NaN where it is negative. dy/dx = 1
      / x. For the logarithm of a probability take log_softmax, pickneglogsoftmax or log_sigmoid instead,
      which stay finite where the probability is rounded to 0.

      >>> x = dy.inputVector([1, 10])
      >>> print(dy.log(x).npvalue().round(4))
      [0.     2.3026])";
  static auto value(auto x) { return log(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / x; }
  static Expression call(const Expression& x) { return apply<Log>(x); }
};

struct LogGamma : Map<LogGamma> {
  static constexpr auto name = "lgamma";
  static constexpr auto doc = R"(
      The natural logarithm of the absolute value of the gamma function, y = ln |Γ(x)|, of each number; Γ(n)
      = (n - 1)! for whole n. The result is infinite where x is 0 or a negative whole number. The gradient
      is the digamma function of x.

      >>> x = dy.inputVector([1, 2, 5])
      >>> print(dy.lgamma(x).npvalue().round(4))
      [0.     0.     3.1781])";
  static auto value(auto x) { return lgamma(x); }
  static auto slope(auto x, auto) { return digamma(x); }
  static Expression call(const Expression& x) { return apply<LogGamma>(x); }
};

struct Erf : Map<Erf> {
  static constexpr auto name = "erf";
  static constexpr auto doc = R"(
      The error function of each number, y = 2 / √π ∫₀ˣ exp(-t²) dt, between -1 and 1. dy/dx = 2 / √π
      exp(-x²). Half of 1 + erf(x / √2) is the distribution function of the standard normal distribution, by
      which GELU weights x.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.erf(x).npvalue().round(4))
      [-0.8427  0.      0.8427])";
  static auto value(auto x) { return erf(x); }
  static auto slope(auto x, auto) { return exp(-x * x) * real(1.12837916709551257390); }
  static Expression call(const Expression& x) { return apply<Erf>(x); }
};

struct Abs : Map<Abs> {
  static constexpr auto name = "abs";
  static constexpr auto doc = R"(
      The absolute value of each number, y = |x|. The gradient is the sign of x, and 0 where x is 0. abs(x)
      of Python does the same.

      >>> x = dy.inputVector([-2, 0, 3])
      >>> print(dy.abs(x).npvalue())
      [2. 0. 3.])";
  static auto value(auto x) { return abs(x); }
  static auto slope(auto x, auto) { return sign(x); }
  static Expression call(const Expression& x) { return apply<Abs>(x); }
};

/// The common exponents have kernels of their own.
inline Expression Power::call(const Expression& x, real exponent) {
  if (exponent == 2) return Square::call(x);
  if (exponent == 3) return Cube::call(x);
  return apply<Power>(x, {exponent});
}

// -- activations

struct Tanh : Map<Tanh> {
  static constexpr Fusible fusible_into = fusible_into_products;
  static constexpr auto name = "tanh";
  static constexpr auto doc = R"(
      The hyperbolic tangent of each number, y = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), between -1 and 1. dy/dx = 1 - y²,
      which vanishes where |x| is large. The shape and the batch size stay.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.tanh(x).npvalue().round(4))
      [-0.7616  0.      0.7616])";
  static auto value(auto x) { return tanh(x); }
  static auto slope(auto, auto y) { return 1 - y * y; }
  static Expression call(const Expression& x) { return apply<Tanh>(x); }
};

struct Logistic : Map<Logistic> {
  static constexpr Fusible fusible_into = fusible_into_products;
  static constexpr auto name = "logistic";
  static constexpr auto doc = R"(
      The logistic function (sigmoid) of each number, y = 1 / (1 + e⁻ˣ), between 0 and 1: the probability
      whose log odds are x. dy/dx = y (1 - y). For a loss take log_sigmoid, whose logarithm stays exact
      where y is rounded to 0 or 1.

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.logistic(x).npvalue().round(4))
      [0.2689 0.5    0.7311])";
  static auto value(auto x) { return logistic(x); }
  static auto slope(auto, auto y) { return y * (1 - y); }
  static Expression call(const Expression& x) { return apply<Logistic>(x); }
};

using Elementwise = Ops<Negate, AddConstant, ConstantMinus, ConstantOver, Scale, DivideBy, Power, Square,
                        Cube, Sqrt, Exp, Log, LogGamma, Erf, Abs, Tanh, Logistic>;

}  // namespace dynet::engine

namespace dynet {

inline Expression operator-(const Expression& x) { return engine::Negate::call(x); }
inline Expression operator+(const Expression& x, real c) { return engine::AddConstant::call(x, c); }
inline Expression operator+(real c, const Expression& x) { return engine::AddConstant::call(x, c); }
inline Expression operator-(const Expression& x, real c) { return engine::AddConstant::call(x, -c); }
inline Expression operator-(real c, const Expression& x) { return engine::ConstantMinus::call(x, c); }
inline Expression operator*(const Expression& x, real c) { return engine::Scale::call(x, c); }
inline Expression operator*(real c, const Expression& x) { return engine::Scale::call(x, c); }
inline Expression operator/(const Expression& x, real c) { return engine::DivideBy::call(x, c); }
inline Expression operator/(real c, const Expression& x) { return engine::ConstantOver::call(x, c); }
inline Expression pow(const Expression& x, real exponent) { return engine::Power::call(x, exponent); }
inline Expression square(const Expression& x) { return engine::Square::call(x); }
inline Expression cube(const Expression& x) { return engine::Cube::call(x); }
inline Expression sqrt(const Expression& x) { return engine::Sqrt::call(x); }
inline Expression exp(const Expression& x) { return engine::Exp::call(x); }
inline Expression log(const Expression& x) { return engine::Log::call(x); }
inline Expression lgamma(const Expression& x) { return engine::LogGamma::call(x); }
inline Expression erf(const Expression& x) { return engine::Erf::call(x); }
inline Expression abs(const Expression& x) { return engine::Abs::call(x); }
inline Expression tanh(const Expression& x) { return engine::Tanh::call(x); }
inline Expression logistic(const Expression& x) { return engine::Logistic::call(x); }

}  // namespace dynet
