// Writes calls by operation and members, and gradients by place, accumulation and consumers.
#include "dynet/plan/describe.h"

namespace dynet::engine {
namespace {

class GradientText {
 public:
  GradientText(const Graph& graph, const GradientPlan& plan, std::ostream& out)
      : graph_(graph), plan_(plan), out_(out) {}

  void write(uint32_t id) {
    const GradientEntry& entry = plan_[id];
    out_ << "v" << id << " " << graph_.dim(id) << ": ";
    write_sum(id, entry);
    const DeferredLists deferred = plan_.deferred_of(id);
    write_uses(deferred.outer, "product over uses as a matrix in ");
    write_uses(deferred.added, "sum over uses as a bias in ");
    if (!entry.place.is_elsewhere()) out_ << ", at " << entry.place.offset();
    out_ << '\n';
  }

 private:
  void write_sum(uint32_t id, const GradientEntry& entry) {
    switch (entry.accumulation) {
      case Accumulation::direct:
        if (id == plan_.nodes[0]) out_ << "1, the loss";
        if (entry.uses > 0) write_consumers("from ", entry, false);
        return;
      case Accumulation::buffered: return write_consumers("sum, when all are there, from ", entry, true);
      case Accumulation::alias: out_ << "the gradient of v" << entry.consumer << " as it is"; return;
      case Accumulation::saved: out_ << "what v" << entry.consumer << " has saved becomes it"; return;
      case Accumulation::sliced: return write_views(id);
      case Accumulation::unmade: out_ << "made by v" << entry.consumer << " whenever it is read"; return;
    }
  }

  /// Newest first. The terms of a gradient that has no places for them are a circle known by its last one.
  void write_consumers(const char* before, const GradientEntry& entry, bool is_list) {
    if (entry.uses == 1 && !is_list) {
      out_ << before << "v" << entry.consumer;
      return;
    }
    const uint32_t first = is_list ? entry.terms : plan_.terms[entry.terms].next;
    uint32_t at = first;
    do {
      out_ << before << "v" << plan_.terms[at].consumer;
      before = ", ";
      at = plan_.terms[at].next;
    } while (at != GradientTerm::none && at != first);
  }

  void write_views(uint32_t id) {
    const char* between = "put together by its views ";
    const uint32_t root = graph_[id].op->view ? plan_.view_lists[id].origin : id;
    for (uint32_t v = plan_.view_lists[root].first; v != ViewList::none; v = plan_.view_lists[v].next) {
      if (graph_.args(graph_[v])[0] != id) continue;
      out_ << between << "v" << v;
      between = ", ";
    }
  }

  void write_uses(const DeferredList& uses, const char* between) {
    for (uint32_t at = uses.first, k = 0; k < uses.count; ++k, at = plan_.deferred_uses[at].next) {
      out_ << between << "v" << plan_.deferred_uses[at].node;
      between = ", ";
    }
  }

  const Graph& graph_;
  const GradientPlan& plan_;
  std::ostream& out_;
};

}  // namespace

void describe_calls(const Graph& graph, const Tape& tape, std::ostream& out) {
  for (uint32_t call = 0; call < tape.size(); ++call) {
    const char* between = " of v";
    out << call << ": " << graph[tape.nodes_of(call)[0]].op->name;
    for (const uint32_t id : tape.nodes_of(call)) {
      out << between << id;
      between = ", v";
    }
    if (const TapeEntry& entry = tape.entries[call]; entry.worker > 0) out << " by worker " << entry.worker;
    out << '\n';
  }
}

void describe_gradients(const Graph& graph, const GradientPlan& plan, std::ostream& out) {
  GradientText text(graph, plan, out);
  for (const uint32_t id : plan.nodes) text.write(id);
}

}  // namespace dynet::engine
