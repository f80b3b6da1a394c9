// When products and sums compute their arguments themselves, which nothing else has used so far: one node
// takes the place of several, and the result is the same bits.
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
  constexpr Activations all;
  const bool is_free = graph.may_fuse(id);
  if (is_free && node.op == &op<Tanh>) return {position<Tanh>(all), graph.args(node)[0]};
  if (is_free && node.op == &op<Logistic>) return {position<Logistic>(all), graph.args(node)[0]};
  return {position<Unchanged>(all), id};
}

Expression node(Graph& graph, uint32_t id) { return graph.expression(id); }

/// The factors of an elementwise product of equal shapes.
std::optional<std::array<Factor, 2>> factors(const Graph& graph, const Node& product) {
  const std::span<const uint32_t> args = graph.args(product);
  if (product.op == &op<GatedProduct>) {
    const GateAttrs& a = attrs_of<GatedProduct>(product.payload);
    return {{{{a.f[0], args[0]}, {a.f[1], args[1]}}}};
  }
  if (product.op != &op<Multiply>) return {};
  for (uint32_t arg : args)
    if (graph[arg].dim_id != product.dim_id) return {};
  return {{{{0, args[0]}, {0, args[1]}}}};
}

/// The product of a matrix that is a parameter with a vector or several columns.
bool is_plain_product(const Graph& graph, const Node& product) {
  const Dim& dim = graph.dim(product);
  return product.op == &op<MatrixMultiply> && graph[graph.args(product)[0]].op == &parameter_op &&
         (dim.nd == 1 || dim.cols() > 1);
}

/// The sum of two nodes of one shape, of which the one at `at` is a product to be computed by the sum.
uint32_t fused_sum(Graph& graph, std::array<uint32_t, 2> written, size_t at) {
  const Node& product = graph[written[at]];
  const uint32_t term = written[1 - at];
  if (!graph.may_fuse(written[at]) || product.fusible_into != fusible_into_sums) return no_node;
  const std::span<const uint32_t> args = graph.args(product);
  if (const auto f = factors(graph, product)) {
    const auto& [a, b] = *f;
    graph.fuse_away(written[at], true);
    return apply<GatedSum>({node(graph, term), node(graph, a.node), node(graph, b.node)},
                           {{a.f, b.f}, {written[0], written[1]}})
        .i;
  }
  // Other terms than parameters would make the product of a matrix wait for them.
  if (!is_plain_product(graph, product) || graph[term].op != &parameter_op) return no_node;
  graph.fuse_away(written[at], true);
  return apply<AddedProduct>({node(graph, term), node(graph, args[0]), node(graph, args[1])},
                             {{written[0], written[1]}})
      .i;
}

bool are_equal_in_shape(const Graph& graph, std::span<const uint32_t> args) {
  return args[0] != args[1] && graph[args[0]].dim_id == graph[args[1]].dim_id;
}

}  // namespace

uint32_t Multiply::fuse(Graph& graph, std::span<const uint32_t> args) {
  if (!are_equal_in_shape(graph, args)) return no_node;
  const uint32_t x = args[0], y = args[1];
  const Factor a = factor(graph, x), b = factor(graph, y);
  if (!a.f && !b.f) return no_node;
  graph.fuse_away(x, a.f), graph.fuse_away(y, b.f);
  return apply<GatedProduct>({node(graph, a.node), node(graph, b.node)}, {{a.f, b.f}, {x, y}}).i;
}

uint32_t Add::fuse(Graph& graph, std::span<const uint32_t> args) {
  if (!are_equal_in_shape(graph, args)) return no_node;
  const std::array written{args[0], args[1]};
  if (const uint32_t sum = fused_sum(graph, written, 1); sum != no_node) return sum;
  return fused_sum(graph, written, 0);
}

}  // namespace dynet::engine
