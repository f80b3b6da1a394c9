// The softmax family: normalised exponents along an axis, their logarithms, and the loss built on them.
#pragma once

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"

namespace dynet::engine {

struct Softmax : OpDefaults {
  struct Attrs {
    unsigned axis;
  };
  static constexpr auto name = "softmax";
  static constexpr auto doc = R"(
      Exponentials divided by their sum along axis d: y = exp(x) / Σ exp(x), numbers from 0 to 1 that sum to
      1 in each column (d = 0, the default) or row (d = 1). The largest x is taken out first, so that
      nothing overflows; where all x are -inf the result is NaN. The shape and the batch size stay.
      ValueError for an axis that x does not have. dx = y ∘ (dy - Σ y ∘ dy). For a loss take
      pickneglogsoftmax or log_softmax.

      >>> x = dy.inputVector([0, np.log(3)])
      >>> print(dy.softmax(x).npvalue().round(4))
      [0.25 0.75])";
  static constexpr Arg args[] = {"x", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    return x[0];
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.softmax(c.count, Axis::of(c.dim, a.axis), c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.softmax_backward(c.count, Axis::of(c.dim, a.axis), c.y, c.dy, c.dx);
  }
  static Expression call(const Expression& x, unsigned d) { return apply<Softmax>(x, {d}); }
};

/// log_softmax over some elements only: the words of each batch element are their places.
struct RestrictedLogSoftmax : OpDefaults {
  static constexpr bool on_host = true;
  static constexpr bool reads_part = true;
  struct Attrs {
    unsigned count;
  };
  static constexpr auto name = "restricted_log_softmax", doc = "Logarithm of a softmax over some elements.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "restrict"};
  static Dim shape(const Attrs&, Dims x) {
    check_vector(x[0]);
    return x[0];
  }
  // Kept: the chosen numbers, and their log-probabilities.
  static size_t saved_size(const Attrs& a, Dims) { return 2 * a.count; }
  static size_t workspace_size(const Attrs& a, Dims) { return 2 * a.count; }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Items chosen = c.saved, logs = c.saved.part(a.count);
    each_place(a, c, [&](const real* x, size_t i, unsigned k) { chosen[i][k] = *x; }, c.x[0]);
    e.log_softmax(c.count, Axis{1, a.count, 1}, chosen, logs);
    fill_items(e, c.count, c.dim.batch_size(), -std::numeric_limits<real>::infinity(), c.y);
    each_place(a, c, [&](real* y, size_t i, unsigned k) { *y = logs[i][k]; }, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Items logs = c.saved.part(a.count), d_logs = c.workspace, d_chosen = c.workspace.part(a.count);
    each_place(a, c, [&](const real* dy, size_t i, unsigned k) { d_logs[i][k] = *dy; }, c.dy);
    fill_items(e, c.count, a.count, 0, d_chosen);
    e.log_softmax_backward(c.count, Axis{1, a.count, 1}, logs, d_logs, d_chosen);
    each_place(a, c, [&](real* dx, size_t i, unsigned k) { *dx += d_chosen[i][k]; }, c.dx);
  }
  static Expression call(const Expression& x, Indices restrict) {
    check_indices("log_softmax", restrict, shape_of("log_softmax", x).rows(), "axis 0");
    thread_local std::vector<unsigned> places;
    places.assign(restrict.begin(), restrict.end());
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return apply<RestrictedLogSoftmax>(x, {static_cast<unsigned>(places.size())},
                                       repeated(places, shape_of("log_softmax", x).bd));
  }

 private:
  static void each_place(const Attrs& a, const Call& c, auto act, const Items& tensors) {
    for (size_t i = 0; i < c.count; ++i)
      for (unsigned k = 0; k < a.count; ++k) act(tensors[i] + c.words[i][k], i, k);
  }
};

struct LogSoftmax : OpDefaults {
  struct Attrs {
    unsigned axis;
  };
  static constexpr bool chooses = true;  // a mask is no list of what it chooses
  static constexpr auto name = "log_softmax";
  static constexpr auto doc = R"(
      The logarithm of the softmax along axis d: y = x - ln Σ exp(x), of each column (d = 0, the default) or
      row (d = 1). Unlike log(softmax(x)) it stays finite for small probabilities. With a list restrict of
      rows of a vector, the probabilities are those among these rows and the others are -inf, without
      gradient; ValueError for an empty list or another axis than 0, IndexError for a row that is not there.

      >>> x = dy.inputVector([1, 1, 7])
      >>> print(dy.log_softmax(x, restrict=[0, 1]).npvalue().round(4))
      [-0.6931 -0.6931    -inf])";
  static constexpr Arg args[] = {"x", {"restrict", {}}, {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    return x[0];
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.log_softmax(c.count, Axis::of(c.dim, a.axis), c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.log_softmax_backward(c.count, Axis::of(c.dim, a.axis), c.y, c.dy, c.dx);
  }
  static Expression call(const Expression& x, Indices restrict, unsigned d) {
    if (restrict.given&& restrict.empty())
      invalid(name, ": an empty restriction; at least one row is needed");
    if (restrict.given && d != 0)
      invalid(name, ": a restriction to some rows along axis ", d, "; it is possible along axis 0");
    return restrict.given ? RestrictedLogSoftmax::call(x, restrict) : apply<LogSoftmax>(x, {d});
  }
};

/// The class is a word, so that examples with different classes run as one call.
struct PickNegativeLogSoftmax : OpDefaults {
  static constexpr bool reads_part = true;
  static constexpr auto name = "pickneglogsoftmax";
  static constexpr auto doc = R"(
      The negative log likelihood (cross entropy) of class v under the softmax of the vector x: ln Σ exp(x)
      - x_v, shape (1,). A negative v counts from the end. The gradient is softmax(x), minus 1 at v.
      IndexError if there is no such class; ValueError if x is no vector, or a mini-batch:
      pickneglogsoftmax_batch has a class for each element.

      >>> x = dy.inputVector([0, 0, 0, 0])
      >>> print(round(dy.pickneglogsoftmax(x, 2).value(), 4))
      1.3863)";
  static constexpr Arg args[] = {"x", "v"};
  static Dim shape(const auto&, Dims x) {
    check_vector(x[0]);
    return Dim({1}, x[0].bd);
  }
  static size_t saved_size(const auto&, Dims) { return 2; }
  static void forward(const auto&, Engine& e, const Call& c) {
    e.negative_log_softmax(c.count, c.x_dims[0].rows(), c.words, c.x[0], c.saved, c.y);
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    e.negative_log_softmax_backward(c.count, c.x_dims[0].rows(), c.words, c.x[0], c.saved, c.dy, c.dx);
  }
  static Expression call(const Expression& x, int v) { return make(name, x, only(class_named(name, v, x))); }
  static Expression make(std::string_view caller, const Expression& x, Indices classes) {
    const Dim& from = shape_of(caller, x);
    check_indices(caller, classes, from.rows(), "axis 0");
    if (classes.size() != from.bd)
      invalid(caller, ": ", classes.size(), " indices for ", from, "; one for each batch element is needed");
    return apply<PickNegativeLogSoftmax>(x, {}, classes);
  }
};

struct PickNegativeLogSoftmaxBatch {
  static constexpr auto name = "pickneglogsoftmax_batch";
  static constexpr auto doc = R"(
      The negative log likelihood of a class for each element of a mini-batch: ln Σ exp(x) - x_v with v =
      vs[b] for batch element b; shape (1,), batch size as x. ValueError unless there are as many classes as
      batch elements, IndexError for a class that is not there. sum_batches makes one loss of it.

      >>> x = dy.inputTensor([[0, 0], [0, 100]], batched=True)
      >>> print(dy.pickneglogsoftmax_batch(x, [1, 1]).npvalue().round(4))
      [[0.6931 0.    ]])";
  static constexpr Arg args[] = {"x", "vs"};
  static Expression call(const Expression& x, Indices vs) {
    return PickNegativeLogSoftmax::make(name, x, vs);
  }
};

using SoftmaxFamily = Ops<Softmax, LogSoftmax, RestrictedLogSoftmax, PickNegativeLogSoftmax>;
using SoftmaxForms = Ops<PickNegativeLogSoftmaxBatch>;

}  // namespace dynet::engine

namespace dynet {

inline Expression softmax(const Expression& x, unsigned d = 0) { return engine::Softmax::call(x, d); }
inline Expression log_softmax(const Expression& x) { return engine::LogSoftmax::call(x, {}, 0); }
inline Expression log_softmax(const Expression& x, engine::Indices restriction, unsigned d = 0) {
  return engine::LogSoftmax::call(x, restriction, d);
}
inline Expression pickneglogsoftmax(const Expression& x, unsigned v) {
  return engine::PickNegativeLogSoftmax::make("pickneglogsoftmax", x, engine::only(v));
}
inline Expression pickneglogsoftmax(const Expression& x, engine::Indices vs) {
  return engine::PickNegativeLogSoftmaxBatch::call(x, vs);
}

}  // namespace dynet
