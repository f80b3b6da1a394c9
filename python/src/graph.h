// A graph as a Python value, and the parts in which it is bound.
#pragma once

#include "dynet/run/computation_graph.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/owned.h"

namespace dynet::python {

/// A graph that Python made and owns, or a handle of another one, which is refused when that has ended.
class PythonGraph {
 public:
  explicit PythonGraph(Graph& graph) : graph_(graph) {}
  PythonGraph()
      : own_(std::make_unique<ComputationGraph>(ComputationGraph::Kind::apart)), graph_(own_->graph()) {}
  ~PythonGraph() {
    for (const uint64_t stay : stays_) leave_graph(stay);
  }
  PythonGraph(PythonGraph&&) = default;

  int traverse(visitproc visit, void* arg) const { return own_ ? visit_kept(own_->graph(), visit, arg) : 0; }
  void clear() { own_.reset(); }

  Graph& graph() const { return graph_.get(); }
  bool has_ended() const { return !graph_.get_or_null(); }
  Expression node(Whole i) const {
    if (i >= graph().size()) bad_index("node ", i.value, " of a graph that has ", graph().size());
    return graph().expression(i);
  }
  void enter() {
    graph().choose_log();
    stays_.push_back(enter_graph(graph()));
  }
  /// Ends the last of its stays in this thread, whatever was entered since.
  void exit() {
    if (stays_.empty()) failed("the graph was not entered by `with`");
    for (size_t i = stays_.size(); i-- > 0;)
      if (leave_graph(stays_[i]) || !graph_.is_alive()) return void(stays_.erase(stays_.begin() + i));
    failed("the graph was entered by `with` in another thread; it must be left there");
  }

 private:
  std::unique_ptr<ComputationGraph> own_;
  GraphHandle graph_;
  std::vector<uint64_t> stays_;  // of each `with`
};

/// Attributes of an operation by name.
nb::typed<nb::dict, nb::str, nb::object> dictionary_of(std::span<const Attribute> attributes);
/// The nodes of a graph, one by one.
void bind_nodes(nb::module_& m, nb::class_<PythonGraph>& type);
/// Of which lines of the program they are.
void bind_program_lines(nb::module_& m);
/// Graphs as text, and inputs of a graph that is named.
void bind_descriptions(nb::module_& m, nb::class_<PythonGraph>& type);

}  // namespace dynet::python
