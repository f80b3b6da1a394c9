// Evaluation: the calls of a plan.
#include <utility>

#include "dynet/core/profile.h"
#include "dynet/device/thread_tuner.h"
#include "dynet/params/init.h"
#include "dynet/run/executor.h"

namespace dynet::engine {

Tensor Executor::value(unsigned id) {
  const Graph::MaybeBusyGuard use(graph_);
  const uint32_t wanted[] = {id};
  if (id >= done_.size() || !done_[id]) evaluate(wanted);
  if (done_[id] & donated) recompute(id);
  return workers_[0].whole_value(id);
}

/// Computes a value once more that has donated its memory to a later node.
void Executor::recompute(uint32_t id) {
  recompute_arguments(id);
  workers_[0].recompute(id);
  done_[id] = done;
  recomputed_ = true;
  protect(id);
}

void Executor::recompute_arguments(uint32_t id) {
  for (uint32_t arg : graph_.args(graph_[id]))
    if (done_[arg] & donated) recompute(arg);
}

/// What is to be run, in what order, and where values lie.
const ExecutionPlan& Executor::plan(std::span<const uint32_t> wanted) {
  const Timed timed(Timed::forward, "schedule", &graph_);
  const bool is_first = !std::exchange(begun_, true);
  if (is_first) choose_threads(*memory_.engine, settings().worth_partitioning == 0);
  done_.resize(graph_.size(), 0);
  memory_.marks.resize(graph_.size());
  const Evaluation evaluation{graph_, wanted, policy_of(graph_, settings().policy),
                              memory_.engine->threads()};
  const bool may_keep = is_first && !graph_.tasks();  // a plan knows nothing of their order
  kept_ = may_keep ? plans_.find(evaluation) : nullptr;
  if (kept_) return kept_->execution;
  compiler_.compile(evaluation, done_, memory_.marks, settings().worth_partitioning, *memory_.engine, plan_);
  if (may_keep) kept_ = plans_.insert(evaluation, plan_);
  return plan_;
}

void Executor::evaluate(std::span<const uint32_t> wanted) {
  const Graph::MaybeBusyGuard use(graph_);
  if (checkpoint_count_ > 0) [[unlikely]]
    evaluate_older(wanted);
  run(wanted);
}

/// Evaluates what is not known yet by one schedule.
void Executor::run(std::span<const uint32_t> wanted) {
  const ExecutionPlan& plan = this->plan(wanted);
  const auto& [found, order, layout] = plan;
  memory_.key = {{random_seed(), (graph_.number() - graphs_before_seed()) ^ memory_.evaluations << 24}};
  graph_.refresh_words(found.leaves);
  graph_.refresh_words(found.kernels);
  if (any_donated_)
    for (const auto* list : {&found.views, &found.kernels})
      for (uint32_t id : *list) recompute_arguments(id);
  if (memory_.buffers.size() < graph_.size()) memory_.buffers.resize(graph_.size());
  memory_.bind_leaves(found.leaves);
  if (!task_marks_.empty()) note_older(found);

  multiply_adds_ += layout.multiply_adds;
  thread_tuner().add(layout.multiply_adds);
  real* base = memory_.values.take<real>(layout.size);
  const size_t nodes_before = memory_.tape.nodes.size(), first = memory_.tape.size();
  auto number = static_cast<uint32_t>(first);
  memory_.tape.entry_of.resize(std::max<size_t>(memory_.tape.entry_of.size(), graph_.size()));
  for (const Step& step : layout.steps) place_step(step, order.nodes(step.first, step.count), number++, base);
  place_views(found.views);
  record_tape(plan);
  try {
    run_steps(plan, first, base);
  } catch (...) {
    memory_.tape.entries.resize(first);
    memory_.tape.nodes.resize(nodes_before);
    for (uint32_t id : found.kernels) done_[id] = 0;
    throw;
  }
  for (const auto* list : {&found.leaves, &found.views, &found.kernels})
    for (uint32_t id : *list) done_[id] |= done;
}

/// Remembers the calls for the backward pass.
void Executor::record_tape(const ExecutionPlan& plan) {
  const auto& [found, order, layout] = plan;
  Tape& tape = memory_.tape;
  const auto start = static_cast<uint32_t>(tape.nodes.size());
  tape.nodes.insert(tape.nodes.end(), order.order.begin(), order.order.end());
  const uint32_t section = order.lists.empty() ? 0 : ++sections_;
  tape.is_parallel |= section > 0;
  uint32_t list = 0, number = 0;
  for (const Step& step : layout.steps) {
    while (section && number >= order.lists[list]) ++list;
    const bool divided = section && list > 0 && list + 1 < order.lists.size();
    tape.entries.push_back({start + step.first, step.count, section, divided ? list : 0, step.shared});
    ++number;
  }
  if (memory_.calls.size() < tape.size()) memory_.calls.resize(tape.size());
}

/// Runs the calls of a plan, recorded from step `first_step` on: those of parts side by side, the others
/// alone.
void Executor::run_steps(const ExecutionPlan& plan, size_t first_step, real* base) {
  const auto& [found, order, layout] = plan;
  const auto run = [&](Worker& worker, size_t first, size_t end) {
    for (size_t i = first; i < end; ++i) {
      const Step& step = layout.steps[i];
      worker.forward(step, order.nodes(step.first, step.count), base, memory_.calls[first_step + i]);
    }
  };
  if (order.lists.empty()) return run(workers_[0], 0, layout.steps.size());
  const std::span<const uint32_t> ends = order.lists;
  run(workers_[0], 0, ends[0]);
  workers_.parallel_for(
      ends.size() - 2, [&](Worker& worker, uint32_t number) { run(worker, ends[number], ends[number + 1]); });
  run(workers_[0], ends[ends.size() - 2], ends.back());
}

/// Tells the members of a call where their values will be.
void Executor::place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base) {
  const bool whole = graph_[nodes[0]].op->batching == Batching::nodes;
  const bool saved_in_place = graph_[nodes[0]].op->saved_in_place && !step.saved_size;
  real* value = base + step.value;
  real* saved = step.saved_size ? base + step.saved : nullptr;
  for (uint32_t id : nodes) {
    const Dim& dim = graph_.dim(id);
    const size_t stride = whole ? dim.batch_size() : step.value_size, items = whole ? 1 : dim.bd;
    if (saved_in_place) saved = donate_first(id);
    memory_.buffers[id] = {.value = value, .saved = saved, .stride = static_cast<uint32_t>(stride)};
    memory_.tape.entry_of[id] = number;
    value += items * step.value_size;
    if (saved) saved += items * step.saved_size;
  }
}

/// Gives a node the memory of its argument 0.
real* Executor::donate_first(uint32_t id) {
  const uint32_t first = graph_.args(graph_[id])[0];
  done_[first] |= donated;
  any_donated_ = true;
  if (!task_marks_.empty()) note_older(first);
  return memory_.buffers[first].value;
}

void Executor::place_views(std::span<const uint32_t> views) {
  for (uint32_t id : views) {
    const Node& node = graph_[id];
    const uint32_t source = graph_.args(node)[0];
    real* const value = memory_.value_of(source) + graph_.item(node).view_offset;
    memory_.buffers[id] = {.value = value, .saved = nullptr, .stride = memory_.buffers[source].stride};
  }
}

void Executor::forget() {
  done_.clear();
  memory_.tape.clear(), memory_.packed.clear();
  memory_.values.reset(), memory_.parameters.reset(), gradients_.reset();
  workers_.forget_values(), workers_.forget_gradients();
  kept_ = nullptr, memory_.plan = &gradient_plan_;
  backward_from_ = none, begun_ = any_donated_ = recomputed_ = false;
  multiply_adds_ = 0;
  memory_.engine = &chosen_engine();
  for (size_t i = 0; i < checkpoint_count_; ++i) remember(checkpoints_[i]);
  for (Checkpoint& mark : task_marks_) remember(mark);
}

}  // namespace dynet::engine
