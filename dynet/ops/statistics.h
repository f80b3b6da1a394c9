// Means, moments and standard deviations, made of sums.
#pragma once

#include "dynet/ops/reduce.h"
#include "dynet/ops/shape.h"

namespace dynet::engine {

/// Which axes a statistic is taken over, and how many numbers that are.
struct StatisticAxes {
  std::string_view caller;
  Dim dim;
  unsigned axes = 0;
  bool batch = false;
  unsigned count = 1;

  StatisticAxes(std::string_view name, const Expression& x, Indices list, bool over_batch, unsigned n)
      : StatisticAxes(name, x, over_batch) {
    if (list.empty() && !batch) invalid(name, ": no axes; give at least one, or the batch");
    axes = axis_set(name, list, dim);
    count_numbers(n);
  }
  static StatisticAxes all(std::string_view name, const Expression& x) {
    StatisticAxes s(name, x, false);
    s.axes = (1u << s.dim.nd) - 1;
    s.count_numbers(0);
    return s;
  }
  /// The shape of the statistic with a size of 1 on the axes it was taken over.
  Dim kept() const {
    Dim d = dim.single_batch();
    for (unsigned i = 0; i < d.nd; ++i)
      if (axes >> i & 1) d.d[i] = 1;
    return d;
  }

  Expression sum(const Expression& x) const {
    return batch ? apply<SumBatches>(x, {axes}) : apply<SumAxes>(x, {axes});
  }
  Expression mean(const Expression& x) const { return sum(x) * (real(1) / static_cast<real>(count)); }
  Expression moment(const Expression& x, unsigned order) const {
    if (order == 0) invalid(caller, ": order 0; 1 or more is needed");
    return mean(order == 1 ? x : pow(x, static_cast<real>(order)));
  }
  Expression deviation(const Expression& x) const {
    return RootOfSquares::call(mean(square(x - reshape(mean(x), kept()))));
  }

 private:
  StatisticAxes(std::string_view name, const Expression& x, bool over_batch)
      : caller(name), dim(over_batch ? shape_of(name, x) : sizes_of(name, x)), batch(over_batch) {}
  void count_numbers(unsigned n) {
    count = batch ? dim.bd : 1;
    for (unsigned i = 0; i < dim.nd; ++i)
      if (axes >> i & 1) count *= dim.d[i];
    if (n > 0) count = n;
  }
};

struct MeanElements {
  static constexpr auto name = "mean_elems", doc = "The mean of all elements, {1} for each batch element.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes::all(name, x).mean(x); }
};

struct MomentElements {
  static constexpr auto name = "moment_elems",
                        doc = "The mean of x^r over all elements, {1} for each batch element.";
  static constexpr Arg args[] = {"x", "r"};
  static Expression call(const Expression& x, unsigned r) { return StatisticAxes::all(name, x).moment(x, r); }
};

struct DeviationElements {
  static constexpr auto
      name = "std_elems",
      doc = "The (population) standard deviation of all elements, {1} for each batch element.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes::all(name, x).deviation(x); }
};

struct MeanAxes {
  static constexpr auto
      name = "mean_dim",
      doc =
          "The mean over the axes in the list d, which disappear, and over the batch if b. If n is "
          "not 0 it is the divisor.";
  static constexpr Arg args[] = {"x", "d", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, bool b, unsigned n) {
    return StatisticAxes(name, x, d, b, n).mean(x);
  }
};

struct MomentAxes {
  static constexpr auto
      name = "moment_dim",
      doc =
          "The mean of x^r over the axes in the list d, which disappear, and over the batch if b. "
          "If n is not 0 it is the divisor.";
  static constexpr Arg args[] = {"x", "d", "r", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, unsigned r, bool b, unsigned n) {
    return StatisticAxes(name, x, d, b, n).moment(x, r);
  }
};

struct DeviationAxes {
  static constexpr auto
      name = "std_dim",
      doc =
          "The (population) standard deviation over the axes in the list d, which disappear, and "
          "over the batch if b. n has no effect.";
  static constexpr Arg args[] = {"x", "d", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, bool b, unsigned) {
    return StatisticAxes(name, x, d, b, 0).deviation(x);
  }
};

struct MeanBatches {
  static constexpr auto name = "mean_batches",
                        doc = "The mean over the mini-batch; the result has batch size 1.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes(name, x, {}, true, 0).mean(x); }
};

struct MomentBatches {
  static constexpr auto name = "moment_batches", doc = "The mean of x^r over the mini-batch.";
  static constexpr Arg args[] = {"x", "r"};
  static Expression call(const Expression& x, unsigned r) {
    return StatisticAxes(name, x, {}, true, 0).moment(x, r);
  }
};

struct DeviationBatches {
  static constexpr auto name = "std_batches",
                        doc = "The (population) standard deviation over the mini-batch.";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes(name, x, {}, true, 0).deviation(x); }
};

using Statistics = Ops<MeanElements, MomentElements, DeviationElements, MeanAxes, MomentAxes, DeviationAxes,
                       MeanBatches, MomentBatches, DeviationBatches>;

}  // namespace dynet::engine

namespace dynet {

inline Expression mean_elems(const Expression& x) { return engine::MeanElements::call(x); }
inline Expression moment_elems(const Expression& x, unsigned r) { return engine::MomentElements::call(x, r); }
inline Expression std_elems(const Expression& x) { return engine::DeviationElements::call(x); }
inline Expression mean_dim(const Expression& x, engine::Indices dims, bool b = false, unsigned n = 0) {
  return engine::MeanAxes::call(x, dims, b, n);
}
inline Expression moment_dim(const Expression& x, engine::Indices dims, unsigned r, bool b = false,
                             unsigned n = 0) {
  return engine::MomentAxes::call(x, dims, r, b, n);
}
inline Expression std_dim(const Expression& x, engine::Indices dims, bool b = false, unsigned n = 0) {
  return engine::DeviationAxes::call(x, dims, b, n);
}
inline Expression mean_batches(const Expression& x) { return engine::MeanBatches::call(x); }
inline Expression moment_batches(const Expression& x, unsigned r) {
  return engine::MomentBatches::call(x, r);
}
inline Expression std_batches(const Expression& x) { return engine::DeviationBatches::call(x); }
inline Expression average_cols(const Expression& x) { return engine::MeanAxes::call(x, {1}, false, 0); }

}  // namespace dynet
