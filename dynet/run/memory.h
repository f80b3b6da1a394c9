// What is known of each node of a graph that is being run. Threads that run parts of it share this memory.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "dynet/device/arena.h"
#include "dynet/graph/graph.h"
#include "dynet/plan/gradients.h"
#include "dynet/run/settings.h"

namespace dynet::engine {

/// Where what belongs to a node lies; its gradient is where the plan says.
struct Buffers {
  real* value = nullptr;
  union {
    PackedMatrix* panels = nullptr;  // of a parameter that is read as a matrix
    real* saved;                     // of all others
  };
  real* workspace = nullptr;  // or, as long as it is made, a gradient that the plan leaves unmade
  uint32_t stride = 0;        // from batch element to batch element; larger than an element for views
};

/// How far the memory of a gradient is.
enum class GradientState : uint8_t { empty, holds_sum, finished };

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
  /// What is planned for the gradient of a node of the last backward pass.
  const GradientEntry& entry(uint32_t id) const { return plan->entries[id]; }
  /// The gradient of a node of the last backward pass; null where there is none.
  real* gradient_of(uint32_t id) const {
    const Location place = entry(id).place;
    if (!place.is_elsewhere()) [[likely]]
      return gradients + place.offset();
    return place.is_none() ? buffers[id].workspace : buffers[place.node()].saved;
  }
  real* at(Location place) const {
    return place.is_elsewhere() ? buffers[place.node()].saved : gradients + place.offset();
  }
  bool is_unmade(uint32_t id) const { return entry(id).is(Accumulation::unmade) && !buffers[id].workspace; }
  /// Argument i of each node, listed in `room`; their gradient entries come near meanwhile.
  std::span<const uint32_t> arguments(std::span<const uint32_t> nodes, unsigned i,
                                      std::vector<uint32_t>& room) const {
    if (room.size() < nodes.size()) room.resize(nodes.size());
    for (size_t k = 0; k < nodes.size(); ++k) {
      room[k] = graph.args(graph[nodes[k]])[i];
      __builtin_prefetch(&plan->entries[room[k]], 1);
    }
    return std::span(room).first(nodes.size());
  }
  void clear_gradient(uint32_t id);
  void check_size(uint32_t id, const Storage& storage) const;

  Graph& graph;
  Engine* engine = &chosen_engine();
  uint32_t evaluations = 0;      // of this graph from its beginning, for fresh random numbers
  Philox key{};                  // of random numbers
  std::vector<Buffers> buffers;  // valid for nodes that were evaluated
  Tape tape;
  std::vector<Call> calls;  // of the tape, as they were run; count 0 where that is no longer known
  Arena values{Arena::numbers};
  ParameterMemory parameters;
  std::vector<std::shared_ptr<PackedMatrix>> packed;  // what this graph reads stays as it was

  // of the last backward pass
  Marks marks;                         // of what needs a gradient; none between passes
  const GradientPlan* plan = nullptr;  // of the executor, which has it made
  real* gradients = nullptr;           // what the plan's places are counted from
  std::vector<GradientState> states;   // by node

 private:
  void bind_value(uint32_t parameter);

  Mutex binding_;  // workers may need the same parameter
};

}  // namespace dynet::engine
