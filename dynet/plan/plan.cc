// The layout: steps one after another, each aligned to a cache line, items of a step without gaps.
#include "dynet/plan/plan.h"

#include "dynet/device/arena.h"

namespace dynet {

void plan(const Graph& graph, const Schedule& schedule, Plan& result) {
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
    const Item& item = graph.item(example);
    Step step{first, static_cast<uint32_t>(batch.size()), 0, 0, 0, item.size, item.aux_size};
    if (example.op->batching == Batching::nodes)
      step.items = step.count;
    else
      for (uint32_t id : batch) step.items += graph.dim(id).bd;
    step.value = take(step.items * step.value_size);
    step.aux = step.aux_size ? take(step.items * step.aux_size) : 0;
    result.steps.push_back(step);
    first += step.count;
  }
}

}  // namespace dynet
