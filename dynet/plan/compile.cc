// The stages one after another: what is needed, partition, schedule, layout.
#include "dynet/plan/compile.h"

#include <algorithm>

namespace dynet::engine {

Policy policy_of(const Graph& graph, Policy chosen) {
  if (!graph.batching.value_or(chosen != Policy::single)) return Policy::single;
  return chosen == Policy::single ? Policy::agenda : chosen;
}

void Compiler::compile(const Evaluation& evaluation, std::span<const uint8_t> done, Marks& marks,
                       uint64_t worth, Engine& engine, ExecutionPlan& plan) {
  const auto& [graph, wanted, policy, threads] = evaluation;
  auto& [found, order, layout] = plan;
  needed(graph, wanted, done, marks, found);
  partition(graph, found.kernels, threads, worth, partition_scratch_, partition_);
  if (partition_.parts() == 0)
    schedule(graph, found.kernels, policy, parts_[0].scratch, order);
  else
    schedule_partition(graph, policy, engine, order);
  engine::layout(graph, order, layout);
}

/// Schedules the parts of an evaluation side by side, and joins these schedules.
void Compiler::schedule_partition(const Graph& graph, Policy policy, Engine& engine, Schedule& result) {
  const size_t count = partition_.parts();
  parts_.resize(std::max(parts_.size(), count));
  const auto schedule_list = [&](std::span<const uint32_t> nodes, Part& part) {
    schedule(graph, nodes, policy, part.scratch, part.schedule);
  };
  result.clear();
  schedule_list(partition_.prologue(), parts_[0]);
  result.append(parts_[0].schedule);
  parallel_for(engine, count, [&](unsigned i) { schedule_list(partition_.part(i), parts_[i]); });
  for (size_t i = 0; i < count; ++i) result.append(parts_[i].schedule);
  schedule_list(partition_.epilogue(), parts_[0]);
  result.append(parts_[0].schedule);
}

}  // namespace dynet::engine
