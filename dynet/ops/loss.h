// Losses: distances between two expressions, margins, and likelihoods.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "dynet/ops/reduce.h"

namespace dynet::engine {

// -- kernels of ZipOps: what one pair of numbers contributes

/// The least float that has all its digits.
inline constexpr float smallest = std::numeric_limits<float>::min();

struct SquaredDifference : Zip<SquaredDifference> {
  static auto value(auto x, auto y) { return (x - y) * (x - y); }
  static auto slope0(auto x, auto y, auto) { return (x - y) * 2; }
  static auto slope1(auto x, auto y, auto) { return (y - x) * 2; }
};

struct AbsoluteDifference : Zip<AbsoluteDifference> {
  static auto value(auto x, auto y) { return abs(x - y); }
  // Elsewhere z is 0, or not a number.
  static auto slope0(auto x, auto y, auto z) {
    using V = decltype(x);
    return select(x > y, V(1), select(x < y, V(-1), z));
  }
  static auto slope1(auto x, auto y, auto z) { return slope0(y, x, z); }
};

struct HuberDifference : Zip<HuberDifference> {
  struct Attrs {
    real threshold;
  };
  static auto value(auto x, auto y, const Attrs& a) {
    const auto d = abs(x - y);
    return select(d < a.threshold, d * d * real(0.5), (d - a.threshold * real(0.5)) * a.threshold);
  }
  static auto slope0(auto x, auto y, auto, const Attrs& a) {
    using V = decltype(x);
    const V d = x - y, c = V(a.threshold);
    return select(abs(d) < c, d, select(d > 0, c, select(d < 0, -c, d)));
  }
  static auto slope1(auto x, auto y, auto z, const Attrs& a) { return slope0(y, x, z, a); }
};

/// Logarithms stop at that of the smallest normal float, so that a loss stays finite. 1 - x is rounded to the
/// spacing of 1, so its logarithm and what it contributes to the slope are taken of x itself.
struct BinaryCrossEntropy : Zip<BinaryCrossEntropy> {
  static auto at_least(auto x, double bound) {
    using V = decltype(x);
    return select(x < V(real(bound)), V(real(bound)), x);
  }
  /// log(1 - x)
  static auto log_rest(auto x) {
    using V = decltype(x);
    const V least = V(real(-87.336544750553108987));
    return select(x >= 1, least, log1p(-x));
  }
  static auto value(auto x, auto y) { return -(y * log(at_least(x, smallest)) + (1 - y) * log_rest(x)); }
  static auto slope0(auto x, auto y, auto) {
    using V = decltype(x);
    const V rest = at_least(1 - x, 1e-7), own = at_least(x, smallest);
    const V inside = (x - y) / (rest * own), outside = (1 - y) / rest - y / own;
    return select(x == y, V(0), select(own == x && rest == 1 - x, inside, outside));
  }
  static auto slope1(auto x, auto, auto) { return log_rest(x) - log(at_least(x, smallest)); }
};

/// max(0, margin + x - y)
struct MarginTerm : Zip<MarginTerm> {
  struct Attrs {
    real margin;
  };
  static auto value(auto x, auto y, const Attrs& a) {
    const auto z = x - y + a.margin;
    return select(z <= 0, decltype(x)(0), z);
  }
  static auto slope0(auto, auto, auto z, const Attrs&) { return select(z > 0, decltype(z)(1), z); }
  static auto slope1(auto, auto, auto z, const Attrs&) { return select(z > 0, decltype(z)(-1), z); }
};

// -- distances

struct SquaredDistance : SumOfTerms<SquaredDistance, SquaredDifference> {
  static constexpr auto name = "squared_distance",
                        doc = "The sum of squared differences of two expressions of one shape: {1}.";
  static Expression call(const Expression& x, const Expression& y) { return apply<SquaredDistance>({x, y}); }
};

struct AbsoluteDistance : SumOfTerms<AbsoluteDistance, AbsoluteDifference> {
  static constexpr auto name = "l1_distance",
                        doc = "The sum of absolute differences of two expressions of one shape: {1}.";
  static Expression call(const Expression& x, const Expression& y) { return apply<AbsoluteDistance>({x, y}); }
};

struct HuberDistance : SumOfTerms<HuberDistance, HuberDifference> {
  static constexpr auto
      name = "huber_distance",
      doc =
          "The sum of Huber losses of the differences d of two expressions of one shape: d^2 / 2 "
          "where |d| < c, else c (|d| - c / 2).";
  static constexpr Arg args[] = {"x", "y", {"c", 1.345}};
  static Dim shape(const Attrs& a, Dims x) {
    if (!(a.threshold >= 0)) invalid("c is ", a.threshold, "; a number from 0 on is needed");
    return SumOfTerms::shape(a, x);
  }
  static Expression call(const Expression& x, const Expression& y, real c) {
    return apply<HuberDistance>({x, y}, {c});
  }
};

struct BinaryLogLoss : SumOfTerms<BinaryLogLoss, BinaryCrossEntropy> {
  static constexpr auto name = "binary_log_loss",
                        doc =
                            "The cross entropy of probabilities x and targets y in [0, 1], summed: "
                            "-Σ (y log x + (1 - y) log(1 - x)).";
  static Expression call(const Expression& x, const Expression& y) { return apply<BinaryLogLoss>({x, y}); }
};

// -- margins

struct PairwiseRankLoss : Zip<MarginTerm> {
  static constexpr auto
      name = "pairwise_rank_loss",
      doc = "Elementwise margin between scores x, which should be high, and y: max(0, m - x + y).";
  static constexpr Arg args[] = {"x", "y", {"m", 1.0}};
  using Attrs = MarginTerm::Attrs;
  static Dim shape(const Attrs& a, Dims x) {
    if (std::isnan(a.margin)) invalid("margin ", a.margin, "; a number is needed");
    if (!x[0].same_sizes(x[1])) invalid("shapes differ: ", x[0], " and ", x[1], "; they must be equal");
    return broadcast(x[0], x[1]);
  }
  // The term's first argument is the score that should be low.
  static Expression call(const Expression& x, const Expression& y, real m) {
    return apply<PairwiseRankLoss>({y, x}, {m});
  }
};

/// Margins along an axis between the element at an index and all others: a line a word.
struct HingeDim : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr bool reads_part = true;
  struct Attrs {
    real margin;
    unsigned axis;
    unsigned lines;
  };
  static constexpr auto
      name = "hinge_dim",
      doc =
          "Hinge loss of each column (d = 0) or row (d = 1) of a matrix, with an index v[i] for "
          "line i: the sum over k ≠ v[i] of max(0, m + x_k - x_v[i]).";
  static constexpr Arg args[] = {"x", "v", {"d", 0.0}, {"m", 1.0}};
  static Dim shape(const Attrs& a, Dims x) { return x[0].without(a.axis); }
  // Kept: all terms, then the number picked from each line.
  static size_t saved_size(const Attrs& a, Dims x) { return x[0].batch_size() + a.lines; }
  static size_t workspace_size(const Attrs& a, Dims x) { return x[0].batch_size() + a.lines; }

  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Dim& dim = c.x_dims[0];
    const Items picked = c.saved.part(dim.batch_size());
    const MarginTerm::Attrs margin{a.margin};
    each_line(a, c, [&](size_t i, size_t line, size_t place) { picked[i][line] = c.x[0][i][place]; });
    e.zip(zip_position<MarginTerm>(), &margin, c.count, dim, dim, dim.with(a.axis, 1), c.x[0], picked,
          c.saved);
    each_line(a, c, [&](size_t i, size_t, size_t place) { c.saved[i][place] = 0; });
    e.move(c.count, summing(dim, 1u << a.axis), {}, false, c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Dim &dim = c.x_dims[0], line_dim = dim.with(a.axis, 1);
    const Items picked = c.saved.part(dim.batch_size()), d_picked = c.workspace.part(dim.batch_size());
    const MarginTerm::Attrs margin{a.margin};
    e.move(c.count, summing(dim, 1u << a.axis).swapped(), {}, false, c.dy, c.workspace);
    fill_items(e, c.count, a.lines, 0, d_picked);
    for (unsigned side : {0u, 1u})
      e.zip_backward(zip_position<MarginTerm>(), side, &margin, c.count, dim, dim, line_dim, c.x[0], picked,
                     c.saved, c.workspace, side == 0 ? c.dx : d_picked, true);
    each_line(a, c, [&](size_t i, size_t line, size_t place) { c.dx[i][place] += d_picked[i][line]; });
  }
  static Expression call(const Expression& x, Indices v, unsigned d, real m) {
    const Dim& from = shape_of(name, x);
    if (from.nd > 2 || d > 1)
      invalid(name, ": axis ", d, " of ", from, "; axis 0 or 1 of a matrix is needed");
    return make<HingeDim>(name, x, v, d, m);
  }
  /// Checks and adds the node for a hinge loss of any name.
  template <class Self>
  static Expression make(std::string_view caller, const Expression& x, Indices v, unsigned axis,
                         real margin) {
    const Dim& from = shape_of(caller, x);
    const auto lines = static_cast<unsigned>(from.batch_size() / from[axis]);
    if (!(margin >= 0)) invalid(caller, ": margin ", margin, "; it must not be negative");
    check_indices(caller, v, from[axis], "axis ", axis);
    if (v.size() != size_t{lines} * from.bd && v.size() != lines)
      invalid(caller, ": ", v.size(), " indices for ", from, " along axis ", axis, "; ",
              size_t{lines} * from.bd, " are needed");
    return apply<Self>(x, {margin, axis, lines}, v.size() == lines ? repeated(v, from.bd) : v);
  }

 private:
  /// The place of each line's index within its item.
  static void each_line(const Attrs& a, const Call& c, auto act) {
    const Axis x = Axis::of(c.x_dims[0], a.axis);
    for (size_t i = 0; i < c.count; ++i)
      for (size_t line = 0; line < a.lines; ++line) act(i, line, x.start(line) + c.words[i][line] * x.inner);
  }
};

struct Hinge : HingeDim {
  static constexpr auto
      name = "hinge",
      doc =
          "Hinge loss of the vector x for class v: the sum over i ≠ v of max(0, m + x_i - x_v). "
          "A negative v counts from the end. IndexError if there is no such class.";
  static constexpr Arg args[] = {"x", "v", {"m", 1.0}};
  static Dim shape(const Attrs&, Dims x) {
    check_vector(x[0]);
    return Dim({1}, x[0].bd);
  }
  static Expression call(const Expression& x, int v, real m) {
    return make(name, x, only(class_named(name, v, x)), m);
  }
  static Expression make(std::string_view caller, const Expression& x, Indices classes, real margin) {
    const Dim& from = shape_of(caller, x);
    if (classes.size() != from.bd)
      invalid(caller, ": ", classes.size(), " indices for ", from, "; one for each batch element is needed");
    return HingeDim::make<Hinge>(caller, x, classes, 0, margin);
  }
};

struct HingeBatch {
  static constexpr auto name = "hinge_batch", doc = "hinge with a class for each batch element.";
  static constexpr Arg args[] = {"x", "vs", {"m", 1.0}};
  static Expression call(const Expression& x, Indices vs, real m) { return Hinge::make(name, x, vs, m); }
};

// -- likelihoods

/// With u = log λ - log k the loss is least + k (e^u - 1 - u): nothing large cancels. What depends on the
/// count alone is computed once, its logarithm in two parts, of which `log_rest` is what the first leaves.
struct PoissonLoss : Map<PoissonLoss> {
  struct Attrs {
    real count, log_count, log_rest, least;
  };
  static constexpr auto
      name = "poisson_loss",
      doc =
          "Negative log likelihood of the count x under a Poisson distribution with the mean "
          "e^log_lambda, a scalar.";
  static constexpr Arg args[] = {"log_lambda", "x"};
  static Dim shape(const Attrs&, Dims x) {
    if (x[0].batch_size() != 1) invalid("log_lambda has shape ", x[0], "; one number is needed");
    return x[0];
  }
  static auto value(auto x, const Attrs& a) {
    using V = decltype(x);
    if (a.count == 0) return exp(x);
    const V u = distance(x, a), growth = expm1(u);
    V series = 1;
    for (int i = sizeof(real) == sizeof(float) ? 12 : 19; i > 2; --i) series = series * u * (1 / real(i)) + 1;
    const V excess = select(abs(u) < 1, u * u * real(0.5) * series, growth - u);
    return select(growth < std::numeric_limits<real>::infinity(), excess * a.count, growth) + a.least;
  }
  static auto slope(auto x, auto, const Attrs& a) {
    return a.count == 0 ? exp(x) : expm1(distance(x, a)) * a.count;
  }
  static Expression call(const Expression& log_lambda, unsigned x) {
    const double log_count = x == 0 ? 0 : std::log(static_cast<double>(x));
    const auto log_first = static_cast<real>(log_count);
    return apply<PoissonLoss>(log_lambda, {real(x), log_first, static_cast<real>(log_count - log_first),
                                           static_cast<real>(least(static_cast<double>(x), log_count))});
  }

 private:
  static auto distance(auto x, const Attrs& a) { return x - a.log_count - a.log_rest; }
  /// The loss where the mean is the count k: log k! + k - k log k.
  static double least(double k, double log_count) {
    if (k < 100) return std::lgamma(k + 1) + k - k * log_count;
    return 0.5 * (std::log(2 * std::numbers::pi) + log_count) + 1 / (12 * k) - 1 / (360 * k * k * k);
  }
};

using LossTerms = Ops<SquaredDifference, AbsoluteDifference, HuberDifference, BinaryCrossEntropy, MarginTerm>;
using Losses = Ops<SquaredDistance, AbsoluteDistance, HuberDistance, BinaryLogLoss, PairwiseRankLoss,
                   HingeDim, Hinge, PoissonLoss>;
using LossForms = Ops<HingeBatch>;

}  // namespace dynet::engine

namespace dynet {

inline Expression squared_distance(const Expression& x, const Expression& y) {
  return engine::SquaredDistance::call(x, y);
}
inline Expression l1_distance(const Expression& x, const Expression& y) {
  return engine::AbsoluteDistance::call(x, y);
}
inline Expression huber_distance(const Expression& x, const Expression& y, real c = real(1.345)) {
  return engine::HuberDistance::call(x, y, c);
}
inline Expression binary_log_loss(const Expression& x, const Expression& y) {
  return engine::BinaryLogLoss::call(x, y);
}
inline Expression pairwise_rank_loss(const Expression& x, const Expression& y, real m = 1) {
  return engine::PairwiseRankLoss::call(x, y, m);
}
inline Expression hinge(const Expression& x, unsigned v, real m = 1) {
  return engine::Hinge::make("hinge", x, engine::only(v), m);
}
inline Expression hinge(const Expression& x, engine::Indices vs, real m = 1) {
  return engine::HingeBatch::call(x, vs, m);
}
inline Expression hinge_dim(const Expression& x, engine::Indices v, unsigned d = 0, real m = 1) {
  return engine::HingeDim::call(x, v, d, m);
}
inline Expression poisson_loss(const Expression& log_lambda, unsigned x) {
  return engine::PoissonLoss::call(log_lambda, x);
}

}  // namespace dynet
