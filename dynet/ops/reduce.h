// Sums, extremes and running sums along axes, over the batch, or over a list of expressions.
#pragma once

#include "dynet/ops/loops.h"
#include "dynet/ops/parts.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// A set of axes, one bit each.
inline unsigned axis_set(std::string_view op, Indices axes, const Dim& x) {
  unsigned set = 0;
  for (unsigned d : axes) {
    if (d >= axis_count(x)) invalid(op, ": axis ", d, " of ", x, "; the axes are 0 to ", axis_count(x) - 1);
    set |= 1u << d;
  }
  return set;
}

/// The shape without the axes of a set; {1} when none is left.
inline Dim without_axes(const Dim& x, unsigned axes) {
  Dim r;
  r.bd = x.bd;
  for (unsigned i = 0; i < x.nd; ++i)
    if (!(axes >> i & 1)) r.d[r.nd++] = x.d[i];
  if (r.nd == 0) r.d[r.nd++] = 1;
  return r;
}

/// Loops from x to the sums over the axes of a set, and over the batch where x has one.
inline Strides summing(const Dim& x, unsigned axes) {
  Strides s;
  ptrdiff_t from = 1, to = 1;
  const auto axis = [&](unsigned n, bool summed) {
    if (n == 1) return;
    if (s.nd > 0 && (s.to[s.nd - 1] == 0) == summed)
      s.size[s.nd - 1] *= n;
    else
      s.axis(n, from, summed ? 0 : to);
    from *= n;
    if (!summed) to *= n;
  };
  for (unsigned i = 0; i < x.nd; ++i) axis(x.d[i], axes >> i & 1);
  axis(x.bd, true);
  if (s.nd == 0) s.axis(1, 1, 1);
  return s;
}

/// What sums share: `axes` in the attributes says which are summed.
struct Sum : OpDefaults {
  static constexpr bool reads_part = true;
  static constexpr uint32_t identity = 1;
  struct Attrs {
    unsigned axes;
  };
  static Dim shape(const Attrs& a, Dims x) { return without_axes(x[0], a.axes); }
  static void tell(const Attrs& a, Dims x, AttributeList& list) {
    unsigned axes[Dim::max_dims], count = 0;
    for (unsigned i = 0; i < x[0].nd; ++i)
      if (a.axes >> i & 1) axes[count++] = i;
    list.add_list("axes", axes, count);
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.move(c.count, summing(c.x_dims[0], a.axes), {}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.move(c.count, summing(c.x_dims[0], a.axes).swapped(), {}, true, c.dy, c.dx);
  }
};

struct SumElements : Sum {
  static constexpr auto name = "sum_elems";
  static constexpr auto doc = R"(
      The sum of all numbers of each batch element: shape (1,), batch size as x. The gradient of every
      number of x is that of the sum. sum_dim sums over some axes, sum_batches over the mini-batch.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> dy.sum_elems(x).value()
      10.0)";
  static constexpr Arg args[] = {"x"};
  static Expression call(const Expression& x) { return apply<SumElements>(x, {~0u}); }
};

struct SumBatches : Sum {
  static constexpr Batching batching = Batching::nodes;
  static constexpr auto name = "sum_batches";
  static constexpr auto doc = R"(
      The sum over the mini-batch: the shape of x, with batch size 1. The loss of a mini-batch is made by
      it, since backward needs one number. Every batch element gets the gradient of the sum.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True)
      >>> print(dy.sum_batches(x).npvalue())
      [ 6. 15.])";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const Attrs& a, Dims x) { return without_axes(x[0], a.axes).single_batch(); }
  static Expression call(const Expression& x) { return apply<SumBatches>(x, {0}); }
};

struct SumAxes : Sum {
  static constexpr auto name = "sum_dim";
  static constexpr auto doc = R"(
      The sum over the axes in the list d, which disappear: (3, 4, 5) summed over [0, 2] is (4,), over all
      axes (1,). With b=True it is also taken over the mini-batch, and the result has batch size 1. n has no
      effect. ValueError for an axis that is not there, and for no axis without b.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.sum_dim(x, [0]).npvalue(), dy.sum_dim(x, [1]).npvalue())
      [4. 6.] [3. 7.])";
  static constexpr Arg args[] = {"x", "d", {"b", 0.0}, {"n", 0.0}};
  static Expression call(const Expression& x, Indices d, bool b, unsigned) {
    if (d.empty() && !b) invalid("sum_dim: nothing to sum over; give at least one axis, or b=True");
    const unsigned axes = axis_set("sum_dim", d, sizes_of("sum_dim", x));
    return b ? apply<SumBatches>(x, {axes}) : apply<SumAxes>(x, {axes});
  }
};

/// The largest or smallest number along an axis, and the log of a sum of exponents: an axis disappears.
struct AlongAxis : OpDefaults {
  struct Attrs {
    unsigned axis;
  };
  static constexpr Arg args[] = {"x", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    return x[0].without(a.axis);
  }
};

template <int sign>
struct Extremum : AlongAxis {
  static constexpr bool reads_part = true;
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.extremum(sign, c.count, Axis::of(c.x_dims[0], a.axis), c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.extremum_backward(c.count, Axis::of(c.x_dims[0], a.axis), c.x[0], c.y, c.dy, c.dx);
  }
};

struct LargestAlongAxis : Extremum<1> {
  static constexpr auto name = "max_dim";
  static constexpr auto doc = R"(
      The largest number along axis d, which disappears: (3, 4) becomes (4,) for d = 0, the default, and
      (3,) for d = 1. The gradient goes to the first of equal numbers. ValueError for an axis that x does
      not have. argmax says where it is.

      >>> x = dy.inputTensor([[1, 5], [4, 2]])
      >>> print(dy.max_dim(x).npvalue(), dy.max_dim(x, d=1).npvalue())
      [4. 5.] [5. 4.])";
  static Expression call(const Expression& x, unsigned d) { return apply<LargestAlongAxis>(x, {d}); }
};

struct SmallestAlongAxis : Extremum<-1> {
  static constexpr auto name = "min_dim";
  static constexpr auto doc = R"(
      The smallest number along axis d, which disappears: (3, 4) becomes (4,) for d = 0, the default, and
      (3,) for d = 1. The gradient goes to the first of equal numbers. ValueError for an axis that x does
      not have.

      >>> x = dy.inputTensor([[1, 5], [4, 2]])
      >>> print(dy.min_dim(x).npvalue(), dy.min_dim(x, d=1).npvalue())
      [1. 2.] [1. 2.])";
  static Expression call(const Expression& x, unsigned d) { return apply<SmallestAlongAxis>(x, {d}); }
};

struct LogSumExpAlongAxis : AlongAxis {
  static constexpr auto name = "logsumexp_dim";
  static constexpr auto doc = R"(
      The logarithm of the sum of exponentials along axis d, which disappears: y = ln Σ exp(x). The largest
      number is taken out first, so that nothing overflows. The gradient is the softmax along the axis, and
      0 where all numbers are -inf. ValueError for an axis that x does not have.

      >>> x = dy.inputVector([1000, 1000])
      >>> print(dy.logsumexp_dim(x, d=0).npvalue().round(4))
      [1000.6932])";
  static size_t saved_size(const Attrs& a, Dims x) { return 2 * x[0].without(a.axis).batch_size(); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.log_sum_exp(c.count, Axis::of(c.x_dims[0], a.axis), c.x[0], c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.log_sum_exp_backward(c.count, Axis::of(c.x_dims[0], a.axis), c.x[0], c.saved, c.dy, c.dx);
  }
  static Expression call(const Expression& x, unsigned d) { return apply<LogSumExpAlongAxis>(x, {d}); }
};

struct CumulativeSum : OpDefaults {
  struct Attrs {
    unsigned axis;
  };
  static constexpr auto name = "cumsum";
  static constexpr auto doc = R"(
      Running sums along axis d: the i-th is x_0 + … + x_i. The shape and the batch size stay; d is 0 by
      default. The gradient of x_i is the sum of those of the results from i on. ValueError for an axis that
      x does not have.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.cumsum(x, d=1).npvalue())
      [[1. 3.]
       [3. 7.]])";
  static constexpr Arg args[] = {"x", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    return x[0];
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.cumulative_sum(c.count, Axis::of(c.dim, a.axis), false, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.cumulative_sum(c.count, Axis::of(c.dim, a.axis), true, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, unsigned d) { return apply<CumulativeSum>(x, {d}); }
};

/// A list of equally shaped expressions made one; sizes are equal up to trailing ones, batch 1 stretches.
struct OverList : OpDefaults {
  static constexpr Arg args[] = {"xs"};
  static Dim shape(const auto&, Dims x) {
    if (x.empty()) invalid("an empty list; at least one expression is needed");
    for (const Dim& d : x)
      if (!d.same_sizes(x[0])) invalid("shapes differ: ", x[0], " and ", d, "; they must be equal");
    return x[0].with_batch(common_batch(x));
  }
};

struct SumOfList : OverList {
  static constexpr auto name = "esum";
  static constexpr auto doc = R"(
      The sum of a list of expressions of one shape, as one operation: cheaper than a chain of +. A batch
      size of 1 stretches, but other sizes do not; ValueError for different shapes or an empty list. Each
      argument gets the gradient of the sum.

      >>> xs = [dy.inputVector([1, 2]), dy.inputVector([3, 4]), dy.inputVector([5, 6])]
      >>> print(dy.esum(xs).npvalue())
      [ 9. 12.])";
  static constexpr uint32_t identity = ~0u;
  /// One call adds many arguments of a single node, in their order.
  static void forward(const auto&, Engine& e, const Call& c) {
    const Strides all = run_of(c.dim.batch_size());
    e.move(c.count, all, {}, false, c.x[0], c.y);
    if (c.x.size() > terms_in_a_row) return add_many(e, c);
    for (size_t i = 1; i < c.x.size();) {
      if (c.count > 1) {
        e.move(c.count, all, {}, true, c.x[i++], c.y);
      } else {
        ItemList list;
        while (i < c.x.size() && !list.full()) list.add(c.x[i++][0]);
        e.move(list.count, all, {}, true, list.items(), single(c.y, 0));
      }
    }
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    e.move(c.count, run_of(c.dim.batch_size()), {}, true, c.dy, c.dx);
  }
  static Expression call(Expressions xs) {
    return in_parts(
        xs, [](const Expressions& part) { return part.size() == 1 ? part[0] : apply<SumOfList>(part); });
  }

 private:
  static void add_many(Engine& e, const Call& c) {
    thread_local std::vector<const real*> terms;
    for (size_t item = 0; item < c.count; ++item) {
      terms.clear();
      for (size_t i = 1; i < c.x.size(); ++i) terms.push_back(c.x[i][item]);
      add_each(e, c.dim.batch_size(), terms.size(), terms.data(), c.y[item]);
    }
  }
};

struct LogSumExpOfList : OverList {
  static constexpr auto name = "logsumexp";
  static constexpr auto doc = R"(
      The logarithm of the sum of exponentials of a list of expressions of one shape, number by number: y =
      ln Σ_i exp(x_i). The largest is taken out first, so that nothing overflows. A batch size of 1
      stretches; ValueError for different shapes or an empty list. The gradients are the shares exp(x_i -
      y), and 0 where all are -inf.

      >>> xs = [dy.scalarInput(1000), dy.scalarInput(1000)]
      >>> print(round(dy.logsumexp(xs).value(), 4))
      1000.6932)";
  // The arguments one after another, then what the kernel keeps.
  static size_t saved_size(const auto&, Dims x) { return x[0].batch_size() * (x.size() + 2); }
  static void forward(const auto&, Engine& e, const Call& c) {
    const size_t size = c.dim.batch_size();
    for (size_t i = 0; i < c.x.size(); ++i)
      e.move(c.count, run_of(size), {.to_offset = i * size}, false, c.x[i], c.saved);
    e.log_sum_exp(c.count, Axis{1, c.x.size(), size}, c.saved, c.saved.part(c.x.size() * size), c.y);
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    const size_t size = c.dim.batch_size();
    e.log_sum_exp_backward(c.count, Axis{1, 1, size}, c.x[i], c.saved.part(c.x.size() * size), c.dy, c.dx);
  }
  static Expression call(Expressions xs) {
    return in_parts(xs, [](const Expressions& part) { return apply<LogSumExpOfList>(part); });
  }
};

/// Σ term(x_i, y_i) over the elements, {1}: the terms are a kernel of ZipOps.
template <class Self, class Term>
struct SumOfTerms : OpDefaults {
  using Attrs = typename Term::Attrs;
  static constexpr Arg args[] = {"x", "y"};
  static constexpr bool overwrites = true;
  static Dim shape(const Attrs&, Dims x) {
    if (!x[0].same_sizes(x[1])) invalid("shapes differ: ", x[0], " and ", x[1], "; they must be equal");
    return Dim({1}, common_batch(x));
  }
  static size_t saved_size(const Attrs&, Dims x) { return x[0].batch_size(); }
  static size_t workspace_size(const Attrs&, Dims x) { return x[0].batch_size(); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Dim& dim = c.x_dims[0];
    e.zip(zip_position<Term>(), &a, c.count, dim, dim, dim, c.x[0], c.x[1], c.saved);
    sum_run(e, c.count, dim.batch_size(), c.saved, c.y);
  }
  static void prepare_backward(const Attrs&, Engine& e, const Call& c) {
    spread(e, c.count, c.x_dims[0].batch_size(), false, c.dy, c.workspace);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) {
    const Dim& dim = c.x_dims[0];
    e.zip_backward(zip_position<Term>(), i, &a, c.count, dim, dim, dim, c.x[0], c.x[1], c.saved, c.workspace,
                   c.dx, c.accumulate);
  }
};

struct DotProduct : SumOfTerms<DotProduct, Multiply> {
  static constexpr auto name = "dot_product";
  static constexpr auto doc = R"(
      The sum of the products of all numbers of x and y, which have one shape: Σ x_i y_i, for vectors xᵀy.
      The result has shape (1,); a batch size of 1 stretches. ValueError for different shapes. The gradient
      of x is y times that of the result, and the other way round.

      >>> x, y = dy.inputVector([1, 2, 3]), dy.inputVector([4, 5, 6])
      >>> dy.dot_product(x, y).value()
      32.0)";
  static Expression call(const Expression& x, const Expression& y) { return apply<DotProduct>({x, y}); }
};

using Reductions = Ops<SumElements, SumBatches, SumAxes, LargestAlongAxis, SmallestAlongAxis,
                       LogSumExpAlongAxis, CumulativeSum, SumOfList, LogSumExpOfList, DotProduct>;

}  // namespace dynet::engine

namespace dynet {

inline Expression sum_elems(const Expression& x) { return engine::SumElements::call(x); }
inline Expression sum_batches(const Expression& x) { return engine::SumBatches::call(x); }
inline Expression sum_dim(const Expression& x, engine::Indices dims, bool b = false) {
  return engine::SumAxes::call(x, dims, b, 0);
}
inline Expression sum_rows(const Expression& x) { return engine::SumAxes::call(x, {0}, false, 0); }
inline Expression sum_cols(const Expression& x) { return engine::SumAxes::call(x, {1}, false, 0); }
inline Expression max_dim(const Expression& x, unsigned d = 0) {
  return engine::LargestAlongAxis::call(x, d);
}
inline Expression min_dim(const Expression& x, unsigned d = 0) {
  return engine::SmallestAlongAxis::call(x, d);
}
inline Expression logsumexp_dim(const Expression& x, unsigned d = 0) {
  return engine::LogSumExpAlongAxis::call(x, d);
}
inline Expression logsumexp(engine::Expressions xs) { return engine::LogSumExpOfList::call(xs); }
inline Expression cumsum(const Expression& x, unsigned d = 0) { return engine::CumulativeSum::call(x, d); }
inline Expression sum(engine::Expressions xs) {
  if (xs.empty()) engine::invalid("sum: an empty list; at least one expression is needed");
  return engine::SumOfList::call(xs);
}
inline Expression dot_product(const Expression& x, const Expression& y) {
  return engine::DotProduct::call(x, y);
}

}  // namespace dynet
