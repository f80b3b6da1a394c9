// What is known of each node of a graph that is being run. Threads that run parts of it share this memory.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "dynet/device/arena.h"
#include "dynet/graph/graph.h"
#include "dynet/plan/needed.h"
#include "dynet/run/settings.h"

namespace dynet::engine {

/// Where what belongs to a node lies; its gradient is part of its gradient entry.
struct Buffers {
  real* value = nullptr;
  real* saved = nullptr;
  real* workspace = nullptr;
  uint32_t stride = 0;  // from batch element to batch element; larger than an element for views
  uint32_t step = 0;    // the call that computed it
};

/// A merged call that was run.
struct TapeEntry {
  uint32_t first = 0, count = 0;  // in order
  uint32_t section = 0;           // calls of one section and of several workers ran side by side
  uint32_t worker = 0;            // 0: alone
  uint32_t shared = 0;            // bit i: argument i is one parameter for all, as in Step
  Call call;                      // as it was run; count 0 where that is no longer known
  real* gradient = nullptr;       // of all members, if these lie one after another

  TapeEntry() {
    call.count = 0, call.accumulate = false;
  }  // the rest of a call is not read before it is made
};

/// How the gradient of a node of the last backward pass comes together, and where it lies.
struct GradientEntry {
  static constexpr uint32_t none = ~0u;

  real* gradient = nullptr;
  uint32_t uses = 0;                              // contributions, by kernels (not as a matrix) and views
  uint32_t last_consumer = none;                  // the oldest kernel counted so far
  uint32_t first_partial = 0, partial_count = 0;  // contributions that wait, in partials
  uint32_t deferred = none;                       // uses that are delivered at the end, in deferred_lists
  uint32_t worker : 14 = 0;                       // of the consumers, if they are all in one
  bool viewed : 1 = false;                        // views contribute
  bool computed : 1 = false;                      // kernels contribute
  bool is_identity : 1 = false;                   // the gradient of the last consumer is its contribution
  bool in_saved : 1 = false;                      // what the last consumer saved becomes its contribution
  bool in_order : 1 = true;               // the calls of its consumers, newest first, run one after another
  bool in_distinct_steps : 1 = true;      // no two of its consumers run in one call
  bool from_several_workers : 1 = false;  // consumers run side by side
  bool is_matrix : 1 = false;             // some consumer uses it as a matrix
  bool aliases_consumer : 1 = false;      // its gradient is that of its only consumer
  bool broadcast : 1 = false;             // some consumer repeats it along the batch
  bool read_as_one_item : 1 = false;      // some consumer reads all batch elements as one item
  bool buffered : 1 = false;              // contributions wait as partial gradients
  bool has_views : 1 = false;             // views of its memory need gradients
  bool disjoint_views : 1 = false;        // it is read through views only, and they do not overlap
  bool fully_covered : 1 = false;         // these views show all of it
  bool in_source : 1 = false;             // a view whose gradient lies in that of its source
  bool packed : 1 = false;                // the gradient has no gaps although the value has
  bool ready : 1 = false;                 // the memory of the gradient holds a sum, of nothing at first

  /// The gradient is that of a reader, which is made for as long as what it contributes is (readers.cc).
  bool is_unmade() const { return !gradient && first_partial == none; }
  void stay_unmade() { first_partial = none, gradient = nullptr, ready = true; }
  /// One contribution at most, and from a kernel: it comes as it is.
  bool is_simple() const { return uses <= 1 && !viewed && !read_as_one_item; }
  /// Nothing has to be added to the memory of the gradient before it is read.
  bool is_complete() const { return ready && !has_views && partial_count == 0 && deferred == none; }
};
static_assert(sizeof(Buffers) == 32 && sizeof(GradientEntry) == 32, "two of each lie in a cache line");

/// The views of a node's memory as a list, newest first.
struct Views {
  static constexpr uint32_t none = ~0u;

  uint32_t origin = none;  // of a view: the node whose memory it shows
  uint32_t first = none, last = none, next = none;
};

/// A contribution that waits to be added in canonical order.
struct Partial {
  static constexpr uint32_t none = ~0u;

  const real* from;   // laid out as the node, without gaps; null: made when it is added
  uint32_t view;      // or the gradient of this view of the node
  uint32_t consumer;  // who contributes
  uint32_t number;    // among the partials of its node

  bool is_unmade() const { return !from && view == none; }
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

/// Values of parameters, which may be removed in another order than they came.
class ParameterMemory {
 public:
  real* take(size_t size);
  void give_back(real* memory, size_t size) { spare_.push_back({memory, size}); }
  void reset() { arena_.reset(), spare_.clear(); }

 private:
  struct Block {
    real* memory;
    size_t size;
  };
  Arena arena_{Arena::numbers};
  std::vector<Block> spare_;
};

/// Whether what readers contribute to a node of this shape is deferred, however few they are.
inline bool is_deferred(const Dim& dim) { return dim.size() >= 512; }

struct RunMemory {
  static constexpr uint32_t none = ~0u;

  explicit RunMemory(Graph& g) : graph(g) {}

  /// Inputs and looked-up rows get their values; parameters where they are used.
  void bind_leaves(std::span<const uint32_t> leaves);
  /// The address of a value; parameters get theirs when they are first used as something else than a matrix.
  real* value_of(uint32_t id) {
    real* const value = std::atomic_ref(buffers[id].value).load(std::memory_order_acquire);
    if (value) [[likely]]
      return value;
    bind_value(id);
    return buffers[id].value;
  }
  /// The panels of a parameter as this graph sees it.
  PackedMatrix* packed_of(uint32_t parameter);
  /// Gives back what a parameter has here, which is removed from the graph.
  void release(uint32_t parameter);
  /// Counts a use of the transposed matrix, and makes its panels when they pay.
  void transpose(uint32_t parameter, PackedMatrix& panels);
  /// The distance between batch elements of a node's gradient.
  uint32_t gradient_stride(uint32_t id) const {
    return gradients[id].packed ? static_cast<uint32_t>(graph.dim(id).batch_size()) : buffers[id].stride;
  }
  /// Argument i of each node, listed in `room`; their gradient entries come near meanwhile.
  std::span<const uint32_t> arguments(std::span<const uint32_t> nodes, unsigned i,
                                      std::vector<uint32_t>& room) const {
    if (room.size() < nodes.size()) room.resize(nodes.size());
    for (size_t k = 0; k < nodes.size(); ++k) {
      room[k] = graph.args(graph[nodes[k]])[i];
      __builtin_prefetch(&gradients[room[k]], 1);
    }
    return std::span(room).first(nodes.size());
  }
  /// True if the contribution of a node to its argument i is the node's gradient as it is.
  bool is_identity(const Node& node, unsigned i) const;
  /// True if this is a parameter that is added to products: a bias, which has many uses.
  bool is_added(const Node& node, unsigned i) const {
    return graph[graph.args(node)[i]].op == &parameter_op && node.op->has_matrix && is_identity(node, i);
  }
  /// Lists a use of a matrix, or of a bias.
  void append_use(uint32_t id, DeferredList DeferredLists::* list, uint32_t node, uint32_t arg);
  DeferredLists deferred_lists_of(uint32_t id) const {
    return gradients[id].deferred == none ? DeferredLists{} : deferred_lists[gradients[id].deferred];
  }
  void append_partial(uint32_t id, const real* from, uint32_t view, uint32_t consumer);
  void clear_gradient(uint32_t id);
  void check_size(uint32_t id, const Storage& storage) const;
  std::span<const uint32_t> nodes_of(const TapeEntry& step) const {
    return std::span(tape_nodes).subspan(step.first, step.count);
  }

  Graph& graph;
  Engine* engine = &chosen_engine();
  uint32_t evaluations = 0;          // of this graph from its beginning, for fresh random numbers
  Philox key{};                      // of random numbers
  std::vector<Buffers> buffers;      // valid for nodes that were evaluated
  std::vector<uint32_t> tape_nodes;  // of its entries, one after another
  std::vector<TapeEntry> tape;
  Arena values{Arena::numbers};
  ParameterMemory parameters;
  std::vector<std::shared_ptr<PackedMatrix>> packed;  // what this graph reads stays as it was

  // of the last backward pass
  Marks marks;  // of what needs a gradient; none between passes
  std::vector<GradientEntry> gradients;
  std::vector<Views> views;  // valid for views and for nodes with views
  std::vector<Partial> partials;
  std::vector<DeferredLists> deferred_lists;
  std::vector<DeferredUse> deferred_uses;

 private:
  void bind_value(uint32_t parameter);

  Mutex binding_;  // workers may need the same parameter
};

}  // namespace dynet::engine
