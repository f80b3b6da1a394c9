// What an expression asks of its graph, and the current graph of each thread.
#include "dynet/graph/expression.h"

#include "dynet/graph/graph.h"

namespace dynet {

using namespace engine;
namespace {

thread_local Graph* current = nullptr;
Graph& (*graph_maker)() = nullptr;

/// The node of an expression that is to be read; parameters are bound to the current graph.
std::pair<Graph*, unsigned> node_of(const Expression& e) {
  if (e.is_parameter()) {
    Graph& graph = current_graph();
    return {&graph, graph.resolve(e)};
  }
  if (!e.pg) failed("the expression is empty; make it with an operation first");
  if (e.is_stale()) failed("Stale Expression (created before renewing the Computation Graph).");
  if (e.i >= e.pg->size())
    failed("Stale Expression: node ", e.i, " was removed by going back to a checkpoint; make it again");
  return {e.pg, e.i};
}

}  // namespace

Graph& engine::current_graph() {
  if (!current) current = &graph_maker();
  return *current;
}
void engine::set_current_graph(Graph* graph) { current = graph; }
Graph* engine::current_graph_or_null() { return current; }
void engine::set_graph_maker(Graph& (*make)()) { graph_maker = make; }

bool Expression::is_stale() const { return !is_parameter() && (!pg || pg->id() != graph_id); }

const Dim& Expression::dim() const {
  if (is_parameter()) return storage()->dim;
  if (pg && pg->id() == graph_id && i < pg->size()) [[likely]]
    return pg->dim(i);
  const auto [graph, id] = node_of(*this);
  return graph->dim(id);
}
Tensor Expression::value() const {
  const auto [graph, id] = node_of(*this);
  return graph->evaluator->value(id);
}
Tensor Expression::gradient() const {
  const auto [graph, id] = node_of(*this);
  return graph->evaluator->gradient(id);
}
void Expression::backward(bool full) const {
  const auto [graph, id] = node_of(*this);
  graph->evaluator->backward(id, full);
}

}  // namespace dynet
