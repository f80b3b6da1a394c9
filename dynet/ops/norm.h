// Norms and normalisation.
#pragma once

#include <bit>

#include "dynet/ops/statistics.h"

namespace dynet::engine {

/// The length |x| of each item of n numbers. The squares are summed in double precision, where those of
/// single precision neither vanish nor overflow.
inline void lengths(Engine& e, size_t count, size_t n, Items x, Items to) {
  for (size_t i = 0; i < count; ++i) *to[i] = static_cast<real>(std::sqrt(e.squared_norm(n, x[i])));
}
/// What a vector is divided by to have the length 1: its length. A length of 0 becomes infinite, so that the
/// quotient, and a gradient that is divided by it, are 0.
inline void divisors(size_t count, Items lengths, Items to) {
  for (size_t i = 0; i < count; ++i)
    *to[i] = *lengths[i] == 0 ? std::numeric_limits<real>::infinity() : *lengths[i];
}

/// (x - mean) / (standard deviation + 1e-8), over all elements of each batch element.
struct Standardize : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto
      name = "standardize",
      doc = "x minus its mean, divided by its standard deviation plus 1e-8, over all elements.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x"};
  static constexpr size_t mean = 0, deviation = 1, divisor = 2, kept = 3;  // places in saved

  static Dim shape(const auto&, Dims x) { return x[0]; }
  static size_t saved_size(const auto&, Dims) { return kept; }
  static size_t workspace_size(const auto&, Dims x) { return 2 + 2 * x[0].batch_size(); }

  static void forward(const auto&, Engine& e, const Call& c) {
    const size_t n = c.dim.batch_size();
    const Items deviations = c.saved.part(deviation), divisors = c.saved.part(divisor);
    center(e, c, c.x[0], c.saved.part(mean), c.y);
    for (size_t i = 0; i < c.count; ++i) {
      const double variance = e.squared_norm(n, c.y[i]) / static_cast<double>(n);
      *deviations[i] = static_cast<real>(std::sqrt(variance));
      *divisors[i] = *deviations[i] + real(1e-8);
    }
    e.zip(zip_position<Divide>(), nullptr, c.count, c.dim, c.dim, Dim{1}, c.y, divisors, c.y);
  }
  /// dx += (dy - mean(dy)) / divisor - y Σ(y dy) / (n deviation)
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.dim, one{1};
    const size_t n = dim.batch_size();
    const Items first = c.workspace, second = c.workspace.part(1), a = c.workspace.part(2),
                b = c.workspace.part(2 + n);
    center(e, c, c.dy, first, a);
    e.zip(zip_position<Divide>(), nullptr, c.count, dim, dim, one, a, c.saved.part(divisor), a);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, dim, c.y, c.dy, b);
    sum_run(e, c.count, n, b, first);
    // A deviation of 0 comes with y = 0: the tiny number makes their quotient 0.
    map<Scale>(e, c, {static_cast<real>(n)}, c.saved.part(deviation), second);
    map<AddConstant>(e, c, {real(1e-30)}, second, second);
    e.zip(zip_position<Divide>(), nullptr, c.count, one, one, one, first, second, first);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, one, c.y, first, b);
    e.zip(zip_position<Subtract>(), nullptr, c.count, dim, dim, dim, a, b, a);
    e.move(c.count, run_of(n), {}, true, a, c.dx);
  }
  static Expression call(const Expression& x) { return apply<Standardize>(x); }

 private:
  /// Takes the mean away, and then the mean of what is left: the first was rounded.
  static void center(Engine& e, const Call& c, Items from, Items means, Items to) {
    const size_t n = c.dim.batch_size();
    for (const Items& x : {from, to}) {
      sum_run(e, c.count, n, x, means);
      map<DivideBy>(e, c, {static_cast<real>(n)}, means, means);
      e.zip(zip_position<Subtract>(), nullptr, c.count, c.dim, c.dim, Dim{1}, x, means, to);
    }
  }
  /// Of one number an item.
  template <class T>
  static void map(Engine& e, const Call& c, const typename T::Attrs& attrs, Items from, Items to) {
    e.map(map_position<T>(), &attrs, c.count, 1, from, to);
  }
};

/// x / |x|, over all elements of each batch element.
struct UnitVector : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "unit_vector",
                        doc = "x divided by its length; where that is 0 the result and its gradient are 0.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) { return x[0]; }
  // Kept: the divisor.
  static size_t saved_size(const auto&, Dims) { return 1; }
  static size_t workspace_size(const auto&, Dims x) { return 1 + x[0].batch_size(); }

  static void forward(const auto&, Engine& e, const Call& c) {
    lengths(e, c.count, c.dim.batch_size(), c.x[0], c.saved);
    divisors(c.count, c.saved, c.saved);
    e.zip(zip_position<Divide>(), nullptr, c.count, c.dim, c.dim, Dim{1}, c.x[0], c.saved, c.y);
  }
  /// dx += (dy - y Σ(y dy)) / |x|
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.dim, one{1};
    const size_t n = dim.batch_size();
    const Items sum = c.workspace, a = c.workspace.part(1);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, dim, c.y, c.dy, a);
    sum_run(e, c.count, n, a, sum);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, one, c.y, sum, a);
    e.zip(zip_position<Subtract>(), nullptr, c.count, dim, dim, dim, c.dy, a, a);
    e.zip(zip_position<Divide>(), nullptr, c.count, dim, dim, one, a, c.saved, a);
    e.move(c.count, run_of(n), {}, true, a, c.dx);
  }
  static Expression call(const Expression& x) { return apply<UnitVector>(x); }
};

struct L2Norm : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "l2_norm";
  static constexpr auto doc = R"(
      The length of x as one vector, √(Σ x²), whatever its shape: (1,), batch size as x. The gradient is x
      divided by the length, and 0 where the length is 0. The squares are summed in double precision, so
      that large and small numbers neither overflow nor vanish.

      >>> x = dy.inputVector([3, 4])
      >>> dy.l2_norm(x).value()
      5.0)";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) { return Dim({1}, x[0].bd); }
  static size_t workspace_size(const auto&, Dims x) { return 1 + x[0].batch_size(); }
  static void forward(const auto&, Engine& e, const Call& c) {
    lengths(e, c.count, c.x_dims[0].batch_size(), c.x[0], c.y);
  }
  /// dx += dy x / |x|
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.x_dims[0], one{1};
    const Items a = c.workspace.part(1);
    divisors(c.count, c.y, c.workspace);
    e.zip(zip_position<Divide>(), nullptr, c.count, dim, dim, one, c.x[0], c.workspace, a);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, one, a, c.dy, a);
    e.move(c.count, run_of(dim.batch_size()), {}, true, a, c.dx);
  }
  static Expression call(const Expression& x) { return apply<L2Norm>(x); }
};

/// By axes that lie side by side, the mean square of each line, with or without its mean.
struct StandardizeAxes : OpDefaults {
  struct Attrs {
    unsigned first, last, centered;
    real epsilon;
  };
  static constexpr auto name = "standardize_axes",
                        doc = "Numbers along axes, less their mean, divided by the root of their variance.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x"};
  static Dim shape(const Attrs&, Dims x) { return x[0]; }
  static size_t saved_size(const Attrs& a, Dims x) { return axis(a, x[0]).lines(); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.standardize(a.centered, a.epsilon, c.count, axis(a, c.dim), c.x[0], c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.standardize_backward(a.centered, c.count, axis(a, c.dim), c.y, c.saved, c.dy, c.dx);
  }
  /// Along axes of x in a list; without a list along all.
  static Expression call(std::string_view caller, const Expression& x, Indices axes, bool centered,
                         real epsilon) {
    const Dim from = sizes_of(caller, x);
    if (!(epsilon >= 0)) invalid(caller, ": epsilon is ", epsilon, "; a number from 0 on is needed");
    if (!axes.given) return apply<StandardizeAxes>(x, {0, from.nd - 1, centered, epsilon});
    const unsigned set = axis_set(caller, axes, from);
    const auto first = static_cast<unsigned>(std::countr_zero(set));
    const auto last = static_cast<unsigned>(std::bit_width(set)) - 1;
    if (set == 0 || static_cast<unsigned>(std::popcount(set)) != last - first + 1)
      invalid(caller, ": axes that are not neighbours, or none; a list such as [0] or [0, 1] is needed");
    return apply<StandardizeAxes>(x, {first, last, centered, epsilon});
  }

 private:
  static Axis axis(const Attrs& a, const Dim& dim) {
    Axis whole = Axis::of(dim.single_batch(), a.last);
    for (unsigned i = a.first; i < a.last; ++i) whole.n *= dim[i], whole.inner /= dim[i];
    return whole;
  }
};

struct LayerNorm {
  static constexpr auto name = "layer_norm";
  static constexpr auto doc = R"(
      Layer normalisation: g ∘ (x - mean) / (standard deviation + 1e-8) + b, with mean and (population)
      standard deviation over all numbers of each batch element. With a list d of neighbouring axes they are
      those along these axes, each column by itself for [0], and the divisor is √(variance + epsilon), with
      1e-5 by default, as in PyTorch. g and b are learned, start as ones and zeros, and have the shape of x
      or one that broadcasts to it. ValueError if they do not, or for axes that are not there. (Ba, Kiros
      and Hinton 2016)

      >>> x = dy.inputTensor([[1, 10], [3, 30]])
      >>> print(dy.layer_norm(x, dy.ones(2), dy.zeros(2), d=[0]).npvalue().round(3))
      [[-1. -1.]
       [ 1.  1.]])";
  static constexpr Arg args[] = {"x", "g", "b", {"d", {}}, {"epsilon", 1e-5}};
  static Expression call(const Expression& x, const Expression& g, const Expression& b, Indices d,
                         real epsilon) {
    const Expression standard =
        d.given ? StandardizeAxes::call(name, x, d, true, epsilon) : Standardize::call(x);
    return cmult(g, standard) + b;
  }
};

struct RmsNorm {
  static constexpr auto name = "rms_norm";
  static constexpr auto doc = R"(
      Root mean square normalisation: g ∘ x / √(mean of x² + epsilon), over all numbers of each batch
      element, or along the neighbouring axes in the list d: each column by itself for [0]. g is learned,
      starts as ones, and has the shape of x or one that broadcasts to it. epsilon is 1e-6 by default.
      ValueError for axes that are not there. (Zhang and Sennrich 2019)

      >>> x = dy.inputVector([3, 4])
      >>> print(dy.rms_norm(x, dy.ones(2)).npvalue().round(4))
      [0.8485 1.1314])";
  static constexpr Arg args[] = {"x", "g", {"d", {}}, {"epsilon", 1e-6}};
  static Expression call(const Expression& x, const Expression& g, Indices d, real epsilon) {
    return cmult(g, StandardizeAxes::call(name, x, d, false, epsilon));
  }
};

struct SquaredNorm {
  static constexpr auto name = "squared_norm";
  static constexpr auto doc = R"(
      The sum of the squares of all numbers, Σ x²: shape (1,), batch size as x. The gradient is 2x. Added to
      a loss with a factor it keeps the parameter x small, as weight decay does.

      >>> x = dy.inputVector([3, 4])
      >>> dy.squared_norm(x).value()
      25.0)";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return dot_product(x, x); }
};

struct WeightNorm {
  static constexpr auto name = "weight_norm";
  static constexpr auto doc = R"(
      Weight normalisation: g w / |w|, the weights w of any shape with the length g, an expression of one
      number, so that length and direction are learned apart. Where w is 0 the result and the gradient of w
      are 0. ValueError if g is more than one number. (Salimans and Kingma 2016)

      >>> w, g = dy.inputVector([3, 4]), dy.scalarInput(10)
      >>> print(dy.weight_norm(w, g).npvalue().round(4))
      [6. 8.])";
  static constexpr Arg args[] = {"w", "g"};
  static Expression call(const Expression& w, const Expression& g) {
    if (const Dim d = sizes_of(name, g); d.size() != 1)
      invalid(name, ": g has shape ", d, "; one number is needed");
    return cmult(UnitVector::call(w), g);
  }
};

using Normalization =
    Ops<RootMeanSquare, RootMeanSquareOfBatches, Standardize, StandardizeAxes, UnitVector, L2Norm>;
using NormForms = Ops<LayerNorm, RmsNorm, SquaredNorm, WeightNorm>;

}  // namespace dynet::engine

namespace dynet {

inline Expression layer_norm(const Expression& x, const Expression& g, const Expression& b) {
  return engine::LayerNorm::call(x, g, b, {}, 0);
}
inline Expression layer_norm(const Expression& x, const Expression& g, const Expression& b, engine::Indices d,
                             real epsilon = real(1e-5)) {
  return engine::LayerNorm::call(x, g, b, d, epsilon);
}
inline Expression squared_norm(const Expression& x) { return engine::SquaredNorm::call(x); }
inline Expression l2_norm(const Expression& x) { return engine::L2Norm::call(x); }
inline Expression weight_norm(const Expression& w, const Expression& g) {
  return engine::WeightNorm::call(w, g);
}

}  // namespace dynet

namespace dynet::functional {

/// Without axes over all numbers of each batch element.
inline Expression rms_norm(const Expression& x, const Expression& g, engine::Indices d = {},
                           real epsilon = real(1e-6)) {
  return engine::RmsNorm::call(x, g, d, epsilon);
}

}  // namespace dynet::functional
