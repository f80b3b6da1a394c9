// Evaluation: reach, schedule, plan, bind, call.
#include <utility>

#include "dynet/params/init.h"
#include "dynet/run/executor.h"
#include "dynet/run/pace.h"

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
  const Graph::MaybeUse use(graph_);
  const uint32_t wanted[] = {id};
  if (id >= done_.size() || !done_[id]) evaluate(wanted);
  if (done_[id] & taken) restore(id);
  return lanes_[0].whole_value(id);
}

/// Computes a value once more, whose memory a later node has taken.
void Executor::restore(uint32_t id) {
  restore_arguments(id);
  lanes_[0].compute_alone(id);
  done_[id] = done;
  restored_ = true;
  protect(id);
}

void Executor::restore_arguments(uint32_t id) {
  for (uint32_t arg : graph_.args(graph_[id]))
    if (done_[arg] & taken) restore(arg);
}

/// What is to be run, in what order, and where values lie.
const Planned& Executor::planned(std::span<const uint32_t> wanted) {
  const Policy policy = policy_of(graph_);
  const bool is_first = !std::exchange(begun_, true);
  if (is_first) choose_threads(*t_.engine);
  const unsigned threads = t_.engine->threads();
  done_.resize(graph_.size(), 0);
  t_.marks.resize(graph_.size());
  const PlanCache::Question question{graph_, wanted, policy, threads};
  if (is_first)
    if (const Planned* kept = plans_.find(question)) return *kept;
  auto& [found, order, layout] = planned_;
  reach(graph_, wanted, done_, t_.marks, found);
  divide(graph_, found.kernels, threads, settings().worth_dividing, division_scratch_, division_);
  if (division_.pieces() == 0)
    schedule(graph_, found.kernels, policy, lanes_[0].scratch, order);
  else
    schedule_division(policy, order);
  plan(graph_, order, layout);
  if (is_first) plans_.offer(question, planned_);
  return planned_;
}

/// Schedules the pieces of an evaluation side by side, and joins these schedules.
void Executor::schedule_division(Policy policy, Schedule& result) {
  result.clear();
  const auto schedule_list = [&](std::span<const uint32_t> nodes, Lane& lane) {
    schedule(graph_, nodes, policy, lane.scratch, lane.schedule);
  };
  schedule_list(division_.before(), lanes_[0]);
  result.append(lanes_[0].schedule);
  lanes_.side_by_side(division_.pieces(),
                      [&](Lane& lane, uint32_t number) { schedule_list(division_.piece(number), lane); });
  for (uint32_t i = 0; i < division_.pieces(); ++i) result.append(lanes_[i].schedule);
  schedule_list(division_.after(), lanes_[0]);
  result.append(lanes_[0].schedule);
}

void Executor::evaluate(std::span<const uint32_t> wanted) {
  const Graph::MaybeUse use(graph_);
  if (checkpoint_count_ > 0) [[unlikely]]
    evaluate_older(wanted);
  run(wanted);
}

/// Evaluates what is not known yet by one schedule.
void Executor::run(std::span<const uint32_t> wanted) {
  const Planned& planned = this->planned(wanted);
  const auto& [found, order, layout] = planned;
  t_.key = {{random_seed(), (graph_.number() - graphs_before_seed()) ^ t_.evaluations << 24}};
  graph_.refresh_words(found.leaves);
  graph_.refresh_words(found.kernels);
  if (any_taken_)
    for (const auto* list : {&found.views, &found.kernels})
      for (uint32_t id : *list) restore_arguments(id);
  if (t_.place.size() < graph_.size()) t_.place.resize(graph_.size());
  t_.bind_leaves(found.leaves);

  multiply_adds_ += layout.multiply_adds;
  pace().add(layout.multiply_adds);
  real* base = t_.values.take<real>(layout.size);
  const size_t order_before = t_.order.size();
  const size_t first = t_.steps.size();
  auto number = static_cast<uint32_t>(first);
  for (const Step& step : layout.steps) place_step(step, order.nodes(step.first, step.count), number++, base);
  place_views(found.views);
  record_steps(planned);
  try {
    run_steps(planned, first, base);
  } catch (...) {
    t_.steps.resize(first);
    t_.order.resize(order_before);
    for (uint32_t id : found.kernels) done_[id] = 0;
    throw;
  }
  for (const auto* list : {&found.leaves, &found.views, &found.kernels})
    for (uint32_t id : *list) done_[id] |= done;
}

/// Remembers the calls for the backward pass.
void Executor::record_steps(const Planned& planned) {
  const auto& [found, order, layout] = planned;
  const auto start = static_cast<uint32_t>(t_.order.size());
  t_.order.insert(t_.order.end(), order.order.begin(), order.order.end());
  const uint32_t round = order.lists.empty() ? 0 : ++rounds_;
  uint32_t list = 0, number = 0;
  for (const Step& step : layout.steps) {
    while (round && number >= order.lists[list]) ++list;
    const bool divided = round && list > 0 && list + 1 < order.lists.size();
    StepRecord& record = t_.steps.emplace_back();
    record.first = start + step.first, record.count = step.count, record.shared = step.shared;
    record.round = round, record.lane = divided ? list : 0;
    ++number;
  }
}

/// Runs the calls of a plan, recorded from step `first_step` on: those of pieces side by side, the others
/// alone.
void Executor::run_steps(const Planned& planned, size_t first_step, real* base) {
  const auto& [found, order, layout] = planned;
  const auto run = [&](Lane& lane, size_t first, size_t end) {
    for (size_t i = first; i < end; ++i) {
      const Step& step = layout.steps[i];
      lane.forward(step, order.nodes(step.first, step.count), base, t_.steps[first_step + i].call);
    }
  };
  if (order.lists.empty()) return run(lanes_[0], 0, layout.steps.size());
  const std::span<const uint32_t> ends = order.lists;
  run(lanes_[0], 0, ends[0]);
  lanes_.side_by_side(ends.size() - 2,
                      [&](Lane& lane, uint32_t number) { run(lane, ends[number], ends[number + 1]); });
  run(lanes_[0], ends[ends.size() - 2], ends.back());
}

/// Tells the members of a call where their values will be.
void Executor::place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base) {
  const bool whole = graph_[nodes[0]].op->batching == Batching::nodes;
  const bool aux_is_first = graph_[nodes[0]].op->aux_is_first && !step.aux_size;
  real* value = base + step.value;
  real* aux = step.aux_size ? base + step.aux : nullptr;
  for (uint32_t id : nodes) {
    const Dim& dim = graph_.dim(id);
    const size_t stride = whole ? dim.batch_size() : step.value_size, items = whole ? 1 : dim.bd;
    if (aux_is_first) aux = take_first(id);
    t_.place[id] = {value, aux, nullptr, static_cast<uint32_t>(stride), number};
    value += items * step.value_size;
    if (aux) aux += items * step.aux_size;
  }
}

/// Gives a node the memory of its argument 0.
real* Executor::take_first(uint32_t id) {
  const uint32_t first = graph_.args(graph_[id])[0];
  done_[first] |= taken;
  any_taken_ = true;
  return t_.place[first].value;
}

void Executor::place_views(std::span<const uint32_t> views) {
  for (uint32_t id : views) {
    const Node& node = graph_[id];
    const uint32_t source = graph_.args(node)[0];
    real* const value = t_.value_of(source) + graph_.item(node).view_offset;
    t_.place[id] = {value, nullptr, nullptr, t_.place[source].stride, 0};
  }
}

void Executor::forget() {
  done_.clear(), path_.clear();
  t_.order.clear(), t_.steps.clear(), t_.packed.clear();
  t_.values.reset(), t_.parameters.reset(), gradients_.reset();
  lanes_.forget_values(), lanes_.forget_gradients();
  backward_from_ = none, begun_ = any_taken_ = restored_ = false;
  multiply_adds_ = 0;
  t_.engine = &settings().engine();
  for (size_t i = 0; i < checkpoint_count_; ++i) remember(i);
}

}  // namespace dynet::engine
