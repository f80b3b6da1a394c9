// The layout: steps one after another, each aligned to a cache line, items of a step without gaps.
#include "dynet/plan/plan.h"

#include "dynet/device/arena.h"

namespace dynet {

void item_dims(const Graph& graph, const Node& node, std::vector<Dim>& dims) {
  dims.clear();
  for (uint32_t arg : graph.args(node)) {
    dims.push_back(graph.dim(arg));
    if (node.op->batching == Batching::elements) dims.back().bd = 1;
  }
}

void plan(const Graph& graph, const Schedule& schedule, std::vector<Dim>& dim_scratch, Plan& result) {
  result.steps.clear();
  result.size = 0;
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
    Step step{first, static_cast<uint32_t>(batch.size()), 0, 0, 0, 0, 0};
    const bool whole = example.op->batching == Batching::nodes;
    size_t numbers = 0;
    for (uint32_t id : batch) {
      step.items += whole ? 1 : graph.dim(id).bd;
      numbers += graph.dim(id).size();
    }
    item_dims(graph, example, dim_scratch);
    step.value_size = whole ? graph.dim(example).size() : graph.dim(example).batch_size();
    step.aux_size = example.op->aux_size(example.payload, dim_scratch);
    step.value = take(numbers);
    step.aux = step.aux_size ? take(step.items * step.aux_size) : 0;
    result.steps.push_back(step);
    first += step.count;
  }
}

}  // namespace dynet
