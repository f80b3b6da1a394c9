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

struct LogSigmoid : Map<LogSigmoid> {
  static constexpr auto name = "log_sigmoid";
  static constexpr auto doc = R"(
      The logarithm of the logistic function of each number, y = -ln(1 + e⁻ˣ) = min(x, 0) - ln(1 + e^-|x|):
      finite and exact also where the logistic function is rounded to 0. dy/dx = 1 / (1 + eˣ). The loss of a
      yes/no decision with score s is -log_sigmoid(s) for yes and -log_sigmoid(-s) for no.

      >>> x = dy.inputVector([-90, 0, 2])
      >>> print(dy.log_sigmoid(x).npvalue().round(4))
      [-90.      -0.6931  -0.1269])";
  static auto value(auto x) { return select(x < 0, x, decltype(x)(0)) - log1p(exp(-abs(x))); }
  static auto slope(auto x, auto) { return logistic(-x); }
  static Expression call(const Expression& x) { return apply<LogSigmoid>(x); }
};

struct Rectify : Map<Rectify> {
  static constexpr auto name = "rectify";
  static constexpr auto doc = R"(
      The rectified linear unit (ReLU), y = max(0, x), of each number. The gradient is 1 where x is positive
      and 0 elsewhere, also where x is 0; NaN stays NaN. (Nair and Hinton 2010)

      >>> x = dy.inputVector([-2, 0, 3])
      >>> print(dy.rectify(x).npvalue())
      [0. 0. 3.])";
  static auto value(auto x) { return select(x <= 0, decltype(x)(0), x); }
  static auto slope(auto, auto y) { return select(y > 0, decltype(y)(1), y); }
  static Expression call(const Expression& x) { return apply<Rectify>(x); }
};

struct Elu : Map<Elu> {
  struct Attrs {
    real alpha;
  };
  static constexpr auto name = "elu";
  static constexpr auto doc = R"(
      The exponential linear unit of each number: y = x where x > 0, else α (eˣ - 1), which goes to -α. The
      gradient is 1 where x > 0, else α eˣ; with α = 1, the default, it has no jump at 0. alpha is a number,
      not learned. (Clevert, Unterthiner and Hochreiter 2015)

      >>> x = dy.inputVector([-1, 0, 2])
      >>> print(dy.elu(x, alpha=0.5).npvalue().round(4))
      [-0.3161  0.      2.    ])";
  static constexpr Arg args[] = {"x", {"alpha", 1.0}};
  static auto value(auto x, const Attrs& a) { return select(x > 0, x, expm1(x) * a.alpha); }
  static auto slope(auto x, auto, const Attrs& a) { return select(x > 0, decltype(x)(1), exp(x) * a.alpha); }
  static Expression call(const Expression& x, real alpha) { return apply<Elu>(x, {alpha}); }
};

struct Selu : Map<Selu> {
  static constexpr auto name = "selu";
  static constexpr auto doc = R"(
      The scaled exponential linear unit: y = λ elu(x, α) of each number, with λ = 1.0507 and α = 1.6733. By
      these constants the outputs of a layer keep mean 0 and variance 1 when its weights are drawn with mean
      0 and variance 1 / inputs. (Klambauer, Unterthiner, Mayr and Hochreiter 2017)

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.selu(x).npvalue().round(4))
      [-1.1113  0.      1.0507])";
  static constexpr real lambda = real(1.0507009873554804934193349852946);
  static constexpr real lambda_alpha =
      real(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717);
  static auto value(auto x) { return select(x > 0, x * lambda, expm1(x) * lambda_alpha); }
  static auto slope(auto x, auto) { return select(x > 0, decltype(x)(lambda), exp(x) * lambda_alpha); }
  static Expression call(const Expression& x) { return apply<Selu>(x); }
};

struct Silu : Map<Silu> {
  struct Attrs {
    real beta;
  };
  static constexpr auto name = "silu";
  static constexpr auto doc = R"(
      The sigmoid-weighted linear unit (SiLU, Swish) of each number, y = x / (1 + exp(-β x)). With β = 1,
      the default, it falls to -0.28 near x = -1.28 and goes to 0 below; a large β makes it rectify(x). beta
      is a number, not learned. (Hendrycks and Gimpel 2016)

      >>> x = dy.inputVector([-1, 0, 1])
      >>> print(dy.silu(x).npvalue().round(4))
      [-0.2689  0.      0.7311])";
  static constexpr Arg args[] = {"x", {"beta", 1.0}};
  // Where the logistic function is flat its product with an infinite x is left out.
  static auto value(auto x, const Attrs& a) {
    const auto s = logistic(x * a.beta);
    return select(s > 0, x * s, s);
  }
  static auto slope(auto x, auto, const Attrs& a) {
    const auto s = logistic(x * a.beta), steepness = s * (1 - s);
    return select(steepness > 0, s + x * steepness * a.beta, s);
  }
  static Expression call(const Expression& x, real beta) { return apply<Silu>(x, {beta}); }
};

struct Softsign : Map<Softsign> {
  static constexpr auto name = "softsign";
  static constexpr auto doc = R"(
      Softsign, y = x / (1 + |x|), of each number: between -1 and 1 as tanh, which it approaches more
      slowly; ±1 where x is infinite. dy/dx = 1 / (1 + |x|)². (Glorot and Bengio 2010)

      >>> x = dy.inputVector([-3, 0, 1])
      >>> print(dy.softsign(x).npvalue())
      [-0.75  0.    0.5 ])";
  static auto value(auto x) {
    const auto y = x / (1 + abs(x));
    return select(abs(x) < std::numeric_limits<real>::infinity(), y, sign(x));
  }
  static auto slope(auto x, auto) {
    const auto r = decltype(x)(1) / (1 + abs(x));
    return r * r;
  }
  static Expression call(const Expression& x) { return apply<Softsign>(x); }
};

// -- the C++ names

using Elementwise =
    Ops<Negate, AddConstant, ConstantMinus, ConstantOver, Scale, DivideBy, Power, Square, Cube, Sqrt, Exp,
        Log, LogGamma, Erf, Abs, Tanh, Logistic, LogSigmoid, Rectify, Elu, Selu, Silu, Softsign>;

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
inline Expression log_sigmoid(const Expression& x) { return engine::LogSigmoid::call(x); }
inline Expression rectify(const Expression& x) { return engine::Rectify::call(x); }
inline Expression elu(const Expression& x, real alpha = 1) { return engine::Elu::call(x, alpha); }
inline Expression selu(const Expression& x) { return engine::Selu::call(x); }
inline Expression silu(const Expression& x, real beta = 1) { return engine::Silu::call(x, beta); }
inline Expression softsign(const Expression& x) { return engine::Softsign::call(x); }

}  // namespace dynet
