// Losses: distances between two expressions, margins, and likelihoods.
#pragma once

#include <cfloat>
#include <cmath>
#include <numbers>

#include "dynet/ops/reduce.h"

namespace dynet::engine {

// -- kernels of ZipOps: what one pair of numbers contributes

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
  static auto value(auto x, auto y) { return -(y * log(at_least(x, FLT_MIN)) + (1 - y) * log_rest(x)); }
  static auto slope0(auto x, auto y, auto) {
    using V = decltype(x);
    const V rest = at_least(1 - x, 1e-7), own = at_least(x, FLT_MIN);
    const V inside = (x - y) / (rest * own), outside = (1 - y) / rest - y / own;
    return select(x == y, V(0), select(own == x && rest == 1 - x, inside, outside));
  }
  static auto slope1(auto x, auto, auto) { return log_rest(x) - log(at_least(x, FLT_MIN)); }
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
  static constexpr auto name = "squared_distance";
  static constexpr auto doc = R"(
      The squared Euclidean distance of x and y, which have one shape: Σ (x - y)², shape (1,). The gradient
      of x is 2 (x - y), that of y its negative. A batch size of 1 stretches. ValueError for different
      shapes.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([4, 6])
      >>> dy.squared_distance(x, y).value()
      25.0)";
  static Expression call(const Expression& x, const Expression& y) { return apply<SquaredDistance>({x, y}); }
};

struct AbsoluteDistance : SumOfTerms<AbsoluteDistance, AbsoluteDifference> {
  static constexpr auto name = "l1_distance";
  static constexpr auto doc = R"(
      The sum of absolute differences of x and y, which have one shape: Σ |x - y|, shape (1,). The gradient
      of x is the sign of x - y, 0 where they are equal; that of y is its negative. A batch size of 1
      stretches. ValueError for different shapes.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([4, 6])
      >>> dy.l1_distance(x, y).value()
      7.0)";
  static Expression call(const Expression& x, const Expression& y) { return apply<AbsoluteDistance>({x, y}); }
};

struct HuberDistance : SumOfTerms<HuberDistance, HuberDifference> {
  static constexpr auto name = "huber_distance";
  static constexpr auto doc = R"(
      The sum of Huber losses of the differences d = x - y of two expressions of one shape: d² / 2 where |d|
      < c, else c (|d| - c / 2); shape (1,). It is quadratic near 0 and linear far away, so that outliers
      weigh less; the gradient of x is d, clipped to [-c, c]. c is 1.345 by default. ValueError for
      different shapes or negative c. (Huber 1964)

      >>> x, y = dy.inputVector([0, 0]), dy.inputVector([1, 10])
      >>> dy.huber_distance(x, y, c=2).value()
      18.5)";
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
  static constexpr auto name = "binary_log_loss";
  static constexpr auto doc = R"(
      The cross entropy of probabilities x and targets y, both from 0 to 1 and of one shape, summed: -Σ (y
      ln x + (1 - y) ln(1 - x)), shape (1,). Logarithms stop at that of the smallest normal number, -87.3,
      so that the loss stays finite. A batch size of 1 stretches. ValueError for different shapes. For
      scores instead of probabilities take log_sigmoid.

      >>> x, y = dy.inputVector([0.5, 0.25]), dy.inputVector([1, 0])
      >>> print(round(dy.binary_log_loss(x, y).value(), 4))
      0.9808)";
  static Expression call(const Expression& x, const Expression& y) { return apply<BinaryLogLoss>({x, y}); }
};

// -- margins

struct PairwiseRankLoss : Zip<MarginTerm> {
  static constexpr auto name = "pairwise_rank_loss";
  static constexpr auto doc = R"(
      A margin between scores x, which should be high, and y, which should be low, number by number: max(0,
      m - x + y) with m = 1 by default; the shape stays. Where it is 0 there is no gradient, elsewhere -1
      for x and 1 for y. A batch size of 1 stretches. ValueError for different shapes.

      >>> x, y = dy.inputVector([3, 1]), dy.inputVector([1, 2])
      >>> print(dy.pairwise_rank_loss(x, y).npvalue())
      [0. 2.])";
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
  static constexpr auto name = "hinge_dim";
  static constexpr auto doc = R"(
      The hinge loss of each column (d = 0, the default) or row (d = 1) of a matrix, with class v[i] for
      line i: Σ_(k ≠ v[i]) max(0, m + x_k - x_v[i]), m = 1 by default. (r, c) becomes (c,) for d = 0 and
      (r,) for d = 1. A mini-batch takes one list for all of its elements, or the lists of all one after
      another. IndexError for a class that is not there, ValueError for another number of them.

      >>> x = dy.inputTensor([[2, 0], [1.5, 5]])
      >>> print(dy.hinge_dim(x, [0, 0]).npvalue())
      [0.5 6. ])";
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
  static constexpr auto name = "hinge";
  static constexpr auto doc = R"(
      The hinge loss of scores x, a vector, for class v: Σ_(i ≠ v) max(0, m + x_i - x_v), with margin m = 1
      by default; shape (1,). A negative v counts from the end. The gradient is 1 for each class within the
      margin, and minus their number for v. IndexError if there is no such class; ValueError for a negative
      margin, and for a mini-batch, for which hinge_batch has classes. (Weston and Watkins 1999)

      >>> x = dy.inputVector([2, 1.5, -3])
      >>> dy.hinge(x, 0).value()
      0.5)";
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
  static constexpr auto name = "hinge_batch";
  static constexpr auto doc = R"(
      The hinge loss of each element of a mini-batch of vectors x, with class vs[b] for batch element b:
      Σ_(i ≠ v) max(0, m + x_i - x_v), m = 1 by default; shape (1,), batch size as x. ValueError unless
      there are as many classes as batch elements, IndexError for a class that is not there.

      >>> x = dy.inputTensor([[2, 0], [1.5, 5]], batched=True)
      >>> print(dy.hinge_batch(x, [0, 1]).npvalue())
      [[0.5 0. ]])";
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
  static constexpr auto name = "poisson_loss";
  static constexpr auto doc = R"(
      The negative log likelihood of the count x under a Poisson distribution with mean λ = exp(log_lambda):
      λ - x ln λ + ln x!. log_lambda is one number, of shape (1,), or a batch of them; ValueError if it is
      more. x is a whole number from 0 on. The gradient is λ - x, without cancellation near the minimum.

      >>> log_lambda = dy.scalarInput(0)
      >>> print(round(dy.poisson_loss(log_lambda, 2).value(), 4))
      1.6931)";
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
