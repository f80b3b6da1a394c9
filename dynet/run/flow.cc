// Where gradients flow: which nodes need one, where it lies, and in what order contributions are added.
//
// The order is canonical (by consumer, newest first), whatever the schedule was. Contributions are added as
// they come where that is the canonical order, or where there are at most two, since a + b = b + a.
// Otherwise, and where there are so many that they are summed in runs, each gets a place of its own (a part),
// and they are summed when the node's gradient is due.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet::engine {

/// Marks what needs a gradient, newest first, and lists the uses as a matrix. Other uses by kernels are
/// counted later, call by call.
void Executor::trace(uint32_t loss, bool full) {
  path_.clear(), loose_.clear(), t_.parts.clear(), t_.late_uses.clear(), t_.late_lists.clear();
  gradients_.reset();
  lanes_.forget_gradients();
  t_.flow.resize(graph_.size());
  again_.clear();
  t_.marks.set(loss);
  t_.flow[loss] = {};
  size_t open = 1;
  bool has_views = false;
  for (uint32_t id = loss;; id = t_.marks.next_before(id)) {
    --open;
    path_.push_back(id);
    const Node& node = graph_[id];
    const std::span<const uint32_t> args = graph_.args(node);
    if (node.op->leaf || node.op->view) loose_.push_back(id), has_views |= node.op->view;
    if (node.op->spends_aux) {
      if (done_[id] & spent) again_.push_back(id);
      done_[id] |= spent;
    }
    if (node.op->differentiable) {
      for (uint32_t arg : args) {
        if (t_.marks[arg] || !(full || graph_[arg].needs_gradient)) continue;
        t_.marks.set(arg);
        t_.flow[arg] = {};
        ++open;
      }
      if (node.op->view && t_.marks[args[0]]) {
        ++t_.flow[args[0]].uses, t_.flow[args[0]].viewed = true;
      } else if (graph_.item(node).matrices) {
        list_late_uses(id);
      }
    }
    if (open == 0) {
      t_.marks.leave(id);
      break;
    }
  }
  if (has_views) link_views();
  list_calls();
}

/// Lists the calls on the path and their members there, unless these are a large part of all: then all calls
/// are looked at.
void Executor::list_calls() {
  constexpr size_t large_part = 8;
  few_calls_ = t_.order.size() > large_part * path_.size();
  if (!few_calls_) return;
  members_.clear(), calls_.clear();
  for (auto id = path_.rbegin(); id != path_.rend(); ++id)
    if (!graph_[*id].op->leaf && !graph_[*id].op->view) members_.push_back(*id);
  std::ranges::stable_sort(members_, {}, [&](uint32_t id) { return t_.place[id].step; });
  for (uint32_t i = 0; i < members_.size(); ++i) {
    const uint32_t step = t_.place[members_[i]].step;
    if (calls_.empty() || calls_.back().step != step) calls_.push_back({step, i, 0});
    ++calls_.back().count;
  }
  // A call that is on the path as a whole has its members in their order.
  for (const CallPart& call : calls_)
    if (call.count == t_.steps[call.step].count)
      std::ranges::copy(t_.nodes_of(t_.steps[call.step]), members_.begin() + call.first);
}

/// The gradient of a matrix is one product over all its uses, that of a bias one sum.
void Executor::list_late_uses(uint32_t id) {
  const Node& node = graph_[id];
  const Item& item = graph_.item(node);
  const std::span<const uint32_t> args = graph_.args(node);
  for (unsigned i = 0; i < args.size(); ++i) {
    if (!t_.marks[args[i]]) continue;
    if (item.is_matrix(node, i)) {
      if (graph_.dim(args[i]).bd == 1) t_.append_use(args[i], &LateLists::outer, id, i);
    } else if (t_.is_added(node, i)) {
      t_.append_use(args[i], &LateLists::added, id, i);
    }
  }
}

/// Decides where gradients lie: as the values do, the members of a merged call one after another.
void Executor::place_gradients() {
  for (uint32_t call = call_count(); call-- > 0;) {
    place_gradients_of(call);
    count_uses(call);
  }
  for (auto it = loose_.rbegin(); it != loose_.rend(); ++it) place_loose(*it);
}

void Executor::place_gradients_of(uint32_t call) {
  StepRecord& step = step_of(call);
  step.gradient = nullptr;
  const std::span nodes = nodes_of(call);
  const bool are_readers = nodes.size() > 1 && graph_[nodes[0]].op->reads_part;
  size_t numbers = 0, apart = 0;
  for (size_t k = 0; k < nodes.size(); ++k) {
    const uint32_t id = nodes[k];
    if (!t_.marks[id]) continue;
    Flow& flow = t_.flow[id];
    if (!flow.is_simple()) choose_mode(id);
    flow.shared = flow.uses == 1 && (flow.passed || flow.in_aux) && !flow.is_matrix;
    if (flow.shared) continue;
    if (are_readers && may_stay_unmade(nodes, k)) {
      flow.stay_unmade();
      continue;
    }
    numbers += graph_.dim(id).size();
    ++apart;
  }
  real* gradient = apart ? gradients_.take<real>(numbers) : nullptr;
  if (apart == step.count) step.gradient = gradient;
  for (uint32_t id : nodes) {
    if (!t_.marks[id]) continue;
    Flow& flow = t_.flow[id];
    if (flow.shared) {
      const uint32_t consumer = flow.last_consumer;
      flow.gradient = flow.in_aux ? t_.place[consumer].aux : t_.flow[consumer].gradient;
      flow.ready = true;
    } else if (!flow.is_unmade()) {
      flow.gradient = gradient;
      gradient += graph_.dim(id).size();
      open_to_views(id);
    }
  }
}

/// True if a node reads a part of another one, as its neighbour in the call does, and a smaller part of it is
/// all that is read in turn: elements of rows of a matrix. Then what it contributes is made late, and so may
/// its gradient be.
bool Executor::may_stay_unmade(std::span<const uint32_t> nodes, size_t k) const {
  constexpr size_t large = 64, parts = 8;
  const uint32_t id = nodes[k], arg = graph_.args(graph_[id])[0];
  const Flow& flow = t_.flow[id];
  const size_t size = graph_.dim(id).size();
  if (!flow.is_simple() || flow.uses == 0 || flow.broadcast || size < large || !t_.marks[arg]) return false;
  const uint32_t reader = flow.last_consumer;
  if (!graph_[reader].op->reads_part || t_.flow[reader].is_unmade()) return false;
  if (size < parts * graph_.dim(reader).size() || !is_made_late(graph_.dim(arg))) return false;
  const auto reads_it = [&](size_t other) {
    return other < nodes.size() && t_.marks[nodes[other]] && graph_.args(graph_[nodes[other]])[0] == arg;
  };
  return reads_it(k + 1) || (k > 0 && reads_it(k - 1));
}

/// Counts the contributions of the members of a call. When all later calls are counted, a node's flow is
/// known.
void Executor::count_uses(uint32_t call) {
  const StepRecord& step = step_of(call);
  const uint32_t number = number_of(call);
  const std::span nodes = nodes_of(call);
  const Node& example = graph_[nodes[0]];
  if (!example.op->differentiable) return;
  const Item& item = graph_.item(example);
  const bool whole = example.op->batching == Batching::nodes;
  const bool one_each = !whole && step.call.count == step.count;  // one batch element, as their arguments
  for (unsigned i = 0; i < example.arg_count; ++i) {
    const bool matrix = item.is_matrix(example, i), passes_on = item.passes(i);
    if (is_shared(step.shared, i)) continue;  // listed as a late use
    const bool may_be_added = passes_on && example.op->has_matrix;
    const bool from_aux = i == 0 && example.op->aux_becomes_gradient;
    const std::span args = t_.arguments(nodes, i, arguments_);
    for (size_t k = 0; k < nodes.size(); ++k) {
      const uint32_t id = nodes[k], arg = args[k];
      if (!t_.marks[id] || !t_.marks[arg] || (may_be_added && t_.is_added(graph_[id], i))) continue;
      Flow& flow = t_.flow[arg];
      bool same = true;
      if (!one_each || matrix) {
        const unsigned batch = graph_.dim(arg).bd, own = graph_.dim(id).bd;
        same = batch == own;
        if (matrix && batch == 1) {
          flow.is_matrix = true;
          continue;
        }
        flow.broadcast |= !whole && batch < own;
        flow.read_whole |= whole && batch > 1;
      }
      if (flow.computed) compare_with_last(flow, id, number);
      flow.computed = true;
      if (step.lane) {
        flow.crossed |= flow.lane && flow.lane != step.lane;
        flow.lane = step.lane;
      }
      ++flow.uses;
      flow.last_consumer = id;
      flow.passed = passes_on && same;
      flow.in_aux = from_aux && same;
    }
  }
}

/// How a further consumer comes after the one counted before it.
void Executor::compare_with_last(Flow& flow, uint32_t id, uint32_t step) const {
  if (flow.last_consumer == id) return;
  const uint32_t last = t_.place[flow.last_consumer].step;
  flow.ordered &= id < flow.last_consumer && step < last;
  flow.apart &= step != last;
}

/// Decides whether a node's contributions wait as parts, and makes room for these. Its source is decided
/// before a view is.
void Executor::choose_mode(uint32_t id) {
  Flow& flow = t_.flow[id];
  if (flow.viewed && !flow.computed) {
    const Cover cover = cover_by_views(id);
    flow.exclusive_views = flow.uses == 1 || cover != Cover::overlapping;
    flow.covered = cover == Cover::whole;
  }
  if (flow.exclusive_views) return;
  flow.slots =
      flow.crossed || waits(flow) || (flow.read_whole && t_.place[id].stride != graph_.dim(id).batch_size());
  if (!flow.slots && !flow.viewed) return;
  flow.first_part = static_cast<uint32_t>(t_.parts.size());
  t_.parts.resize(t_.parts.size() + flow.uses);
}

/// True if contributions cannot be added as they come. Those of views come when the node's gradient is due.
bool Executor::waits(const Flow& flow) const {
  if (flow.uses <= 1) return false;
  if (flow.uses > terms_in_a_row) return true;
  if (flow.broadcast || (!flow.viewed && !flow.apart)) return true;
  return flow.uses > 2 && (!flow.ordered || flow.viewed);
}

/// The gradient of a view or a leaf.
void Executor::place_loose(uint32_t id) {
  const Node& node = graph_[id];
  Flow& flow = t_.flow[id];
  if (node.op->view) {
    const uint32_t source = graph_.args(node)[0];
    if (node.op->differentiable && t_.marks[source]) {
      flow.exclusive = t_.flow[source].exclusive_views;
      if (!flow.exclusive) t_.append_part(source, nullptr, id, id);
    }
    flow.packed = !flow.exclusive;
  }
  choose_mode(id);
  if (flow.exclusive)
    flow.gradient = t_.flow[graph_.args(node)[0]].gradient + graph_.item(node).view_offset;
  else if (node.op->view || flow.uses > 0 || node.op != &parameter_op || id == path_.front())
    flow.gradient = gradients_.take<real>(graph_.dim(node).size());
  open_to_views(id);
}

/// Views that do not overlap write into the gradient of what they show; what none of them covers is zero.
void Executor::open_to_views(uint32_t id) {
  Flow& flow = t_.flow[id];
  if (!flow.exclusive_views) return;
  if (!flow.covered) t_.clear_gradient(id);
  flow.ready = true;
}

void Tables::append_use(uint32_t id, LateList LateLists::* list, uint32_t node, uint32_t arg) {
  const auto at = static_cast<uint32_t>(late_uses.size());
  late_uses.push_back({node, arg, none});
  if (flow[id].late == none) {
    flow[id].late = static_cast<uint32_t>(late_lists.size());
    late_lists.emplace_back();
  }
  LateList& uses = late_lists[flow[id].late].*list;
  (uses.count ? late_uses[uses.last].next : uses.first) = at;
  uses.last = at, ++uses.count;
}

}  // namespace dynet::engine
