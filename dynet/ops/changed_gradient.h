// Operations whose gradient is not that of their value: one that is changed on purpose, or chosen where the
// value has none.
#pragma once

#include <string_view>

#include "dynet/ops/loops.h"
#include "dynet/ops/map.h"

namespace dynet {

enum GradientMode : uint32_t { zero_gradient, straight_through_gradient };

}  // namespace dynet

namespace dynet::engine {

// -- the same number, another gradient

struct FlipGradient : Map<FlipGradient> {
  static constexpr auto name = "flip_gradient";
  static constexpr auto doc = R"(
      x itself, but the gradient changes its sign on the way back: what lies below learns to make the loss
      above larger. With it the features of a domain classifier become useless to it. (Ganin and Lempitsky
      2015)

      >>> x = dy.ParameterCollection().add_parameters(1, init=3)
      >>> dy.flip_gradient(x).backward()
      >>> print(x.grad_as_array())
      [-1.])";
  static auto value(auto x) { return x; }
  static auto slope(auto x, auto) { return decltype(x)(-1); }
  static Expression call(const Expression& x) { return apply<FlipGradient>(x); }
};

struct ScaleGradient : Map<ScaleGradient> {
  struct Attrs {
    real factor;
  };
  static constexpr auto name = "scale_gradient";
  static constexpr auto doc = R"(
      x itself, but the gradient is multiplied by lambd on the way back. A value below 1 lets the part below
      learn more slowly, a negative one works against the loss as flip_gradient does, and 0 stops the
      gradient as nobackprop. The default, 1, changes nothing.

      >>> x = dy.ParameterCollection().add_parameters(1, init=3)
      >>> dy.scale_gradient(x, 0.25).backward()
      >>> print(x.grad_as_array())
      [0.25])";
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
  static constexpr auto name = "round";
  static constexpr auto doc = R"(
      The nearest whole number, of each number; halves go away from 0, unlike NumPy's, which go to the even
      one. gradient_mode is "zero_gradient", by which no gradient passes, or "straight_through_gradient", by
      which it passes unchanged, as if nothing had been rounded. ValueError for another mode. (Yin et al.
      2019)

      >>> x = dy.inputVector([-1.5, 0.4, 2.5])
      >>> print(dy.round(x, gradient_mode="zero_gradient").npvalue())
      [-2.  0.  3.])";
  static auto value(auto x, const Attrs&) { return round(x); }
};

struct Ceil : Rounding<Ceil> {
  static constexpr auto name = "ceil";
  static constexpr auto doc = R"(
      The smallest whole number that is not less than x, of each number. gradient_mode is "zero_gradient",
      by which no gradient passes, or "straight_through_gradient", by which it passes unchanged (Yin et al.
      2019). ValueError for another mode.

      >>> x = dy.inputVector([-1.5, 0.2, 2])
      >>> print(dy.ceil(x, gradient_mode="straight_through_gradient").npvalue())
      [-1.  1.  2.])";
  static auto value(auto x, const Attrs&) { return ceil(x); }
};

struct Floor : Rounding<Floor> {
  static constexpr auto name = "floor";
  static constexpr auto doc = R"(
      The largest whole number that is not greater than x, of each number. gradient_mode is "zero_gradient",
      by which no gradient passes, or "straight_through_gradient", by which it passes unchanged (Yin et al.
      2019). ValueError for another mode.

      >>> x = dy.inputVector([-1.5, 0.2, 2])
      >>> print(dy.floor(x, gradient_mode="straight_through_gradient").npvalue())
      [-2.  0.  2.])";
  static auto value(auto x, const Attrs&) { return floor(x); }
};

// -- a choice

/// A vector of zeros with a one where x is largest.
struct ArgMax : OpDefaults {
  struct Attrs {
    GradientMode mode;
  };
  static constexpr auto name = "argmax";
  static constexpr auto doc = R"(
      A vector of zeros with a 1 where the vector x is largest; of equal numbers the first. gradient_mode is
      "zero_gradient", by which no gradient passes, or "straight_through_gradient", by which that of the
      result passes to x unchanged (Bengio, Léonard and Courville 2013). ValueError for another mode and for
      what is no vector. The number of the place itself is np.argmax(x.npvalue()).

      >>> x = dy.inputVector([1, 5, 2])
      >>> print(dy.argmax(x, gradient_mode="zero_gradient").npvalue())
      [0. 1. 0.])";
  static constexpr Arg args[] = {"x", "gradient_mode"};
  static Dim shape(const Attrs&, Dims x) {
    if (x[0].nd != 1) invalid("a vector is needed; the argument has shape ", x[0]);
    return x[0];
  }
  static size_t saved_size(const Attrs&, Dims) { return 2; }
  /// The gradient of the largest element is the one-hot vector.
  static void forward(const Attrs&, Engine& e, const Call& c) {
    const Axis all = Axis::of(c.dim, 0);
    fill_items(e, c.count, 2, 1, c.saved);
    e.extremum(1, c.count, all, c.x[0], c.saved.part(1));
    fill_items(e, c.count, c.dim.batch_size(), 0, c.y);
    e.extremum_backward(c.count, all, c.x[0], c.saved.part(1), c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    if (a.mode == straight_through_gradient)
      e.move(c.count, run_of(c.dim.batch_size()), {}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, std::string_view mode) {
    return apply<ArgMax>(x, {gradient_mode(name, mode)});
  }
};

using ChangedGradients = Ops<FlipGradient, ScaleGradient, Round, Ceil, Floor>;
using Choices = Ops<ArgMax>;

}  // namespace dynet::engine

namespace dynet {

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
inline Expression argmax(const Expression& x, GradientMode gradient_mode) {
  return engine::apply<engine::ArgMax>(x, {gradient_mode});
}

}  // namespace dynet
