// Places gradients call by call, from the newest to the oldest one: when all later calls are done, it is
// known where the gradients of a node's consumers lie.
#include "dynet/plan/gradient_layout.h"

#include <utility>

#include "dynet/device/arena.h"

namespace dynet::engine {
namespace {

class Placer {
 public:
  Placer(const Graph& graph, const Marks& marks, const Tape& tape, GradientPlan& plan)
      : graph_(graph), marks_(marks), tape_(tape), plan_(plan), buffered_(plan.scratch) {}

  void run() {
    for (GradientCall& call : plan_.calls) place_call(call);
    for (auto it = plan_.leaves.rbegin(); it != plan_.leaves.rend(); ++it) place_leaf(*it);
    for (const uint32_t id : plan_.views)
      if (passes_on(id)) plan_.entries[id].accumulation = Accumulation::unmade;
    for (auto it = plan_.views.rbegin(); it != plan_.views.rend(); ++it) place_view(*it);
  }

 private:
  static constexpr uint32_t none = GradientPlan::none;

  enum class Cover : uint8_t { overlapping, partial, whole };

  Location take(size_t numbers) {
    constexpr size_t line = Arena::alignment / sizeof(real);
    const Location at = Location::at(plan_.size);
    plan_.size += (numbers + line - 1) / line * line;
    return at;
  }

  void place_call(GradientCall& call) {
    const std::span nodes = plan_.members_of(call, tape_);
    const bool are_readers = nodes.size() > 1 && graph_[nodes[0]].op->reads_part;
    const Location first = Location::at(plan_.size);
    size_t numbers = 0, apart = 0;
    buffered_.clear();
    for (size_t k = 0; k < nodes.size(); ++k) {
      const uint32_t id = nodes[k];
      GradientEntry& entry = plan_.entries[id];
      const Dim& dim = graph_.dim(id);
      if (!entry.is_simple()) {
        choose(id, entry);
      } else if (entry.uses && entry.made != GradientEntry::by_kernel && !entry.has(GradientEntry::matrix)) {
        take_over(entry);
        continue;
      } else if (are_readers && may_stay_unmade(nodes, k)) {
        entry.accumulation = Accumulation::unmade;
        continue;
      }
      entry.place = first + numbers;
      numbers += dim.size();
      ++apart;
      call.needs_finish |= entry.needs_finish();
    }
    if (apart == nodes.size()) call.gradient = first;
    take(numbers);
    for (const uint32_t id : buffered_) place_terms(id);
  }

  /// The only contribution needs no kernel.
  void take_over(GradientEntry& entry) {
    const bool is_saved = entry.made == GradientEntry::from_saved;
    entry.accumulation = is_saved ? Accumulation::saved : Accumulation::alias;
    entry.place = is_saved ? Location::saved_by(entry.consumer) : plan_.entries[entry.consumer].place;
  }

  void place_leaf(uint32_t id) {
    GradientEntry& entry = plan_.entries[id];
    buffered_.clear();
    if (!entry.is_simple()) choose(id, entry);
    if (entry.uses || graph_[id].op != &parameter_op || id == plan_.nodes[0])
      entry.place = take(graph_.dim(id).size());
    if (!buffered_.empty()) place_terms(id);
  }

  /// The gradient of a view is a place in that of its source, where this is sliced.
  void place_view(uint32_t id) {
    const Node& node = graph_[id];
    GradientEntry& entry = plan_.entries[id];
    const uint32_t source = graph_.args(node)[0];
    const bool is_slice =
        node.op->differentiable && marks_[source] && plan_.entries[source].is(Accumulation::sliced);
    plan_.view_lists[id].stride =
        static_cast<uint32_t>(is_slice ? plan_.stride_of(graph_, source) : graph_.dim(id).batch_size());
    if (entry.is(Accumulation::unmade)) {
      if (!is_slice) return;
      entry.accumulation = Accumulation::direct;
    }
    buffered_.clear();
    if (!entry.is_simple()) choose(id, entry);
    entry.place =
        is_slice ? plan_.entries[source].place + graph_.item(node).view_offset : take(graph_.dim(id).size());
    if (!buffered_.empty()) place_terms(id);
  }

  /// Decides how several contributions come together. What a matrix gets at the end is no part of its views'.
  void choose(uint32_t id, GradientEntry& entry) {
    const bool ends_with_products = entry.deferred != none && graph_[id].op != &parameter_op;
    if (entry.consumers == GradientEntry::views && !ends_with_products) {
      const Cover cover = cover_by_views(id);
      if (entry.uses == 1 || cover != Cover::overlapping) {
        entry.accumulation = Accumulation::sliced;
        if (cover != Cover::whole) plan_.zeroed.push_back(id);
        return;
      }
    }
    if (!needs_buffering(id, entry)) return;
    entry.accumulation = Accumulation::buffered;
    buffered_.push_back(id);
  }

  /// True if contributions cannot be added as they come. Those of views come when the gradient is due.
  bool needs_buffering(uint32_t id, const GradientEntry& entry) const {
    if (entry.has(GradientEntry::read_as_one_item) &&
        plan_.stride_of(graph_, id) != graph_.dim(id).batch_size())
      return true;
    if (entry.worker == GradientEntry::several || entry.consumers & GradientEntry::views) return true;
    if (entry.uses <= 1) return false;
    if (entry.uses > terms_in_a_row || entry.has(GradientEntry::broadcast) ||
        entry.order == GradientEntry::in_one_call)
      return true;
    return entry.uses > 2 && entry.order != GradientEntry::in_order;
  }

  /// Gives contributions their places, but for those that are gradients themselves, and those that are made
  /// when they are added.
  void place_terms(uint32_t id) {
    GradientEntry& entry = plan_.entries[id];
    if (entry.uses == 1) plan_.list_single(entry);
    GradientTerm& oldest = plan_.terms[entry.terms];
    entry.terms = oldest.next;
    oldest.next = GradientTerm::none;
    const size_t size = graph_.dim(id).size();
    for (uint32_t at = entry.terms; at != GradientTerm::none; at = plan_.terms[at].next) {
      GradientTerm& term = plan_.terms[at];
      if (term.is_gradient)
        term.from = plan_.entries[term.consumer].place;
      else if (!graph_[term.consumer].op->view && !is_made_when_added(term.consumer, id, entry.uses))
        term.from = take(size);
      if (term.from.is_none()) entry.flags |= GradientEntry::unplaced_terms;
    }
  }

  /// Contributions of readers of a part to small nodes are made together with those to others, if there are
  /// few: calls cost more than memory. It is no matter of numbers, which are the same.
  bool is_made_when_added(uint32_t reader, uint32_t arg, uint32_t uses) const {
    constexpr size_t small = 64;
    constexpr uint32_t few = 8;
    if (!graph_[reader].op->reads_part) return false;
    const Dim& dim = graph_.dim(arg);
    return is_large(dim) || (dim.size() >= small && uses > few);
  }
  /// Whether what readers contribute to a node of this shape is made when it is added, however few they are.
  static bool is_large(const Dim& dim) { return dim.size() >= 512; }

  /// True if a node reads a part of another one, as its neighbour in the call does, and a smaller part of it
  /// is all that is read in turn: elements of rows of a matrix. Then what it contributes is made when it is
  /// added, and so may its gradient be.
  bool may_stay_unmade(std::span<const uint32_t> nodes, size_t k) const {
    constexpr size_t large = 64, parts = 8;
    const uint32_t id = nodes[k], arg = graph_.args(graph_[id])[0];
    const GradientEntry& entry = plan_.entries[id];
    const size_t size = graph_.dim(id).size();
    if (entry.uses == 0 || entry.deferred != none || entry.has(GradientEntry::broadcast)) return false;
    if (size < large || !marks_[arg]) return false;
    const uint32_t reader = entry.consumer;
    if (!graph_[reader].op->reads_part || plan_.entries[reader].is(Accumulation::unmade)) return false;
    if (size < parts * graph_.dim(reader).size() || !is_large(graph_.dim(arg))) return false;
    const auto reads_it = [&](size_t other) {
      return other < nodes.size() && graph_.args(graph_[nodes[other]])[0] == arg;
    };
    return reads_it(k + 1) || (k > 0 && reads_it(k - 1));
  }

  /// True if a view shows all of a large node, and one other node reads a small part of it, itself or through
  /// such views: a range of a reshape. Where the node gets other contributions, too, that part is what the
  /// view contributes. Newer views were asked before.
  bool passes_on(uint32_t id) const {
    constexpr size_t parts = 8;
    const GradientEntry& entry = plan_.entries[id];
    if (entry.uses != 1 || entry.deferred != none || entry.has(GradientEntry::broadcast)) return false;
    const Node &node = graph_[id], &reader = graph_[entry.consumer];
    const uint32_t source = graph_.args(node)[0];
    const Dim &dim = graph_.dim(node), &shown = graph_.dim(source), &read = graph_.dim(reader);
    if (!node.op->differentiable || !marks_[source] || !is_large(dim)) return false;
    if (dim.size() != shown.size() || dim.bd != shown.bd || dim.bd != read.bd) return false;
    if (reader.op->view && dim.size() == read.size())
      return plan_.entries[entry.consumer].is(Accumulation::unmade);
    return dim.size() >= parts * read.size() && (reader.op->view || reader.op->reads_part);
  }

  /// How the views of a node that are in the backward set, which are among those of its origin, lie in it.
  Cover cover_by_views(uint32_t id) const {
    constexpr unsigned most = 8, most_seen = 64;  // cheap for the halves and quarters of a cell's state
    size_t from[most], to[most], covered = 0;
    unsigned n = 0, seen = 0;
    const uint32_t root = graph_[id].op->view ? plan_.view_lists[id].origin : id;
    if (!marks_[root]) return Cover::overlapping;
    for (uint32_t v = plan_.view_lists[root].first; v != none; v = plan_.view_lists[v].next) {
      if (++seen > most_seen) return Cover::overlapping;
      if (graph_.args(graph_[v])[0] != id) continue;
      if (n == most) return Cover::overlapping;
      from[n] = graph_.item(v).view_offset;
      to[n] = from[n] + graph_.dim(v).batch_size();
      covered += to[n] - from[n];
      for (unsigned k = 0; k < n; ++k)
        if (from[n] < to[k] && from[k] < to[n]) return Cover::overlapping;
      ++n;
    }
    return covered == graph_.dim(id).batch_size() ? Cover::whole : Cover::partial;
  }

  const Graph& graph_;
  const Marks& marks_;
  const Tape& tape_;
  GradientPlan& plan_;
  std::vector<uint32_t>& buffered_;  // of a call: those whose contributions get places of their own
};

}  // namespace

void place_gradients(const Graph& graph, const Marks& marks, const Tape& tape, GradientPlan& plan) {
  Placer(graph, marks, tape, plan).run();
}

}  // namespace dynet::engine
