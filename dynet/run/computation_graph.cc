// The pool of graphs: their memory outlives them, so that a handle of a dead graph is stale, never dangling.
#include "dynet/run/computation_graph.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <mutex>
#include <utility>

#include "dynet/params/init.h"
#include "dynet/run/describe.h"
#include "dynet/run/executor.h"

namespace dynet {

using namespace engine;

struct ComputationGraph::State {
  State() : executor(graph) { graph.evaluator = &executor; }

  Graph graph;
  Executor executor;
};

struct StatePool {
  using State = ComputationGraph::State;

  ForkedMutex mutex;
  std::vector<std::unique_ptr<State>> all;
  std::vector<State*> free, ended;

  static StatePool& get() {
    static StatePool& pool = *new StatePool;  // never destroyed: threads may end after the process's statics
    return pool;
  }
  State* take() {
    clear_ended();
    const std::lock_guard lock(mutex);
    if (free.empty()) {
      all.push_back(std::make_unique<State>());
      return all.back().get();
    }
    State* state = free.back();
    free.pop_back();
    return state;
  }
  unsigned active() {
    const std::lock_guard lock(mutex);
    return static_cast<unsigned>(all.size() - free.size() - ended.size());
  }
  void end(State* state) {
    state->graph.end();
    const std::lock_guard lock(mutex);
    ended.push_back(state);
  }
  /// Clearing a graph may run functions of the program, and so end other graphs.
  void clear_ended() {
    while (State* state = take_idle()) {
      state->graph.retire();
      const std::lock_guard lock(mutex);
      free.push_back(state);
    }
  }

 private:
  State* take_idle() {
    const std::lock_guard lock(mutex);
    const auto idle = std::ranges::find_if(ended, [](State* s) { return !s->graph.is_in_use(); });
    if (idle == ended.end()) return nullptr;
    State* state = *idle;
    ended.erase(idle);
    return state;
  }
};

namespace {

thread_local ComputationGraph* first = nullptr;

/// A thread ends without the locks of those who work with its graph, which is cleared later.
struct ThreadEnd {
  ~ThreadEnd() { delete std::exchange(first, nullptr); }
};

}  // namespace

Graph& first_graph() {
  thread_local const ThreadEnd end;
  static_cast<void>(&end);
  if (!first) first = new ComputationGraph(ComputationGraph::Kind::first);
  return first->graph();
}

ComputationGraph::ComputationGraph(Kind kind) : ComputationGraph(kind, *StatePool::get().take()) {}

ComputationGraph::ComputationGraph(Kind kind, State& state)
    : state_(state), graph_(state.graph), kind_(kind) {
  graph().batching.reset();
  graph().owner = this;
  if (kind == Kind::first)
    graph().wait();
  else
    graph().clear();
  if (kind != Kind::apart) stay_ = enter_graph(graph());
}

ComputationGraph::~ComputationGraph() {
  if (stay_) leave_graph(stay_);
  graph().owner = nullptr;
  StatePool::get().end(&state_);
  if (kind_ != Kind::first) clear_ended_graphs();
}

void end_first_graph() {
  delete std::exchange(first, nullptr);
  clear_ended_graphs();
}

void clear_ended_graphs() { StatePool::get().clear_ended(); }

ComputationGraph* engine::GraphPointer::owner() const {
  if (!graph_) failed("the expression is empty: it has no graph");
  return &static_cast<ComputationGraph&>(*graph_);
}

bool engine::GraphPointer::is_of(const ComputationGraph* graph) const {
  return graph ? graph_ && graph_->owner == graph : !graph_;
}

engine::Graph::operator ComputationGraph&() const {
  if (!owner) failed("the graph of the expression has ended, or is not one of the program's");
  return *owner;
}

Expression::Expression(ComputationGraph* graph, VariableIndex node) : Expression(graph->at(node)) {}

const Tensor ComputationGraph::forward(const Expression& e) {
  invalidate();
  return e.value();
}

void ComputationGraph::evaluate(Expressions wanted) {
  std::vector<uint32_t> ids;
  for (const Expression& e : wanted) ids.push_back(graph().resolve(e));
  graph_.evaluator->evaluate(ids);
}

Expression ComputationGraph::at(VariableIndex i) {
  if (i >= size()) bad_index("there is no node ", i, "; the graph has ", size());
  return graph().expression(i);
}

void ComputationGraph::print_graphviz() const { dynet::print_graphviz(graph_, std::cout); }

void ComputationGraph::dump(const std::string& file, bool values, bool gradients, bool only_check,
                            bool plan) {
  std::ofstream out(file);
  dynet::dump(graph(), out, {values, gradients, only_check, plan});
  if (!out) failed("dump: the file ", file, " could not be written");
}

void ComputationGraph::revert() {
  if (!graph().revert()) failed("revert: there is no checkpoint; call checkpoint first");
}

unsigned get_number_of_active_graphs() { return StatePool::get().active(); }

void reset_random(uint32_t seed) { reset_random_seed(seed); }

}  // namespace dynet
