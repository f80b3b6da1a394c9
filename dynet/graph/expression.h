// The handle users hold: a node of a graph, or a parameter that becomes a node where it is used.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "dynet/graph/node.h"

namespace dynet {

class Graph;
struct Storage;

struct Expression {
  static constexpr unsigned parameter_id = ~0u;

  Graph* pg = nullptr;
  unsigned i = 0;
  unsigned graph_id = 0;

  Expression() = default;
  Expression(Graph* graph, unsigned node, unsigned id) : pg(graph), i(node), graph_id(id) {}

  /// A parameter, bound to the graph it is used in; `graph_id` 1 if it is trained there, 0 if constant.
  static Expression of_parameter(Storage* storage, bool trained) {
    return {reinterpret_cast<Graph*>(storage), parameter_id, trained};
  }
  bool is_parameter() const { return i == parameter_id; }
  Storage* storage() const { return reinterpret_cast<Storage*>(pg); }

  bool is_stale() const;
  /// Shape; std::runtime_error when stale.
  const Dim& dim() const;
  /// Evaluates what is needed and not yet known. The memory belongs to the graph.
  Tensor value() const;
  /// The gradient after a backward pass from a node that depends on this one.
  Tensor gradient() const;
  /// Adds the gradients of this number to every parameter it depends on; `full`: gradients of all nodes.
  void backward(bool full = false) const;
};

/// A list of expressions, from a braced list or a vector.
struct Expressions : std::span<const Expression> {
  Expressions() = default;
  Expressions(std::span<const Expression> s) : std::span<const Expression>(s) {}
  Expressions(const std::vector<Expression>& v) : std::span<const Expression>(v) {}
  Expressions(std::initializer_list<Expression> list)
      : std::span<const Expression>(list.begin(), list.size()) {}
  Expressions(const Expression& one) : std::span<const Expression>(&one, 1) {}
};

/// Indices of rows, classes or batch elements.
struct Indices : std::span<const unsigned> {
  Indices() = default;
  Indices(std::span<const unsigned> s) : std::span<const unsigned>(s) {}
  Indices(const std::vector<unsigned>& v) : std::span<const unsigned>(v) {}
  Indices(std::initializer_list<unsigned> list) : std::span<const unsigned>(list.begin(), list.size()) {}
};

/// Adds a node to the graph of the arguments (the current graph if they have none).
/// Checks staleness and shapes first: on an error the graph is as before.
Expression add_node(const Op& op, Expressions xs, const void* attrs, std::span<const unsigned> words);

}  // namespace dynet
