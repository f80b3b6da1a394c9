// Drawing and applying the dropout masks of recurrent builders.
#include "dynet/nn/dropout.h"

#include <algorithm>
#include <utility>

#include "dynet/ops/all.h"

namespace dynet::engine {

void check_builder_sizes(const char* builder, unsigned layers, unsigned input_size, unsigned hidden_size) {
  constexpr unsigned most = 1 << 28, most_layers = 1 << 20;
  if (layers > most_layers)
    invalid(builder, ": ", layers, " layers were asked for; at most ", most_layers, " are possible");
  for (const unsigned size : {input_size, hidden_size})
    if (size == 0 || size > most)
      invalid(builder, ": input size ", input_size, " and hidden size ", hidden_size,
              " were given; each must be from 1 to ", most);
}

void check_builder_input(const char* builder, const Expression& x, unsigned size) {
  if (!x.pg || x.is_stale()) return;  // the first operation says so
  const Dim& dim = dim_of(x);
  if (dim.rows() != size || !dim.is_vector())
    invalid(builder, ": an input of shape ", dim, " was given; a vector of ", size, " is needed");
}

void DropoutMasks::set_rates(real input, real output, real cell) {
  for (real rate : {input, output, cell})
    if (!(rate >= 0 && rate <= 1))
      invalid("dropout rate must be a probability (>=0 and <=1): ", rate, " was given");
  rates_ = {input, output, cell};
  is_active_ = input > 0 || output > 0 || cell > 0;
  for (Masks& masks : drawn_.masks) masks.ready = false;
}

void DropoutMasks::forget() {
  Drawn& d = drawn_;
  d.count = d.chosen = 0, d.fixed_batch = d.sequence = 0;
  d.newest.clear(), d.begun.clear();
}

void DropoutMasks::exchange(Drawn& other) {
  std::swap(drawn_, other);
  for (Masks& masks : drawn_.masks) masks.ready = false;
}

void DropoutMasks::choose(unsigned batch) {
  auto& [all, newest, count, chosen, begun, sequence, fixed] = drawn_;
  if (chosen < count && all[chosen].sequence == sequence && all[chosen].batch == batch) return;
  if (newest.size() <= sequence) newest.resize(sequence + 1, none);
  for (chosen = newest[sequence]; chosen != none && all[chosen].batch != batch;) chosen = all[chosen].next;
  if (chosen != none) return;
  if (all.size() == count) all.emplace_back();
  chosen = count++;
  Masks& added = all[chosen];
  added.sequence = sequence, added.batch = batch, added.newest = {}, added.ready = false;
  added.next = std::exchange(newest[sequence], chosen);
  added.all.assign(static_cast<size_t>(kinds_) * layers_, Expression());
}

void DropoutMasks::complete(Graph& graph, unsigned batch) {
  choose(batch);
  Masks& masks = drawn_.masks[drawn_.chosen];
  if (!masks.ready || (masks.newest.pg && masks.newest.is_stale())) draw_missing(graph, masks);
}

/// A number for masks that a task draws for a sequence which others read as well.
uint32_t DropoutMasks::number_of(const Masks& masks, uint32_t part) const {
  Hash hash;
  hash.add(builder_), hash.add(masks.batch);
  hash.add(
      static_cast<uint64_t>(std::count(drawn_.begun.begin(), drawn_.begun.begin() + masks.sequence, part)));
  return static_cast<uint32_t>(hash.number());
}

/// Masks belong to the part of the graph that has begun the sequence, whichever task needs them first.
void DropoutMasks::draw_missing(Graph& graph, Masks& masks) const {
  Tasks* tasks = graph.tasks();
  const uint32_t part = masks.sequence < drawn_.begun.size() ? drawn_.begun[masks.sequence] : Tasks::before;
  if (tasks && part == tasks->current()) tasks = nullptr;
  const uint32_t number = tasks ? number_of(masks, part) : 0;
  for (unsigned kind = 0; kind < kinds_; ++kind) {
    if (rates_[kind] == 0) continue;
    const real kept = 1 - rates_[kind];
    for (unsigned layer = 0; layer < layers_; ++layer) {
      Expression& mask = masks.all[kind * layers_ + layer];
      if (mask.pg && !mask.is_stale()) continue;
      const unsigned size = kind == input && layer == 0 ? input_dim_ : hidden_dim_;
      const Tasks::Apart apart(tasks, part, number + kind * layers_ + layer);
      mask = random_bernoulli(graph, Dim({size}, masks.batch), kept, kept > 0 ? 1 / kept : 1);
      masks.newest = mask;
    }
  }
  masks.ready = true;
}

Expression DropoutMasks::masked(Kind kind, unsigned layer, const Expression& x) const {
  if (kind >= kinds_ || rates_[kind] == 0) return x;
  return cmult(x, drawn_.masks[drawn_.chosen].all[kind * layers_ + layer]);
}

}  // namespace dynet::engine
