// Sums of gradients: what waits for a node is added in canonical order, whatever the schedule was.
#include <algorithm>

#include "dynet/run/lane.h"

namespace dynet::engine {

bool Tables::passes(const Node& node, unsigned i) const {
  if (!graph.item(node).passes(i)) return false;
  const Node& arg = graph[graph.args(node)[i]];
  return arg.dim_id == node.dim_id || graph.dim(arg).bd == graph.dim(node).bd;
}

/// Parts of nodes whose consumers run side by side come from several threads.
void Tables::append_part(uint32_t id, const real* from, uint32_t view, uint32_t consumer) {
  Flow& to = flow[id];
  const uint32_t number =
      to.crossed ? std::atomic_ref(to.part_count).fetch_add(1, std::memory_order_relaxed) : to.part_count++;
  parts[to.first_part + number] = {from, view, consumer, number};
}

void Tables::clear_gradient(uint32_t id) {
  const Dim& dim = graph.dim(id);
  const size_t size = dim.batch_size(), stride = gradient_stride(id);
  real* gradient = flow[id].gradient;
  if (stride == size) return std::fill_n(gradient, dim.size(), real(0)), void();
  for (unsigned b = 0; b < dim.bd; ++b) std::fill_n(gradient + b * stride, size, real(0));
}

/// Completes the gradients of a node and, before it, of all views of its memory.
void Lane::finish(uint32_t id) {
  if (t_.flow[id].has_views)
    for (uint32_t v = t_.views[id].first; v != none; v = t_.views[v].next) finish_one(v);
  finish_one(id);
}

void Lane::finish_one(uint32_t id) {
  Flow& flow = t_.flow[id];
  if (!flow.ready && flow.gradient) t_.clear_gradient(id), flow.ready = true;
  if (flow.part_count) add_parts(id), flow.part_count = 0;
  if (flow.late == none || t_.graph[id].op == &parameter_op) return;
  add_outer(id, flow.gradient, true);
  flow.late = none;
}

/// The parts of a node in canonical order; they came call by call. Most nodes have three or so.
std::span<const Part> Lane::sorted_parts(uint32_t id) {
  constexpr size_t few = 8;
  const std::span<Part> parts = std::span(t_.parts).subspan(t_.flow[id].first_part, t_.flow[id].part_count);
  const auto newest_first = [](const Part& a, const Part& b) {
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

/// Part by part; those of equal views one after another, so that each place is the sum of one list.
void Lane::add_many_parts(uint32_t id) {
  struct Term {
    size_t offset, n, number;
    const real* from;
    uint32_t consumer;
    bool same_place(const Term& t) const { return offset == t.offset && n == t.n; }
    auto operator<=>(const Term&) const = default;
  };
  thread_local std::vector<Term> terms;
  thread_local std::vector<Part> unmade;
  const Dim& dim = t_.graph.dim(id);
  const std::span parts = sorted_parts(id);
  const bool are_whole = std::ranges::all_of(parts, [](const Part& p) { return p.view == none; });
  if (are_whole && std::ranges::any_of(parts, &Part::is_unmade)) return add_in_runs(id, parts);
  terms.clear();
  for (const Part& part : parts) {
    const uint32_t view = part.view;
    if (view == none)
      terms.push_back({0, dim.batch_size(), terms.size(), part.from, part.consumer});
    else
      terms.push_back({t_.graph.item(view).view_offset, t_.graph.dim(view).batch_size(), terms.size(),
                       t_.flow[view].gradient, part.consumer});
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
      t_.engine->add_each(place.n, addresses_.size(), addresses_.data(),
                          t_.flow[id].gradient + b * size_t{t_.gradient_stride(id)} + place.offset);
    }
  }
}

void Lane::add_parts(uint32_t id) {
  if (t_.flow[id].part_count > terms_in_a_row) return add_many_parts(id);
  const Dim& dim = t_.graph.dim(id);
  const size_t size = dim.batch_size();
  const uint32_t stride = t_.gradient_stride(id);
  addresses_.clear();
  const auto add_whole = [&] {
    if (!addresses_.empty())
      t_.engine->add_each(dim.size(), addresses_.size(), addresses_.data(), t_.flow[id].gradient);
    addresses_.clear();
  };
  const std::span parts = sorted_parts(id);
  for (size_t k = 0; k < parts.size(); ++k) {
    const Part& part = parts[k];
    if (part.is_unmade()) {
      add_whole();
      k += add_unmade(id, parts.subspan(k), t_.flow[id].gradient, stride) - 1;
      continue;
    }
    const real* from = part.from;
    size_t n = size, offset = 0;
    if (part.view != none) {
      offset = t_.graph.item(part.view).view_offset;
      from = t_.flow[part.view].gradient;
      n = t_.graph.dim(part.view).batch_size();
    }
    if (n == size && (stride == size || dim.bd == 1)) {
      addresses_.push_back(from);
      continue;
    }
    add_whole();
    for (unsigned b = 0; b < dim.bd; ++b)
      t_.engine->add_scaled(n, 1, from + b * n, t_.flow[id].gradient + b * size_t{stride} + offset);
  }
  add_whole();
}

void Lane::add_outer(uint32_t id, real* target, bool accumulate) {
  const Dim& dim = t_.graph.dim(id);
  addresses_.clear(), outer_x_.clear();
  for (uint32_t at = t_.late_lists_of(id).outer.first; at != none; at = t_.late_uses[at].next)
    list_columns(t_.late_uses[at], dim.rows(), dim.cols());
  t_.engine->outer_sum(
      {dim.rows(), dim.cols(), addresses_.size(), addresses_.data(), outer_x_.data(), target, accumulate});
}

void Lane::add_uses(uint32_t id, real* target) {
  addresses_.clear();
  for (uint32_t at = t_.late_lists_of(id).added.first; at != none; at = t_.late_uses[at].next)
    addresses_.push_back(t_.flow[t_.late_uses[at].node].gradient);
  t_.engine->add_each(t_.graph.dim(id).size(), addresses_.size(), addresses_.data(), target);
}

/// Lists the columns of all batch elements of a use of an m×k matrix.
void Lane::list_columns(const LateUse& use, unsigned m, unsigned k) {
  const Node& node = t_.graph[use.node];
  const Item& item = t_.graph.item(node);
  const Place& place = t_.place[use.node];
  unsigned b = 0;
  const auto argument = [&](unsigned i) -> const real* {
    const uint32_t arg = t_.graph.args(node)[i];
    const Place& at = t_.place[arg];
    return b == 0 || t_.graph.dim(arg).bd == 1 ? at.value : at.value + b * size_t{at.stride};
  };
  for (const unsigned batch = t_.graph.dim(node).bd; b < batch; ++b) {
    const NodeView view{item.x_dims.data(),
                        ArgumentView::of(argument),
                        place.value + b * item.size,
                        place.aux + b * item.aux_size,
                        t_.flow[use.node].gradient + b * item.size,
                        place.d_aux + b * item.d_aux_size};
    const OuterPair pair = node.op->outer(node.payload, view, use.arg);
    for (unsigned c = 0; c < pair.columns; ++c) {
      addresses_.push_back(pair.dy + c * size_t{m});
      outer_x_.push_back(pair.x + c * size_t{k});
    }
  }
}

}  // namespace dynet::engine
