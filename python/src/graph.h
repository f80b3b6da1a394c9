// A graph as a Python value, and the parts in which it is bound.
#pragma once

#include <thread>

#include "dynet/run/computation_graph.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/owned.h"

namespace dynet::python {

/// A graph that Python made and owns, or the one of a thread.
class PythonGraph {
 public:
  explicit PythonGraph(Graph& graph) : graph_(&graph) {}
  PythonGraph() {
    Graph* current = current_graph_or_null();
    own_ = std::make_unique<ComputationGraph>();
    graph_ = &own_->graph();
    set_current_graph(current);
  }

  /// Waits for a thread that still evaluates the graph.
  ~PythonGraph() {
    if (graph_->is_lost()) (void)own_.release();
    while (own_ && graph_->is_in_use()) {
      const Released released;
      std::this_thread::yield();
    }
  }
  PythonGraph(PythonGraph&&) = default;

  int traverse(visitproc visit, void* arg) const { return own_ ? visit_kept(*graph_, visit, arg) : 0; }
  void clear() {
    if (own_ && !graph_->is_in_use()) graph_->clear();
  }

  Graph& graph() const { return *graph_; }
  Expression node(Whole i) const {
    if (i >= graph_->size()) bad_index("node ", i.value, " of a graph that has ", graph_->size());
    return {graph_, i, graph_->id()};
  }
  void enter() {
    outer_.push_back(current_graph_or_null());
    set_current_graph(graph_);
  }
  void exit() {
    if (outer_.empty()) failed("the graph was not entered by `with`");
    set_current_graph(outer_.back());
    outer_.pop_back();
  }

 private:
  std::unique_ptr<ComputationGraph> own_;
  Graph* graph_;
  std::vector<Graph*> outer_;  // what was current before each `with`
};

/// Graphs as text, and inputs of a graph that is named.
void bind_descriptions(nb::module_& m, nb::class_<PythonGraph>& type);

}  // namespace dynet::python
