// Sums of gradients: contributions that have waited are added in canonical order, whatever the schedule was.
#include <algorithm>

#include "dynet/run/worker.h"

namespace dynet::engine {

void RunMemory::clear_gradient(uint32_t id) {
  const Dim& dim = graph.dim(id);
  const size_t size = dim.batch_size(), stride = plan->stride_of(graph, id);
  real* const gradient = gradient_of(id);
  if (stride == size || dim.bd == 1) return engine->fill(dim.size(), 0, gradient);
  for (unsigned b = 0; b < dim.bd; ++b) engine->fill(size, 0, gradient + b * stride);
}

/// Completes the gradients of the members of a call. Sums of made contributions are one call of the engine.
void Worker::finish_all(std::span<const uint32_t> nodes) {
  for (const uint32_t id : nodes)
    if (memory_.entry(id).needs_finish() && !list_sum(id)) finish(id);
  sums_.make(*memory_.engine);
}

/// Lists the sum of a node's contributions, if this is all that its gradient takes.
bool Worker::list_sum(uint32_t id) {
  const GradientEntry& entry = memory_.entry(id);
  if (!entry.is(Accumulation::buffered) || entry.has(GradientEntry::unplaced_terms) ||
      entry.has(GradientEntry::with_views) || entry.deferred != none)
    return false;
  const Dim& dim = memory_.graph.dim(id);
  if (dim.bd > 1 && memory_.plan->stride_of(memory_.graph, id) != dim.batch_size()) return false;
  sums_.begin(*memory_.engine, dim.size());
  for (uint32_t at = entry.terms; at != GradientTerm::none; at = memory_.plan->terms[at].next)
    sums_.add(memory_.at(memory_.plan->terms[at].from));
  sums_.end(memory_.gradient_of(id));
  memory_.states[id] = GradientState::finished;
  return true;
}

/// Completes the gradients of a node and, before it, of all views of its memory.
void Worker::finish(uint32_t id) {
  if (memory_.entry(id).has(GradientEntry::with_views))
    for (uint32_t v = memory_.plan->view_lists[id].first; v != none; v = memory_.plan->view_lists[v].next)
      finish_one(v);
  finish_one(id);
}

void Worker::finish_one(uint32_t id) {
  GradientState& state = memory_.states[id];
  if (state == GradientState::finished) return;
  const GradientEntry& entry = memory_.entry(id);
  if (state == GradientState::empty && entry.is_summed() && !entry.place.is_none())
    memory_.clear_gradient(id);
  state = GradientState::finished;
  if (entry.is(Accumulation::buffered)) add_partials(id);
  if (entry.deferred != none && memory_.graph[id].op != &parameter_op)
    add_outer(id, memory_.gradient_of(id), true);
}

/// The contributions to a node in canonical order.
void Worker::list_partials(uint32_t id) {
  partials_.clear();
  for (uint32_t at = memory_.entry(id).terms; at != GradientTerm::none; at = memory_.plan->terms[at].next) {
    const GradientTerm& term = memory_.plan->terms[at];
    uint32_t consumer = term.consumer;
    if (memory_.graph[consumer].op->view && memory_.entry(consumer).is(Accumulation::unmade))
      consumer = maker_of(consumer);
    const bool is_view = memory_.graph[consumer].op->view;
    const real* from = is_view               ? memory_.gradient_of(consumer)
                       : term.from.is_none() ? nullptr
                                             : memory_.at(term.from);
    partials_.push_back({from, is_view ? consumer : none, consumer});
  }
}

/// Place by place; contributions of equal views one after another, so that each place is the sum of one list.
void Worker::add_many_partials(uint32_t id) {
  const Dim& dim = memory_.graph.dim(id);
  const bool are_whole = std::ranges::all_of(partials_, [](const Partial& p) { return p.view == none; });
  if (are_whole && std::ranges::any_of(partials_, &Partial::is_unmade)) return add_in_runs(id, partials_);
  terms_.clear();
  for (const auto& [from, view, consumer] : partials_) {
    const size_t offset = view == none ? 0 : memory_.graph.item(view).view_offset;
    const size_t n = view == none ? dim.batch_size() : memory_.graph.dim(view).batch_size();
    terms_.push_back({offset, n, terms_.size(), from, consumer});
  }
  if (!std::ranges::is_sorted(terms_)) std::ranges::sort(terms_);
  real* const gradient = memory_.gradient_of(id);
  for (size_t first = 0, end = 0; first < terms_.size(); first = end) {
    const Term& place = terms_[first];
    bool all_made = true;
    for (; end < terms_.size() && terms_[end].same_place(place); ++end)
      all_made &= terms_[end].from != nullptr;
    if (!all_made) {
      place_partials_.clear();
      for (size_t i = first; i < end; ++i)
        place_partials_.push_back({terms_[i].from, none, terms_[i].consumer});
      add_in_runs(id, place_partials_);
      continue;
    }
    for (unsigned b = 0; b < dim.bd; ++b) {
      addresses_.clear();
      for (size_t i = first; i < end; ++i) addresses_.push_back(terms_[i].from + b * place.n);
      add_each(*memory_.engine, place.n, addresses_.size(), addresses_.data(),
               gradient + b * size_t{memory_.plan->stride_of(memory_.graph, id)} + place.offset);
    }
  }
}

void Worker::add_partials(uint32_t id) {
  list_partials(id);
  if (partials_.size() > terms_in_a_row) return add_many_partials(id);
  const Dim& dim = memory_.graph.dim(id);
  const size_t size = dim.batch_size(), stride = memory_.plan->stride_of(memory_.graph, id);
  real* const gradient = memory_.gradient_of(id);
  addresses_.clear();
  const auto add_whole = [&] {
    if (!addresses_.empty())
      add_each(*memory_.engine, dim.size(), addresses_.size(), addresses_.data(), gradient);
    addresses_.clear();
  };
  const std::span<const Partial> parts = partials_;
  for (size_t k = 0; k < parts.size(); ++k) {
    const Partial& part = parts[k];
    if (part.is_unmade()) {
      add_whole();
      k += add_unmade(id, parts.subspan(k), gradient, static_cast<uint32_t>(stride)) - 1;
      continue;
    }
    const size_t n = part.view == none ? size : memory_.graph.dim(part.view).batch_size();
    const size_t from_stride = part.view == none ? n : memory_.plan->stride_of(memory_.graph, part.view);
    if (part.view == none && (stride == size || dim.bd == 1)) {
      addresses_.push_back(part.from);
      continue;
    }
    add_whole();
    const size_t offset = part.view == none ? 0 : memory_.graph.item(part.view).view_offset;
    for (unsigned b = 0; b < dim.bd; ++b)
      memory_.engine->add_scaled(n, 1, part.from + b * from_stride, gradient + b * stride + offset);
  }
  add_whole();
}

bool Worker::add_outer(uint32_t id, real* target, bool accumulate) {
  const Dim& dim = memory_.graph.dim(id);
  addresses_.clear(), outer_x_.clear();
  for (uint32_t at = memory_.plan->deferred_of(id).outer.first; at != none;
       at = memory_.plan->deferred_uses[at].next)
    list_columns(memory_.plan->deferred_uses[at], dim.rows(), dim.cols());
  memory_.engine->outer_sum(
      {dim.rows(), dim.cols(), addresses_.size(), addresses_.data(), outer_x_.data(), target, accumulate});
  return !addresses_.empty();
}

void Worker::add_uses(uint32_t id, real* target) {
  addresses_.clear();
  for (uint32_t at = memory_.plan->deferred_of(id).added.first; at != none;
       at = memory_.plan->deferred_uses[at].next)
    addresses_.push_back(memory_.gradient_of(memory_.plan->deferred_uses[at].node));
  add_each(*memory_.engine, memory_.graph.dim(id).size(), addresses_.size(), addresses_.data(), target);
}

/// Lists the columns of all batch elements of a use of an m×k matrix.
void Worker::list_columns(const DeferredUse& use, unsigned m, unsigned k) {
  const Graph& graph = memory_.graph;
  const Node& node = graph[use.node];
  const Item& item = graph.item(node);
  const auto value = [&](unsigned i, unsigned b) -> const real* {
    const uint32_t arg = graph.args(node)[i];
    const Buffers& at = memory_.buffers[arg];
    return b == 0 || graph.dim(arg).bd == 1 ? at.value : at.value + b * size_t{at.stride};
  };
  const auto add = [&](const OuterPair& pair) {
    for (unsigned c = 0; c < pair.columns; ++c) {
      addresses_.push_back(pair.dy + c * size_t{m});
      outer_x_.push_back(pair.x + c * size_t{k});
    }
  };
  const real* dy = memory_.gradient_of(use.node);
  const Buffers& place = memory_.buffers[use.node];
  for (unsigned b = 0, batch = graph.dim(node).bd; b < batch; ++b, dy += item.size) {
    if (!node.op->outer) {
      add({dy, value(use.arg + 1, b), item.x_dims[use.arg + 1].cols()});
      continue;
    }
    const auto argument = [&](unsigned i) { return value(i, b); };
    add(node.op->outer(node.payload,
                       {item.x_dims.data(), ArgumentView::of(argument), place.value + b * item.size,
                        place.saved + b * item.saved_size, dy, place.workspace + b * item.workspace_size},
                       use.arg));
  }
}

}  // namespace dynet::engine
