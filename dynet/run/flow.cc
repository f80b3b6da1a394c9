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

/// Marks what needs a gradient, newest first, and lists the uses as a matrix. Other uses by kernels are
/// counted later, call by call.
void Executor::trace(uint32_t loss, bool full) {
  for (uint32_t id : path_) place_[id].gradient = nullptr;
  path_.clear(), loose_.clear(), parts_.clear(), outer_uses_.clear(), lists_.clear();
  gradients_.reset();
  flow_.resize(graph_.size());
  views_.resize(graph_.size());
  marks_[loss] = 1;
  flow_[loss] = {};
  size_t open = 1;
  for (uint32_t id = loss; open > 0; --id) {
    if (!marks_[id]) continue;
    --open;
    path_.push_back(id);
    const Node& node = graph_[id];
    const std::span<const uint32_t> args = graph_.args(node);
    if (node.op->leaf || node.op->view) loose_.push_back(id);
    if (!node.op->differentiable) continue;
    for (uint32_t arg : args) {
      if (marks_[arg] || !(full || graph_[arg].needs_gradient)) continue;
      marks_[arg] = 1;
      flow_[arg] = {};
      ++open;
    }
    if (node.op->view && marks_[args[0]]) {
      ++flow_[args[0]].uses, ++flow_[args[0]].view_uses;
    } else if (graph_.item(node).matrices) {
      for (unsigned i = 0; i < args.size(); ++i)
        if (marks_[args[i]] && is_outer_use(node, i)) append_outer(args[i], id, i);
    }
  }
  link_views();
}

/// The gradient of a matrix is one product over all its uses.
bool Executor::is_outer_use(const Node& node, unsigned i) const {
  return graph_.item(node).is_matrix(node, i) && graph_.dim(graph_.args(node)[i]).bd == 1;
}

/// True if the contribution of a node to its argument i is the node's gradient as it is.
bool Executor::passes(const Node& node, unsigned i) const {
  if (!graph_.item(node).passes(i)) return false;
  const Node& arg = graph_[graph_.args(node)[i]];
  return arg.dim_id == node.dim_id || graph_.dim(arg).bd == graph_.dim(node).bd;
}

/// Decides where gradients lie: as the values do, the members of a merged call one after another.
void Executor::place_gradients() {
  for (auto number = static_cast<uint32_t>(steps_.size()); number-- > 0;) {
    StepRecord& step = steps_[number];
    step.gradient = nullptr;
    const std::span nodes = std::span(order_).subspan(step.first, step.count);
    size_t numbers = 0, apart = 0;
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      Flow& flow = flow_[id];
      choose_mode(id);
      flow.shared = flow.uses == 1 && flow.passed && !flow.is_matrix;
      if (flow.shared) continue;
      numbers += graph_.dim(id).size();
      ++apart;
    }
    real* gradient = apart ? gradients_.take<real>(numbers) : nullptr;
    if (apart == nodes.size()) step.gradient = gradient;
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      Flow& flow = flow_[id];
      if (flow.shared) {
        place_[id].gradient = place_[flow.last_consumer].gradient;
        flow.ready = true;
      } else {
        place_[id].gradient = gradient;
        gradient += graph_.dim(id).size();
        open_to_views(id);
      }
    }
    count_uses(nodes, number);
  }
  for (auto it = loose_.rbegin(); it != loose_.rend(); ++it) place_loose(*it);
}

/// Counts the contributions of the members of a call. When all later calls are counted, a node's flow is
/// known.
void Executor::count_uses(std::span<const uint32_t> nodes, uint32_t step) {
  const Node& example = graph_[nodes[0]];
  if (!example.op->differentiable) return;
  const Item& item = graph_.item(example);
  const bool whole = example.op->batching == Batching::nodes;
  for (unsigned i = 0; i < example.arg_count; ++i) {
    const bool matrix = item.is_matrix(example, i), passes_on = item.passes(i);
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      const Node& node = graph_[id];
      const uint32_t arg = graph_.args(node)[i];
      if (!marks_[arg]) continue;
      Flow& flow = flow_[arg];
      unsigned batch = 1, own = 1;
      bool same = graph_[arg].dim_id == node.dim_id;
      if (!same || matrix || whole) {
        batch = graph_.dim(arg).bd, own = graph_.dim(node).bd;
        same = batch == own;
      }
      if (matrix && batch == 1) {
        flow.is_matrix = true;
        continue;
      }
      if (flow.uses > flow.view_uses && flow.last_consumer != id) {
        const uint32_t last = place_[flow.last_consumer].step;
        flow.ordered &= id < flow.last_consumer && step < last;
        flow.apart &= step != last;
      }
      ++flow.uses;
      flow.last_consumer = id;
      flow.passed = passes_on && same;
      flow.broadcast |= !whole && batch < own;
      flow.read_whole |= whole && batch > 1;
    }
  }
}

/// Decides whether a node's contributions wait as parts. Its source is decided before a view is.
void Executor::choose_mode(uint32_t id) {
  Flow& flow = flow_[id];
  if (flow.view_uses > 0 && flow.uses == flow.view_uses) {
    const Cover cover = cover_by_views(id);
    flow.exclusive_views = flow.uses == 1 || cover != Cover::overlapping;
    flow.covered = cover == Cover::whole;
  }
  if (flow.exclusive_views) return;
  flow.slots = waits(flow) || (flow.read_whole && place_[id].stride != graph_.dim(id).batch_size());
}

/// True if contributions cannot be added as they come. Those of views come when the node's gradient is due.
bool Executor::waits(const Flow& flow) const {
  if (flow.uses <= 1) return false;
  if (flow.broadcast || (flow.view_uses == 0 && !flow.apart)) return true;
  return flow.uses > 2 && (!flow.ordered || flow.view_uses > 0);
}

/// The gradient of a view or a leaf.
void Executor::place_loose(uint32_t id) {
  const Node& node = graph_[id];
  Flow& flow = flow_[id];
  Place& place = place_[id];
  if (node.op->view) {
    const uint32_t source = graph_.args(node)[0];
    if (node.op->differentiable && marks_[source]) {
      flow.exclusive = flow_[source].exclusive_views;
      if (!flow.exclusive) append_part(source, {nullptr, id, id, none});
    }
    flow.packed = !flow.exclusive;
  }
  choose_mode(id);
  if (flow.exclusive)
    place.gradient = place_[graph_.args(node)[0]].gradient + graph_.item(node).view_offset;
  else if (node.op->view || flow.uses > 0 || node.op != &parameter_op)
    place.gradient = gradients_.take<real>(graph_.dim(node).size());
  open_to_views(id);
}

/// Views that do not overlap write into the gradient of what they show; what none of them covers is zero.
void Executor::open_to_views(uint32_t id) {
  Flow& flow = flow_[id];
  if (!flow.exclusive_views) return;
  if (!flow.covered) clear_gradient(id);
  flow.ready = true;
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
  const auto at = static_cast<uint32_t>(parts_.size());
  parts_.push_back(part);
  (list.last_part == none ? list.first_part : parts_[list.last_part].next) = at;
  list.last_part = at;
}

void Executor::append_outer(uint32_t id, uint32_t node, uint32_t arg) {
  Waiting& list = waiting(id);
  const auto at = static_cast<uint32_t>(outer_uses_.size());
  outer_uses_.push_back({node, arg, none});
  (list.last_outer == none ? list.first_outer : outer_uses_[list.last_outer].next) = at;
  list.last_outer = at;
}

}  // namespace dynet::engine
