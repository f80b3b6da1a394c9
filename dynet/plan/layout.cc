// The layout: steps one after another, each aligned to a cache line, items of a step without gaps.
#include "dynet/plan/layout.h"

#include <algorithm>

#include "dynet/device/arena.h"

namespace dynet::engine {
namespace {

/// The batch elements of all nodes; mostly their shapes are the same, and looked up once.
uint32_t batch_elements(const Graph& graph, std::span<const uint32_t> nodes) {
  uint32_t sum = 0, shape = graph[nodes[0]].dim_id, elements = graph.dim(nodes[0]).bd;
  for (uint32_t id : nodes) {
    const Node& node = graph[id];
    if (node.dim_id != shape) shape = node.dim_id, elements = graph.dim(node).bd;
    sum += elements;
  }
  return sum;
}

/// True if what is kept for the backward pass takes the memory of argument 0 in all of these nodes.
bool saved_in_place(const Graph& graph, std::span<const uint32_t> nodes) {
  if (!graph[nodes[0]].op->saved_in_place) return false;
  return std::ranges::all_of(nodes, [&](uint32_t id) {
    const Node& first = graph[graph.args(graph[id])[0]];
    return !first.op->leaf && !first.op->view && graph.dim(first).bd == graph.dim(id).bd;
  });
}

/// Bit i: argument i of all nodes of an op with matrices is one parameter, as a matrix, or added to products
/// of as many batch elements.
uint32_t shared_arguments(const Graph& graph, std::span<const uint32_t> nodes) {
  const Node& example = graph[nodes[0]];
  const Item& item = graph.item(example);
  uint32_t shared = 0;
  for (unsigned i = 0; example.op->has_matrix && i < example.arg_count && i < 31; ++i) {
    const uint32_t parameter = graph.args(example)[i];
    if (graph[parameter].op != &parameter_op) continue;
    const auto adds = [&](uint32_t id) {
      return graph.args(graph[id])[i] == parameter && graph.dim(id).bd == graph.dim(parameter).bd;
    };
    if (item.is_matrix(example, i) || (item.is_identity(i) && std::ranges::all_of(nodes, adds)))
      shared |= uint32_t{1} << i;
  }
  return shared;
}

}  // namespace

void layout(const Graph& graph, const Schedule& schedule, Layout& result) {
  result.steps.clear();
  result.size = 0, result.multiply_adds = 0;
  constexpr size_t line = Arena::alignment / sizeof(real);
  const auto take = [&](size_t numbers) {
    const size_t at = result.size;
    result.size += (numbers + line - 1) / line * line;
    return at;
  };
  uint32_t first = 0;
  for (size_t i = 0; i < schedule.size(); ++i) {
    const std::span<const uint32_t> batch = schedule.batch(i);
    const Node& example = graph[batch[0]];
    const Item& item = graph.item(example);
    Step& step = result.steps.emplace_back();
    step.first = first;
    step.count = static_cast<uint32_t>(batch.size());
    step.value_size = item.size;
    step.saved_size = saved_in_place(graph, batch) ? 0 : item.saved_size;
    step.items = example.op->batching == Batching::nodes ? step.count : batch_elements(graph, batch);
    step.shared = shared_arguments(graph, batch);
    step.value = take(step.items * step.value_size);
    if (step.saved_size) step.saved = take(step.items * step.saved_size);
    result.multiply_adds += step.items * item.multiply_adds;
    first += step.count;
  }
}

}  // namespace dynet::engine
