// The policy without batching: every node alone, in order of creation; and the choice of a policy.
#include "dynet/plan/schedule.h"

namespace dynet {

void schedule_single(std::span<const uint32_t> nodes, Schedule& result) {
  result.order.assign(nodes.begin(), nodes.end());
  for (uint32_t i = 1; i <= nodes.size(); ++i) result.ends.push_back(i);
}

void schedule(const Graph& graph, std::span<const uint32_t> nodes, Policy policy, ScheduleScratch& scratch,
              Schedule& result) {
  result.clear();
  if (policy == Policy::single) return schedule_single(nodes, result);
  cut(graph, nodes, scratch);
  uint32_t start = 0;
  for (uint32_t end : scratch.cuts) {
    const std::span<const uint32_t> piece = nodes.subspan(start, end - start);
    if (policy == Policy::depth)
      schedule_depth(graph, piece, scratch, result);
    else
      schedule_agenda(graph, piece, scratch, result);
    start = end;
  }
}

}  // namespace dynet
