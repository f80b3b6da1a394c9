// The pool of graphs: their memory outlives them, so that a handle of a dead graph is stale, never dangling.
#include "dynet/run/computation_graph.h"

#include <fstream>
#include <iostream>
#include <mutex>

#include "dynet/params/init.h"
#include "dynet/run/describe.h"

namespace dynet {

using namespace engine;

ComputationGraph::State::State() : executor(graph) { graph.evaluator = &executor; }

struct StatePool {
  ForkedMutex mutex;
  std::vector<std::unique_ptr<ComputationGraph::State>> all;
  std::vector<ComputationGraph::State*> free;

  static StatePool& get() {
    static StatePool& pool = *new StatePool;  // never destroyed: threads may end after the process's statics
    return pool;
  }
  ComputationGraph::State* take() {
    const std::lock_guard lock(mutex);
    if (free.empty()) {
      all.push_back(std::make_unique<ComputationGraph::State>());
      return all.back().get();
    }
    ComputationGraph::State* state = free.back();
    free.pop_back();
    return state;
  }
  unsigned active() {
    const std::lock_guard lock(mutex);
    return static_cast<unsigned>(all.size() - free.size());
  }
  void give_back(ComputationGraph::State* state) {
    const std::lock_guard lock(mutex);
    free.push_back(state);
  }
};

namespace {

/// The graph of a thread that never made one.
Graph& make_first_graph() {
  thread_local ComputationGraph first;
  return first.graph();
}

[[maybe_unused]] const bool installed = (set_graph_maker(make_first_graph), true);

}  // namespace

ComputationGraph::ComputationGraph() : state_(StatePool::get().take()), previous_(current_graph_or_null()) {
  graph().batching.reset();
  graph().clear();
  set_current_graph(&graph());
}

ComputationGraph::~ComputationGraph() {
  graph().clear();
  if (current_graph_or_null() == &graph()) set_current_graph(previous_);
  StatePool::get().give_back(state_);
}

Tensor ComputationGraph::forward(const Expression& e) {
  invalidate();
  return e.value();
}

void ComputationGraph::evaluate(Expressions wanted) {
  std::vector<uint32_t> ids;
  for (const Expression& e : wanted) ids.push_back(graph().resolve(e));
  executor().evaluate(ids);
}

Expression ComputationGraph::at(VariableIndex i) {
  if (i >= size()) bad_index("there is no node ", i, "; the graph has ", size());
  return {&graph(), i, get_id()};
}

void ComputationGraph::print_graphviz() { dynet::print_graphviz(graph(), std::cout); }

void ComputationGraph::dump(const std::string& file, bool values, bool gradients, bool only_check) {
  std::ofstream out(file);
  dynet::dump(graph(), out, {values, gradients, only_check});
  if (!out) failed("dump: the file ", file, " could not be written");
}

void ComputationGraph::revert() {
  if (marks_.empty()) failed("revert: there is no checkpoint; call checkpoint first");
  graph().revert(marks_.back());
  marks_.pop_back();
}

unsigned get_number_of_active_graphs() { return StatePool::get().active(); }

void reset_random(uint32_t seed) {
  reset_random_seed(seed);
  settings().first_graph = newest_graph_id();
}

}  // namespace dynet
