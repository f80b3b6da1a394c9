// One merged call: its kernel, and in the backward pass what it adds to the gradients of its arguments.
#include "dynet/run/worker.h"

#include "dynet/core/profile.h"
#include "dynet/core/watch.h"

namespace dynet::engine {
namespace {

/// What a call counts for those who may end the work. Kernels that take long say what they do themselves.
constexpr int64_t call_work = int64_t{1} << 20;

/// A copy, field by field: one of the whole is so long that a string instruction would make it, which takes
/// longer than many kernels.
Call as_run_forward(const Call& c) {
  return {c.attrs, c.count, c.x_dims, c.dim, c.x, c.packed, c.y, c.saved, c.words, c.key, {}, {}, {}, false};
}

}  // namespace

void Worker::forward(const Step& step, std::span<const uint32_t> nodes, real* base, Call& call) {
  const Op& op = *memory_.graph[nodes[0]].op;
  make_call(nodes, step.items, step.shared, call_tables_, call);
  call.y = {base + step.value, nullptr, step.value_size};
  if (step.saved_size)
    call.saved = {base + step.saved, nullptr, step.saved_size};
  else if (op.saved_in_place)
    call.saved = call.x[0];
  const Timed timed(Timed::forward, op.name, &memory_.graph, nodes);
  worked(call_work);
  op.forward(*memory_.engine, call);
}

void Worker::repeat(uint32_t entry, std::span<const uint32_t> nodes, bool moved) {
  worked(call_work);
  const Call& call = memory_.calls[entry];
  if (moved || !call.count || nodes.size() < memory_.tape.entries[entry].count)
    run_as_new_call(nodes, memory_.tape.entries[entry].shared);
  else
    memory_.graph[nodes[0]].op->forward(*memory_.engine, call);
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

void Worker::backward(const GradientCall& call) {
  const std::span nodes = memory_.plan->members_of(call, memory_.tape);
  if (call.needs_finish) finish_all(nodes);
  const Timed timed(Timed::backward, memory_.graph[nodes[0]].op->name, &memory_.graph, nodes);
  worked(call_work);
  run_backward(nodes, call);
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

void Worker::run_backward(std::span<const uint32_t> nodes, const GradientCall& members) {
  const Node& example = memory_.graph[nodes[0]];
  const Op& op = *example.op;
  if (!op.differentiable) return;
  tables_.reset();
  const uint32_t shared = memory_.tape.entries[members.entry].shared;
  Call call = as_run_forward(memory_.calls[members.entry]);
  if (!call.count || !members.is_whole) {
    make_call(nodes, items_in(nodes), shared, tables_, call);
    add_results(call, nodes);
  }
  add_gradients(call, nodes, members.gradient);
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
    if (!call.packed[i] && !is_shared_parameter(shared, i)) backward_argument(call, nodes, i);
}

/// The products of the backward pass read transposed panels.
void Worker::transpose_matrices(const Call& call, const Node& example) {
  for (unsigned i = 0; i < example.arg_count; ++i)
    if (call.packed[i]) memory_.transpose(memory_.graph.args(example)[i], *call.packed[i]);
}

/// Runs the kernel for those members whose contribution needs one.
void Worker::backward_argument(Call& all, std::span<const uint32_t> nodes, unsigned i) {
  const Op& op = *memory_.graph[nodes[0]].op;
  const unsigned found = find_targets(nodes, i);
  if (subset_.empty()) return;
  const auto run = [&](Call& call) {
    call.accumulate = found & holds || !op.overwrites;
    if (found & is_new) start_targets(call.accumulate);
    call.dx = found & in_runs ? targets_in_runs(call.count) : targets_of(call.count, i);
    if (op.reads_part) give_scratch(call, nodes[0]);
    op.backward(*memory_.engine, call, i);
    if (found & in_runs) add_runs();
  };
  if (subset_.size() == nodes.size()) return run(all);
  Call part;
  make_call(subset_, items_in(subset_), 0, tables_, part);
  add_results(part, subset_);
  add_gradients(part, subset_, {});
  add_workspace(part, subset_);
  run(part);
}

/// Collects the members whose contribution to argument i is still to be computed, and where it goes. Those
/// that are the member's gradient as it is need not be.
unsigned Worker::find_targets(std::span<const uint32_t> nodes, unsigned i) {
  const Graph& graph = memory_.graph;
  const Node& example = graph[nodes[0]];
  const Item& item = graph.item(example);
  const bool matrix = item.is_matrix(example, i),
             may_be_added = item.is_identity(i) && example.op->has_matrix;
  const std::span args = memory_.arguments(nodes, i, arguments_);
  if (targets_.size() < nodes.size()) targets_.resize(nodes.size());
  if (members_.size() < nodes.size()) members_.resize(nodes.size());
  unsigned found = nothing;
  size_t count = 0;
  for (size_t k = 0; k < nodes.size(); ++k) {
    const uint32_t id = nodes[k], arg = args[k];
    if (!memory_.marks[arg] || (matrix && graph.dim(arg).bd == 1)) continue;
    if (may_be_added && is_added(graph, graph[id], i)) continue;
    real* const target = target_of(arg, graph[id].args + i);
    if (!target) continue;
    const GradientEntry& entry = memory_.entry(arg);
    found |= entry.is(Accumulation::direct) && memory_.states[arg] != GradientState::empty ? holds : is_new;
    if (entry.has(GradientEntry::broadcast)) found |= holds | (sums_in_runs(id, arg) ? in_runs : nothing);
    members_[count] = id, arguments_[count] = arg, targets_[count] = target;
    ++count;
  }
  subset_ = count == nodes.size() ? nodes : std::span<const uint32_t>(members_).first(count);
  subset_args_ = args.first(count);
  return found;
}

/// Where the kernel of an edge puts its contribution to `arg`; null where it has none.
real* Worker::target_of(uint32_t arg, uint32_t edge) const {
  const GradientEntry& entry = memory_.entry(arg);
  if (entry.is(Accumulation::direct)) return memory_.gradient_of(arg);
  if (!entry.is(Accumulation::buffered)) return nullptr;
  const GradientTerm& term = memory_.plan->terms[memory_.plan->term_of[edge]];
  return term.is_gradient || term.from.is_none() ? nullptr : memory_.gradients + term.from.offset();
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
    add_each(*memory_.engine, size, addresses_.size(), addresses_.data(), targets_[n]);
  }
}

/// Targets that hold nothing yet are set to zero if contributions are added to them.
void Worker::start_targets(bool accumulate) {
  for (size_t n = 0; n < subset_args_.size(); ++n) {
    const uint32_t arg = subset_args_[n];
    if (memory_.entry(arg).is(Accumulation::buffered)) {
      if (accumulate) memory_.engine->fill(memory_.graph.dim(arg).size(), 0, targets_[n]);
    } else if (memory_.states[arg] == GradientState::empty) {
      if (accumulate) memory_.clear_gradient(arg);
      memory_.states[arg] = GradientState::holds_sum;
    }
  }
}

}  // namespace dynet::engine
