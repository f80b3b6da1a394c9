// Which graph is the current one of a thread, and handles that know whether their graph is still there.
#pragma once

#include <cstdint>

#include "dynet/graph/graph.h"

namespace dynet {

/// The graph that the calling thread has from the beginning, made when it is first asked for (run/, which
/// owns graphs). It ends with the thread, or before by end_first_graph().
engine::Graph& first_graph();

}  // namespace dynet

namespace dynet::engine {

/// Names a graph for as long as it lives: afterwards its memory may serve another one.
class GraphHandle {
 public:
  GraphHandle() = default;
  explicit GraphHandle(Graph& graph) : graph_(&graph), life_(graph.life()) {}

  bool is_alive() const { return graph_ && graph_->life() == life_; }
  /// std::runtime_error if the graph has ended.
  Graph& get() const {
    if (!is_alive()) [[unlikely]]
      refuse();
    return *graph_;
  }
  Graph* get_or_null() const { return is_alive() ? graph_ : nullptr; }

 private:
  [[noreturn]] static void refuse();

  Graph* graph_ = nullptr;
  unsigned life_ = 0;
};

/// The graph of the calling thread that is used where no argument names one: the one that was entered last,
/// of those that live and were not left.
Graph& current_graph();
Graph* current_graph_or_null();
/// Makes a graph the current one; the number of this stay, by which leave_graph() ends it.
uint64_t enter_graph(Graph& graph);
/// Stays may end in any order; false if the calling thread has none of this number.
bool leave_graph(uint64_t stay);
/// Says how the first graph of a thread is made, which enters it; until then by first_graph().
void set_graph_maker(Graph& (*make)());

/// The graph of an expression, which for a parameter is the current one.
inline Graph& graph_of(const Expression& e) { return e.is_parameter() || !e.pg ? current_graph() : *e.pg; }
/// The graph that a node of these arguments goes to.
Graph& graph_of(const Expressions& xs);

}  // namespace dynet::engine
