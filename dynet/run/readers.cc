// What readers of a part of a node contribute to its gradient: made when it is added, and never kept.
//
// Such a contribution is as large as the node, however little was read. Where the contributions of many
// readers wait for their turn, only who makes them is kept; when the turn comes, the kernel adds into the sum
// itself, so that the same numbers are added in the same order.
#include <algorithm>

#include "dynet/core/profile.h"
#include "dynet/core/watch.h"
#include "dynet/run/worker.h"

namespace dynet::engine {

/// Room that one call of backward has for itself.
void Worker::give_scratch(Call& call, uint32_t example) {
  if (const size_t size = memory_.graph.item(example).workspace_size)
    call.workspace = {gradients_.take<real>(size * call.count), nullptr, size};
}

/// Makes the first of these contributions to a node, as many as one call can add one after another, and adds
/// them to the target, whose batch elements lie `stride` apart. Returns how many these are.
size_t Worker::add_unmade(uint32_t id, std::span<const Partial> parts, real* target, uint32_t stride) {
  const uint32_t first = parts[0].consumer, call = memory_.tape.entry_of[first];
  const Dim& dim = memory_.graph.dim(id);
  const Op& op = *memory_.graph[first].op;
  const bool whole = op.batching == Batching::nodes;
  const Arena::Position before = gradients_.position();
  size_t count = 1;
  if (whole ? stride != dim.batch_size() && dim.bd > 1 : memory_.graph.dim(first).bd != dim.bd) {
    add_alone(id, first, target, stride);
  } else {
    const size_t most = memory_.graph.item(first).workspace_size ? 1 : parts.size();  // which is large
    while (count < most && parts[count].is_unmade() && memory_.tape.entry_of[parts[count].consumer] == call &&
           (whole || memory_.graph.dim(parts[count].consumer).bd == dim.bd))
      ++count;
    members_.clear();
    for (const Partial& part : parts.first(count)) members_.push_back(part.consumer);
    subset_ = members_;
    run_reader(id, target, stride);
  }
  gradients_.go_back(before);
  return count;
}

/// Adds what a node contributes that reads its argument for several batch elements: these are summed first.
void Worker::add_alone(uint32_t id, uint32_t consumer, real* target, uint32_t stride) {
  const Dim& dim = memory_.graph.dim(id);
  const auto size = static_cast<uint32_t>(dim.batch_size());
  real* const sum = zeroed(dim.size());
  members_.assign(1, consumer);
  subset_ = members_;
  run_reader(id, sum, size);
  for (unsigned b = 0; b < dim.bd; ++b)
    memory_.engine->add_scaled(size, 1, sum + b * size_t{size}, target + b * size_t{stride});
}

/// Who makes a gradient that is left unmade: a reader of a part, or the view whose gradient is a part of it.
uint32_t Worker::maker_of(uint32_t id) const {
  do id = memory_.entry(id).consumer;
  while (memory_.graph[id].op->view && memory_.entry(id).is(Accumulation::unmade));
  return id;
}

/// The gradient of a node is zero but for that of a view.
void Worker::make_from_view(uint32_t id, uint32_t view) {
  const Dim &dim = memory_.graph.dim(id), &shown = memory_.graph.dim(view);
  const size_t stride = memory_.plan->stride_of(memory_.graph, view);
  const real* const from = memory_.gradient_of(view);
  real* const gradient = zeroed(dim.size());
  for (unsigned b = 0; b < dim.bd; ++b)
    memory_.engine->copy(shown.batch_size(), from + b * stride,
                         gradient + b * dim.batch_size() + memory_.graph.item(view).view_offset);
  memory_.buffers[id].workspace = gradient;
}

/// Each is what the node's only reader contributes.
void Worker::make_gradients(std::span<const uint32_t> nodes) {
  const auto call_of_reader = [&](uint32_t id) { return memory_.tape.entry_of[maker_of(id)]; };
  for (size_t k = 0; k < nodes.size();) {
    if (!memory_.is_unmade(nodes[k])) {
      ++k;
      continue;
    }
    if (const uint32_t maker = maker_of(nodes[k]); memory_.graph[maker].op->view) {
      make_from_view(nodes[k++], maker);
      continue;
    }
    const uint32_t number = call_of_reader(nodes[k]);
    readers_.clear(), targets_.clear();
    for (; k < nodes.size() && memory_.is_unmade(nodes[k]) && call_of_reader(nodes[k]) == number; ++k) {
      real* const gradient = zeroed(memory_.graph.dim(nodes[k]).size());
      memory_.buffers[nodes[k]].workspace = gradient;
      targets_.push_back(gradient);
      readers_.push_back(maker_of(nodes[k]));
    }
    Call call = call_of_readers(readers_);
    call.dx = targets_at(readers_, call.count, memory_.graph.dim(nodes[k - 1]).batch_size());
    memory_.graph[readers_[0]].op->backward(*memory_.engine, call, 0);
  }
}

/// A call of the backward kernel that is made for now.
Call Worker::call_of_readers(std::span<const uint32_t> readers) {
  Call call{};
  make_call(readers, items_in(readers), 0, tables_, call);
  add_results(call, readers);
  add_gradients(call, readers, {});
  give_scratch(call, readers[0]);
  call.accumulate = true;
  return call;
}

/// Runs the backward kernel for the members of subset_, all of which add to one target.
void Worker::run_reader(uint32_t id, real* target, uint32_t stride) {
  const Node& example = memory_.graph[subset_[0]];
  tables_.reset();
  unmade_.clear();
  for (const uint32_t reader : subset_)
    if (memory_.is_unmade(reader)) unmade_.push_back(reader);
  make_gradients(unmade_);
  Call call = call_of_readers(subset_);
  targets_.assign(subset_.size(), target);
  arguments_.assign(subset_.size(), id);
  subset_args_ = arguments_;
  const bool in_runs = sums_in_runs(subset_[0], id);
  const size_t apart = memory_.graph.dim(id).bd == 1 ? 0 : stride;
  call.dx = in_runs ? targets_in_runs(call.count) : targets_at(subset_, call.count, apart);
  const Timed timed(Timed::backward, example.op->name, &memory_.graph, subset_);
  worked(int64_t{1} << 16);
  example.op->backward(*memory_.engine, call, 0);
  if (in_runs) add_runs();
  for (const uint32_t reader : unmade_) forget_gradient(reader);
}

/// Adds very many contributions to the gradient of a node: in runs, the first of which begins with what it
/// holds, and the sums of runs pairwise, as add_each does.
void Worker::add_in_runs(uint32_t id, std::span<const Partial> parts) {
  const Dim& dim = memory_.graph.dim(id);
  const size_t size = dim.batch_size(), stride = memory_.plan->stride_of(memory_.graph, id);
  const bool in_place = stride == size || dim.bd == 1;
  const Arena::Position before = gradients_.position();
  real* const gradient = memory_.gradient_of(id);
  real* sums[34];  // of runs that wait for others; the last is of the present run
  size_t made = 1, top = 0, runs = 0;
  sums[0] = in_place ? gradient : gradients_.take<real>(dim.size());
  const auto each_element = [&](auto copy) {
    for (unsigned b = 0; b < dim.bd && !in_place; ++b) copy(sums[0] + b * size, gradient + b * stride);
  };
  each_element([=, this](real* sum, const real* held) { memory_.engine->copy(size, held, sum); });
  const auto join = [&] { --top, memory_.engine->add_scaled(dim.size(), 1, sums[top + 1], sums[top]); };
  for (size_t k = 0;;) {
    for (size_t left = std::min(terms_in_a_row, parts.size() - k); left > 0;) {
      size_t count = 1;
      if (parts[k].is_unmade())
        count = add_unmade(id, parts.subspan(k, left), sums[top], static_cast<uint32_t>(size));
      else
        memory_.engine->add_scaled(dim.size(), 1, parts[k].from, sums[top]);
      k += count, left -= count;
    }
    if (k == parts.size()) break;
    for (size_t n = runs++; n & 1; n >>= 1) join();
    if (++top == made) sums[made++] = gradients_.take<real>(dim.size());
    memory_.engine->fill(dim.size(), 0, sums[top]);
  }
  while (top > 0) join();
  each_element([=, this](const real* sum, real* held) { memory_.engine->copy(size, sum, held); });
  gradients_.go_back(before);
}

}  // namespace dynet::engine
