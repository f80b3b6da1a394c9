// Which gradients are needed and what contributes to them: one scan from the newest node to the oldest one.
//
// The order in which contributions are added is canonical (by consumer, newest first), whatever the schedule
// was. They are added as they come where that is the canonical order, or where there are at most two, since
// a + b = b + a. Otherwise, and where there are so many that they are summed in runs, each gets a place of
// its own, and they are summed when the gradient is due.
#include "dynet/plan/gradients.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "dynet/plan/gradient_layout.h"
#include "dynet/plan/gradient_order.h"

namespace dynet::engine {
namespace {

class Tracer {
 public:
  Tracer(const Graph& graph, const Tape& tape, Marks& marks, GradientPlan& plan)
      : graph_(graph), tape_(tape), marks_(marks), plan_(plan) {}

  void trace(uint32_t loss, bool full) {
    full_ = full;
    open_ = 0;
    mark(loss);
    plan_.entries[loss] = GradientEntry();
    for (uint32_t id = loss;; id = marks_.next_before(id)) {
      --open_;
      visit(id);
      if (open_ == 0) {
        marks_.leave(id);
        break;
      }
    }
  }

 private:
  static constexpr uint32_t none = GradientPlan::none;

  /// A contribution to a gradient, as its entry knows the last one.
  struct Use {
    uint32_t consumer, edge = 0;
    GradientEntry::Made made = GradientEntry::by_kernel;
    GradientEntry::Consumers consumers;
    uint16_t worker = 0, flags = 0;
  };

  void mark(uint32_t id) {
    marks_.set(id);
    ++open_;
  }
  /// All consumers of a node were visited before it.
  void visit(uint32_t id) {
    const Node& node = graph_[id];
    const Op& op = *node.op;
    plan_.nodes.push_back(id);
    if (op.leaf) return plan_.leaves.push_back(id);
    if (op.view) plan_.views.push_back(id);
    if (op.overwrites_saved) plan_.overwriting.push_back(id);
    if (!op.differentiable) return;
    Use use{.consumer = id, .consumers = op.view ? GradientEntry::views : GradientEntry::kernels};
    if (tape_.is_parallel && !op.view) [[unlikely]]
      use.worker = static_cast<uint16_t>(tape_.entries[tape_.entry_of[id]].worker);
    const Item& item = graph_.item(node);
    const bool one_each = op.batching != Batching::nodes && graph_.dim(node).bd == 1;
    const uint32_t* const args = graph_.args(node).data();
    for (unsigned i = 0, count = node.arg_count; i < count; ++i) {
      const uint32_t arg = args[i];
      const bool is_new = !marks_[arg];
      if (is_new) {
        if (!full_ && !graph_[arg].needs_gradient) continue;
        mark(arg);
      }
      if (item.matrices && defer(node, id, i, is_new)) continue;
      use.edge = node.args + i;
      use.made = made_of(op, item, i);
      if (!one_each) add_batches(use, node, arg);
      if (is_new)
        start(plan_.entries[arg], use);
      else
        count_another(plan_.entries[arg], use);
    }
  }

  /// The gradient of a node that was not met before gets its first contribution. Each field is written where
  /// it stays: a copy of the whole would stall on the forwarding of its halves.
  static void start(GradientEntry& entry, const Use& use) {
    entry.place = {};
    entry.uses = 1;
    entry.consumer = use.consumer, entry.terms = use.edge, entry.deferred = none;
    entry.worker = use.worker;
    entry.accumulation = Accumulation::direct;
    entry.order = GradientEntry::in_order;
    entry.made = use.made, entry.consumers = use.consumers, entry.flags = use.flags;
  }

  /// What the contribution to argument i is made of, where batch sizes are the same.
  static GradientEntry::Made made_of(const Op& op, const Item& item, unsigned i) {
    if (item.identity && !op.view && item.is_identity(i)) return GradientEntry::from_gradient;
    return i == 0 && op.saved_becomes_gradient ? GradientEntry::from_saved : GradientEntry::by_kernel;
  }
  /// What batches make of it.
  [[gnu::noinline]] void add_batches(Use& use, const Node& node, uint32_t arg) const {
    const uint32_t batch = graph_.dim(arg).bd, own = graph_.dim(node).bd;
    if (batch != own) use.made = GradientEntry::by_kernel;
    if (node.op->batching == Batching::nodes)
      use.flags = batch > 1 ? GradientEntry::read_as_one_item : 0;
    else
      use.flags = batch < own ? GradientEntry::broadcast : 0;
  }

  /// Adds a use to those that a gradient has. Several contributions are listed, newest first: the list is a
  /// circle, known by its last one.
  [[gnu::noinline]] void count_another(GradientEntry& entry, const Use& use) {
    if (entry.uses == 0) {
      entry.terms = use.edge;
    } else {
      if (entry.consumers == GradientEntry::kernels && use.consumers == GradientEntry::kernels)
        entry.compare(tape_, entry.consumer, use.consumer);
      if (entry.uses == 1) plan_.list_single(entry);
      const uint32_t term = plan_.add_term(use.consumer, use.edge, use.made == GradientEntry::from_gradient);
      GradientTerm& last = plan_.terms[entry.terms];
      plan_.terms[term].next = last.next;
      last.next = term;
      entry.terms = term;
    }
    ++entry.uses;
    entry.consumer = use.consumer;
    entry.made = use.made;
    entry.consumers = static_cast<GradientEntry::Consumers>(entry.consumers | use.consumers);
    entry.flags |= use.flags;
    if (use.worker)
      entry.worker = !entry.worker || entry.worker == use.worker ? use.worker : GradientEntry::several;
  }

  /// What a matrix gets is one product over all its uses, and a bias one sum. False for other arguments.
  bool defer(const Node& node, uint32_t id, unsigned i, bool is_new) {
    const uint32_t arg = graph_.args(node)[i];
    const bool is_matrix = graph_.item(node).is_matrix(node, i);
    if (is_matrix ? graph_.dim(arg).bd > 1 : !is_added(graph_, node, i)) return false;
    GradientEntry& entry = plan_.entries[arg];
    if (is_new) entry = GradientEntry();
    if (is_matrix) entry.flags |= GradientEntry::matrix;
    if (entry.deferred == none) {
      entry.deferred = static_cast<uint32_t>(plan_.deferred_lists.size());
      plan_.deferred_lists.emplace_back();
    }
    DeferredLists& lists = plan_.deferred_lists[entry.deferred];
    DeferredList& uses = is_matrix ? lists.outer : lists.added;
    const auto at = static_cast<uint32_t>(plan_.deferred_uses.size());
    plan_.deferred_uses.push_back({id, i, none});
    (uses.count ? plan_.deferred_uses[uses.last].next : uses.first) = at;
    uses.last = at, ++uses.count;
    return true;
  }

  const Graph& graph_;
  const Tape& tape_;
  Marks& marks_;
  GradientPlan& plan_;
  bool full_ = false;
  size_t open_ = 0;  // nodes that are marked and not visited yet
};

/// Lists the views of each kernel or leaf.
void link_views(const Graph& graph, const Marks& marks, GradientPlan& plan) {
  for (auto it = plan.views.rbegin(); it != plan.views.rend(); ++it) {
    const uint32_t id = *it, source = graph.args(graph[id])[0];
    ViewList& view = plan.view_lists[id];
    view = {};
    view.origin = !graph[source].op->view ? source
                  : marks[source]         ? plan.view_lists[source].origin
                                          : origin(graph, source);
    if (!marks[view.origin]) continue;
    GradientEntry& entry = plan.entries[view.origin];
    ViewList& list = plan.view_lists[view.origin];
    if (!entry.has(GradientEntry::with_views)) list = {};
    entry.flags |= GradientEntry::with_views;
    view.next = std::exchange(list.first, id);
  }
}

/// Lists the calls in the backward set and their members there. Where these are a small part of all, not all
/// calls are looked at.
void list_calls(const Graph& graph, const Tape& tape, const Marks& marks, GradientPlan& plan) {
  constexpr size_t large_part = 8;
  const auto add = [&](uint32_t number) {
    const TapeEntry& entry = tape.entries[number];
    const auto first = static_cast<uint32_t>(plan.members.size());
    for (const uint32_t id : tape.nodes_of(entry))
      if (marks[id]) plan.members.push_back(id);
    const auto count = static_cast<uint32_t>(plan.members.size()) - first;
    const bool is_whole = count == entry.count;
    if (is_whole) plan.members.resize(first);
    if (count) plan.calls.push_back({number, is_whole ? entry.first : first, count, is_whole, false, {}});
  };
  if (tape.nodes.size() <= large_part * plan.nodes.size()) {
    for (auto number = static_cast<uint32_t>(tape.size()); number-- > 0;) add(number);
    return;
  }
  std::vector<uint32_t>& numbers = plan.scratch;
  for (const uint32_t id : plan.nodes)
    if (!graph[id].op->leaf && !graph[id].op->view) numbers.push_back(tape.entry_of[id]);
  std::ranges::sort(numbers, std::greater<>());
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  for (const uint32_t number : numbers) add(number);
}

}  // namespace

void GradientPlan::clear() {
  size = 0;
  for (auto* list : {&nodes, &views, &leaves, &overwriting, &zeroed, &members, &scratch}) list->clear();
  calls.clear(), terms.clear(), deferred_lists.clear(), deferred_uses.clear();
}

void plan_gradients(const Graph& graph, const Tape& tape, uint32_t loss, bool full, Marks& marks,
                    GradientPlan& plan) {
  plan.clear();
  plan.entries.resize(std::max<size_t>(plan.entries.size(), graph.size()));
  plan.term_of.resize(std::max<size_t>(plan.term_of.size(), graph.edge_count()));
  Tracer(graph, tape, marks, plan).trace(loss, full);
  if (graph.tasks()) order_by_tasks(graph, tape, plan);
  if (!plan.views.empty()) {
    plan.view_lists.resize(std::max<size_t>(plan.view_lists.size(), graph.size()));
    link_views(graph, marks, plan);
  }
  list_calls(graph, tape, marks, plan);
  place_gradients(graph, marks, tape, plan);
}

}  // namespace dynet::engine
