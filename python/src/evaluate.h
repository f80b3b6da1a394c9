// Evaluation of expressions without holding Python's lock, and new contents for those that can be set.
#pragma once

#include "python/src/numbers.h"

namespace dynet::python {

/// The graph an expression belongs to; a parameter is one of the current graph.
Graph& graph_of(const Expression& e);
/// The value; `recalculate` evaluates the graph from scratch.
Tensor evaluate(const Expression& e, bool recalculate);
/// A float for one number, a list for a vector, else an array.
Value plain_value(const Tensor& t);
Array array_value(const Tensor& t);
/// New numbers for an input, or indices for a lookup or pick.
void set_node(const Expression& e, ArrayLike value);

}  // namespace dynet::python
