// When a product or a sum computes its arguments itself: they are made of nodes that nothing else has used.
#include <array>
#include <optional>
#include <utility>

#include "dynet/graph/graph.h"
#include "dynet/ops/all.h"

namespace dynet::engine {
namespace {

/// A factor: f of this node.
struct Factor {
  uint32_t f, node;
};

Factor factor(const Graph& graph, uint32_t id) {
  const Node& node = graph[id];
  if (!node.used && node.op == &op<Tanh>) return {1, graph.args(node)[0]};
  if (!node.used && node.op == &op<Logistic>) return {2, graph.args(node)[0]};
  return {0, id};
}

/// The graph of both, if they are two of its nodes and have one shape.
Graph* graph_of_equals(const Expression& x, const Expression& y) {
  Graph* const graph = x.is_parameter() || y.is_parameter() || x.pg != y.pg ? nullptr : x.pg;
  if (!graph || !graph->is_current(x) || !graph->is_current(y) || x.i == y.i) return nullptr;
  return (*graph)[x.i].dim_id == (*graph)[y.i].dim_id ? graph : nullptr;
}

/// The factors of a product of equal shapes that nothing else has used.
std::optional<std::array<Factor, 2>> factors(const Graph& graph, uint32_t id) {
  const Node& node = graph[id];
  if (node.used || (node.op != &op<GatedProduct> && node.op != &op<Multiply>)) return {};
  const std::span<const uint32_t> args = graph.args(node);
  if (node.op == &op<GatedProduct>) {
    const GateAttrs& a = attrs_of<GatedProduct>(node.payload);
    return {{{{a.f[0], args[0]}, {a.f[1], args[1]}}}};
  }
  if (graph[args[0]].dim_id != node.dim_id || graph[args[1]].dim_id != node.dim_id) return {};
  return {{{{0, args[0]}, {0, args[1]}}}};
}

Expression node(Graph& graph, uint32_t id) { return {&graph, id, graph.id()}; }

}  // namespace

Expression Multiply::call(const Expression& x, const Expression& y) {
  if (Graph* const graph = graph_of_equals(x, y)) {
    const Factor a = factor(*graph, x.i), b = factor(*graph, y.i);
    if (a.f || b.f) {
      graph->skip(x.i, a.f), graph->skip(y.i, b.f);
      return apply<GatedProduct>({node(*graph, a.node), node(*graph, b.node)}, {{a.f, b.f}, {x.i, y.i}});
    }
  }
  return apply<Multiply>({x, y});
}

Expression Add::call(const Expression& x, const Expression& y) {
  if (Graph* const graph = graph_of_equals(x, y)) {
    for (const auto& [term, product] : {std::pair{x.i, y.i}, {y.i, x.i}}) {
      const auto f = factors(*graph, product);
      if (!f) continue;
      graph->skip(product, true);
      return apply<GatedSum>(
          {node(*graph, term), node(*graph, (*f)[0].node), node(*graph, (*f)[1].node)},
          {{(*f)[0].f, (*f)[1].f}, {x.i, y.i}});
    }
  }
  return apply<Add>({x, y});
}

}  // namespace dynet::engine
