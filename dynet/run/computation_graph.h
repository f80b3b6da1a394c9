// The graph a user holds: several may be alive at once, one is current in each thread.
#pragma once

#include <string>

#include "dynet/graph/current.h"
#include "dynet/ops/memory.h"
#include "dynet/params/init.h"

namespace dynet {

/// Owns a graph and its executor, taken from a pool and given back with their memory.
///
/// Making one makes it the thread's current graph; destroying it restores the one before, in whatever order
/// graphs go. What another thread still computes with it goes on undisturbed.
class ComputationGraph {
 public:
  /// Which one it is to be: the current one at once, one that is entered when its owner wants that, or the
  /// first one of a thread, which takes its number when it is first used.
  enum class Kind : uint8_t { current, apart, first };

  explicit ComputationGraph(Kind kind = Kind::current);
  explicit ComputationGraph(bool batched) : ComputationGraph() { graph().batching = batched; }
  ~ComputationGraph();
  ComputationGraph(const ComputationGraph&) = delete;
  ComputationGraph& operator=(const ComputationGraph&) = delete;

  engine::Graph& graph() { return graph_; }
  operator engine::Graph&() { return graph(); }

  /// Starts anew; expressions made before are stale.
  void clear() { graph().clear(); }
  /// Evaluates from scratch / what is not known yet.
  const Tensor forward(const Expression& e);
  const Tensor incremental_forward(const Expression& e) { return e.value(); }
  const Tensor get_value(const Expression& e) { return e.value(); }
  const Tensor get_gradient(const Expression& e) { return e.gradient(); }
  void backward(const Expression& e, bool full = false) { e.backward(full); }
  /// The same for a node by its place.
  const Tensor forward(VariableIndex i) { return forward(at(i)); }
  const Tensor incremental_forward(VariableIndex i) { return at(i).value(); }
  const Tensor get_value(VariableIndex i) { return at(i).value(); }
  const Tensor get_gradient(VariableIndex i) { return at(i).gradient(); }
  void backward(VariableIndex i, bool full = false) { at(i).backward(full); }
  const Dim& get_dimension(VariableIndex i) { return at(i).dim(); }
  /// The expression of a node; std::out_of_range if there is none.
  Expression at(VariableIndex i);
  void invalidate() { graph_.evaluator->invalidate(); }
  /// Evaluates all of these by one schedule.
  void evaluate(engine::Expressions wanted);
  /// Merged calls run so far.
  size_t step_count() const { return graph_.evaluator->step_count(); }
  unsigned get_id() const { return graph_.number(); }

  /// Adds nodes by their places; input, parameter, lookup and apply of dynet/ops do the same by expressions.
  VariableIndex add_input(real number, const Device* device = nullptr) {
    return input(graph(), number, device).i;
  }
  VariableIndex add_input(const real* number, const Device* device = nullptr) {
    return input(graph(), number, device).i;
  }
  VariableIndex add_input(const Dim& d, const std::vector<real>& numbers, const Device* device = nullptr) {
    return input(graph(), d, numbers, device).i;
  }
  VariableIndex add_input(const Dim& d, const std::vector<real>* numbers, const Device* device = nullptr) {
    return input(graph(), d, numbers, device).i;
  }
  VariableIndex add_input(const Dim& d, const std::vector<unsigned>& ids, const std::vector<real>& data,
                          real defdata = 0, const Device* device = nullptr) {
    return input(graph(), d, ids, data, defdata, device).i;
  }
  VariableIndex add_input(const Dim& d, const std::vector<unsigned>& ids, const std::vector<real>& data,
                          engine::DevicePointer auto device, real defdata = 0) {
    return input(graph(), d, ids, data, defdata, device).i;
  }
  template <class S>
  VariableIndex add_parameters(const engine::Handle<S>& p) {
    return parameter(graph(), p).i;
  }
  template <class S>
  VariableIndex add_const_parameters(const engine::Handle<S>& p) {
    return const_parameter(graph(), p).i;
  }
  VariableIndex add_lookup(const LookupParameter& p, const auto& rows) { return lookup(graph(), p, rows).i; }
  VariableIndex add_const_lookup(const LookupParameter& p, const auto& rows) {
    return const_lookup(graph(), p, rows).i;
  }
  /// Adds a node of operation T, of DyNet's or of the program's own.
  template <class T>
  VariableIndex add_function(std::initializer_list<VariableIndex> arguments,
                             const typename T::Attrs& attrs = {}) {
    std::vector<Expression> xs;
    for (VariableIndex i : arguments) xs.push_back(at(i));
    return xs.empty() ? engine::leaf_of<T>(graph(), attrs).i : engine::apply<T>(xs, attrs).i;
  }
  /// Nodes so far.
  unsigned size() const { return graph_.size(); }

  /// For debugging, until clear(): computes every node when it is made, and checks that it is finite.
  void set_immediate_compute(bool immediate) { graph().immediate_compute = immediate; }
  void set_check_validity(bool check) { graph().check_validity = check; }
  /// Graphviz's language, to std::cout.
  void print_graphviz() const;
  /// Writes every node's value and gradient to a file, or with only_check whether they are valid; with plan
  /// also which nodes ran together, and how each gradient came about.
  void dump(const std::string& file, bool values = true, bool gradients = true, bool only_check = false,
            bool plan = false);

  /// Remembers the nodes there are; revert() removes what came after the last checkpoint.
  void checkpoint() { graph().checkpoint(); }
  void revert();

 private:
  struct State;
  friend struct StatePool;
  explicit ComputationGraph(Kind kind, State& state);

  State& state_;
  engine::Graph& graph_;
  Kind kind_;
  uint64_t stay_ = 0;  // 0: it was not entered
};

/// Ends the graph that the calling thread has from the beginning (graph/current.h).
void end_first_graph();
/// Clears the graphs that have ended while somebody was at work with them, as soon as nobody is.
void clear_ended_graphs();

/// Graphs that are alive; the number of the newest one.
unsigned get_number_of_active_graphs();
inline unsigned get_current_graph_id() { return engine::newest_graph_id(); }

/// Starts the random numbers anew: parameters and graphs made after this are the same for the same seed.
void reset_random(uint32_t seed);

}  // namespace dynet
