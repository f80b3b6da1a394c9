// Activation functions: rectifiers, smooth ones, and the logarithm of the logistic function.
#pragma once

#include "dynet/ops/map.h"

namespace dynet::engine {

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

struct LeakyRectify : Map<LeakyRectify> {
  struct Attrs {
    real slope;
  };
  static constexpr auto name = "leaky_relu";
  static constexpr auto doc = R"(
      The leaky rectified linear unit of each number: y = x where x > 0, else slope x. The gradient is 1
      where x is positive and slope elsewhere, also where x is 0. slope is a number, not learned, 0.01 by
      default. (Maas, Hannun and Ng 2013)

      >>> x = dy.inputVector([-2, 0, 3])
      >>> print(dy.leaky_relu(x, slope=0.5).npvalue())
      [-1.  0.  3.])";
  static constexpr Arg args[] = {"x", {"slope", 0.01}};
  static auto value(auto x, const Attrs& a) { return select(x > 0, x, x * a.slope); }
  static auto slope(auto x, auto, const Attrs& a) {
    return select(x > 0, decltype(x)(1), decltype(x)(a.slope));
  }
  static Expression call(const Expression& x, real slope) { return apply<LeakyRectify>(x, {slope}); }
};

struct Softplus : Map<Softplus> {
  static constexpr auto name = "softplus";
  static constexpr auto doc = R"(
      A smooth rectifier of each number, y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), which is positive and
      never overflows. dy/dx is the logistic function of x. It makes a positive number, such as a variance,
      of any number. (Dugas, Bengio, Bélisle, Nadeau and Garcia 2001)

      >>> x = dy.inputVector([-90, 0, 2, 90])
      >>> print(dy.softplus(x).npvalue().round(4))
      [ 0.      0.6931  2.1269 90.    ])";
  static auto value(auto x) { return select(x > 0, x, decltype(x)(0)) + log1p(exp(-abs(x))); }
  static auto slope(auto x, auto) { return logistic(x); }
  static Expression call(const Expression& x) { return apply<Softplus>(x); }
};

/// x times the share of a standard normal distribution that lies below x.
struct Gelu : Map<Gelu> {
  static constexpr auto name = "gelu_by_erf", doc = "The Gaussian error linear unit, y = x Φ(x).";
  static constexpr bool hidden = true;
  static auto below(auto x) { return (erf(x * real(0.70710678118654752440)) + 1) * real(0.5); }
  /// Far below 0 both factors are what they go to, also of -inf.
  static auto value(auto x) {
    const auto share = below(x);
    return select(share == 0, share, x * share);
  }
  static auto slope(auto x, auto) {
    constexpr real density_at_0 = real(0.39894228040143267794);
    const auto density = exp(x * x * real(-0.5)) * density_at_0;
    return select(density == 0, below(x), x * density + below(x));
  }
  static Expression call(const Expression& x) { return apply<Gelu>(x); }
};

/// The same with tanh(√(2/π) (x + 0.044715 x³)) in place of the error function.
struct GeluByTanh : Map<GeluByTanh> {
  static constexpr auto name = "gelu_by_tanh", doc = "The Gaussian error linear unit, nearly, by tanh.";
  static constexpr bool hidden = true;
  static constexpr real linear = real(0.79788456080286535588), cubic = real(0.044715);
  static auto inner(auto x) { return tanh((x * x * x * cubic + x) * linear); }
  static auto value(auto x) {
    const auto share = (inner(x) + 1) * real(0.5);
    return select(share == 0, share, x * share);
  }
  static auto slope(auto x, auto) {
    const auto t = inner(x), density = 1 - t * t, share = (t + 1) * real(0.5);
    const auto inner_slope = (x * x * (3 * cubic) + 1) * linear;
    return select(density == 0, share, share + x * density * inner_slope * real(0.5));
  }
  static Expression call(const Expression& x) { return apply<GeluByTanh>(x); }
};

struct GeluForms {
  static constexpr auto name = "gelu";
  static constexpr auto doc = R"(
      The Gaussian error linear unit of each number, y = x Φ(x), where Φ(x) = (1 + erf(x / √2)) / 2 is the
      share of a standard normal distribution below x. dy/dx = Φ(x) + x φ(x). With approximate=True it is
      x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 instead, which some models were trained with. (Hendrycks
      and Gimpel 2016)

      >>> x = dy.inputVector([-1, 0, 2])
      >>> print(dy.gelu(x).npvalue().round(4), dy.gelu(x, approximate=True).npvalue().round(4))
      [-0.1587  0.      1.9545] [-0.1588  0.      1.9546])";
  static constexpr Arg args[] = {"x", {"approximate", 0.0}};
  static Expression call(const Expression& x, bool approximate) {
    return approximate ? GeluByTanh::call(x) : Gelu::call(x);
  }
};

using Rectifiers =
    Ops<LogSigmoid, Rectify, Elu, Selu, Silu, Softsign, LeakyRectify, Softplus, Gelu, GeluByTanh>;
using RectifierForms = Ops<GeluForms>;

}  // namespace dynet::engine

namespace dynet {

inline Expression log_sigmoid(const Expression& x) { return engine::LogSigmoid::call(x); }
inline Expression rectify(const Expression& x) { return engine::Rectify::call(x); }
inline Expression elu(const Expression& x, real alpha = 1) { return engine::Elu::call(x, alpha); }
inline Expression selu(const Expression& x) { return engine::Selu::call(x); }
inline Expression silu(const Expression& x, real beta = 1) { return engine::Silu::call(x, beta); }
inline Expression softsign(const Expression& x) { return engine::Softsign::call(x); }

}  // namespace dynet

/// Apart from dynet, so that a program's own functions of these names stay the ones that are called.
namespace dynet::functional {

inline Expression leaky_relu(const Expression& x, real slope = real(0.01)) {
  return engine::LeakyRectify::call(x, slope);
}
inline Expression softplus(const Expression& x) { return engine::Softplus::call(x); }
inline Expression gelu(const Expression& x, bool approximate = false) {
  return engine::GeluForms::call(x, approximate);
}

}  // namespace dynet::functional
