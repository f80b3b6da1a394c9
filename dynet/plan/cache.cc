// Looks for a plan by a number made of all nodes, and then compares these nodes one by one.
#include "dynet/plan/cache.h"

#include <algorithm>
#include <utility>

namespace dynet::engine {

/// Several graphs must have room beside one another.
bool PlanCache::can_keep(std::span<const uint32_t> wanted) {
  return !wanted.empty() && nodes_in(wanted) <= max_nodes / 4;
}

uint32_t PlanCache::nodes_in(std::span<const uint32_t> wanted) { return std::ranges::max(wanted) + 1; }

/// The arguments of these nodes, one after another.
std::span<const uint32_t> PlanCache::args_of(const Graph& graph, std::span<const uint32_t> wanted) {
  const Node& last = graph[nodes_in(wanted) - 1];
  return graph.all_args().first(last.args + last.arg_count);
}

uint64_t PlanCache::hash_of(const Graph& graph, std::span<const uint32_t> wanted) {
  Hash hash;
  for (uint32_t id = 0, count = nodes_in(wanted); id < count; ++id)
    hash.add(uint64_t{graph[id].signature} << 32 ^ graph[id].dim_id);
  for (uint32_t arg : args_of(graph, wanted)) hash.add(arg);
  for (uint32_t id : wanted) hash.add(id);
  return hash.number();
}

bool PlanCache::is_same(const Entry& entry, const Evaluation& key) {
  const auto& [graph, wanted, policy, threads] = key;
  if (entry.policy != policy || entry.threads != threads || entry.intern_epoch != graph.intern_epoch() ||
      entry.nodes.size() != nodes_in(wanted) || !std::ranges::equal(entry.wanted, wanted))
    return false;
  for (uint32_t id = 0; id < entry.nodes.size(); ++id)
    if (entry.nodes[id] != node_key(graph[id])) return false;
  return std::ranges::equal(entry.args, args_of(graph, wanted));
}

KeptPlan* PlanCache::find(const Evaluation& key) {
  if (!can_keep(key.wanted)) return nullptr;
  key_hash_ = hash_of(key.graph, key.wanted);
  ++now_;
  for (Entry& entry : entries_)
    if (entry.hash == key_hash_ && is_same(entry, key)) {
      entry.last_use = now_;
      return &entry.plan;
    }
  return nullptr;
}

KeptPlan* PlanCache::insert(const Evaluation& key, const ExecutionPlan& plan) {
  const auto& [graph, wanted, policy, threads] = key;
  if (!can_keep(wanted)) return nullptr;
  const uint32_t count = nodes_in(wanted);
  seen_.resize(max_seen);
  if (std::exchange(seen_[key_hash_ % max_seen], key_hash_) != key_hash_ || !make_room(count)) return nullptr;
  Entry& entry = entries_.emplace_back();
  entry.hash = key_hash_, entry.last_use = now_;
  entry.intern_epoch = graph.intern_epoch(), entry.policy = policy, entry.threads = threads;
  entry.wanted.assign(wanted.begin(), wanted.end());
  for (uint32_t id = 0; id < count; ++id) entry.nodes.push_back(node_key(graph[id]));
  const std::span<const uint32_t> args = args_of(graph, wanted);
  entry.args.assign(args.begin(), args.end());
  entry.plan.execution = plan;
  return &entry.plan;
}

/// Drops what was not used lately; false if all that is kept was, so that graphs which come round in a circle
/// that has no room do not drive out one another.
bool PlanCache::make_room(size_t nodes) {
  size_t kept = nodes;
  for (const Entry& entry : entries_) kept += entry.nodes.size();
  while (!entries_.empty() && (kept > max_nodes || entries_.size() == max_entries)) {
    const auto oldest = std::ranges::min_element(entries_, {}, &Entry::last_use);
    if (now_ - oldest->last_use < max_seen) return false;
    kept -= oldest->nodes.size();
    entries_.erase(oldest);
  }
  return true;
}

}  // namespace dynet::engine
