// Each list is sorted by itself: contributions to a gradient, and uses that are delivered at the end.
#include "dynet/plan/gradient_order.h"

#include <algorithm>

namespace dynet::engine {
namespace {

class Sorter {
 public:
  Sorter(const Graph& graph, const Tape& tape, GradientPlan& plan)
      : graph_(graph), tape_(tape), plan_(plan), list_(plan.scratch) {}

  void run() {
    graph_.tasks()->rank();
    for (const uint32_t id : plan_.nodes)
      if (GradientEntry& entry = plan_.entries[id]; entry.uses > 1) sort_terms(entry);
    for (DeferredLists& lists : plan_.deferred_lists) sort_uses(lists.outer), sort_uses(lists.added);
    list_.clear();
  }

 private:
  /// Sorts list_, newest first, by the nodes that its elements belong to; false if it is so already. The
  /// uses of one node stay as they are.
  template <class NodeOf>
  bool sort(NodeOf node_of) {
    const auto place = [&](uint32_t at) { return graph_.tasks()->place(node_of(at)); };
    if (std::ranges::is_sorted(list_, std::greater<>(), place)) return false;
    std::ranges::stable_sort(list_, std::greater<>(), place);
    return true;
  }

  /// The list is a circle, known by its last one.
  void sort_terms(GradientEntry& entry) {
    list_.clear();
    for (uint32_t at = plan_.terms[entry.terms].next;; at = plan_.terms[at].next) {
      list_.push_back(at);
      if (at == entry.terms) break;
    }
    if (!sort([&](uint32_t at) { return plan_.terms[at].consumer; })) return;
    entry.terms = list_.back();
    for (size_t k = 0; k < list_.size(); ++k) plan_.terms[list_[k]].next = list_[(k + 1) % list_.size()];
    entry.consumer = plan_.terms[entry.terms].consumer;
    if (entry.consumers != GradientEntry::kernels) return;
    entry.order = GradientEntry::in_order;
    for (size_t k = 1; k < list_.size(); ++k)
      entry.compare(tape_, plan_.terms[list_[k - 1]].consumer, plan_.terms[list_[k]].consumer);
  }

  void sort_uses(DeferredList& uses) {
    if (uses.count < 2) return;
    list_.clear();
    for (uint32_t at = uses.first; at != GradientPlan::none; at = plan_.deferred_uses[at].next)
      list_.push_back(at);
    if (!sort([&](uint32_t at) { return plan_.deferred_uses[at].node; })) return;
    uses.first = list_.front(), uses.last = list_.back();
    for (size_t k = 0; k + 1 < list_.size(); ++k) plan_.deferred_uses[list_[k]].next = list_[k + 1];
    plan_.deferred_uses[uses.last].next = GradientPlan::none;
  }

  const Graph& graph_;
  const Tape& tape_;
  GradientPlan& plan_;
  std::vector<uint32_t>& list_;
};

}  // namespace

void order_by_tasks(const Graph& graph, const Tape& tape, GradientPlan& plan) {
  Sorter(graph, tape, plan).run();
}

}  // namespace dynet::engine
