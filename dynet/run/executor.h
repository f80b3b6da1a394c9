// RUN and BACKPROP: binds a plan to memory, decides where gradients lie, and has workers run the calls.
#pragma once

#include <vector>

#include "dynet/plan/cache.h"
#include "dynet/run/workers.h"

namespace dynet::engine {

class Executor final : public Evaluator {
 public:
  explicit Executor(Graph& graph) : graph_(graph) { memory_.plan = &gradient_plan_; }

  Tensor value(unsigned node) override;
  Tensor gradient(unsigned node) override;
  void backward(unsigned node, bool full) override;
  void invalidate() override;
  void renew() override;
  void checkpoint() override;
  void revert(unsigned nodes) override;
  void mark_tasks(size_t number) override;
  bool forget_tasks(size_t number) override;

  void evaluate(std::span<const uint32_t> wanted) override;
  bool is_known(unsigned node) const override { return node < done_.size() && done_[node]; }
  bool has_gradient(unsigned node) const override { return backward_from_ != none && node <= backward_from_; }
  void describe_plan(std::ostream& out) const override;
  size_t step_count() const override { return memory_.tape.size(); }

 private:
  static constexpr uint32_t none = ~0u;

  void forget();

  // forward.cc
  void run(std::span<const uint32_t> wanted);
  const ExecutionPlan& plan(std::span<const uint32_t> wanted);
  void place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base);
  real* donate_first(uint32_t id);
  void recompute(uint32_t id);
  void recompute_arguments(uint32_t id);
  void place_views(std::span<const uint32_t> views);
  void record_tape(const ExecutionPlan& plan);
  void run_steps(const ExecutionPlan& plan, size_t first_step, real* base);

  // checkpoint.cc
  void evaluate_older(std::span<const uint32_t> wanted);
  void protect(uint32_t id);
  struct Checkpoint;
  void remember(Checkpoint& checkpoint) const;
  void note_older(uint32_t oldest);
  void note_older(const Needed& found);
  void protect_memory(Checkpoint& checkpoint) const;
  void go_back(const Checkpoint& to);
  void remove_calls(size_t first, uint32_t nodes);

  // backward.cc
  void plan_backward(uint32_t loss, bool full);
  void recompute_consumed();
  void list_for_recompute(uint32_t id);
  void start_gradients(uint32_t loss);
  void run_backward();
  void check_gradients();
  bool in_backward_set(uint32_t id) const;
  Tensor computed_gradient(uint32_t id);

  // deliver.cc
  void deliver();
  void sum_long_products();
  void deliver_parameters();
  uint64_t cost_of_gradient(uint32_t id) const;
  bool is_learned(uint32_t parameter) const;
  void deliver_parameter(uint32_t id, Worker& worker);
  template <class F>
  void each_row(F f);
  void deliver_lookups();

  // fused_away.cc: gradients of nodes that others compute themselves
  bool fuses_away(uint32_t consumer, uint32_t id) const;
  bool leads_to_loss(uint32_t id) const;
  Tensor with_fused_away(uint32_t id, const Tensor& computed);
  void add_as_written(uint32_t consumer, unsigned i, real* sum);

  Graph& graph_;
  RunMemory memory_{graph_};
  Workers workers_{memory_};
  uint32_t sections_ = 0;  // partitioned evaluations so far
  // Known; has donated its memory; a backward pass has overwritten what it saved.
  enum : uint8_t { done = 1, donated = 2, consumed = 4 };
  std::vector<uint8_t> done_;
  bool begun_ = false, any_donated_ = false, recomputed_ = false;
  uint64_t multiply_adds_ = 0;  // of all evaluations of this graph

  ExecutionPlan plan_;  // of the last evaluation that no plan was kept for
  PlanCache plans_;
  KeptPlan* kept_ = nullptr;    // whose calls, and no others, are the tape
  GradientPlan gradient_plan_;  // of the last backward pass that no plan was kept for
  Compiler compiler_;

  Arena gradients_{Arena::numbers};
  std::vector<uint32_t> parameters_;  // of the last backward pass
  std::vector<uint32_t> lookups_;     // of the last backward pass, oldest first
  struct RowUse {
    real* to;
    size_t number;
    const real* from;
    size_t size;
    auto operator<=>(const RowUse&) const = default;
  };
  std::vector<RowUse> row_uses_;  // of rows that have many uses
  SumList row_sums_{true};
  struct LongProduct {
    uint32_t parameter;
    const real* sum;
  };
  std::vector<LongProduct> long_products_;  // of the gradients of these
  std::vector<uint32_t> again_;             // nodes of the backward set that an earlier pass has consumed
  uint32_t backward_from_ = none;

  /// What there was at a checkpoint of the graph, or is needed by nodes from before it.
  struct Checkpoint {
    uint32_t nodes;
    size_t calls;
    Arena::Position values;
    std::vector<Worker::Position> workers;
    bool is_apart = true;  // Of a mark: no memory of older nodes lies among that of newer ones.
  };
  std::vector<Checkpoint> checkpoints_;  // with room for more
  size_t checkpoint_count_ = 0;
  std::vector<Checkpoint> task_marks_;
  Needed older_;  // scratch
  std::vector<uint32_t> older_ids_;
};

}  // namespace dynet::engine
