// Runs merged calls, forward and backward, on one thread. It decides nothing.
#pragma once

#include <vector>

#include "dynet/plan/layout.h"
#include "dynet/run/memory.h"
#include "dynet/run/sum_list.h"

namespace dynet::engine {

/// Workers share no cache line.
class alignas(128) Worker {
 public:
  explicit Worker(RunMemory& memory) : memory_(memory) {}

  /// Runs a step of a plan whose values begin at `base`, as the call that it makes.
  void forward(const Step& step, std::span<const uint32_t> nodes, real* base, Call& call);
  /// Runs these members of a call once more: the same numbers to the same places, or, if some have moved, to
  /// those where they are now.
  void repeat(uint32_t entry, std::span<const uint32_t> nodes, bool moved);
  /// Computes a node, whose arguments are known, in new memory.
  void recompute(uint32_t id);
  /// Adds what the members of a call that get a gradient contribute to their arguments.
  void backward(const GradientCall& call);
  /// Completes the gradients of a node and, before it, of all views of its memory.
  void finish(uint32_t id);
  /// Completes the gradient of this node alone: adds what waits, except uses of a parameter as a matrix.
  void finish_one(uint32_t id);
  /// target = target (or zero, unless `accumulate`) + Σ over the columns of the uses of matrix `id` of dy xᵀ.
  /// False if there are none, as cells may use a matrix for what gets no gradient.
  bool add_outer(uint32_t id, real* target, bool accumulate);
  /// target += Σ over the uses of bias `id` of dy.
  void add_uses(uint32_t id, real* target);
  /// Makes the gradients of those nodes that the plan leaves unmade; forget_gradient() of each says that
  /// nothing reads them any more.
  void make_gradients(std::span<const uint32_t> nodes);
  void forget_gradient(uint32_t id) { memory_.buffers[id].workspace = nullptr; }

  /// The tensor as it is, or copied together if the batch elements lie apart.
  Tensor contiguous(const Dim& dim, const real* from, uint32_t stride);
  /// A value as one item: copied together where batch elements lie apart.
  Tensor whole_value(uint32_t id);
  /// Room for numbers until the next backward pass, all zero.
  real* zeroed(size_t numbers);

  void forget_values() { values_.reset(), call_tables_.reset(); }
  /// How much memory is in use that belongs to values.
  struct Position {
    Arena::Position values, tables;
  };
  Position position() const { return {values_.position(), call_tables_.position()}; }
  void go_back(const Position& to) { values_.go_back(to.values), call_tables_.go_back(to.tables); }
  void forget_gradients() { gradients_.reset(), sums_.clear(); }

 private:
  static constexpr uint32_t none = ~0u;

  // call.cc
  void make_call(std::span<const uint32_t> nodes, size_t items, uint32_t shared, Arena& tables, Call& call);
  Items argument_items(std::span<const uint32_t> nodes, size_t items, unsigned i, Arena& tables);
  void add_results(Call& call, std::span<const uint32_t> nodes);
  void add_gradients(Call& call, std::span<const uint32_t> nodes, Location gradients);
  void add_workspace(Call& call, std::span<const uint32_t> nodes);
  template <class Address, class Stride>
  Items items_of(std::span<const uint32_t> nodes, size_t items, Arena& tables, Address&& address,
                 Stride&& stride);
  template <class Address>
  Items items_at(std::span<const uint32_t> nodes, size_t items, size_t size, Address&& address);
  Items targets_of(size_t items, unsigned i);
  Items targets_at(std::span<const uint32_t> nodes, size_t items, size_t stride);
  Words words_of(std::span<const uint32_t> nodes, size_t items, bool whole, Arena& tables);

  /// The distance between batch elements of the targets of contributions to a node.
  size_t target_stride(uint32_t id) const {
    const Dim& dim = memory_.graph.dim(id);
    const GradientEntry& entry = memory_.entry(id);
    return dim.bd == 1                        ? 0
           : entry.is(Accumulation::buffered) ? dim.batch_size()
                                              : memory_.plan->stride_of(memory_.graph, id);
  }

  // worker.cc
  size_t items_in(std::span<const uint32_t> nodes) const;
  void run_as_new_call(std::span<const uint32_t> nodes, uint32_t shared);
  void run_backward(std::span<const uint32_t> nodes, const GradientCall& call);
  void transpose_matrices(const Call& call, const Node& example);
  void backward_argument(Call& all, std::span<const uint32_t> nodes, unsigned i);
  /// What is found of targets, as bits: some hold something, or get several contributions at once; some hold
  /// nothing; some get so many contributions at once that they are summed in runs.
  enum Found : unsigned { nothing = 0, holds = 1, is_new = 2, in_runs = 4 };
  unsigned find_targets(std::span<const uint32_t> nodes, unsigned i);
  real* target_of(uint32_t arg, uint32_t edge) const;
  void start_targets(bool accumulate);
  bool sums_in_runs(uint32_t id, uint32_t arg) const;
  Items targets_in_runs(size_t items);
  void add_runs();

  /// A contribution that is added: made, or to be made by its consumer; or the gradient of a view.
  struct Partial {
    const real* from;
    uint32_t view, consumer;

    bool is_unmade() const { return !from; }
  };

  // readers.cc
  uint32_t maker_of(uint32_t id) const;
  void make_from_view(uint32_t id, uint32_t view);
  void give_scratch(Call& call, uint32_t example);
  size_t add_unmade(uint32_t id, std::span<const Partial> parts, real* target, uint32_t stride);
  void add_alone(uint32_t id, uint32_t consumer, real* target, uint32_t stride);
  void run_reader(uint32_t id, real* target, uint32_t stride);
  Call call_of_readers(std::span<const uint32_t> readers);
  void add_in_runs(uint32_t id, std::span<const Partial> parts);

  // sums.cc
  void finish_all(std::span<const uint32_t> nodes);
  bool list_sum(uint32_t id);
  void list_partials(uint32_t id);
  void add_partials(uint32_t id);
  void add_many_partials(uint32_t id);
  void list_columns(const DeferredUse& use, unsigned m, unsigned k);

  RunMemory& memory_;
  Arena values_{Arena::numbers}, gradients_{Arena::numbers};  // what is made on the way
  Arena call_tables_, tables_;  // of the calls of this graph; of one call of the backward pass
  std::vector<uint32_t> arguments_, members_, readers_, unmade_;
  std::span<const uint32_t> subset_, subset_args_;
  std::vector<real*> targets_;  // where the members of subset_ put their contributions
  std::vector<real*> runs_;     // of those that repeat an argument for many batch elements: sums of runs
  std::vector<const real*> addresses_, outer_x_;
  SumList sums_{false};                             // of the members of a call
  std::vector<Partial> partials_, place_partials_;  // of one node
  struct Term {
    size_t offset, n, number;
    const real* from;
    uint32_t consumer;
    bool same_place(const Term& t) const { return offset == t.offset && n == t.n; }
    auto operator<=>(const Term&) const = default;
  };
  std::vector<Term> terms_;
};

}  // namespace dynet::engine
