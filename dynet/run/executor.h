// RUN and BACKPROP: binds a plan to memory, decides where gradients lie, and has lanes run the calls.
#pragma once

#include <vector>

#include "dynet/plan/cache.h"
#include "dynet/plan/divide.h"
#include "dynet/run/lanes.h"

namespace dynet::engine {

class Executor final : public Evaluator {
 public:
  explicit Executor(Graph& graph) : graph_(graph) {}

  Tensor value(unsigned node) override;
  Tensor gradient(unsigned node) override;
  void backward(unsigned node, bool full) override;
  void invalidate(unsigned first) override;

  void evaluate(std::span<const uint32_t> wanted) override;
  bool has_gradient(unsigned node) const override { return backward_from_ != none && node <= backward_from_; }
  size_t step_count() const override { return t_.steps.size(); }

 private:
  static constexpr uint32_t none = ~0u;

  // forward.cc
  const Planned& planned(std::span<const uint32_t> wanted);
  void schedule_division(Policy policy, Schedule& result);
  void place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base);
  real* take_first(uint32_t id);
  void restore(uint32_t id);
  void restore_arguments(uint32_t id);
  void place_views(std::span<const uint32_t> views);
  void record_steps(const Planned& planned);
  void run_steps(const Planned& planned, size_t first_step, real* base);

  // flow.cc: which gradients are needed and where they lie
  void trace(uint32_t loss, bool full);
  void link_views();
  void list_late_uses(uint32_t id);
  void place_gradients();
  void count_uses(const StepRecord& step, uint32_t number);
  void compare_with_last(Flow& flow, uint32_t id, uint32_t step) const;
  void choose_mode(uint32_t id);
  bool waits(const Flow& flow) const;
  void place_loose(uint32_t id);
  void open_to_views(uint32_t id);

  // views.cc: views whose gradients are places in the gradient of what they show
  enum class Cover : uint8_t { overlapping, partial, whole };
  Cover cover_by_views(uint32_t id) const;

  // backward.cc
  void repeat_spent();
  void run_backward();
  void deliver();
  void sum_long_products();
  void deliver_parameters();
  uint64_t cost_of_gradient(uint32_t id) const;
  void deliver_parameter(uint32_t id, Lane& lane);
  template <class F>
  void each_row(F f);
  void deliver_lookups();
  bool is_on_path(uint32_t id) const;
  Tensor computed_gradient(uint32_t id);

  // skipped.cc: gradients of nodes that others compute themselves
  bool skips(uint32_t consumer, uint32_t id) const;
  bool leads_to_loss(uint32_t id) const;
  Tensor with_skipped(uint32_t id, const Tensor& computed);
  void add_as_written(uint32_t consumer, unsigned i, real* sum);

  Graph& graph_;
  Tables t_{graph_};
  Lanes lanes_{t_};
  uint32_t round_graph_ = 0, rounds_ = 0;  // the graph that was last begun anew; divided evaluations so far
  enum : uint8_t { done = 1, taken = 2 };  // known; and its memory holds what another node keeps
  std::vector<uint8_t> done_;
  bool any_taken_ = false, restored_ = false;
  uint64_t multiply_adds_ = 0;  // of all evaluations of this graph

  Planned planned_;  // of the last evaluation that no plan was kept for
  PlanCache plans_;
  Division division_;
  DivisionScratch division_scratch_;

  Arena gradients_;
  std::vector<uint32_t> path_;        // of the last backward pass, descending
  std::vector<uint32_t> loose_;       // its views and leaves
  std::vector<uint32_t> parameters_;  // its parameters
  std::vector<uint32_t> lookups_;     // its lookups, oldest first
  struct RowUse {
    real* to;
    size_t number;
    const real* from;
    size_t size;
    auto operator<=>(const RowUse&) const = default;
  };
  std::vector<RowUse> row_uses_;        // of rows that have many uses
  std::vector<const real*> row_terms_;  // of one of them
  struct LongProduct {
    uint32_t parameter;
    const real* sum;
  };
  std::vector<LongProduct> long_products_;  // of the gradients of these
  std::vector<uint32_t> arguments_;         // scratch
  uint32_t backward_from_ = none;
  bool spent_ = false;  // a backward pass has overwritten what calls keep for it
};

}  // namespace dynet::engine
