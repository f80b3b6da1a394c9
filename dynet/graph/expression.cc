// What an expression asks of its graph.
#include "dynet/graph/expression.h"

#include "dynet/graph/graph.h"

namespace dynet {

using namespace engine;
namespace {

/// The node of an expression; a parameter becomes one of the current graph.
std::pair<Graph*, unsigned> node_of(const Expression& e) {
  if (e.is_parameter()) {
    Graph& graph = current_graph();
    return {&graph, graph.resolve(e)};
  }
  check_fresh(e);
  return {e.pg, e.i};
}

/// The node that a parameter is in the current graph, or none: reading one adds no node.
unsigned known_parameter(const Expression& e) {
  const Graph* graph = current_graph_or_null();
  return graph ? graph->known_node(e) : Graph::none;
}

}  // namespace

std::string engine::why_stale(const Expression& e) {
  if (!e.pg) return "it is empty; make it with an operation first";
  if ((*e.pg).has_removed(e))
    return text("node ", e.i, " was removed by going back to a checkpoint; make it again");
  return "its graph was renewed or has ended; make it again in the current one";
}

void engine::refuse_stale(std::string_view call, const Expression& e) {
  invalid(call, ": the expression is stale: ", why_stale(e));
}

void engine::check_fresh(const Expression& e) {
  if (e.is_parameter()) return;
  if (!e.pg) failed("the expression is empty; make it with an operation first");
  if ((*e.pg).holds(e)) [[likely]]
    return;
  failed("Stale Expression (created before renewing the Computation Graph): ", why_stale(e));
}

bool Expression::is_stale() const { return !is_parameter() && (!pg || !(*pg).holds(*this)); }

const Dim& engine::dim_of(const Expression& e) {
  if (e.is_parameter()) return e.storage()->dim;
  if (e.pg && (*e.pg).is_current(e)) [[likely]]
    return (*e.pg).dim(e.i);
  const auto [graph, id] = node_of(e);
  return graph->dim(id);
}

const Dim& engine::shape_of(std::string_view op, const Expression& x) {
  if (!x.is_parameter() && x.pg && (*x.pg).is_current(x)) [[likely]]
    if (const Dim& dim = (*x.pg).dim(x.i); dim.bd == 1) return dim;  // of which no cell need hear
  if (x.is_stale()) refuse_stale(op, x);
  return x.dim();
}

const Dim& Expression::dim() const {
  const Dim& dim = dim_of(*this);
  if (dim.bd > 1 && !is_parameter() && (*pg).is_tracing()) [[unlikely]]
    (*pg).evaluator->ask_batch_size();
  return dim;
}
const Tensor Expression::value() const {
  if (is_parameter() && known_parameter(*this) == Graph::none && storage()->decay_factor == 1)
    return {storage()->dim, storage()->numbers.data()};
  const auto [graph, id] = node_of(*this);
  return graph->evaluator->value(id);
}
const Tensor Expression::gradient() const {
  if (is_parameter() && known_parameter(*this) == Graph::none)
    failed("Requested gradient for the parameter ", storage()->name,
           ", which the current graph does not use");
  const auto [graph, id] = node_of(*this);
  return graph->evaluator->gradient(id);
}
void Expression::backward(bool full) const {
  const auto [graph, id] = node_of(*this);
  graph->evaluator->backward(id, full);
}

}  // namespace dynet
