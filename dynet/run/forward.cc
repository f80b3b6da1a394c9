// Evaluation: reach, schedule, plan, bind, call.
#include "dynet/run/executor.h"
#include "dynet/run/profile.h"

namespace dynet::engine {
namespace {

/// What a graph says of batching comes before what the process says.
Policy policy_of(const Graph& graph) {
  const Policy chosen = settings().policy;
  if (!graph.batching.value_or(chosen != Policy::single)) return Policy::single;
  return chosen == Policy::single ? Policy::agenda : chosen;
}

}  // namespace

Tensor Executor::value(unsigned id) {
  const uint32_t wanted[] = {id};
  if (id >= done_.size() || !done_[id]) evaluate(wanted);
  return whole_value(id);
}

/// The tensor as it is, or copied together if the batch elements lie apart.
Tensor Executor::contiguous(const Dim& dim, const real* from, uint32_t stride) {
  const size_t size = dim.batch_size();
  if (dim.bd == 1 || stride == size) return {dim, const_cast<real*>(from)};
  real* to = values_.take<real>(dim.size());
  for (unsigned b = 0; b < dim.bd; ++b) std::copy_n(from + b * size_t{stride}, size, to + b * size);
  return {dim, to};
}

/// What is to be run, in what order, and where values lie.
const Planned& Executor::planned(std::span<const uint32_t> wanted) {
  const Policy policy = policy_of(graph_);
  const bool is_first = done_.empty();
  done_.resize(graph_.size(), 0);
  marks_.resize(graph_.size(), 0);
  if (is_first)
    if (const Planned* kept = plans_.find(graph_, wanted, policy)) return *kept;
  auto& [found, order, layout] = planned_;
  reach(graph_, wanted, done_, marks_, found);
  schedule(graph_, found.kernels, policy, scratch_, order);
  plan(graph_, order, layout);
  if (is_first) plans_.offer(graph_, wanted, policy, planned_);
  return planned_;
}

void Executor::evaluate(std::span<const uint32_t> wanted) {
  const auto& [found, order, layout] = planned(wanted);
  const auto nodes = [&](const Step& step) { return std::span(order.order).subspan(step.first, step.count); };
  graph_.refresh_words(found.leaves);
  graph_.refresh_words(found.kernels);
  place_.resize(graph_.size());
  bind_leaves(found.leaves);

  real* base = values_.take<real>(layout.size);
  auto number = static_cast<uint32_t>(steps_.size());
  for (const Step& step : layout.steps) place_step(step, nodes(step), number++, base);
  place_views(found.views);
  calls_.clear();
  for (const Step& step : layout.steps) calls_.push_back(run(step, nodes(step), base));

  const auto start = static_cast<uint32_t>(order_.size());
  order_.insert(order_.end(), order.order.begin(), order.order.end());
  for (size_t i = 0; i < calls_.size(); ++i)
    steps_.push_back({start + layout.steps[i].first, layout.steps[i].count, calls_[i]});
  for (const auto* list : {&found.leaves, &found.views, &found.kernels})
    for (uint32_t id : *list) done_[id] = 1;
}

/// Tells the members of a call where their values will be.
void Executor::place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base) {
  const bool whole = graph_[nodes[0]].op->batching == Batching::nodes;
  real* value = base + step.value;
  real* aux = step.aux_size ? base + step.aux : nullptr;
  for (uint32_t id : nodes) {
    const Dim& dim = graph_.dim(id);
    const size_t stride = whole ? dim.batch_size() : step.value_size, items = whole ? 1 : dim.bd;
    place_[id] = {value, nullptr, aux, nullptr, static_cast<uint32_t>(stride), number};
    value += items * step.value_size;
    if (aux) aux += items * step.aux_size;
  }
}

void Executor::place_views(std::span<const uint32_t> views) {
  for (uint32_t id : views) {
    const Node& node = graph_[id];
    const uint32_t source = graph_.args(node)[0];
    place_[id].value = value_of(source) + graph_.item(node).view_offset;
    place_[id].stride = place_[source].stride;
  }
}

Call Executor::run(const Step& step, std::span<const uint32_t> nodes, real* base) {
  bind_matrices(graph_[nodes[0]]);
  const Timed timed(Timed::forward, graph_[nodes[0]].op->name, nodes.size());
  Call call = make_call(nodes, step.items, call_tables_);
  call.y = {base + step.value, nullptr, step.value_size};
  if (step.aux_size) call.aux = {base + step.aux, nullptr, step.aux_size};
  graph_[nodes[0]].op->forward(*engine_, call);
  return call;
}

void Executor::invalidate(unsigned first) {
  if (first == 0) {
    done_.clear(), place_.clear(), order_.clear(), steps_.clear(), path_.clear(), packed_.clear();
    values_.reset(), gradients_.reset(), call_tables_.reset();
    backward_from_ = none;
    round_ = round_graph_ == graph_.id() ? round_ + 1 : 0;
    round_graph_ = graph_.id();
    engine_ = &settings().engine();
    return;
  }
  if (first >= done_.size()) return;
  done_.resize(first), marks_.resize(first), place_.resize(first);
  uint32_t kept = 0;
  std::vector<StepRecord> steps;
  for (const StepRecord& step : steps_) {
    const uint32_t start = kept;
    for (uint32_t i = step.first; i < step.first + step.count; ++i) {
      if (order_[i] >= first) continue;
      place_[order_[i]].step = static_cast<uint32_t>(steps.size());
      order_[kept++] = order_[i];
    }
    if (kept > start) steps.push_back({start, kept - start, kept - start == step.count ? step.call : Call{}});
  }
  order_.resize(kept);
  steps_ = std::move(steps);
  path_.clear();
  backward_from_ = none;
}

}  // namespace dynet::engine
