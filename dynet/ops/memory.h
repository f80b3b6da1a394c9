// Operations whose indices lie in memory of the caller and are read again at each evaluation.
#pragma once

#include "dynet/ops/input.h"
#include "dynet/ops/loss.h"
#include "dynet/ops/select.h"
#include "dynet/ops/softmax.h"
#include "dynet/ops/sparsemax.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// An index, or a list whose length stays. A pointer to anything else, such as a literal 0, is none.
template <class T>
concept IndexMemory = std::same_as<T, unsigned> || std::same_as<T, std::vector<unsigned>>;

/// The node that make(indices) adds, from now on with the indices that are in memory when it is computed.
template <IndexMemory T>
Expression reading(const T* memory, unsigned limit, auto&& make) {
  constexpr bool one = std::same_as<T, unsigned>;
  thread_local std::vector<unsigned> none_yet;  // what is in memory now may be anything
  if constexpr (one)
    none_yet.assign(1, 0);
  else
    none_yet.assign(memory->size(), 0);
  const Expression e = make(none_yet);
  Graph::Source source{e.i, nullptr, nullptr, none_yet.size(), limit};
  if constexpr (one)
    source.one = memory;
  else
    source.many = memory;
  (*e.pg).read_words(source);
  return e;
}

/// The count of caller's memory, as a number.
struct CountFromMemory : OpDefaults {
  struct Attrs {
    const unsigned* count;
  };
  static constexpr bool hidden = true;
  static constexpr auto name = "count_from_memory",
                        doc = "A count read from the caller's memory at each evaluation.";
  static constexpr Arg args[] = {"count"};
  static Dim shape(const Attrs&, Dims) { return {1}; }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    fill_items(e, c.count, 1, static_cast<real>(*a.count), c.y);
  }
};

}  // namespace dynet::engine

namespace dynet {

template <engine::IndexMemory T>
Expression lookup(engine::Graph& g, const LookupParameter& p, const T* rows) {
  return engine::reading(rows, p.rows(), [&](const auto& at) { return lookup(g, p, engine::Indices(at)); });
}
template <engine::IndexMemory T>
Expression const_lookup(engine::Graph& g, const LookupParameter& p, const T* rows) {
  return engine::reading(rows, p.rows(),
                         [&](const auto& at) { return const_lookup(g, p, engine::Indices(at)); });
}
inline Expression pick(const Expression& x, const std::same_as<unsigned> auto* index, unsigned d = 0) {
  return engine::reading(index, engine::shape_of("pick", x)[d],
                         [&](const auto& at) { return pick(x, at[0], d); });
}
inline Expression pick(const Expression& x, const std::same_as<std::vector<unsigned>> auto* indices,
                       unsigned d = 0) {
  return engine::reading(indices, engine::shape_of("pick", x)[d],
                         [&](const auto& at) { return pick(x, engine::Indices(at), d); });
}
template <engine::IndexMemory T>
Expression pick_batch_elem(const Expression& x, const T* element) {
  return engine::reading(element, engine::shape_of("pick_batch_elem", x).bd, [&](const auto& at) {
    return engine::PickBatchElements::make("pick_batch_elem", x, at);
  });
}
template <engine::IndexMemory T>
Expression pick_batch_elems(const Expression& x, const T* elements) {
  return engine::reading(elements, engine::shape_of("pick_batch_elems", x).bd,
                         [&](const auto& at) { return pick_batch_elems(x, engine::Indices(at)); });
}
template <engine::IndexMemory T>
Expression select_rows(const Expression& x, const T* rows) {
  return engine::reading(rows, engine::shape_of("select_rows", x)[0],
                         [&](const auto& at) { return select_rows(x, engine::Indices(at)); });
}
template <engine::IndexMemory T>
Expression select_cols(const Expression& x, const T* columns) {
  return engine::reading(columns, engine::shape_of("select_cols", x)[1],
                         [&](const auto& at) { return select_cols(x, engine::Indices(at)); });
}
template <engine::IndexMemory T>
Expression pickneglogsoftmax(const Expression& x, const T* classes) {
  return engine::reading(classes, engine::shape_of("pickneglogsoftmax", x)[0],
                         [&](const auto& at) { return pickneglogsoftmax(x, engine::Indices(at)); });
}
template <engine::IndexMemory T>
Expression hinge(const Expression& x, const T* classes, real m = 1) {
  return engine::reading(classes, engine::shape_of("hinge", x)[0],
                         [&](const auto& at) { return hinge(x, engine::Indices(at), m); });
}
template <engine::IndexMemory T>
Expression hinge_dim(const Expression& x, const T* classes, unsigned d = 0, real m = 1) {
  return engine::reading(classes, engine::shape_of("hinge_dim", x)[d],
                         [&](const auto& at) { return hinge_dim(x, engine::Indices(at), d, m); });
}
template <engine::IndexMemory T>
Expression sparsemax_loss(const Expression& x, const T* support) {
  return engine::reading(support, engine::shape_of("sparsemax_loss", x)[0],
                         [&](const auto& at) { return sparsemax_loss(x, engine::Indices(at)); });
}
inline Expression poisson_loss(const Expression& log_lambda, const std::same_as<unsigned> auto* count) {
  const Expression k = engine::leaf_of<engine::CountFromMemory>(engine::graph_of(log_lambda), {count});
  return exp(log_lambda) - cmult(log_lambda, k) + lgamma(k + real(1));
}

/// One list of indices for each batch element.
inline Expression hinge_dim(const Expression& x, const std::vector<std::vector<unsigned>>& classes,
                            unsigned d = 0, real m = 1) {
  std::vector<unsigned> all;
  for (const auto& list : classes) all.insert(all.end(), list.begin(), list.end());
  return hinge_dim(x, engine::Indices(all), d, m);
}

}  // namespace dynet
