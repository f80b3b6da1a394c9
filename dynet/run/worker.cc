// One merged call: its kernel, and in the backward pass what it adds to the gradients of its arguments.
#include "dynet/run/worker.h"

#include <algorithm>
#include <iterator>

#include "dynet/core/watch.h"
#include "dynet/run/profile.h"

namespace dynet::engine {
namespace {

/// What a call counts for those who may end the work. Kernels that take long say what they do themselves.
constexpr int64_t call_work = int64_t{1} << 20;

}  // namespace

void Worker::forward(const Step& step, std::span<const uint32_t> nodes, real* base, Call& call) {
  const Op& op = *memory_.graph[nodes[0]].op;
  make_call(nodes, step.items, step.shared, call_tables_, call);
  call.y = {base + step.value, nullptr, step.value_size};
  if (step.saved_size)
    call.saved = {base + step.saved, nullptr, step.saved_size};
  else if (op.saved_in_place)
    call.saved = call.x[0];
  const Timed timed(Timed::forward, op.name, nodes.size());
  worked(call_work);
  op.forward(*memory_.engine, call);
}

void Worker::repeat(const TapeEntry& step, std::span<const uint32_t> nodes, bool moved) {
  worked(call_work);
  if (moved || !step.call.count || nodes.size() < step.count)
    run_as_new_call(nodes, step.shared);
  else
    memory_.graph[nodes[0]].op->forward(*memory_.engine, step.call);
}

void Worker::recompute(uint32_t id) {
  memory_.buffers[id].value = values_.take<real>(memory_.graph.dim(id).size());
  run_as_new_call({&id, 1}, 0);
}

/// Runs nodes as a call that is made for now, on the places that they have.
void Worker::run_as_new_call(std::span<const uint32_t> nodes, uint32_t shared) {
  tables_.reset();
  Call call{};
  make_call(nodes, items_in(nodes), shared, tables_, call);
  add_results(call, nodes);
  memory_.graph[nodes[0]].op->forward(*memory_.engine, call);
}

void Worker::backward(const TapeEntry& step, std::span<const uint32_t> nodes) {
  size_t marked = 0;
  for (uint32_t id : nodes) {
    if (!memory_.marks[id]) continue;
    ++marked;
    if (!memory_.gradients[id].is_complete()) finish(id);
  }
  if (marked == 0) return;
  if (marked < nodes.size()) {
    members_.clear();
    std::ranges::copy_if(nodes, std::back_inserter(members_), [&](uint32_t id) { return memory_.marks[id]; });
    nodes = members_;
  }
  const Timed timed(Timed::backward, memory_.graph[nodes[0]].op->name, nodes.size());
  worked(call_work);
  run_backward(nodes, step);
}

real* Worker::zeroed(size_t numbers) {
  real* p = gradients_.take<real>(numbers);
  memory_.engine->fill(numbers, 0, p);
  return p;
}

size_t Worker::items_in(std::span<const uint32_t> nodes) const {
  if (memory_.graph[nodes[0]].op->batching == Batching::nodes) return nodes.size();
  size_t items = 0;
  for (uint32_t id : nodes) items += memory_.graph.dim(id).bd;
  return items;
}

void Worker::run_backward(std::span<const uint32_t> nodes, const TapeEntry& step) {
  const Node& example = memory_.graph[nodes[0]];
  const Op& op = *example.op;
  if (!op.differentiable) return;
  tables_.reset();
  const bool whole = step.call.count && nodes.size() == step.count;
  Call call = step.call;
  if (!whole) make_call(nodes, items_in(nodes), step.shared, tables_, call);
  add_gradients(call, nodes, whole ? &step : nullptr);
  if (const size_t size = memory_.graph.item(example).workspace_size; size && !op.reads_part) {
    real* workspace =
        op.writes_workspace ? gradients_.take<real>(size * call.count) : zeroed(size * call.count);
    call.workspace = {workspace, nullptr, size};
    for (uint32_t id : nodes) {
      memory_.buffers[id].workspace = workspace;
      workspace += size * (op.batching == Batching::nodes ? 1 : memory_.graph.dim(id).bd);
    }
  }
  transpose_matrices(call, example);
  if (op.prepare_backward) op.prepare_backward(*memory_.engine, call);
  for (unsigned i = 0; i < example.arg_count; ++i)
    if (!call.packed[i] && !is_shared_parameter(step.shared, i)) backward_argument(call, nodes, i);
}

/// The products of the backward pass read transposed panels.
void Worker::transpose_matrices(const Call& call, const Node& example) {
  for (unsigned i = 0; i < example.arg_count; ++i)
    if (call.packed[i]) memory_.transpose(memory_.graph.args(example)[i], *call.packed[i]);
}

/// Runs the kernel for those members whose contribution needs one.
void Worker::backward_argument(Call& all, std::span<const uint32_t> nodes, unsigned i) {
  const Op& op = *memory_.graph[nodes[0]].op;
  const Found found = find_targets(nodes, i);
  if (subset_.empty()) return;
  const auto run = [&](Call& call) {
    call.accumulate = found.holds || !op.overwrites;
    if (found.is_new) start_targets(call.accumulate);
    call.dx = found.in_runs ? targets_in_runs(call.count) : targets_of(call.count, i);
    if (op.reads_part) give_scratch(call, nodes[0]);
    op.backward(*memory_.engine, call, i);
    if (found.in_runs) add_runs();
  };
  if (subset_.size() == nodes.size()) return run(all);
  Call part;
  make_call(subset_, items_in(subset_), 0, tables_, part);
  add_gradients(part, subset_, nullptr);
  run(part);
}

/// Collects the members whose contribution to argument i is still to be computed, and where it goes. Those
/// that are the member's gradient as it is need not be.
Worker::Found Worker::find_targets(std::span<const uint32_t> nodes, unsigned i) {
  subset_.clear(), subset_args_.clear(), targets_.clear();
  const std::span args = memory_.arguments(nodes, i, arguments_);
  const Node& example = memory_.graph[nodes[0]];
  const Item& item = memory_.graph.item(example);
  const bool matrix = item.is_matrix(example, i),
             may_be_added = item.is_identity(i) && example.op->has_matrix;
  Found found;
  for (size_t k = 0; k < nodes.size(); ++k) {
    const uint32_t id = nodes[k], arg = args[k];
    if (!memory_.marks[arg] || (matrix && memory_.graph.dim(arg).bd == 1)) continue;
    if (may_be_added && memory_.is_added(memory_.graph[id], i)) continue;
    const GradientEntry& entry = memory_.gradients[arg];
    if (entry.aliases_consumer) continue;
    real* const target = entry.buffered ? partial_of(id, arg, i) : entry.gradient;
    if (!target) continue;
    const bool holds = entry.ready && !entry.buffered;
    found.holds |= holds || entry.broadcast;
    found.in_runs |= entry.broadcast && sums_in_runs(id, arg);
    found.is_new |= !holds;
    subset_.push_back(id);
    subset_args_.push_back(arg);
    targets_.push_back(target);
  }
  return found;
}

/// True if the batch elements of a node are so many terms of the gradient of its argument that they are
/// summed in runs. Where each of them reaches but a small part of the argument, that would take too long.
bool Worker::sums_in_runs(uint32_t id, uint32_t arg) const {
  const Dim &from = memory_.graph.dim(id), &to = memory_.graph.dim(arg);
  return to.bd == 1 && from.bd > terms_in_a_row && to.size() <= terms_in_a_row * from.batch_size() &&
         memory_.graph[id].op->batching != Batching::nodes;
}

/// Where the contributions of the members of subset_ go, if some of them are summed in runs.
Items Worker::targets_in_runs(size_t items) {
  real** table = tables_.take_small<real*>(items);
  runs_.assign(subset_.size(), nullptr);
  size_t at = 0;
  for (size_t n = 0; n < subset_.size(); ++n) {
    const uint32_t id = subset_[n], arg = subset_args_[n];
    const unsigned batch = memory_.graph.dim(id).bd;
    const size_t size = memory_.graph.dim(arg).batch_size();
    if (!sums_in_runs(id, arg)) {
      for (unsigned b = 0; b < batch; ++b) table[at++] = targets_[n] + b * target_stride(arg);
      continue;
    }
    runs_[n] = zeroed((batch - 1) / terms_in_a_row * size + size);
    for (unsigned b = 0; b < batch; ++b) table[at++] = runs_[n] + b / terms_in_a_row * size;
  }
  return {nullptr, table, 0};
}

/// Adds the sums of runs to the targets.
void Worker::add_runs() {
  for (size_t n = 0; n < subset_.size(); ++n) {
    if (!runs_[n]) continue;
    const size_t size = memory_.graph.dim(subset_args_[n]).size(), batch = memory_.graph.dim(subset_[n]).bd;
    addresses_.clear();
    for (size_t b = 0; b < batch; b += terms_in_a_row)
      addresses_.push_back(runs_[n] + b / terms_in_a_row * size);
    memory_.engine->add_each(size, addresses_.size(), addresses_.data(), targets_[n]);
  }
}

/// A place for the contribution of a node to `arg`, its argument i, not yet written; null where there is one
/// already, and where it is made when it is added.
real* Worker::partial_of(uint32_t id, uint32_t arg, unsigned i) {
  const bool is_own = memory_.is_identity(memory_.graph[id], i);
  real* part = nullptr;
  if (is_own)
    part = memory_.gradients[id].gradient;
  else if (!is_deferred(id, arg))
    part = gradients_.take<real>(memory_.graph.dim(arg).size());
  memory_.append_partial(arg, part, none, id);
  return is_own ? nullptr : part;
}

/// Targets that hold nothing yet are set to zero if contributions are added to them.
void Worker::start_targets(bool accumulate) {
  for (size_t n = 0; n < subset_args_.size(); ++n) {
    const uint32_t arg = subset_args_[n];
    GradientEntry& entry = memory_.gradients[arg];
    if (entry.buffered) {
      if (accumulate) memory_.engine->fill(memory_.graph.dim(arg).size(), 0, targets_[n]);
    } else if (!entry.ready) {
      if (accumulate) memory_.clear_gradient(arg);
      entry.ready = true;
    }
  }
}

}  // namespace dynet::engine
