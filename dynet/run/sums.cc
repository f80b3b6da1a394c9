// Sums of gradients: what waits for a node is added in canonical order, whatever the schedule was.
#include <algorithm>

#include "dynet/run/worker.h"

namespace dynet::engine {

bool RunMemory::is_identity(const Node& node, unsigned i) const {
  if (!graph.item(node).is_identity(i)) return false;
  const Node& arg = graph[graph.args(node)[i]];
  return arg.dim_id == node.dim_id || graph.dim(arg).bd == graph.dim(node).bd;
}

/// Partial gradients of nodes whose consumers run side by side come from several threads.
void RunMemory::append_partial(uint32_t id, const real* from, uint32_t view, uint32_t consumer) {
  GradientEntry& to = gradients[id];
  const uint32_t number = to.from_several_workers
                              ? std::atomic_ref(to.partial_count).fetch_add(1, std::memory_order_relaxed)
                              : to.partial_count++;
  partials[to.first_partial + number] = {from, view, consumer, number};
}

void RunMemory::clear_gradient(uint32_t id) {
  const Dim& dim = graph.dim(id);
  const size_t size = dim.batch_size(), stride = gradient_stride(id);
  real* gradient = gradients[id].gradient;
  if (stride == size) return engine->fill(dim.size(), 0, gradient);
  for (unsigned b = 0; b < dim.bd; ++b) engine->fill(size, 0, gradient + b * stride);
}

/// Completes the gradients of a node and, before it, of all views of its memory.
void Worker::finish(uint32_t id) {
  if (memory_.gradients[id].has_views)
    for (uint32_t v = memory_.views[id].first; v != none; v = memory_.views[v].next) finish_one(v);
  finish_one(id);
}

void Worker::finish_one(uint32_t id) {
  GradientEntry& entry = memory_.gradients[id];
  if (!entry.ready && entry.gradient) memory_.clear_gradient(id), entry.ready = true;
  if (entry.partial_count) add_partials(id), entry.partial_count = 0;
  if (entry.deferred == none || memory_.graph[id].op == &parameter_op) return;
  add_outer(id, entry.gradient, true);
  entry.deferred = none;
}

/// The partial gradients of a node in canonical order; they came call by call. Most nodes have three or so.
std::span<const Partial> Worker::sorted_partials(uint32_t id) {
  constexpr size_t few = 8;
  const std::span<Partial> parts =
      std::span(memory_.partials)
          .subspan(memory_.gradients[id].first_partial, memory_.gradients[id].partial_count);
  const auto newest_first = [](const Partial& a, const Partial& b) {
    return a.consumer != b.consumer ? a.consumer > b.consumer : a.number < b.number;
  };
  if (parts.size() > few) {
    if (!std::ranges::is_sorted(parts, newest_first)) std::ranges::sort(parts, newest_first);
    return parts;
  }
  for (size_t i = 1; i < parts.size(); ++i)
    for (size_t k = i; k > 0 && newest_first(parts[k], parts[k - 1]); --k) std::swap(parts[k], parts[k - 1]);
  return parts;
}

/// Partial by part; those of equal views one after another, so that each place is the sum of one list.
void Worker::add_many_partials(uint32_t id) {
  struct Term {
    size_t offset, n, number;
    const real* from;
    uint32_t consumer;
    bool same_place(const Term& t) const { return offset == t.offset && n == t.n; }
    auto operator<=>(const Term&) const = default;
  };
  thread_local std::vector<Term> terms;
  thread_local std::vector<Partial> unmade;
  const Dim& dim = memory_.graph.dim(id);
  const std::span parts = sorted_partials(id);
  const bool are_whole = std::ranges::all_of(parts, [](const Partial& p) { return p.view == none; });
  if (are_whole && std::ranges::any_of(parts, &Partial::is_unmade)) return add_in_runs(id, parts);
  terms.clear();
  for (const Partial& part : parts) {
    const uint32_t view = part.view;
    if (view == none)
      terms.push_back({0, dim.batch_size(), terms.size(), part.from, part.consumer});
    else
      terms.push_back({memory_.graph.item(view).view_offset, memory_.graph.dim(view).batch_size(),
                       terms.size(), memory_.gradients[view].gradient, part.consumer});
  }
  if (!std::ranges::is_sorted(terms)) std::ranges::sort(terms);
  for (size_t first = 0, end = 0; first < terms.size(); first = end) {
    const Term& place = terms[first];
    bool all_made = true;
    for (; end < terms.size() && terms[end].same_place(place); ++end) all_made &= terms[end].from != nullptr;
    if (!all_made) {
      unmade.clear();
      for (size_t i = first; i < end; ++i) unmade.push_back({terms[i].from, none, terms[i].consumer, 0});
      add_in_runs(id, unmade);
      continue;
    }
    for (unsigned b = 0; b < dim.bd; ++b) {
      addresses_.clear();
      for (size_t i = first; i < end; ++i) addresses_.push_back(terms[i].from + b * place.n);
      memory_.engine->add_each(
          place.n, addresses_.size(), addresses_.data(),
          memory_.gradients[id].gradient + b * size_t{memory_.gradient_stride(id)} + place.offset);
    }
  }
}

void Worker::add_partials(uint32_t id) {
  if (memory_.gradients[id].partial_count > terms_in_a_row) return add_many_partials(id);
  const Dim& dim = memory_.graph.dim(id);
  const size_t size = dim.batch_size();
  const uint32_t stride = memory_.gradient_stride(id);
  addresses_.clear();
  const auto add_whole = [&] {
    if (!addresses_.empty())
      memory_.engine->add_each(dim.size(), addresses_.size(), addresses_.data(),
                               memory_.gradients[id].gradient);
    addresses_.clear();
  };
  const std::span parts = sorted_partials(id);
  for (size_t k = 0; k < parts.size(); ++k) {
    const Partial& part = parts[k];
    if (part.is_unmade()) {
      add_whole();
      k += add_unmade(id, parts.subspan(k), memory_.gradients[id].gradient, stride) - 1;
      continue;
    }
    const real* from = part.from;
    size_t n = size, offset = 0;
    if (part.view != none) {
      offset = memory_.graph.item(part.view).view_offset;
      from = memory_.gradients[part.view].gradient;
      n = memory_.graph.dim(part.view).batch_size();
    }
    if (n == size && (stride == size || dim.bd == 1)) {
      addresses_.push_back(from);
      continue;
    }
    add_whole();
    for (unsigned b = 0; b < dim.bd; ++b)
      memory_.engine->add_scaled(n, 1, from + b * n,
                                 memory_.gradients[id].gradient + b * size_t{stride} + offset);
  }
  add_whole();
}

void Worker::add_outer(uint32_t id, real* target, bool accumulate) {
  const Dim& dim = memory_.graph.dim(id);
  addresses_.clear(), outer_x_.clear();
  for (uint32_t at = memory_.deferred_lists_of(id).outer.first; at != none;
       at = memory_.deferred_uses[at].next)
    list_columns(memory_.deferred_uses[at], dim.rows(), dim.cols());
  memory_.engine->outer_sum(
      {dim.rows(), dim.cols(), addresses_.size(), addresses_.data(), outer_x_.data(), target, accumulate});
}

void Worker::add_uses(uint32_t id, real* target) {
  addresses_.clear();
  for (uint32_t at = memory_.deferred_lists_of(id).added.first; at != none;
       at = memory_.deferred_uses[at].next)
    addresses_.push_back(memory_.gradients[memory_.deferred_uses[at].node].gradient);
  memory_.engine->add_each(memory_.graph.dim(id).size(), addresses_.size(), addresses_.data(), target);
}

/// Lists the columns of all batch elements of a use of an m×k matrix.
void Worker::list_columns(const DeferredUse& use, unsigned m, unsigned k) {
  const Node& node = memory_.graph[use.node];
  const Item& item = memory_.graph.item(node);
  const Buffers& place = memory_.buffers[use.node];
  unsigned b = 0;
  const auto argument = [&](unsigned i) -> const real* {
    const uint32_t arg = memory_.graph.args(node)[i];
    const Buffers& at = memory_.buffers[arg];
    return b == 0 || memory_.graph.dim(arg).bd == 1 ? at.value : at.value + b * size_t{at.stride};
  };
  for (const unsigned batch = memory_.graph.dim(node).bd; b < batch; ++b) {
    const NodeView view{item.x_dims.data(),
                        ArgumentView::of(argument),
                        place.value + b * item.size,
                        place.saved + b * item.saved_size,
                        memory_.gradients[use.node].gradient + b * item.size,
                        place.workspace + b * item.workspace_size};
    const OuterPair pair = node.op->outer(node.payload, view, use.arg);
    for (unsigned c = 0; c < pair.columns; ++c) {
      addresses_.push_back(pair.dy + c * size_t{m});
      outer_x_.push_back(pair.x + c * size_t{k});
    }
  }
}

}  // namespace dynet::engine
