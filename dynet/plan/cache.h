// Plans of graphs that came before: a program that builds the same graph again need not wait for its plan.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/plan/compile.h"
#include "dynet/plan/gradients.h"

namespace dynet::engine {

/// The plan of an evaluation, and of one backward pass through it, once there was one.
struct KeptPlan {
  ExecutionPlan execution;
  GradientPlan gradients;
  uint32_t loss = ~0u;  // of the gradients; no node: there are none yet
  bool full = false;
};

/// Keeps what was planned for whole graphs that came twice, as many as have room; what was not used for long
/// makes room for new ones.
class PlanCache {
 public:
  /// What was planned when these nodes were wanted of a graph whose nodes, up to the last one wanted, were
  /// the same; null if nothing is kept. Nothing of the graph may have been evaluated yet.
  KeptPlan* find(const Evaluation& key);
  /// What was planned after find() gave null, to be kept if it was looked up before; null if it is not.
  /// Whatever was kept before may move.
  KeptPlan* insert(const Evaluation& key, const ExecutionPlan& plan);

 private:
  static constexpr size_t max_entries = 64, max_nodes = size_t{1} << 16, max_seen = 256;

  /// What a plan depends on of a node, beside its arguments.
  struct NodeKey {
    const Op* op;
    uint32_t signature, dim_id, args;
    uint16_t arg_count;
    bool needs_gradient;
    bool operator==(const NodeKey&) const = default;
  };
  struct Entry {
    uint64_t hash = 0, last_use = 0;
    unsigned intern_epoch = 0, threads = 0;
    Policy policy{};
    std::vector<uint32_t> wanted, args;
    std::vector<NodeKey> nodes;
    KeptPlan plan;
  };
  static bool can_keep(std::span<const uint32_t> wanted);
  /// The nodes that matter: those up to the last one wanted.
  static uint32_t nodes_in(std::span<const uint32_t> wanted);
  static std::span<const uint32_t> args_of(const Graph& graph, std::span<const uint32_t> wanted);
  static NodeKey node_key(const Node& node) {
    return {node.op, node.signature, node.dim_id, node.args, node.arg_count, node.needs_gradient};
  }
  static bool is_same(const Entry& entry, const Evaluation& key);
  static uint64_t hash_of(const Graph& graph, std::span<const uint32_t> wanted);
  bool make_room(size_t nodes);

  std::vector<Entry> entries_;
  std::vector<uint64_t> seen_;       // hashes of what was not kept, each in its place
  uint64_t now_ = 0, key_hash_ = 0;  // evaluations so far; the hash of the last one
};

}  // namespace dynet::engine
