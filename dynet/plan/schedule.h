// SCHEDULE: which nodes run together, and in what order. Pure functions of the graph.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/graph/graph.h"
#include "dynet/plan/policy.h"

namespace dynet::engine {

/// Batches of node ids; batch i is order[ends[i-1] … ends[i]).
struct Schedule {
  std::vector<uint32_t> order, ends;
  /// Of a partitioned evaluation: where the batches of each list end, those of the prologue, of each part,
  /// and of the epilogue.
  std::vector<uint32_t> lists;

  size_t size() const { return ends.size(); }
  std::span<const uint32_t> batch(size_t i) const {
    const uint32_t first = i ? ends[i - 1] : 0;
    return {order.data() + first, ends[i] - first};
  }
  std::span<const uint32_t> nodes(size_t first, size_t count) const {
    return std::span(order).subspan(first, count);
  }
  void clear() { order.clear(), ends.clear(), lists.clear(); }
  /// Adds the batches of one list of a partition.
  void append(const Schedule& list) {
    const auto start = static_cast<uint32_t>(order.size());
    order.insert(order.end(), list.order.begin(), list.order.end());
    for (uint32_t end : list.ends) ends.push_back(start + end);
    lists.push_back(static_cast<uint32_t>(ends.size()));
  }
};

/// Memory that scheduling reuses from call to call; it carries nothing between calls.
struct ScheduleScratch {
  std::vector<uint32_t> local;  // by node id: position among the nodes, valid for those only
  /// What is known of a node: its depth, how many of its arguments are still to run, a list of edges to its
  /// consumers, and the rank of its class.
  struct Place {
    uint32_t depth, pending, first_edge, rank;
  };
  struct Edge {
    uint32_t next, to;
  };
  std::vector<Place> places;  // by position
  std::vector<Edge> edges;    // by edge of the graph
  /// The nodes of one signature, of which ready[first … last) can run.
  struct Class {
    double depth;  // on average
    uint32_t count, signature, found;
    uint32_t first = 0, last = 0;
  };
  std::vector<Class> classes;          // by rank, in the end
  std::vector<uint32_t> class_of;      // by signature; none between calls
  std::vector<uint32_t> rank_of;       // by class
  std::vector<uint32_t> ready;         // positions, those of each class together
  std::vector<uint64_t> any_is_ready;  // bits by rank
  std::vector<uint64_t> keys;
};

/// Orders `nodes` (ascending ids, none of them a leaf or a view; everything else they need is known).
void schedule(const Graph& graph, std::span<const uint32_t> nodes, Policy policy, ScheduleScratch& scratch,
              Schedule& result);

// One policy each, in the files of their names.
void schedule_single(std::span<const uint32_t> nodes, Schedule& result);
void schedule_depth(const Graph&, std::span<const uint32_t> nodes, ScheduleScratch&, Schedule& result);
void schedule_agenda(const Graph&, std::span<const uint32_t> nodes, ScheduleScratch&, Schedule& result);

}  // namespace dynet::engine
