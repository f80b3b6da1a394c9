// PARTITION: which parts of an evaluation threads may run side by side. A pure function of the graph.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// Nodes, each list in ascending order: what several parts need, the parts, and what needs several of them.
struct Partition {
  std::vector<uint32_t> nodes, ends;  // list i is nodes[ends[i-1] … ends[i])

  /// 0 where it does not pay; then there are no lists.
  size_t parts() const { return ends.empty() ? 0 : ends.size() - 2; }
  std::span<const uint32_t> list(size_t i) const {
    const uint32_t first = i ? ends[i - 1] : 0;
    return {nodes.data() + first, ends[i] - first};
  }
  std::span<const uint32_t> prologue() const { return list(0); }
  std::span<const uint32_t> part(size_t i) const { return list(i + 1); }
  std::span<const uint32_t> epilogue() const { return list(ends.size() - 1); }
};

/// Memory that partitioning reuses from call to call; it carries nothing between calls.
struct PartitionScratch {
  /// Of a node; those that hang together are a tree.
  struct Link {
    uint64_t cost;  // of a root: of its tree
    uint32_t parent, list;
    uint32_t seen;  // of a root: the last node that met it; in the end the part of the tree
    uint32_t depth;
  };
  /// The products of one signature.
  struct Product {
    uint64_t cost = 0, depths = 0;  // depths as bits, modulo 64
    uint32_t count = 0, part = 0;
    bool shared = false;  // among parts
  };
  std::vector<uint32_t> local;      // by node id: position among the nodes, valid for those only
  std::vector<Link> links;          // by position
  std::vector<uint32_t> roots, at;  // roots, the costliest first; where each list goes on
  std::vector<uint64_t> load;       // by part
  std::vector<Product> products;    // by signature
};

/// Partitions `nodes` (ascending ids, none of them a leaf or a view; everything else they need is known) into
/// `parts` parts, or half as many, a quarter and so on, if they cost at least `worth` and threads that run
/// the parts gain from it; if `worth` is 0, also where products become too narrow.
void partition(const Graph& graph, std::span<const uint32_t> nodes, unsigned parts, uint64_t worth,
               PartitionScratch& scratch, Partition& result);

}  // namespace dynet::engine
