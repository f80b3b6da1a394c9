// Schedules a graph as an evaluation would, and looks for chains among the nodes of each signature.
#include "dynet/plan/explain.h"

#include <algorithm>

#include "dynet/plan/needed.h"

namespace dynet::engine {
namespace {

/// The most nodes of a signature, of these in ascending order, that depend on one another in a row. `length`
/// is scratch by node.
uint32_t longest_chain(const Graph& graph, std::span<const uint32_t> nodes, uint32_t signature,
                       std::vector<uint32_t>& length) {
  uint32_t longest = 0;
  for (const uint32_t id : nodes) {
    uint32_t before = 0;
    for (const uint32_t arg : graph.args(graph[id])) before = std::max(before, length[origin(graph, arg)]);
    length[id] = before + (graph[id].signature == signature);
    longest = std::max(longest, length[id]);
  }
  for (const uint32_t id : nodes) length[id] = 0;
  return longest;
}

}  // namespace

Kind kind_of(const Graph& graph, uint32_t id) {
  const Node& node = graph[id];
  const Item& item = graph.item(node);
  Kind kind{node.op->name, node.written().name, {item.x_dims.begin(), item.x_dims.end()}, item.dim, {}, {}};
  if (node.op->attributes) kind.attributes = node.op->attributes(node.payload, item.x_dims);
  const std::span<const uint32_t> args = graph.args(node);
  for (unsigned i = 0; i < args.size(); ++i) {
    const bool is_shared = graph[args[i]].op == &parameter_op && item.is_matrix(node, i);
    kind.matrices.push_back(is_shared ? parameter_storage(graph[args[i]])->name : "");
  }
  return kind;
}

ExplainedSchedule explain_schedule(const Graph& graph, uint32_t wanted, Policy policy) {
  ExplainedSchedule result;
  const std::vector<uint8_t> done(graph.size(), 0);
  Marks marks;
  marks.resize(graph.size());
  Needed found;
  needed(graph, {&wanted, 1}, done, marks, found);
  ScheduleScratch scratch;
  schedule(graph, found.kernels, policy, scratch, result.schedule);
  constexpr uint32_t none = ~0u;
  std::vector<uint32_t> kind_of_signature(graph.signature_count(), none), batches;
  for (size_t i = 0; i < result.schedule.size(); ++i) {
    const uint32_t example = result.schedule.batch(i)[0];
    uint32_t& kind = kind_of_signature[graph[example].signature];
    if (kind == none) {
      kind = static_cast<uint32_t>(result.kinds.size());
      result.kinds.push_back(kind_of(graph, example));
      batches.push_back(0);
    }
    ++batches[kind];
    result.kind_of_batch.push_back(kind);
  }
  std::vector<uint32_t> length(graph.size(), 0);
  result.chains.assign(result.kinds.size(), 1);
  for (uint32_t signature = 0; signature < kind_of_signature.size(); ++signature)
    if (const uint32_t kind = kind_of_signature[signature]; kind != none && batches[kind] > 1)
      result.chains[kind] = longest_chain(graph, found.kernels, signature, length);
  return result;
}

}  // namespace dynet::engine
