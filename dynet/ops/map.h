// y_i = f(x_i): each op gives its value and its slope; the engine vectorises both.
//
// value and slope are templates over the number type: scalars or vectors of any instruction set.
#pragma once

#include <limits>
#include <string_view>

#include "dynet/ops/check.h"

namespace dynet {

enum GradientMode : uint32_t { zero_gradient, straight_through_gradient };

}  // namespace dynet

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
  static constexpr auto name = "square", doc = "The square, elementwise: y = x^2.";
  static auto value(auto x) { return x * x; }
  static auto slope(auto x, auto) { return x + x; }
  static Expression call(const Expression& x) { return apply<Square>(x); }
};

struct Cube : Map<Cube> {
  static constexpr auto name = "cube", doc = "The cube, elementwise: y = x^3.";
  static auto value(auto x) { return x * x * x; }
  static auto slope(auto x, auto) { return x * x * 3; }
  static Expression call(const Expression& x) { return apply<Cube>(x); }
};

/// It is not differentiable at 0, where its gradient is 0 here, as that of the absolute value is.
struct Sqrt : Map<Sqrt> {
  static constexpr auto name = "sqrt", doc = "The square root, elementwise. Its gradient at 0 is 0.";
  static auto value(auto x) { return sqrt(x); }
  static auto slope(auto, auto y) { return select(y > 0, decltype(y)(real(0.5)) / y, y); }
  static Expression call(const Expression& x) { return apply<Sqrt>(x); }
};

struct Exp : Map<Exp> {
  static constexpr auto name = "exp", doc = "Natural exponent, elementwise: y = e^x.";
  static auto value(auto x) { return exp(x); }
  static auto slope(auto, auto y) { return y; }
  static Expression call(const Expression& x) { return apply<Exp>(x); }
};

struct Log : Map<Log> {
  static constexpr auto name = "log", doc = "Natural logarithm, elementwise; log(0) is -inf.";
  static auto value(auto x) { return log(x); }
  static auto slope(auto x, auto) { return decltype(x)(1) / x; }
  static Expression call(const Expression& x) { return apply<Log>(x); }
};

struct LogGamma : Map<LogGamma> {
  static constexpr auto name = "lgamma", doc = "Logarithm of the gamma function, elementwise.";
  static auto value(auto x) { return lgamma(x); }
  static auto slope(auto x, auto) { return digamma(x); }
  static Expression call(const Expression& x) { return apply<LogGamma>(x); }
};

struct Erf : Map<Erf> {
  static constexpr auto name = "erf", doc = "Gauss error function, elementwise.";
  static auto value(auto x) { return erf(x); }
  static auto slope(auto x, auto) { return exp(-x * x) * real(1.12837916709551257390); }
  static Expression call(const Expression& x) { return apply<Erf>(x); }
};

struct Abs : Map<Abs> {
  static constexpr auto name = "abs", doc = "Absolute value, elementwise; its gradient at 0 is 0.";
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
  static constexpr auto name = "tanh", doc = "Hyperbolic tangent, elementwise.";
  static auto value(auto x) { return tanh(x); }
  static auto slope(auto, auto y) { return 1 - y * y; }
  static Expression call(const Expression& x) { return apply<Tanh>(x); }
};

struct Logistic : Map<Logistic> {
  static constexpr Fusible fusible_into = fusible_into_products;
  static constexpr auto name = "logistic", doc = "Logistic function, elementwise: y = 1 / (1 + e^-x).";
  static auto value(auto x) { return logistic(x); }
  static auto slope(auto, auto y) { return y * (1 - y); }
  static Expression call(const Expression& x) { return apply<Logistic>(x); }
};

struct LogSigmoid : Map<LogSigmoid> {
  static constexpr auto
      name = "log_sigmoid",
      doc = "Logarithm of the logistic function, elementwise; exact for large negative x too.";
  static auto value(auto x) { return select(x < 0, x, decltype(x)(0)) - log1p(exp(-abs(x))); }
  static auto slope(auto x, auto) { return logistic(-x); }
  static Expression call(const Expression& x) { return apply<LogSigmoid>(x); }
};

struct Rectify : Map<Rectify> {
  static constexpr auto name = "rectify", doc = "Rectified linear unit, elementwise: y = max(0, x).";
  static auto value(auto x) { return select(x <= 0, decltype(x)(0), x); }
  static auto slope(auto, auto y) { return select(y > 0, decltype(y)(1), y); }
  static Expression call(const Expression& x) { return apply<Rectify>(x); }
};

struct Elu : Map<Elu> {
  struct Attrs {
    real alpha;
  };
  static constexpr auto name = "elu",
                        doc =
                            "Exponential linear unit, elementwise: x where x > 0, else alpha (e^x - 1) "
                            "(Clevert et al. 2015).";
  static constexpr Arg args[] = {"x", {"alpha", 1.0}};
  static auto value(auto x, const Attrs& a) { return select(x > 0, x, expm1(x) * a.alpha); }
  static auto slope(auto x, auto, const Attrs& a) { return select(x > 0, decltype(x)(1), exp(x) * a.alpha); }
  static Expression call(const Expression& x, real alpha) { return apply<Elu>(x, {alpha}); }
};

struct Selu : Map<Selu> {
  static constexpr auto
      name = "selu",
      doc =
          "Scaled exponential linear unit, elementwise: lambda times elu(x, alpha) with the "
          "constants of Klambauer et al. 2017.";
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
  static constexpr auto name = "silu",
                        doc =
                            "Sigmoid-weighted linear unit, elementwise: y = x logistic(beta x) "
                            "(Hendrycks and Gimpel 2016).";
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
  static constexpr auto name = "softsign", doc = "Softsign, elementwise: y = x / (1 + |x|).";
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

// -- changed gradients

struct FlipGradient : Map<FlipGradient> {
  static constexpr auto name = "flip_gradient",
                        doc = "x itself; the gradient is negated on the way back (Ganin and Lempitsky 2015).";
  static auto value(auto x) { return x; }
  static auto slope(auto x, auto) { return decltype(x)(-1); }
  static Expression call(const Expression& x) { return apply<FlipGradient>(x); }
};

struct ScaleGradient : Map<ScaleGradient> {
  struct Attrs {
    real factor;
  };
  static constexpr auto name = "scale_gradient",
                        doc = "x itself; the gradient is multiplied by lambd on the way back.";
  static constexpr Arg args[] = {"x", {"lambd", 1.0}};
  static auto value(auto x, const Attrs&) { return x; }
  static auto slope(auto x, auto, const Attrs& a) { return decltype(x)(a.factor); }
  static Expression call(const Expression& x, real lambd) { return apply<ScaleGradient>(x, {lambd}); }
};

// -- rounding, with a choice of gradient

inline GradientMode gradient_mode(std::string_view op, std::string_view mode) {
  if (mode == "zero_gradient") return zero_gradient;
  if (mode == "straight_through_gradient") return straight_through_gradient;
  invalid(op, ": gradient mode \"", mode, "\"; it is \"zero_gradient\" or \"straight_through_gradient\"");
}

/// What the three ways of rounding share: the slope is 0, or 1 to let the gradient pass.
template <class Self>
struct Rounding : Map<Self> {
  struct Attrs {
    GradientMode mode;
  };
  static constexpr Arg args[] = {"x", "gradient_mode"};
  static auto slope(auto x, auto, const Attrs& a) {
    return decltype(x)(a.mode == straight_through_gradient ? 1 : 0);
  }
  static Expression call(const Expression& x, std::string_view mode) {
    return apply<Self>(x, {gradient_mode(Self::name, mode)});
  }
};

struct Round : Rounding<Round> {
  static constexpr auto name = "round",
                        doc =
                            "The nearest integer, elementwise (halves away from zero). gradient_mode is "
                            "\"zero_gradient\" or \"straight_through_gradient\" (Yin et al. 2019).";
  static auto value(auto x, const Attrs&) { return round(x); }
};

struct Ceil : Rounding<Ceil> {
  static constexpr auto name = "ceil",
                        doc =
                            "The next integer above, elementwise. gradient_mode is \"zero_gradient\" or "
                            "\"straight_through_gradient\".";
  static auto value(auto x, const Attrs&) { return ceil(x); }
};

struct Floor : Rounding<Floor> {
  static constexpr auto name = "floor",
                        doc =
                            "The next integer below, elementwise. gradient_mode is \"zero_gradient\" or "
                            "\"straight_through_gradient\".";
  static auto value(auto x, const Attrs&) { return floor(x); }
};

// -- the C++ names

using Elementwise = Ops<Negate, AddConstant, ConstantMinus, ConstantOver, Scale, DivideBy, Power, Square,
                        Cube, Sqrt, Exp, Log, LogGamma, Erf, Abs, Tanh, Logistic, LogSigmoid, Rectify, Elu,
                        Selu, Silu, Softsign, FlipGradient, ScaleGradient, Round, Ceil, Floor>;

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
inline Expression flip_gradient(const Expression& x) { return engine::FlipGradient::call(x); }
inline Expression scale_gradient(const Expression& x, real lambd = 1) {
  return engine::ScaleGradient::call(x, lambd);
}
inline Expression round(const Expression& x, GradientMode gradient_mode) {
  return engine::apply<engine::Round>(x, {gradient_mode});
}
inline Expression ceil(const Expression& x, GradientMode gradient_mode) {
  return engine::apply<engine::Ceil>(x, {gradient_mode});
}
inline Expression floor(const Expression& x, GradientMode gradient_mode) {
  return engine::apply<engine::Floor>(x, {gradient_mode});
}

}  // namespace dynet
