// The handle users hold: a node of a graph, or a parameter that becomes a node where it is used.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dynet/graph/node.h"

namespace dynet::engine {

class Graph;
struct Storage;

}  // namespace dynet::engine

namespace dynet {

class ComputationGraph;

}  // namespace dynet

namespace dynet::engine {

/// The graph of an expression: to the library a Graph, to programs the ComputationGraph that owns it.
class GraphPointer {
 public:
  constexpr GraphPointer() = default;
  constexpr GraphPointer(Graph* graph) : graph_(graph) {}

  explicit operator bool() const { return graph_ != nullptr; }
  operator Graph*() const { return graph_; }
  Graph& operator*() const { return *graph_; }
  /// std::runtime_error if there is none any more.
  operator ComputationGraph*() const { return owner(); }
  ComputationGraph* operator->() const { return owner(); }

  bool operator==(const GraphPointer&) const = default;
  bool operator==(const Graph* graph) const { return graph_ == graph; }
  bool operator==(Graph* graph) const { return graph_ == graph; }
  bool operator==(const ComputationGraph* graph) const { return is_of(graph); }
  bool operator==(ComputationGraph* graph) const { return is_of(graph); }
  bool operator==(std::nullptr_t) const { return graph_ == nullptr; }

 private:
  ComputationGraph* owner() const;
  bool is_of(const ComputationGraph* graph) const;

  Graph* graph_ = nullptr;
};

}  // namespace dynet::engine

namespace dynet {

/// A node's place in its graph.
using VariableIndex = unsigned;

struct Expression {
  static constexpr unsigned parameter_id = ~0u;

  engine::GraphPointer pg;  // of a parameter it means storage()
  unsigned i = 0;           // of a parameter parameter_id
  unsigned graph_id = 0;    // the graph's stamp when it was made: see Graph::stamp(); or is_trained()

  Expression() = default;
  Expression(engine::Graph* graph, unsigned node, unsigned id) : pg(graph), i(node), graph_id(id) {}
  /// That of a node by its place; std::out_of_range if there is none.
  Expression(ComputationGraph* graph, VariableIndex node);

  /// A parameter, bound to the graph it is used in, where it is trained or constant.
  static Expression of_parameter(engine::Storage* storage, bool trained) {
    return {reinterpret_cast<engine::Graph*>(storage), parameter_id, trained};
  }
  bool is_parameter() const { return i == parameter_id; }
  engine::Storage* storage() const {
    return reinterpret_cast<engine::Storage*>(static_cast<engine::Graph*>(pg));
  }
  /// Whether a parameter is trained in the graph it is used in.
  bool is_trained() const { return graph_id != 0; }

  /// "CPU".
  std::string get_device_name() const { return "CPU"; }
  /// Whether it cannot be used any more: its graph was renewed or has ended, or its node was removed.
  bool is_stale() const;
  /// Shape; std::runtime_error when stale.
  const Dim& dim() const;
  /// Evaluates what is needed and not yet known. The memory belongs to the graph. Constant, so that
  /// `auto& t = x.value()` compiles: DyNet 2 gave references.
  const Tensor value() const;
  /// The gradient after a backward pass from a node that depends on this one.
  const Tensor gradient() const;
  /// Adds the gradients of this number to every parameter it depends on; `full`: gradients of all nodes.
  void backward(bool full = false) const;
};

}  // namespace dynet

namespace dynet::engine {

/// A list of expressions: those of a vector, or of a braced list.
///
/// A braced list is one of references, as copying an expression that was just made waits for its halves.
class Expressions {
 public:
  struct Reference {
    const Expression* to;
    Reference() = default;
    Reference(const Expression& e) : to(&e) {}
  };
  struct Iterator {
    using iterator_category = std::forward_iterator_tag;
    using value_type = Expression;
    using difference_type = std::ptrdiff_t;
    using pointer = const Expression*;
    using reference = const Expression&;

    const Expressions* list = nullptr;
    size_t i = 0;

    reference operator*() const { return (*list)[i]; }
    Iterator& operator++() { return ++i, *this; }
    Iterator operator++(int) { return {list, i++}; }
    bool operator==(const Iterator&) const = default;
  };

  Expressions() = default;
  Expressions(std::span<const Expression> list) : list_(list.data()), size_(list.size()) {}
  Expressions(const std::vector<Expression>& list) : list_(list.data()), size_(list.size()) {}
  Expressions(std::initializer_list<Reference> few) : few_(std::data(few)), size_(few.size()) {}
  explicit Expressions(std::span<const Reference> few) : few_(few.data()), size_(few.size()) {}
  Expressions(const Expression& one) : list_(&one), size_(1) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Expression& operator[](size_t i) const { return few_ ? *few_[i].to : list_[i]; }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }

 private:
  const Expression* list_ = nullptr;
  const Reference* few_ = nullptr;
  size_t size_ = 0;
};

/// Why an expression is stale, and what to do.
std::string why_stale(const Expression& e);
/// Throws std::invalid_argument for an argument of a call. Not where it is called: most calls are right.
[[noreturn, gnu::cold]] void refuse_stale(std::string_view call, const Expression& e);
/// std::runtime_error if an expression is empty or stale.
void check_fresh(const Expression& e);

/// Expression::dim() for those to whom the batch size makes no difference: a cell that is recorded does not
/// hear of it.
const Dim& dim_of(const Expression& e);

/// The shape of an argument, for functions that need it before they can add a node. Those that do the same
/// for every batch size take sizes_of() instead: a cell records apart what may depend on the batch.
const Dim& shape_of(std::string_view op, const Expression& x);

/// A node has no more arguments than this.
inline constexpr unsigned most_arguments = UINT16_MAX - 1;

/// Indices of rows, classes or batch elements.
struct Indices : std::span<const unsigned> {
  Indices() = default;
  Indices(std::span<const unsigned> s) : std::span<const unsigned>(s), given(true) {}
  Indices(const std::vector<unsigned>& v) : std::span<const unsigned>(v), given(true) {}
  Indices(std::initializer_list<unsigned> list)
      : std::span<const unsigned>(list.begin(), list.size()), given(true) {}

  bool given = false;  // an empty list may mean something else than none
};

/// Adds a node to the graph of the arguments (the current graph if they have none).
/// Checks staleness and shapes first: on an error the graph is as before.
Expression add_node(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words);

}  // namespace dynet::engine
