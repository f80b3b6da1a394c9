// Norms and normalisation.
#pragma once

#include "dynet/ops/statistics.h"

namespace dynet::engine {

/// (x - mean) / (standard deviation + 1e-8), over all elements of each batch element.
struct Standardize : OpDefaults {
  static constexpr auto
      name = "standardize",
      doc = "x minus its mean, divided by its standard deviation plus 1e-8, over all elements.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x"};
  static constexpr size_t mean = 0, deviation = 1, divisor = 2, kept = 3;  // places in aux before the scratch

  static Dim shape(const auto&, Dims x) { return x[0]; }
  static size_t aux_size(const auto&, Dims x) { return kept + x[0].batch_size(); }
  static size_t d_aux_size(const auto&, Dims x) { return 2 + 2 * x[0].batch_size(); }

  static void forward(const auto&, Engine& e, const Call& c) {
    const Dim &dim = c.dim, one{1};
    const size_t n = dim.batch_size();
    const Items means = part(c.aux, mean, c.count), deviations = part(c.aux, deviation, c.count);
    const Items divisors = part(c.aux, divisor, c.count), scratch = part(c.aux, kept, c.count);
    const real share = real(1) / static_cast<real>(n);
    sum_run(e, c.count, n, c.x[0], means);
    map<Scale>(e, c, 1, {share}, means, means);
    e.zip(zip_position<Subtract>(), nullptr, c.count, dim, dim, one, c.x[0], means, c.y);
    map<Square>(e, c, n, {}, c.y, scratch);
    sum_run(e, c.count, n, scratch, deviations);
    map<Scale>(e, c, 1, {share}, deviations, deviations);
    map<Sqrt>(e, c, 1, {}, deviations, deviations);
    map<AddConstant>(e, c, 1, {real(1e-8)}, deviations, divisors);
    e.zip(zip_position<Divide>(), nullptr, c.count, dim, dim, one, c.y, divisors, c.y);
  }
  /// dx += (dy - mean(dy)) / divisor - y Σ(y dy) / (n deviation)
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.dim, one{1};
    const size_t n = dim.batch_size();
    const Items first = part(c.d_aux, 0, c.count), second = part(c.d_aux, 1, c.count),
                a = part(c.d_aux, 2, c.count), b = part(c.d_aux, 2 + n, c.count);
    sum_run(e, c.count, n, c.dy, first);
    map<Scale>(e, c, 1, {real(1) / static_cast<real>(n)}, first, first);
    e.zip(zip_position<Subtract>(), nullptr, c.count, dim, dim, one, c.dy, first, a);
    e.zip(zip_position<Divide>(), nullptr, c.count, dim, dim, one, a, part(c.aux, divisor, c.count), a);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, dim, c.y, c.dy, b);
    sum_run(e, c.count, n, b, first);
    // A deviation of 0 comes with y = 0: the tiny number makes their quotient 0.
    map<Scale>(e, c, 1, {static_cast<real>(n)}, part(c.aux, deviation, c.count), second);
    map<AddConstant>(e, c, 1, {real(1e-30)}, second, second);
    e.zip(zip_position<Divide>(), nullptr, c.count, one, one, one, first, second, first);
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, one, c.y, first, b);
    e.zip(zip_position<Subtract>(), nullptr, c.count, dim, dim, dim, a, b, a);
    e.move(c.count, run_of(n), {}, true, a, c.dx);
  }
  static Expression call(const Expression& x) { return apply<Standardize>(x); }

 private:
  template <class T>
  static void map(Engine& e, const Call& c, size_t n, const typename T::Attrs& attrs, Items from, Items to) {
    e.map(map_position<T>(), &attrs, c.count, n, from, to);
  }
};

struct LayerNorm {
  static constexpr auto
      name = "layer_norm",
      doc =
          "Layer normalisation: g ∘ (x - mean) / standard deviation + b, over all elements of each "
          "batch element (Ba et al. 2016).";
  static constexpr Arg args[] = {"x", "g", "b"};
  static Expression call(const Expression& x, const Expression& g, const Expression& b) {
    return cmult(g, Standardize::call(x)) + b;
  }
};

struct SquaredNorm {
  static constexpr auto name = "squared_norm", doc = "The sum of squares of all elements: {1}.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return dot_product(x, x); }
};

struct L2Norm {
  static constexpr auto name = "l2_norm",
                        doc = "The square root of the sum of squares: {1}. Its gradient at 0 is 0.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return RootOfSquares::call(SquaredNorm::call(x)); }
};

struct WeightNorm {
  static constexpr auto
      name = "weight_norm",
      doc = "Weight normalisation: g w / |w|, where g is one number (Salimans and Kingma 2016).";
  static constexpr Arg args[] = {"w", "g"};
  static Expression call(const Expression& w, const Expression& g) {
    if (const Dim d = sizes_of(name, g); d.size() != 1)
      invalid(name, ": g has shape ", d, "; one number is needed");
    return cmult(cdiv(w, L2Norm::call(w)), g);
  }
};

using Normalization = Ops<Standardize>;
using NormForms = Ops<LayerNorm, SquaredNorm, L2Norm, WeightNorm>;

}  // namespace dynet::engine

namespace dynet {

inline Expression layer_norm(const Expression& x, const Expression& g, const Expression& b) {
  return engine::LayerNorm::call(x, g, b);
}
inline Expression squared_norm(const Expression& x) { return engine::SquaredNorm::call(x); }
inline Expression l2_norm(const Expression& x) { return engine::L2Norm::call(x); }
inline Expression weight_norm(const Expression& w, const Expression& g) {
  return engine::WeightNorm::call(w, g);
}

}  // namespace dynet
