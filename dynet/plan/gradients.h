// GRADIENTS: which nodes get one, where it lies, and how contributions come together. A pure function of the
// graph and its tape.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "dynet/plan/needed.h"
#include "dynet/plan/tape.h"

namespace dynet::engine {

/// Where numbers of a backward pass lie: so far into its memory, or where a node has saved something.
class Location {
 public:
  constexpr Location() = default;  // nowhere
  static constexpr Location at(uint64_t offset) { return Location(offset); }
  static constexpr Location saved_by(uint32_t node) { return Location(in_saved | node); }

  bool is_none() const { return word_ == none; }
  /// Not in the memory of the pass: nowhere, or where a node has saved something.
  bool is_elsewhere() const { return word_ >= in_saved; }
  uint64_t offset() const { return word_; }
  uint32_t node() const { return static_cast<uint32_t>(word_); }
  Location operator+(uint64_t numbers) const { return Location(word_ + numbers); }
  bool operator==(const Location&) const = default;

 private:
  static constexpr uint64_t none = ~uint64_t{0}, in_saved = uint64_t{1} << 63;
  explicit constexpr Location(uint64_t word) : word_(word) {}

  uint64_t word_ = none;
};

/// How the contributions to a gradient come together.
enum class Accumulation : uint8_t {
  direct,    // each is added to the gradient as it comes
  buffered,  // each has a place of its own; they are summed in canonical order when the gradient is due
  alias,     // the gradient of the only consumer is the contribution
  saved,     // what the only consumer has saved becomes the contribution
  sliced,    // they come from views that do not overlap, whose gradients are places in this one
  unmade,    // it comes from a reader or view of a part, and is made for as long as something reads it
};

/// A contribution to a gradient that gets several of them. One without a place is made when it is added, or
/// is the gradient of a view.
struct GradientTerm {
  static constexpr uint32_t none = ~0u;

  Location from;
  uint32_t consumer : 31;
  uint32_t is_gradient : 1;  // of the consumer
  uint32_t next;             // older
};

/// The gradient of one node.
struct GradientEntry {
  static constexpr uint32_t none = ~0u;
  static constexpr uint16_t several = 0xFFFF;
  enum Consumers : uint8_t { nobody = 0, kernels = 1, views = 2, both = 3 };
  /// How the calls of its consumers, newest first, run: one after another, or at least in distinct calls.
  enum Order : uint8_t { in_order, in_distinct_calls, in_one_call };
  /// What the contribution of the last consumer is made of.
  enum Made : uint8_t { by_kernel, from_gradient, from_saved };
  enum Flags : uint16_t {
    broadcast = 1,         // some consumer repeats it along the batch
    read_as_one_item = 2,  // some consumer reads all batch elements as one item
    matrix = 4,            // some consumer uses it as a matrix
    with_views = 8,        // views of its memory need gradients
    unplaced_terms = 16    // some are made when they are added, or are gradients of views
  };

  Location place;
  uint32_t uses = 0;         // contributions, by kernels (not as a matrix) and views
  uint32_t consumer = none;  // the oldest one
  uint32_t terms = none;     // the newest of several contributions; of a single one, its edge
  uint32_t deferred = none;  // uses that are delivered at the end, in deferred_lists
  uint16_t worker = 0;       // of the consumers, 0: none, or several
  Accumulation accumulation = Accumulation::direct;
  Order order = in_order;
  Made made = by_kernel;
  Consumers consumers = nobody;
  uint16_t flags = 0;

  bool is(Accumulation a) const { return accumulation == a; }
  bool has(Flags f) const { return flags & f; }
  /// Contributions are added in memory of its own.
  bool is_summed() const { return is(Accumulation::direct) || is(Accumulation::buffered); }
  /// Notes how a kernel comes after the one counted before it.
  void compare(const Tape& tape, uint32_t last, uint32_t kernel) {
    if (last == kernel) return;
    const uint32_t call = tape.entry_of[kernel], call_before = tape.entry_of[last];
    if (call == call_before)
      order = in_one_call;
    else if (call > call_before)
      order = std::max(order, in_distinct_calls);
  }
  /// One contribution at most, and from a kernel.
  bool is_simple() const { return uses <= 1 && !(consumers & views) && !has(read_as_one_item); }
  /// When all consumers have contributed, something is left to be done.
  bool needs_finish() const {
    if (has(with_views) || deferred != none) return true;
    return is(Accumulation::buffered) || (is(Accumulation::direct) && uses == 0);
  }
};
static_assert(sizeof(GradientEntry) == 32, "two of them lie in a cache line");

/// The views of a node's memory as a list, newest first.
struct ViewList {
  static constexpr uint32_t none = ~0u;

  uint32_t origin = none;  // of a view: the node whose memory it shows
  uint32_t stride = 0;     // of a view's gradient, from batch element to batch element
  uint32_t first = none, next = none;
};

/// A use that is delivered at the end: argument `arg` of `node`.
struct DeferredUse {
  uint32_t node, arg, next;
};
/// Such uses, newest consumer first.
struct DeferredList {
  uint32_t first = ~0u, last = ~0u, count = 0;
};
struct DeferredLists {
  DeferredList outer;  // as a matrix
  DeferredList added;  // of a parameter: uses whose gradients are contributions as they are
};

/// What the members of a call do in the backward pass that are in the backward set.
struct GradientCall {
  uint32_t entry;         // of the tape
  uint32_t first, count;  // members: of the plan, or, of a whole call, of the tape
  bool is_whole;
  bool needs_finish;  // of a member's gradient
  Location gradient;  // where those of all members lie one after another
};

/// What a backward pass does, from the newest call to the oldest one.
struct GradientPlan {
  static constexpr uint32_t none = ~0u;

  size_t size = 0;                    // numbers that the pass needs
  std::vector<uint32_t> nodes;        // the backward set, newest first
  std::vector<uint32_t> views;        // of these, newest first
  std::vector<uint32_t> leaves;       // of these, newest first
  std::vector<uint32_t> overwriting;  // those whose backward pass overwrites what they saved, newest first
  std::vector<uint32_t> zeroed;       // those that start at zero
  std::vector<GradientCall> calls;    // newest first
  std::vector<uint32_t> members;      // of calls that are not whole
  // by node, valid for those of the backward set; lists of views for views and for nodes with views
  std::vector<GradientEntry> entries;
  std::vector<ViewList> view_lists;
  std::vector<GradientTerm> terms;
  std::vector<uint32_t> term_of;  // by edge, valid where an argument's contributions have terms
  std::vector<DeferredLists> deferred_lists;
  std::vector<DeferredUse> deferred_uses;
  std::vector<uint32_t> scratch;  // of the planner

  void clear();
  const GradientEntry& operator[](uint32_t id) const { return entries[id]; }
  std::span<const uint32_t> members_of(const GradientCall& call, const Tape& tape) const {
    return std::span(call.is_whole ? tape.nodes : members).subspan(call.first, call.count);
  }
  /// Adds a term for an edge of the graph.
  uint32_t add_term(uint32_t consumer, uint32_t edge, bool is_gradient) {
    GradientTerm& term = terms.emplace_back();
    term.consumer = consumer, term.is_gradient = is_gradient, term.next = GradientTerm::none;
    return term_of[edge] = static_cast<uint32_t>(terms.size() - 1);
  }
  /// Lists the only contribution to a gradient, which was known by its edge.
  void list_single(GradientEntry& entry) {
    const uint32_t term = add_term(entry.consumer, entry.terms, entry.made == GradientEntry::from_gradient);
    entry.terms = terms[term].next = term;
  }
  /// The distance between batch elements of a gradient: they lie apart where it is a place in that of a
  /// source.
  size_t stride_of(const Graph& graph, uint32_t id) const {
    return graph[id].op->view ? view_lists[id].stride : graph.dim(id).batch_size();
  }
  DeferredLists deferred_of(uint32_t id) const {
    return entries[id].deferred == none ? DeferredLists{} : deferred_lists[entries[id].deferred];
  }
};

/// Plans the backward pass from `loss`. Marks, of which there are none before, are left at the nodes of the
/// backward set: those that lead to what is learned, or all that the loss depends on (`full`).
void plan_gradients(const Graph& graph, const Tape& tape, uint32_t loss, bool full, Marks& marks,
                    GradientPlan& plan);

/// True if the contribution of a node to its argument i is the node's gradient as it is.
inline bool is_identity(const Graph& graph, const Node& node, unsigned i) {
  if (!graph.item(node).is_identity(i)) return false;
  const Node& arg = graph[graph.args(node)[i]];
  return arg.dim_id == node.dim_id || graph.dim(arg).bd == graph.dim(node).bd;
}

/// True if this is a parameter that is added to products: a bias, which has many uses.
inline bool is_added(const Graph& graph, const Node& node, unsigned i) {
  return node.op->has_matrix && graph[graph.args(node)[i]].op == &parameter_op && is_identity(graph, node, i);
}

}  // namespace dynet::engine
