// Attention: weighted sums of values, weighted by how well keys answer to queries.
#pragma once

#include <cmath>
#include <limits>

#include "dynet/ops/input.h"
#include "dynet/ops/linear.h"
#include "dynet/ops/noise.h"

namespace dynet::engine {

/// For each head, with rows of its own of q, k and v: S = Kᵀ Q / √rows + mask, P = softmax of each column,
/// O = V P. Heads lie one after another in saved and workspace, where products want them.
struct Attention : OpDefaults {
  struct Attrs {
    unsigned heads, causal, has_mask, has_dropout;
  };
  static constexpr auto name = "attention";
  static constexpr auto doc = R"(
      Scaled dot-product attention with one or more heads, as one operation. For queries q (d, n), keys k
      (d, m) and values v (e, m), column by column, the result is (e, n): with one head V P, where column t
      of P (m, n) is the softmax of Kᵀ q_t / √d. Several heads each have d / heads rows of q and k and e /
      heads rows of v, in their order, and give e / heads rows of the result. A vector is a matrix of one
      column, and n and m may differ.

      mask (m, n, heads) is added to Kᵀ q / √d: 0 where a query may look, -inf where it may not, other
      numbers, learned ones as well, for what they are worth. (m, n) serves all heads, (m,) all queries.
      causal=True lets query t look at key s only if s ≤ t + m - n: at keys up to its own place, counted
      from the end. A query that may look nowhere has the result 0, and gives no gradient.

      With dropout each weight is 0 with that probability, and 1 / (1 - dropout) times as large else.

      A batch size of 1 stretches. ValueError where sizes do not fit, for heads that do not divide d and e,
      and for causal with more queries than keys. (Vaswani, Shazeer, Parmar et al. 2017)

      >>> q, k = dy.inputTensor([[10], [0]]), dy.inputTensor([[10, 0], [0, 10]])
      >>> v = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.attention(q, k, v).npvalue().round(4))
      [[1.]
       [3.]])";
  static constexpr Arg args[] = {
      "q", "k", "v", {"heads", 1.0}, {"causal", 0.0}, {"mask", {}}, {"dropout", 0.0}};

  static Dim shape(const Attrs& a, Dims x) {
    const Dim &q = x[0], &k = x[1], &v = x[2];
    for (const Dim& each : x.first(3))
      if (each.nd > 2)
        invalid("shapes ", q, ", ", k, " and ", v, "; queries, keys and values are matrices or vectors");
    if (q.rows() != k.rows() || k.cols() != v.cols())
      invalid("queries ", q, ", keys ", k, " and values ", v,
              "; queries and keys need as many rows, keys and values as many columns");
    if (a.heads == 0 || q.rows() % a.heads != 0 || v.rows() % a.heads != 0)
      invalid(a.heads, " heads for ", q.rows(), " rows of queries and ", v.rows(),
              " of values; a number that divides both is needed");
    if (a.causal && q.cols() > k.cols())
      invalid("causal with ", q.cols(), " queries and ", k.cols(),
              " keys; no more queries than keys are possible");
    if (a.has_mask) check_mask(a, x);
    const Dim y = q.cols() == 1 && q.nd < 2 ? Dim{v.rows()} : Dim{v.rows(), q.cols()};
    return y.with_batch(common_batch(x));
  }
  static size_t saved_size(const Attrs& a, Dims x) {
    const Sizes s(a, x);
    return s.scores() * (a.has_dropout ? 2 : 1) + s.queries() + (s.heads > 1 ? s.results() : 0);
  }
  static size_t workspace_size(const Attrs& a, Dims x) {
    const Sizes s(a, x);
    return s.scores() + s.results() + std::max({s.scores(), s.queries(), s.keys(), s.values()});
  }

  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Sizes s(a, c.x_dims);
    const Items weights = c.saved, used = s.used(c), queries = used.part(s.scores());
    const Items results = s.heads > 1 ? queries.part(s.queries()) : c.y;
    e.move(c.count, s.split(s.key_rows, s.n), {}, false, c.x[0], queries);
    const ScaleAttrs scale{s.scale()};
    e.map(map_position<Scale>(), &scale, c.count, s.queries(), queries, queries);
    for (unsigned h = 0; h < s.heads; ++h)
      e.product(s.of_head(c, 1, h, true, queries.part(s.n * s.key_rows * h), weights.part(s.n * s.m * h)));
    if (a.has_mask) e.move(c.count, s.masking(c.x_dims[3]), {}, true, c.x[3], weights);
    if (a.causal) forbid_later(e, c.count, s, weights);
    e.softmax(c.count, Axis{s.n * s.heads, s.m, 1}, weights, weights, true);
    if (a.has_dropout) multiply(e, c, s, weights, used);
    for (unsigned h = 0; h < s.heads; ++h)
      e.product(s.of_head(c, 2, h, false, used.part(s.n * s.m * h), results.part(s.n * s.value_rows * h)));
    if (s.heads > 1) e.move(c.count, s.split(s.value_rows, s.n).swapped(), {}, false, results, c.y);
  }
  /// The gradients of the scores, dS = P ∘ (Vᵀ dO - Σ P ∘ Vᵀ dO), and before them room for others.
  static void prepare_backward(const Attrs& a, Engine& e, const Call& c) {
    const Sizes s(a, c.x_dims);
    const Items d_scores = c.workspace, d_results = c.workspace.part(s.scores()),
                d_weights = d_results.part(s.results());
    e.move(c.count, s.split(s.value_rows, s.n), {}, false, c.dy, d_results);
    for (unsigned h = 0; h < s.heads; ++h)
      e.product(
          s.of_head(c, 2, h, true, d_results.part(s.n * s.value_rows * h), d_weights.part(s.n * s.m * h)));
    if (a.has_dropout) multiply(e, c, s, d_weights, d_weights);
    e.softmax_backward(c.count, Axis{s.n * s.heads, s.m, 1}, c.saved, d_weights, d_scores);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) {
    const Sizes s(a, c.x_dims);
    const Items used = s.used(c), queries = used.part(s.scores()), d_scores = c.workspace,
                d_results = c.workspace.part(s.scores()), room = d_results.part(s.results());
    if (i == 0) {
      for (unsigned h = 0; h < s.heads; ++h)
        e.product(s.of_head(c, 1, h, false, d_scores.part(s.n * s.m * h), room.part(s.n * s.key_rows * h)));
      const ScaleAttrs scale{s.scale()};
      e.map(map_position<Scale>(), &scale, c.count, s.queries(), room, room);
      e.move(c.count, s.split(s.key_rows, s.n).swapped(), {}, true, room, c.dx);
    } else if (i == 1) {
      sum_outer(e, c.count, s, s.key_rows, queries, d_scores, room);
      e.move(c.count, s.split(s.key_rows, s.m).swapped(), {}, true, room, c.dx);
    } else if (i == 2) {
      sum_outer(e, c.count, s, s.value_rows, d_results, used, room);
      e.move(c.count, s.split(s.value_rows, s.m).swapped(), {}, true, room, c.dx);
    } else if (i == 3 && a.has_mask) {
      e.move(c.count, s.masking(c.x_dims[3]).swapped(), {}, true, d_scores, c.dx);
    }
  }
  static Expression call(const Expression& q, const Expression& k, const Expression& v, unsigned heads,
                         bool causal, const Expression* mask, real dropout) {
    std::vector<Expression> xs{q, k, v};
    if (mask) xs.push_back(*mask);
    if (dropout != 0) xs.push_back(shares_left(q, k, v, heads, dropout));
    return apply<Attention>(xs, {heads, causal, mask != nullptr, dropout != 0});
  }

 private:
  using ScaleAttrs = Scale::Attrs;

  struct Sizes {
    unsigned heads, n, m, key_rows, value_rows;  // rows of one head
    bool has_dropout;

    Sizes(const Attrs& a, Dims x)
        : heads(a.heads),
          n(x[0].cols()),
          m(x[1].cols()),
          key_rows(x[0].rows() / heads),
          value_rows(x[2].rows() / heads),
          has_dropout(a.has_dropout) {}
    size_t scores() const { return size_t{n} * m * heads; }
    size_t queries() const { return size_t{n} * key_rows * heads; }
    size_t keys() const { return size_t{m} * key_rows * heads; }
    size_t values() const { return size_t{m} * value_rows * heads; }
    size_t results() const { return size_t{n} * value_rows * heads; }
    real scale() const { return static_cast<real>(1 / std::sqrt(static_cast<double>(key_rows))); }

    /// The weights as values are weighted, behind those that there were before dropout.
    Items used(const Call& c) const { return has_dropout ? c.saved.part(scores()) : c.saved; }

    /// From a matrix with `rows` rows of each head to the heads one after another.
    Strides split(unsigned rows, unsigned columns) const {
      const ptrdiff_t height = rows, width = columns;
      Strides s;
      s.axis(rows, 1, 1);
      s.axis(columns, height * heads, height);
      if (heads > 1) s.axis(heads, height, height * width);
      return s;
    }
    /// From a mask, which queries and heads may share, to the scores.
    Strides masking(const Dim& mask) const {
      const ptrdiff_t height = m, matrix = height * n;
      Strides s;
      s.axis(m, 1, 1);
      if (n > 1) s.axis(n, mask[1] == 1 ? 0 : height, height);
      if (heads > 1) s.axis(heads, mask[2] == 1 ? 0 : height * mask[1], matrix);
      return s;
    }
    /// The product of the keys or values of a head, or of their transpose, with columns.
    Product of_head(const Call& c, unsigned arg, unsigned head, bool transposed, Items x, Items y) const {
      const unsigned rows = arg == 1 ? key_rows : value_rows;
      return {.m = rows,
              .k = m,
              .n = n,
              .transposed = transposed,
              .count = c.count,
              .a = c.x[arg].part(size_t{rows} * head),
              .x = x,
              .y = y,
              .init = {},
              .a_step = rows * heads};
    }
  };

  static void check_mask(const Attrs& a, Dims x) {
    const Dim& mask = x[3];
    const unsigned n = x[0].cols(), m = x[1].cols();
    const bool fits = mask.nd <= 3 && mask[0] == m && (mask[1] == n || mask[1] == 1) &&
                      (mask[2] == a.heads || mask[2] == 1);
    if (!fits)
      invalid("a mask of shape ", mask, " for ", n, " queries, ", m, " keys and ", a.heads, " heads; ",
              Dim{m, n, a.heads}, " is needed, or 1 in place of queries or heads");
  }
  /// For each weight 0 or what it is multiplied with.
  static Expression shares_left(const Expression& q, const Expression& k, const Expression& v, unsigned heads,
                                real dropout) {
    const Dim from[] = {shape_of(name, q), shape_of(name, k), shape_of(name, v)};
    const Dim weights{from[1].cols(), from[0].cols(), heads};
    return Dropout::call(Constant::call(weights, 1, common_batch(from)), dropout);
  }
  static void multiply(Engine& e, const Call& c, const Sizes& s, Items weights, Items to) {
    const Dim dim{static_cast<unsigned>(s.scores())};
    e.zip(zip_position<Multiply>(), nullptr, c.count, dim, dim, dim, weights, c.x.back(), to);
  }
  static void forbid_later(Engine& e, size_t count, const Sizes& s, Items scores) {
    constexpr real never = -std::numeric_limits<real>::infinity();
    const size_t earlier = s.m - s.n;
    for (size_t item = 0; item < count; ++item)
      for (size_t column = 0; column < size_t{s.n} * s.heads; ++column) {
        const size_t first = column % s.n + earlier + 1;
        if (first < s.m) e.fill(s.m - first, never, scores[item] + column * s.m + first);
      }
  }
  /// For each head Σ over queries of a column of `left` and the transpose of one of `right`.
  static void sum_outer(Engine& e, size_t count, const Sizes& s, unsigned rows, Items left, Items right,
                        Items to) {
    thread_local std::vector<const real*> columns[2];
    for (size_t item = 0; item < count; ++item)
      for (size_t h = 0; h < s.heads; ++h) {
        columns[0].clear(), columns[1].clear();
        for (size_t t = h * s.n; t < (h + 1) * s.n; ++t)
          columns[0].push_back(left[item] + t * rows), columns[1].push_back(right[item] + t * s.m);
        real* sum = to[item] + h * rows * s.m;
        e.outer_sum({rows, s.m, s.n, columns[0].data(), columns[1].data(), sum, false});
      }
  }
};

using Attentions = Ops<Attention>;

}  // namespace dynet::engine

namespace dynet::functional {

inline Expression attention(const Expression& q, const Expression& k, const Expression& v, unsigned heads = 1,
                            bool causal = false, const Expression* mask = nullptr, real dropout = 0) {
  return engine::Attention::call(q, k, v, heads, causal, mask, dropout);
}

}  // namespace dynet::functional
