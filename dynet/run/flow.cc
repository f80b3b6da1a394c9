// Where gradients flow: which nodes need one, where it lies, and in what order contributions are added.
//
// The order is canonical (by consumer, newest first), whatever the schedule was. Contributions are added as
// they come where that is the canonical order, or where there are at most two, since a + b = b + a.
// Otherwise each gets a place of its own (a part), and they are summed when the node's gradient is due.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet::engine {

real* Executor::zeroed(size_t numbers) {
  real* p = gradients_.take<real>(numbers);
  std::fill_n(p, numbers, real(0));
  return p;
}

void Executor::trace(uint32_t loss, bool full) {
  for (uint32_t id : path_) place_[id].gradient = nullptr;
  path_.clear(), parts_.clear(), outer_uses_.clear(), lists_.clear();
  gradients_.reset();
  flow_.resize(graph_.size());
  views_.resize(graph_.size());
  edge_target_.resize(graph_.edge_count());
  marks_[loss] = 1;
  flow_[loss] = {};
  size_t open = 1;
  for (uint32_t id = loss; open > 0; --id) {
    if (!marks_[id]) continue;
    --open;
    path_.push_back(id);
    if (!graph_[id].op->differentiable) continue;
    for (uint32_t arg : graph_.args(graph_[id])) {
      if (marks_[arg] || !(full || graph_[arg].needs_gradient)) continue;
      marks_[arg] = 1;
      flow_[arg] = {};
      ++open;
    }
    trace_edges(id);
  }
  link_views();
}

/// Counts the contributions of one consumer.
void Executor::trace_edges(uint32_t id) {
  const Node& node = graph_[id];
  const std::span<const uint32_t> args = graph_.args(node);
  for (unsigned i = 0; i < args.size(); ++i) {
    if (!marks_[args[i]]) continue;
    Flow& flow = flow_[args[i]];
    if (is_outer_use(node, i)) {
      flow.is_matrix = true;
      continue;
    }
    if (flow.uses > 0 && flow.last_consumer != id && !node.op->view && flow.view_uses == 0) {
      const uint32_t step = place_[id].step, last = place_[flow.last_consumer].step;
      flow.ordered &= step < last;
      flow.apart &= step != last;
    }
    ++flow.uses;
    flow.view_uses += node.op->view;
    flow.last_consumer = id;
    flow.passed = passes(node, i);
    const bool whole = node.op->batching == Batching::nodes;
    flow.broadcast |= !whole && graph_.dim(args[i]).bd < graph_.dim(node).bd;
    flow.read_whole |= whole && !node.op->view && graph_.dim(args[i]).bd > 1;
  }
}

/// True if the contribution of a node to its argument i is the node's gradient as it is.
bool Executor::passes(const Node& node, unsigned i) const {
  if (!(node.op->passes >> std::min(i, 31u) & 1)) return false;
  if (graph_[graph_.args(node)[i]].dim_id == node.dim_id) return true;
  const Dim& arg = graph_.dim(graph_.args(node)[i]);
  return arg.bd == graph_.dim(node).bd && arg.same_sizes(graph_.dim(node));
}

/// The gradient of a matrix is one product over all its uses.
bool Executor::is_outer_use(const Node& node, unsigned i) const {
  return node.op->has_matrix && node.op->is_matrix(node.payload, i) &&
         graph_.dim(graph_.args(node)[i]).bd == 1;
}

/// True if contributions cannot be added as they come. Those of views come when the node's gradient is due.
bool Executor::waits(const Flow& flow) const {
  if (flow.uses <= 1) return false;
  if (flow.broadcast || !flow.apart) return true;
  return flow.uses > 2 && (!flow.ordered || flow.view_uses > 0);
}

/// Decides for each node of the path whether contributions wait as parts; parents come before views.
void Executor::choose_modes() {
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    const uint32_t id = *it;
    Flow& flow = flow_[id];
    const Node& node = graph_[id];
    if (node.op->view && node.op->differentiable) {
      const uint32_t source = graph_.args(node)[0];
      flow.exclusive = marks_[source] && flow_[source].exclusive_views;
    }
    if (flow.uses > 0 && flow.uses == flow.view_uses) {
      const Cover cover = cover_by_views(id);
      flow.exclusive_views = flow.uses == 1 || cover != Cover::overlapping;
      flow.covered = cover == Cover::whole;
    }
    const bool gaps = place_[id].stride != graph_.dim(id).batch_size();
    flow.slots = !flow.exclusive_views && (waits(flow) || (flow.read_whole && gaps));
  }
}

/// Gradients lie as the values do: the members of a merged call one after another.
void Executor::place_gradients() {
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const std::span nodes = std::span(order_).subspan(step->first, step->count);
    size_t numbers = 0;
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      Flow& flow = flow_[id];
      flow.shared = flow.uses == 1 && flow.passed && !flow.is_matrix;
      if (!flow.shared) numbers += graph_.dim(id).size();
    }
    real* gradient = gradients_.take<real>(numbers);
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      if (Flow& flow = flow_[id]; flow.shared) {
        place_[id].gradient = place_[flow.last_consumer].gradient;
        flow.ready = true;
        continue;
      }
      place_[id].gradient = gradient;
      gradient += graph_.dim(id).size();
    }
  }
  place_view_gradients();
}

/// Gradients of views and leaves, sources before views; what no view covers is zero.
void Executor::place_view_gradients() {
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    const uint32_t id = *it;
    const Node& node = graph_[id];
    Flow& flow = flow_[id];
    Place& place = place_[id];
    if (node.op->view && flow.exclusive) {
      place.gradient = place_[graph_.args(node)[0]].gradient + graph_.item(node).view_offset;
    } else if (node.op->view) {
      place.gradient = gradients_.take<real>(graph_.dim(node).size());
      flow.packed = true;
    } else if (node.op->leaf && (flow.uses > 0 || node.op != &parameter_op)) {
      place.gradient = gradients_.take<real>(graph_.dim(node).size());
    }
    if (!flow.exclusive_views) continue;
    if (!flow.covered) clear_gradient(id);
    flow.ready = true;
  }
}

/// The distance between batch elements of a node's gradient.
uint32_t Executor::gradient_stride(uint32_t id) const {
  return flow_[id].packed ? static_cast<uint32_t>(graph_.dim(id).batch_size()) : place_[id].stride;
}

Executor::Waiting& Executor::waiting(uint32_t id) {
  Flow& flow = flow_[id];
  if (flow.lists == none) {
    flow.lists = static_cast<uint32_t>(lists_.size());
    lists_.emplace_back();
  }
  return lists_[flow.lists];
}

void Executor::append_part(uint32_t id, const Part& part) {
  Waiting& list = waiting(id);
  parts_.push_back(part);
  const auto at = static_cast<uint32_t>(parts_.size() - 1);
  (list.last_part == none ? list.first_part : parts_[list.last_part].next) = at;
  list.last_part = at;
}

/// Tells every contribution of the path where to go, consumers newest first.
void Executor::route() {
  for (uint32_t id : path_) {
    const Node& node = graph_[id];
    if (!node.op->differentiable) continue;
    if (node.op->view) {
      if (!flow_[id].exclusive && marks_[graph_.args(node)[0]])
        append_part(graph_.args(node)[0], {nullptr, id, none});
      continue;
    }
    for (unsigned i = 0; i < node.arg_count; ++i) edge_target_[node.args + i] = route_edge(id, i);
  }
}

/// Where the contribution of consumer `id` to its argument i is written; null if no kernel has to.
real* Executor::route_edge(uint32_t id, unsigned i) {
  const Node& node = graph_[id];
  const uint32_t arg = graph_.args(node)[i];
  if (!marks_[arg]) return nullptr;
  Flow& flow = flow_[arg];
  if (is_outer_use(node, i)) {
    outer_uses_.push_back({id, i, none});
    const auto at = static_cast<uint32_t>(outer_uses_.size() - 1);
    Waiting& list = waiting(arg);
    (list.last_outer == none ? list.first_outer : outer_uses_[list.last_outer].next) = at;
    list.last_outer = at;
    return nullptr;
  }
  if (flow.shared) return nullptr;
  if (!flow.slots) return place_[arg].gradient;
  const Dim& dim = graph_.dim(arg);
  if (passes(node, i)) {
    append_part(arg, {place_[id].gradient, none, none});
    return nullptr;
  }
  real* slot = zeroed(dim.size());
  append_part(arg, {slot, none, none});
  return slot;
}

}  // namespace dynet::engine
