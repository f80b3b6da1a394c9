// Where gradients flow: which nodes need one, where it lies, and in what order contributions are added.
//
// The order is canonical (by consumer, newest first), whatever the schedule was. Up to two contributions
// may be added as they come, since a + b = b + a. From three on each gets a place of its own (a part),
// and they are summed when the node's gradient is due.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet {

real* Executor::zeroed(size_t numbers) {
  real* p = gradients_.take<real>(numbers);
  std::fill_n(p, numbers, real(0));
  return p;
}

void Executor::trace(uint32_t loss, bool full) {
  for (uint32_t id : path_) place_[id].gradient = nullptr;
  path_.clear(), parts_.clear(), outer_uses_.clear();
  gradients_.reset();
  flow_.resize(graph_.size());
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

/// Lists the views of each kernel or leaf, newest first.
void Executor::link_views() {
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    if (!graph_[*it].op->view) continue;
    const uint32_t source = graph_.args(graph_[*it])[0];
    flow_[*it].origin = !graph_[source].op->view ? source
                        : marks_[source]         ? flow_[source].origin
                                                 : origin(graph_, source);
  }
  for (uint32_t id : path_) {
    if (!graph_[id].op->view || !marks_[flow_[id].origin]) continue;
    Flow& flow = flow_[flow_[id].origin];
    (flow.last_view == none ? flow.first_view : flow_[flow.last_view].next_view) = id;
    flow.last_view = id;
  }
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
    ++flow.uses;
    if (node.op->view) {
      ++flow.view_uses;
    }
    flow.passed_by = passes(node, i) ? id : none;
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
  return node.op->has_matrix && node.op->is_matrix(i) && graph_.dim(graph_.args(node)[i]).bd == 1;
}

/// True if the views of a node, which are among those of its origin, do not overlap.
bool Executor::views_are_disjoint(uint32_t id) {
  constexpr unsigned most = 8, most_seen = 64;  // cheap for the halves and quarters of a cell's state
  size_t from[most], to[most];
  unsigned n = 0, seen = 0;
  for (uint32_t v = flow_[graph_[id].op->view ? flow_[id].origin : id].first_view; v != none;
       v = flow_[v].next_view) {
    if (++seen > most_seen) return false;
    if (graph_.args(graph_[v])[0] != id) continue;
    if (n == most) return false;
    from[n] = graph_.item(v).view_offset;
    to[n] = from[n] + graph_.dim(v).batch_size();
    for (unsigned k = 0; k < n; ++k)
      if (from[n] < to[k] && from[k] < to[n]) return false;
    ++n;
  }
  return true;
}

/// Decides for each node of the path whether contributions wait as parts; parents come before views.
void Executor::choose_modes() {
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    const uint32_t id = *it;
    Flow& flow = flow_[id];
    if (graph_[id].op->view && graph_[id].op->differentiable) {
      const uint32_t source = graph_.args(graph_[id])[0];
      flow.exclusive = marks_[source] && flow_[source].exclusive_views;
    }
    flow.exclusive_views =
        flow.uses > 0 && flow.uses == flow.view_uses && (flow.uses == 1 || views_are_disjoint(id));
    const bool apart = place_[id].stride != graph_.dim(id).batch_size();
    flow.slots = !flow.exclusive_views &&
                 (flow.uses > 2 || (flow.uses == 2 && flow.broadcast) || (flow.read_whole && apart));
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
      flow.shared = flow.uses == 1 && flow.passed_by != none && !flow.is_matrix;
      if (!flow.shared) numbers += graph_.dim(id).size();
    }
    real* gradient = zeroed(numbers);
    for (uint32_t id : nodes) {
      if (!marks_[id]) continue;
      if (flow_[id].shared) {
        place_[id].gradient = place_[flow_[id].passed_by].gradient;
        continue;
      }
      place_[id].gradient = gradient;
      gradient += graph_.dim(id).size();
    }
  }
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    const uint32_t id = *it;
    const Node& node = graph_[id];
    Place& place = place_[id];
    if (node.op->view && flow_[id].exclusive) {
      place.gradient = place_[graph_.args(node)[0]].gradient + graph_.item(node).view_offset;
    } else if (node.op->view) {
      place.gradient = zeroed(graph_.dim(node).size());
      flow_[id].packed = true;
    } else if (node.op->leaf && (flow_[id].uses > 0 || node.op != &parameter_op)) {
      place.gradient = zeroed(graph_.dim(node).size());
    }
  }
}

/// The distance between batch elements of a node's gradient.
uint32_t Executor::gradient_stride(uint32_t id) const {
  return flow_[id].packed ? static_cast<uint32_t>(graph_.dim(id).batch_size()) : place_[id].stride;
}

void Executor::append_part(uint32_t id, const Part& part) {
  Flow& flow = flow_[id];
  parts_.push_back(part);
  const auto at = static_cast<uint32_t>(parts_.size() - 1);
  (flow.last_part == none ? flow.first_part : parts_[flow.last_part].next) = at;
  flow.last_part = at;
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
    (flow.last_outer == none ? flow.first_outer : outer_uses_[flow.last_outer].next) = at;
    flow.last_outer = at;
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

}  // namespace dynet
