// Where gradients flow: which nodes need one, where it lies, and in what order contributions are added.
//
// The order is canonical (by consumer, newest first), whatever the schedule was. Contributions are added as
// they come where that is the canonical order, or where there are at most two, since a + b = b + a.
// Otherwise, and where there are so many that they are summed in runs, each gets a place of its own (a
// partial gradient), and they are summed when the node's gradient is due.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet::engine {

/// Marks what needs a gradient, newest first, and lists the uses as a matrix. Other uses by kernels are
/// counted later, call by call.
void Executor::trace(uint32_t loss, bool full) {
  backward_set_.clear(), views_and_leaves_.clear(), memory_.partials.clear(), memory_.deferred_uses.clear(),
      memory_.deferred_lists.clear();
  gradients_.reset();
  workers_.forget_gradients();
  memory_.gradients.resize(graph_.size());
  again_.clear();
  memory_.marks.set(loss);
  memory_.gradients[loss] = {};
  size_t open = 1;
  bool has_views = false;
  for (uint32_t id = loss;; id = memory_.marks.next_before(id)) {
    --open;
    backward_set_.push_back(id);
    const Node& node = graph_[id];
    const std::span<const uint32_t> args = graph_.args(node);
    if (node.op->leaf || node.op->view) views_and_leaves_.push_back(id), has_views |= node.op->view;
    if (node.op->overwrites_saved) {
      if (done_[id] & consumed) again_.push_back(id);
      done_[id] |= consumed;
    }
    if (node.op->differentiable) {
      for (uint32_t arg : args) {
        if (memory_.marks[arg] || !(full || graph_[arg].needs_gradient)) continue;
        memory_.marks.set(arg);
        memory_.gradients[arg] = {};
        ++open;
      }
      if (node.op->view && memory_.marks[args[0]]) {
        ++memory_.gradients[args[0]].uses, memory_.gradients[args[0]].viewed = true;
      } else if (graph_.item(node).matrices) {
        list_deferred_uses(id);
      }
    }
    if (open == 0) {
      memory_.marks.leave(id);
      break;
    }
  }
  if (has_views) link_views();
  list_calls();
}

/// Lists the calls in the backward set and their members there, unless these are a large part of all: then
/// all calls are looked at.
void Executor::list_calls() {
  constexpr size_t large_part = 8;
  few_calls_ = memory_.tape_nodes.size() > large_part * backward_set_.size();
  if (!few_calls_) return;
  members_.clear(), calls_.clear();
  for (auto id = backward_set_.rbegin(); id != backward_set_.rend(); ++id)
    if (!graph_[*id].op->leaf && !graph_[*id].op->view) members_.push_back(*id);
  std::ranges::stable_sort(members_, {}, [&](uint32_t id) { return memory_.buffers[id].step; });
  for (uint32_t i = 0; i < members_.size(); ++i) {
    const uint32_t step = memory_.buffers[members_[i]].step;
    if (calls_.empty() || calls_.back().step != step) calls_.push_back({step, i, 0});
    ++calls_.back().count;
  }
  // A call that is in the backward set as a whole has its members in their order.
  for (const CallPart& call : calls_)
    if (call.count == memory_.tape[call.step].count)
      std::ranges::copy(memory_.nodes_of(memory_.tape[call.step]), members_.begin() + call.first);
}

/// The gradient of a matrix is one product over all its uses, that of a bias one sum.
void Executor::list_deferred_uses(uint32_t id) {
  const Node& node = graph_[id];
  const Item& item = graph_.item(node);
  const std::span<const uint32_t> args = graph_.args(node);
  for (unsigned i = 0; i < args.size(); ++i) {
    if (!memory_.marks[args[i]]) continue;
    if (item.is_matrix(node, i)) {
      if (graph_.dim(args[i]).bd == 1) memory_.append_use(args[i], &DeferredLists::outer, id, i);
    } else if (memory_.is_added(node, i)) {
      memory_.append_use(args[i], &DeferredLists::added, id, i);
    }
  }
}

/// Decides where gradients lie: as the values do, the members of a merged call one after another.
void Executor::place_gradients() {
  for (uint32_t call = call_count(); call-- > 0;) {
    place_gradients_of(call);
    count_uses(call);
  }
  for (auto it = views_and_leaves_.rbegin(); it != views_and_leaves_.rend(); ++it) place_view_or_leaf(*it);
}

void Executor::place_gradients_of(uint32_t call) {
  TapeEntry& step = step_of(call);
  step.gradient = nullptr;
  const std::span nodes = nodes_of(call);
  const bool are_readers = nodes.size() > 1 && graph_[nodes[0]].op->reads_part;
  size_t numbers = 0, apart = 0;
  for (size_t k = 0; k < nodes.size(); ++k) {
    const uint32_t id = nodes[k];
    if (!memory_.marks[id]) continue;
    GradientEntry& entry = memory_.gradients[id];
    if (!entry.is_simple()) choose_mode(id);
    entry.aliases_consumer = entry.uses == 1 && (entry.is_identity || entry.in_saved) && !entry.is_matrix;
    if (entry.aliases_consumer) continue;
    if (are_readers && may_stay_unmade(nodes, k)) {
      entry.stay_unmade();
      continue;
    }
    numbers += graph_.dim(id).size();
    ++apart;
  }
  real* gradient = apart ? gradients_.take<real>(numbers) : nullptr;
  if (apart == step.count) step.gradient = gradient;
  for (uint32_t id : nodes) {
    if (!memory_.marks[id]) continue;
    GradientEntry& entry = memory_.gradients[id];
    if (entry.aliases_consumer) {
      const uint32_t consumer = entry.last_consumer;
      entry.gradient =
          entry.in_saved ? memory_.buffers[consumer].saved : memory_.gradients[consumer].gradient;
      entry.ready = true;
    } else if (!entry.is_unmade()) {
      entry.gradient = gradient;
      gradient += graph_.dim(id).size();
      open_to_views(id);
    }
  }
}

/// True if a node reads a part of another one, as its neighbour in the call does, and a smaller part of it is
/// all that is read in turn: elements of rows of a matrix. Then what it contributes is deferred, and so may
/// its gradient be.
bool Executor::may_stay_unmade(std::span<const uint32_t> nodes, size_t k) const {
  constexpr size_t large = 64, parts = 8;
  const uint32_t id = nodes[k], arg = graph_.args(graph_[id])[0];
  const GradientEntry& entry = memory_.gradients[id];
  const size_t size = graph_.dim(id).size();
  if (!entry.is_simple() || entry.uses == 0 || entry.broadcast || size < large || !memory_.marks[arg])
    return false;
  const uint32_t reader = entry.last_consumer;
  if (!graph_[reader].op->reads_part || memory_.gradients[reader].is_unmade()) return false;
  if (size < parts * graph_.dim(reader).size() || !is_deferred(graph_.dim(arg))) return false;
  const auto reads_it = [&](size_t other) {
    return other < nodes.size() && memory_.marks[nodes[other]] && graph_.args(graph_[nodes[other]])[0] == arg;
  };
  return reads_it(k + 1) || (k > 0 && reads_it(k - 1));
}

/// Counts the contributions of the members of a call. When all later calls are counted, a node's entry is
/// complete.
void Executor::count_uses(uint32_t call) {
  const TapeEntry& step = step_of(call);
  const uint32_t number = number_of(call);
  const std::span nodes = nodes_of(call);
  const Node& example = graph_[nodes[0]];
  if (!example.op->differentiable) return;
  const Item& item = graph_.item(example);
  const bool whole = example.op->batching == Batching::nodes;
  const bool one_each = !whole && step.call.count == step.count;  // one batch element, as their arguments
  for (unsigned i = 0; i < example.arg_count; ++i) {
    const bool matrix = item.is_matrix(example, i), passes_on = item.is_identity(i);
    if (is_shared_parameter(step.shared, i)) continue;  // listed as a deferred use
    const bool may_be_added = passes_on && example.op->has_matrix;
    const bool from_aux = i == 0 && example.op->saved_becomes_gradient;
    const std::span args = memory_.arguments(nodes, i, arguments_);
    for (size_t k = 0; k < nodes.size(); ++k) {
      const uint32_t id = nodes[k], arg = args[k];
      if (!memory_.marks[id] || !memory_.marks[arg] || (may_be_added && memory_.is_added(graph_[id], i)))
        continue;
      GradientEntry& entry = memory_.gradients[arg];
      bool same = true;
      if (!one_each || matrix) {
        const unsigned batch = graph_.dim(arg).bd, own = graph_.dim(id).bd;
        same = batch == own;
        if (matrix && batch == 1) {
          entry.is_matrix = true;
          continue;
        }
        entry.broadcast |= !whole && batch < own;
        entry.read_as_one_item |= whole && batch > 1;
      }
      if (entry.computed) compare_with_last(entry, id, number);
      entry.computed = true;
      if (step.worker) {
        entry.from_several_workers |= entry.worker && entry.worker != step.worker;
        entry.worker = step.worker;
      }
      ++entry.uses;
      entry.last_consumer = id;
      entry.is_identity = passes_on && same;
      entry.in_saved = from_aux && same;
    }
  }
}

/// How a further consumer comes after the one counted before it.
void Executor::compare_with_last(GradientEntry& entry, uint32_t id, uint32_t step) const {
  if (entry.last_consumer == id) return;
  const uint32_t last = memory_.buffers[entry.last_consumer].step;
  entry.in_order &= id < entry.last_consumer && step < last;
  entry.in_distinct_steps &= step != last;
}

/// Decides whether a node's contributions wait as partial gradients, and makes room for these. Its source is
/// decided before a view is.
void Executor::choose_mode(uint32_t id) {
  GradientEntry& entry = memory_.gradients[id];
  if (entry.viewed && !entry.computed) {
    const Cover cover = cover_by_views(id);
    entry.disjoint_views = entry.uses == 1 || cover != Cover::overlapping;
    entry.fully_covered = cover == Cover::whole;
  }
  if (entry.disjoint_views) return;
  entry.buffered = entry.from_several_workers || needs_buffering(entry) ||
                   (entry.read_as_one_item && memory_.buffers[id].stride != graph_.dim(id).batch_size());
  if (!entry.buffered && !entry.viewed) return;
  entry.first_partial = static_cast<uint32_t>(memory_.partials.size());
  memory_.partials.resize(memory_.partials.size() + entry.uses);
}

/// True if contributions cannot be added as they come. Those of views come when the node's gradient is due.
bool Executor::needs_buffering(const GradientEntry& entry) const {
  if (entry.uses <= 1) return false;
  if (entry.uses > terms_in_a_row) return true;
  if (entry.broadcast || (!entry.viewed && !entry.in_distinct_steps)) return true;
  return entry.uses > 2 && (!entry.in_order || entry.viewed);
}

/// The gradient of a view or a leaf.
void Executor::place_view_or_leaf(uint32_t id) {
  const Node& node = graph_[id];
  GradientEntry& entry = memory_.gradients[id];
  if (node.op->view) {
    const uint32_t source = graph_.args(node)[0];
    if (node.op->differentiable && memory_.marks[source]) {
      entry.in_source = memory_.gradients[source].disjoint_views;
      if (!entry.in_source) memory_.append_partial(source, nullptr, id, id);
    }
    entry.packed = !entry.in_source;
  }
  choose_mode(id);
  if (entry.in_source)
    entry.gradient = memory_.gradients[graph_.args(node)[0]].gradient + graph_.item(node).view_offset;
  else if (node.op->view || entry.uses > 0 || node.op != &parameter_op || id == backward_set_.front())
    entry.gradient = gradients_.take<real>(graph_.dim(node).size());
  open_to_views(id);
}

/// Views that do not overlap write into the gradient of what they show; what none of them covers is zero.
void Executor::open_to_views(uint32_t id) {
  GradientEntry& entry = memory_.gradients[id];
  if (!entry.disjoint_views) return;
  if (!entry.fully_covered) memory_.clear_gradient(id);
  entry.ready = true;
}

void RunMemory::append_use(uint32_t id, DeferredList DeferredLists::* list, uint32_t node, uint32_t arg) {
  const auto at = static_cast<uint32_t>(deferred_uses.size());
  deferred_uses.push_back({node, arg, none});
  if (gradients[id].deferred == none) {
    gradients[id].deferred = static_cast<uint32_t>(deferred_lists.size());
    deferred_lists.emplace_back();
  }
  DeferredList& uses = deferred_lists[gradients[id].deferred].*list;
  (uses.count ? deferred_uses[uses.last].next : uses.first) = at;
  uses.last = at, ++uses.count;
}

}  // namespace dynet::engine
