// Which nodes an evaluation must visit: what the wanted nodes need and is not known yet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// The nodes to visit, each list in ascending order.
struct Reach {
  std::vector<uint32_t> leaves, views, kernels;
};

/// Collects what `wanted` depends on and `done` does not hold. `marks` is scratch of one zero byte a node
/// and is zero again afterwards. Costs O(ids between the oldest node found and the newest wanted).
void reach(const Graph& graph, std::span<const uint32_t> wanted, std::span<const uint8_t> done,
           std::vector<uint8_t>& marks, Reach& found);

/// The node whose kernel (or binding) makes the memory of this one: itself unless it is a view.
inline uint32_t origin(const Graph& graph, uint32_t id) {
  while (graph[id].op->view) id = graph.args(graph[id])[0];
  return id;
}

}  // namespace dynet::engine
