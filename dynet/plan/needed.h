// Which nodes an evaluation must visit: what the wanted nodes need and is not known yet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// The nodes to visit, each list in ascending order.
struct Needed {
  std::vector<uint32_t> leaves, views, kernels;
};

/// Marked nodes, which are visited from the newest to the oldest. Long stretches without any cost next to
/// nothing, since blocks without marks are known.
class Marks {
 public:
  void resize(size_t nodes) { nodes_.resize(nodes), blocks_.resize(nodes / block + 1); }
  bool operator[](uint32_t id) const { return nodes_[id] == Mark::set; }
  void set(uint32_t id) { nodes_[id] = blocks_[id / block] = Mark::set; }
  void clear(uint32_t id) { nodes_[id] = Mark::unset; }
  /// The newest marked node before the one visited last; there is one.
  uint32_t next_before(uint32_t id) {
    do {
      if (id % block != 0) {
        --id;
      } else {
        leave(id);
        id = end_of_block_before(id);
      }
    } while (nodes_[id] == Mark::unset);
    return id;
  }
  /// Said of the last one visited.
  void leave(uint32_t id) { blocks_[id / block] = Mark::unset; }
  void clear_all() { std::ranges::fill(nodes_, Mark::unset), std::ranges::fill(blocks_, Mark::unset); }

 private:
  static constexpr uint32_t block = 256;
  /// No character, so that a compiler knows that marks are no part of anything else.
  enum class Mark : uint8_t { unset, set };

  uint32_t end_of_block_before(uint32_t id) const {
    uint32_t at = id / block - 1;
    while (blocks_[at] == Mark::unset) --at;
    return at * block + block - 1;
  }

  std::vector<Mark> nodes_, blocks_;
};

/// Collects what `wanted` depends on and `done` does not hold. `marks` are scratch without any mark, and are
/// so again afterwards. Costs O(nodes found).
void needed(const Graph& graph, std::span<const uint32_t> wanted, std::span<const uint8_t> done, Marks& marks,
            Needed& found);

/// The node whose kernel (or binding) makes the memory of this one: itself unless it is a view.
inline uint32_t origin(const Graph& graph, uint32_t id) {
  while (graph[id].op->view) id = graph.args(graph[id])[0];
  return id;
}

}  // namespace dynet::engine
