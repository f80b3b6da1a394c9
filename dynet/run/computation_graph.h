// The graph a user holds: several may be alive at once, one is current in each thread.
#pragma once

#include "dynet/graph/graph.h"
#include "dynet/run/executor.h"
#include "dynet/run/settings.h"

namespace dynet {

/// Owns a graph and its executor, taken from a pool and given back with their memory.
///
/// Making one makes it the thread's current graph; destroying it restores the one before.
class ComputationGraph {
 public:
  ComputationGraph();
  explicit ComputationGraph(bool batched) : ComputationGraph() { graph().batching = batched; }
  ~ComputationGraph();
  ComputationGraph(const ComputationGraph&) = delete;
  ComputationGraph& operator=(const ComputationGraph&) = delete;

  Graph& graph() { return state_->graph; }
  operator Graph&() { return graph(); }

  /// Starts anew; expressions made before are stale.
  void clear() { graph().clear(); }
  /// Evaluates from scratch / what is not known yet.
  Tensor forward(const Expression& e);
  Tensor incremental_forward(const Expression& e) { return e.value(); }
  Tensor get_value(const Expression& e) { return e.value(); }
  Tensor get_gradient(const Expression& e) { return e.gradient(); }
  void backward(const Expression& e, bool full = false) { e.backward(full); }
  void invalidate() { executor().invalidate(0); }
  /// Evaluates all of these by one schedule.
  void evaluate(Expressions wanted);
  /// Merged calls run so far.
  size_t step_count() const { return state_->executor.step_count(); }
  unsigned get_id() const { return state_->graph.id(); }

  /// Remembers the nodes there are; revert() removes what came after the last checkpoint.
  void checkpoint() { marks_.push_back(graph().mark()); }
  void revert();

 private:
  struct State {
    State();
    Graph graph;
    Executor executor;
  };
  Executor& executor() { return state_->executor; }

  friend struct StatePool;
  State* state_;
  Graph* previous_;
  std::vector<Graph::Mark> marks_;
};

/// Starts the random numbers anew: parameters and graphs made after this are the same for the same seed.
void reset_random(uint32_t seed);

}  // namespace dynet
