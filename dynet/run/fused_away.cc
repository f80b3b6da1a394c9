// Gradients of nodes that were fused away, since others compute them themselves: made when they are asked
// for.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet::engine {

/// True if a node was written as one with this argument, and computes it itself.
bool Executor::fuses_away(uint32_t consumer, uint32_t id) const {
  const Node& node = graph_[consumer];
  return node.op->original && std::ranges::count(graph_.original_args(node), id) &&
         !std::ranges::count(graph_.args(node), id);
}

/// True if the loss depends on a node, which may be fused away itself.
bool Executor::leads_to_loss(uint32_t id) const {
  if (in_backward_set(id)) return true;
  for (uint32_t consumer = backward_from_; graph_[id].fused_away && consumer > id; --consumer)
    if (fuses_away(consumer, id) && leads_to_loss(consumer)) return true;
  return false;
}

/// Adds what those consumers would have contributed that have fused the node away, newest first.
Tensor Executor::with_fused_away(uint32_t id, const Tensor& computed) {
  const Dim& dim = graph_.dim(id);
  real* sum = workers_[0].zeroed(dim.size());
  memory_.engine->copy(dim.size(), computed.v, sum);
  for (uint32_t consumer = backward_from_; consumer > id; --consumer) {
    if (!fuses_away(consumer, id) || !leads_to_loss(consumer)) continue;
    const std::span<const uint32_t> written = graph_.original_args(graph_[consumer]);
    for (unsigned i = 0; i < written.size(); ++i)
      if (written[i] == id) add_as_written(consumer, i, sum);
  }
  return {dim, sum};
}

/// Runs the backward kernel of the operation as the program wrote it; all its shapes are the same.
void Executor::add_as_written(uint32_t consumer, unsigned i, real* sum) {
  const Node& node = graph_[consumer];
  const Dim item = graph_.dim(node).single_batch();
  const auto items = [&](const Tensor& t) { return Items{t.v, nullptr, item.size()}; };
  const std::span<const uint32_t> written = graph_.original_args(node);
  const std::array x_dims{item, item};
  const std::array x{items(value(written[0])), items(value(written[1]))};
  Call call{};
  call.count = graph_.dim(node).bd;
  call.x_dims = x_dims;
  call.dim = item;
  call.x = x;
  call.y = items(value(consumer));
  call.dy = items(gradient(consumer));
  call.dx = {sum, nullptr, item.size()};
  call.accumulate = true;
  node.written().backward(*memory_.engine, call, i);
}

}  // namespace dynet::engine
