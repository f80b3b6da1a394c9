// Means, moments and standard deviations, made of sums.
#pragma once

#include <cmath>

#include "dynet/ops/reduce.h"
#include "dynet/ops/shape.h"

namespace dynet::engine {

/// The root of the mean of squares over the axes of a set. Where it is 0, so is its gradient: a length is not
/// differentiable there. Squares are summed in double precision, in which they neither vanish nor overflow.
struct RootMeanSquare : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr auto name = "root_mean_square",
                        doc = "The root of the mean of squares over some axes. Its gradient at 0 is 0.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x"};
  using Attrs = Sum::Attrs;
  static Dim shape(const Attrs& a, Dims x) { return without_axes(x[0], a.axes); }

  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Strides loops = summing(c.x_dims[0], a.axes);
    const size_t size = c.dim.batch_size(), run = loops.size[0];
    for (size_t item = 0; item < c.count; ++item) {
      const real* x = c.x[0][item];
      double* sums = numbers(size);
      each_run(loops, loops.nd - 1, 0, 0, [&](size_t from, size_t to) {
        if (loops.to[0] == 0) {
          sums[to] += e.squared_norm(run, x + from);
        } else {
          for (size_t i = 0; i < run; ++i) sums[to + i] += static_cast<double>(x[from + i]) * x[from + i];
        }
      });
      const auto count = static_cast<double>(c.x_dims[0].size() / size);
      for (size_t i = 0; i < size; ++i) c.y[item][i] = static_cast<real>(std::sqrt(sums[i] / count));
    }
  }
  /// dx += dy x / (n y)
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Strides loops = summing(c.x_dims[0], a.axes);
    const size_t size = c.dim.batch_size(), run = loops.size[0];
    for (size_t item = 0; item < c.count; ++item) {
      const real *x = c.x[0][item], *y = c.y[item], *dy = c.dy[item];
      real* dx = c.dx[item];
      double* factors = numbers(size);
      const auto count = static_cast<double>(c.x_dims[0].size() / size);
      for (size_t i = 0; i < size; ++i)
        if (y[i] != 0) factors[i] = static_cast<double>(dy[i]) / (count * y[i]);
      each_run(loops, loops.nd - 1, 0, 0, [&](size_t from, size_t to) {
        if (loops.to[0] == 0) {
          e.add_scaled(run, static_cast<real>(factors[to]), x + from, dx + from);
        } else {
          for (size_t i = 0; i < run; ++i) dx[from + i] += static_cast<real>(x[from + i] * factors[to + i]);
        }
      });
    }
  }

 private:
  /// So many zeros, until the next call.
  static double* numbers(size_t count) {
    thread_local std::vector<double> memory;
    memory.assign(count, 0);
    return memory.data();
  }
  /// Calls act(from, to) where each run along the innermost loop begins.
  static void each_run(const Strides& s, unsigned d, size_t from, size_t to, auto act) {
    if (d == 0) return act(from, to);
    for (size_t i = 0; i < s.size[d]; ++i)
      each_run(s, d - 1, from + i * static_cast<size_t>(s.from[d]), to + i * static_cast<size_t>(s.to[d]),
               act);
  }
};

/// The same over the batch too.
struct RootMeanSquareOfBatches : RootMeanSquare {
  static constexpr Batching batching = Batching::nodes;
  static constexpr auto name = "root_mean_square_batches",
                        doc = "The root of the mean of squares over the mini-batch and some axes.";
  static Dim shape(const Attrs& a, Dims x) { return without_axes(x[0], a.axes).single_batch(); }
};

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
  Expression mean(const Expression& x) const { return sum(x) / static_cast<real>(count); }
  Expression moment(const Expression& x, unsigned order) const {
    if (order == 0) invalid(caller, ": order 0; 1 or more is needed");
    return mean(order == 1 ? x : pow(x, static_cast<real>(order)));
  }
  /// The mean is rounded, so that the differences to it still have one, which is taken away too. It is no
  /// matter what was taken away first: no gradient needs to flow through it.
  Expression deviation(const Expression& x) const {
    const Expression near = x - nobackprop(reshape(mean(x), kept()));
    const Expression centered = near - reshape(mean(near), kept());
    return batch ? apply<RootMeanSquareOfBatches>(centered, {axes}) : apply<RootMeanSquare>(centered, {axes});
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
  static constexpr auto name = "mean_elems";
  static constexpr auto doc = R"(
      The mean of all numbers of each batch element: shape (1,), batch size as x. The gradient of every
      number is that of the mean divided by how many there are.

      >>> x = dy.inputTensor([[1, 2], [3, 6]])
      >>> dy.mean_elems(x).value()
      3.0)";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes::all(name, x).mean(x); }
};

struct MomentElements {
  static constexpr auto name = "moment_elems";
  static constexpr auto doc = R"(
      The r-th moment of all numbers of each batch element, mean(xʳ): shape (1,), batch size as x. It is the
      moment about 0, not about the mean. ValueError if r is 0.

      >>> x = dy.inputVector([1, 2, 3])
      >>> print(round(dy.moment_elems(x, 2).value(), 4))
      4.6667)";
  static constexpr Arg args[] = {"x", "r"};
  static Expression call(const Expression& x, unsigned r) { return StatisticAxes::all(name, x).moment(x, r); }
};

struct DeviationElements {
  static constexpr auto name = "std_elems";
  static constexpr auto doc = R"(
      The standard deviation of all numbers of each batch element, √mean((x - mean(x))²): shape (1,), batch
      size as x. It is that of the population, divided by n and not by n - 1. Where all numbers are equal it
      is 0, and so is its gradient.

      >>> x = dy.inputVector([1, 3, 5, 7])
      >>> print(round(dy.std_elems(x).value(), 4))
      2.2361)";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes::all(name, x).deviation(x); }
};

struct MeanAxes {
  static constexpr auto name = "mean_dim";
  static constexpr auto doc = R"(
      The mean over the axes in the list d, which disappear, and with b=True over the mini-batch too, whose
      size is 1 then. If n is not 0 the sum is divided by n instead of by how many numbers there are, which
      is how a mean over padded sequences leaves the padding out. ValueError for an axis that is not there,
      and for no axis without b.

      >>> x = dy.inputTensor([[1, 2], [3, 6]])
      >>> print(dy.mean_dim(x, [0]).npvalue(), dy.mean_dim(x, [0], n=4).npvalue())
      [2. 4.] [1. 2.])";
  static constexpr Arg args[] = {"x", "d", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, bool b, unsigned n) {
    return StatisticAxes(name, x, d, b, n).mean(x);
  }
};

struct MomentAxes {
  static constexpr auto name = "moment_dim";
  static constexpr auto doc = R"(
      The r-th moment, the mean of xʳ, over the axes in the list d, which disappear, and with b=True over
      the mini-batch too. If n is not 0 the sum is divided by n. It is the moment about 0. ValueError if r
      is 0, for an axis that is not there, and for no axis without b.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.moment_dim(x, [0], 2).npvalue())
      [ 5. 10.])";
  static constexpr Arg args[] = {"x", "d", "r", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, unsigned r, bool b, unsigned n) {
    return StatisticAxes(name, x, d, b, n).moment(x, r);
  }
};

struct DeviationAxes {
  static constexpr auto name = "std_dim";
  static constexpr auto doc = R"(
      The standard deviation over the axes in the list d, which disappear, and with b=True over the
      mini-batch too: √mean((x - mean(x))²), that of the population. n has no effect. Where all numbers are
      equal it is 0, and so is its gradient. ValueError for an axis that is not there, and for no axis
      without b.

      >>> x = dy.inputTensor([[1, 2], [3, 6]])
      >>> print(dy.std_dim(x, [0]).npvalue())
      [1. 2.])";
  static constexpr Arg args[] = {"x", "d", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, bool b, unsigned) {
    return StatisticAxes(name, x, d, b, 0).deviation(x);
  }
};

struct MeanBatches {
  static constexpr auto name = "mean_batches";
  static constexpr auto doc = R"(
      The mean over the mini-batch: the shape of x, with batch size 1. As a loss it keeps the size of the
      gradients independent of the batch size, where sum_batches makes them grow with it.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True)
      >>> print(dy.mean_batches(x).npvalue())
      [2. 5.])";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return StatisticAxes(name, x, {}, true, 0).mean(x); }
};

struct MomentBatches {
  static constexpr auto name = "moment_batches";
  static constexpr auto doc = R"(
      The r-th moment over the mini-batch, the mean of xʳ over the batch elements, place by place: the shape
      of x, with batch size 1. It is the moment about 0. ValueError if r is 0.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True)
      >>> print(dy.moment_batches(x, 2).npvalue().round(3))
      [ 4.667 25.667])";
  static constexpr Arg args[] = {"x", "r"};
  static Expression call(const Expression& x, unsigned r) {
    return StatisticAxes(name, x, {}, true, 0).moment(x, r);
  }
};

struct DeviationBatches {
  static constexpr auto name = "std_batches";
  static constexpr auto doc = R"(
      The standard deviation over the mini-batch, place by place: √mean((x - mean(x))²), that of the
      population; the shape of x, with batch size 1. Where all batch elements are equal it is 0, and so is
      its gradient.

      >>> x = dy.inputTensor([[1, 3], [4, 4]], batched=True)
      >>> print(dy.std_batches(x).npvalue())
      [1. 0.])";
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
