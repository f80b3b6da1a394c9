// A call that fails leaves the graph of its arguments as it was.
#pragma once

#include "python/src/casters.h"

namespace dynet::python {

/// The graph that an argument belongs to, or null.
Graph* graph_in(const auto&) { return nullptr; }
inline Graph* graph_in(const Expression& e) { return e.is_parameter() ? nullptr : e.pg; }
inline Graph* graph_in(const Expressions& xs) {
  Graph* graph = nullptr;
  for (const Expression& e : xs)
    if ((graph = graph_in(e))) break;
  return graph;
}

/// What `make` gives, which may add nodes to the graph of these arguments; when it fails they are removed.
template <class F, class... Args>
auto all_or_nothing(F&& make, const Args&... args) {
  Graph* graph = nullptr;
  static_cast<void>(((graph = graph_in(args)) || ...));
  if (!graph) graph = &current_graph();
  const Graph::Mark before = graph->mark();
  try {
    return make();
  } catch (...) {
    graph->undo(before);
    throw;
  }
}

}  // namespace dynet::python
