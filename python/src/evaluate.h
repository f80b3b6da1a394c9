// Evaluation of expressions without holding Python's lock, and new contents for those that can be set.
#pragma once

#include "python/src/numbers.h"
#include "python/src/sharing.h"
#include "python/src/tasks.h"

namespace dynet::python {

/// The current graph for whoever asks about it as a whole. std::runtime_error while a cell is recorded.
Graph& asked_graph();
/// std::runtime_error while a cell is recorded.
void check_not_recording();
/// The node an expression is; a parameter becomes one of the current graph. std::runtime_error when stale.
Expression node_of(const Expression& e);
/// The same without a new node: a parameter that the current graph does not use stays what it is.
Expression known_node_of(const Expression& e);

/// The same for a node, or a parameter, that nothing has to wait for. It is no part of who waits, whose stack
/// is copied then.
template <class Read>
[[gnu::noinline]] auto with_value_now(const Expression& e, const Expression& node, bool recalculate,
                                      Read&& read) {
  const auto checked = [&](const Tensor& value) {
    const Graph* graph = e.is_parameter() ? current_graph_or_null() : nullptr;
    if (graph && graph->check_validity && !value.is_valid())
      failed("NaN or Inf detected in the parameter ", e.storage()->name);
    return read(value);
  };
  if (node.is_parameter()) {
    check_not_recording();
    const Dim dim = node.storage()->dim;  // another thread may add rows
    std::vector<real> numbers(dim.size());
    compute_apart([&] { node.storage()->show(numbers.data(), 0, dim.size()); });
    return checked(Tensor{dim, numbers.data()});
  }
  return compute(
      *node.pg,
      [&] {
        if (recalculate) (*node.pg).evaluator->invalidate();
        return node.value();
      },
      checked);
}

/// What `read` makes of the value; `recalculate` evaluates the graph from scratch.
template <class Read>
auto with_value(const Expression& e, bool recalculate, Read&& read) {
  const Expression node = known_node_of(e);
  if (!node.is_parameter() && (*node.pg).tasks()) [[unlikely]]
    wait_in_task(*node.pg, {{node.i}}, recalculate);
  return with_value_now(e, node, recalculate, read);
}

/// A float for one number, a list for a vector, else an array.
Value plain_value(const Tensor& t);
Array array_value(const Tensor& t);
/// New numbers for an input, or indices for a lookup or pick.
void set_node(const Expression& e, ArrayLike value);

}  // namespace dynet::python
