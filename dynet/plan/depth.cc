// The depth policy: nodes of equal depth and signature together, in increasing depth.
#include <algorithm>

#include "dynet/plan/needed.h"
#include "dynet/plan/schedule.h"

namespace dynet::engine {

void schedule_depth(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& s,
                    Schedule& result) {
  s.local.resize(std::max<size_t>(s.local.size(), graph.size()));
  s.places.resize(std::max(s.places.size(), nodes.size()));
  s.keys.resize(nodes.size());
  const auto position = [&](uint32_t id) -> uint32_t {
    const uint32_t p = s.local[id];
    return p < nodes.size() && nodes[p] == id ? p : ~0u;
  };
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    s.local[nodes[i]] = i;
    s.places[i].depth = 0;
    const Node& node = graph[nodes[i]];
    for (uint32_t arg : graph.args(node))
      if (const uint32_t p = position(origin(graph, arg)); p < i)
        s.places[i].depth = std::max(s.places[i].depth, s.places[p].depth + 1);
    s.keys[i] = uint64_t{s.places[i].depth} << 32 | node.signature;
  }
  result.order.resize(nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) result.order[i] = i;
  // Positions ascend with ids, so equal keys keep the order of creation.
  std::ranges::sort(result.order, [&](uint32_t a, uint32_t b) {
    return s.keys[a] != s.keys[b] ? s.keys[a] < s.keys[b] : a < b;
  });
  for (uint32_t i = 0; i < nodes.size(); ++i)
    if (i + 1 == nodes.size() || s.keys[result.order[i]] != s.keys[result.order[i + 1]])
      result.ends.push_back(i + 1);
  for (uint32_t& p : result.order) p = nodes[p];
}

}  // namespace dynet::engine
