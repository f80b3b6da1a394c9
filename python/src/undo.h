// A call that fails leaves the graph of its arguments, or the collection that it adds to, as it was.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "dynet/params/additions.h"
#include "python/src/casters.h"
#include "python/src/program_lines.h"
#include "python/src/sharing.h"

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

/// The graph as it is, or as it was before it had the rows that an argument consists of.
Graph::Mark mark_before(const Graph& graph, const auto&...) { return graph.mark(); }
inline Graph::Mark mark_before(const Graph& graph, const Sequence& xs) {
  return xs.before.value_or(graph.mark());
}

/// What `make` gives, which may add nodes to the graph of these arguments; when it fails they are removed.
template <class F, class... Args>
auto all_or_nothing(F&& make, const Args&... args) {
  Graph* graph = nullptr;
  static_cast<void>(((graph = graph_in(args)) || ...));
  if (!graph) graph = &current_graph();
  const Graph::Mark before = mark_before(*graph, args...);
  const LineNoted noted(*graph);
  try {
    return make();
  } catch (...) {
    graph->undo(before);
    throw;
  }
}

/// Makes a builder, which adds to a collection. The caller is alone with what is learned.
template <class B, class... Args>
void build(B* at, Args&&... args) {
  Additions added;
  try {
    const Additions::Noted noted(added);
    new (at) B(std::forward<Args>(args)...);
  } catch (...) {
    added.undo();
    throw;
  }
}

/// Takes out what was added, also if handlers of signals raise while it waits for who computes.
template <class Undo>
[[noreturn]] void take_out(Undo undo, std::exception_ptr error) {
  while (true) try {
      const Working working;
      undo();
      break;
    } catch (nb::python_error&) {
      error = std::current_exception();
    }
  std::rethrow_exception(error);
}

}  // namespace dynet::python
