// Backprop: the calls of the forward pass in reverse, and what is known of gradients afterwards.
#include <algorithm>

#include "dynet/core/profile.h"
#include "dynet/device/thread_tuner.h"
#include "dynet/plan/describe.h"
#include "dynet/run/describe.h"
#include "dynet/run/executor.h"

namespace dynet::engine {

void Executor::backward(unsigned loss, bool full) {
  graph_.check_outside_tasks("backward");
  const Graph::MaybeBusyGuard use(graph_);
  if (const Dim& dim = graph_.dim(loss); dim.size() != 1)
    invalid("backward() can only be called on scalar nodes, but node ", loss, " has shape ", dim,
            "; reduce it first, for example with sum_elems and sum_batches");
  if (loss >= done_.size() || !done_[loss]) evaluate(std::span<const uint32_t>(&loss, 1));
  backward_from_ = none;
  if (!task_marks_.empty()) note_older(0);
  thread_tuner().add(2 * multiply_adds_);
  const struct Unmark {
    RunMemory& memory;
    ~Unmark() {
      for (uint32_t id : memory.plan->nodes) memory.marks.clear(id);
    }
  } unmark{memory_};
  try {
    plan_backward(loss, full);
  } catch (...) {  // some marks are not in the backward set yet
    memory_.marks.clear_all();
    throw;
  }
  recompute_consumed();
  start_gradients(loss);
  run_backward();
  for (uint32_t id : memory_.plan->views)  // views of memory that has no gradient itself
    if (!memory_.marks[memory_.plan->view_lists[id].origin]) workers_[0].finish_one(id);
  if (graph_.check_validity) check_gradients();
  deliver();
  backward_from_ = loss;
}

/// Where the tape is that of a plan which is kept, so is the plan of the first backward pass through it.
void Executor::plan_backward(uint32_t loss, bool full) {
  const Timed timed(Timed::backward, "plan of gradients", &graph_);
  if (kept_ && kept_->loss == loss && kept_->full == full) {
    memory_.plan = &kept_->gradients;
    for (const uint32_t id : memory_.plan->nodes) memory_.marks.set(id);
    return;
  }
  const bool keeps = kept_ && kept_->loss == none;
  GradientPlan& plan = keeps ? kept_->gradients : gradient_plan_;
  memory_.plan = &plan;
  plan_gradients(graph_, memory_.tape, loss, full, memory_.marks, plan);
  if (keeps) kept_->loss = loss, kept_->full = full;
}

/// The gradient of the loss is 1; all others are still empty.
void Executor::start_gradients(uint32_t loss) {
  const GradientPlan& plan = *memory_.plan;
  // A block of the right size, and not one more beside those that were too small.
  if (gradients_.capacity() < plan.size * sizeof(real)) gradients_ = Arena(Arena::numbers);
  gradients_.reset();
  workers_.forget_gradients();
  memory_.gradients = gradients_.take<real>(plan.size);
  memory_.states.resize(std::max<size_t>(memory_.states.size(), graph_.size()));
  for (const uint32_t id : plan.nodes) memory_.states[id] = GradientState::empty;
  for (const uint32_t id : plan.zeroed) memory_.clear_gradient(id);
  memory_.engine->fill(1, 1, memory_.gradient_of(loss));
  memory_.states[loss] = GradientState::holds_sum;
}

/// Computes once more what an earlier backward pass has overwritten: what nodes of the backward set saved,
/// and what lay in the same memory.
void Executor::recompute_consumed() {
  again_.clear();
  for (const uint32_t id : memory_.plan->overwriting) {
    if (done_[id] & consumed) again_.push_back(id);
    done_[id] |= consumed;
  }
  if (again_.empty()) return;
  for (size_t i = again_.size(); i-- > 0;) list_for_recompute(again_[i]);
  const auto call = [&](uint32_t id) { return memory_.tape.entry_of[id]; };
  std::ranges::sort(again_,
                    [&](uint32_t a, uint32_t b) { return std::pair(call(a), a) < std::pair(call(b), b); });
  again_.erase(std::ranges::unique(again_).begin(), again_.end());
  for (size_t first = 0, end = 0; first < again_.size(); first = end) {
    while (end < again_.size() && call(again_[end]) == call(again_[first])) ++end;
    workers_[0].repeat(call(again_[first]), std::span(again_).subspan(first, end - first), recomputed_);
  }
}

/// Lists the argument that has donated its memory to a node, too, and recomputes others that have donated
/// theirs.
void Executor::list_for_recompute(uint32_t id) {
  const std::span<const uint32_t> args = graph_.args(graph_[id]);
  for (const uint32_t arg : args) {
    if (!(done_[arg] & donated)) continue;
    if (memory_.buffers[arg].value != memory_.buffers[id].saved) {
      recompute(arg);
    } else {
      recompute_arguments(arg);
      again_.push_back(arg);
    }
  }
}

/// Runs the calls of the forward pass in reverse: those that ran side by side do so again.
void Executor::run_backward() {
  const std::span<const GradientCall> calls = memory_.plan->calls;
  const auto entry = [&](size_t at) -> const TapeEntry& { return memory_.tape.entries[calls[at].entry]; };
  for (size_t first = 0, end = 0; first < calls.size(); first = end) {
    const TapeEntry& newest = entry(end++);
    if (newest.worker == 0) {
      workers_[0].backward(calls[first]);
      continue;
    }
    while (end < calls.size() && entry(end).section == newest.section && entry(end).worker > 0) ++end;
    workers_.parallel_for(newest.worker, [&](Worker& worker, uint32_t number) {
      for (size_t at = first; at < end; ++at)
        if (entry(at).worker == number + 1) worker.backward(calls[at]);
    });
  }
}

Tensor Executor::gradient(unsigned id) {
  const Graph::MaybeBusyGuard use(graph_);
  if (!has_gradient(id))
    failed("Requested gradient for node ", id, ", but backward was ",
           backward_from_ == none ? "not run yet" : text("run from node ", backward_from_),
           "; call backward() on an expression that depends on it first");
  const Tensor known = computed_gradient(id);
  return graph_[id].fused_away ? with_fused_away(id, known) : known;
}

/// Throws before parameters get their gradients, if one is infinite or not a number: the newest such node has
/// it from operations whose own gradients are sound.
void Executor::check_gradients() {
  for (const uint32_t id : memory_.plan->nodes) {
    if (graph_[id].op->leaf) workers_[0].finish(id);
    if (computed_gradient(id).is_valid()) continue;
    std::string from;
    for (const uint32_t consumer : memory_.plan->nodes)
      if (consumer > id && std::ranges::count(graph_.args(graph_[consumer]), id))
        from += text(from.empty() ? "" : " or ", describe(graph_, consumer));
    failed("NaN or Inf detected in the gradient of node ", id, ", ", describe(graph_, id),
           from.empty() ? "" : "; it comes from ", from, "; no parameter has got a gradient");
  }
}

void Executor::describe_plan(std::ostream& out) const {
  out << "Calls, in order:\n";
  describe_calls(graph_, memory_.tape, out);
  if (backward_from_ == none) return;
  out << "Gradients, newest first, in memory for " << memory_.plan->size << " numbers:\n";
  describe_gradients(graph_, *memory_.plan, out);
}

bool Executor::in_backward_set(uint32_t id) const {
  return std::ranges::binary_search(memory_.plan->nodes, id, std::greater<>());
}

/// The gradient as the backward pass has left it.
Tensor Executor::computed_gradient(uint32_t id) {
  const Dim& dim = graph_.dim(id);
  if (!in_backward_set(id)) return {dim, workers_[0].zeroed(dim.size())};
  const bool is_unmade = memory_.is_unmade(id), is_parameter = graph_[id].op == &parameter_op;
  if (is_unmade) workers_[0].make_gradients({&id, 1});
  const real* const gradient = memory_.gradient_of(id);
  if (is_unmade) workers_[0].forget_gradient(id);
  if (!is_parameter && gradient)
    return workers_[0].contiguous(dim, gradient, memory_.plan->stride_of(memory_.graph, id));
  real* sum = workers_[0].zeroed(dim.size());
  if (!is_parameter) return {dim, sum};
  const DeferredLists deferred = memory_.plan->deferred_of(id);
  if (gradient) memory_.engine->add_scaled(dim.size(), 1, gradient, sum);
  if (deferred.outer.count) workers_[0].add_outer(id, sum, true);
  if (deferred.added.count) workers_[0].add_uses(id, sum);
  return {dim, sum};
}

}  // namespace dynet::engine
