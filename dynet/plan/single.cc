// The policy without batching: every node alone, in order of creation; and the choice of a policy.
#include "dynet/plan/schedule.h"

namespace dynet::engine {

void schedule_single(std::span<const uint32_t> nodes, Schedule& result) {
  result.order.assign(nodes.begin(), nodes.end());
  for (uint32_t i = 1; i <= nodes.size(); ++i) result.ends.push_back(i);
}

void schedule(const Graph& graph, std::span<const uint32_t> nodes, Policy policy, ScheduleScratch& scratch,
              Schedule& result) {
  result.clear();
  switch (policy) {
    case Policy::single: return schedule_single(nodes, result);
    case Policy::depth: return schedule_depth(graph, nodes, scratch, result);
    case Policy::agenda: return schedule_agenda(graph, nodes, scratch, result);
  }
}

}  // namespace dynet::engine
