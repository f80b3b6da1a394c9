// The end of a backward pass: parameters and rows of lookup tables get their gradients.
#include <algorithm>
#include <mutex>

#include "dynet/core/profile.h"
#include "dynet/core/watch.h"
#include "dynet/ops/input.h"
#include "dynet/run/executor.h"

namespace dynet::engine {
namespace {

/// Graphs of several threads may lead to the same parameters.
Mutex& delivery() {
  static ForkedMutex& mutex = *new ForkedMutex;
  return mutex;
}

}  // namespace

/// Adds the gradients of leaves to parameters and, oldest leaf first, to lookup rows. All of them get theirs:
/// once the first one has, nothing ends the pass.
void Executor::deliver() {
  const Timed timed(Timed::backward, "gradients of parameters", &graph_);
  parameters_.clear(), lookups_.clear();
  for (auto it = memory_.plan->leaves.rbegin(); it != memory_.plan->leaves.rend(); ++it) {
    const Node& node = graph_[*it];
    if (node.op == &parameter_op) {
      parameters_.push_back(*it);
      continue;
    }
    workers_[0].finish(*it);
    if (node.op == &op<Lookup> && node.needs_gradient && attrs_of<Lookup>(node.payload).table->updated)
      lookups_.push_back(*it);
  }
  if (const Tasks* tasks = graph_.tasks())
    std::ranges::sort(lookups_, {}, [&](uint32_t id) { return tasks->place(id); });
  sum_long_products();
  const Unwatched to_the_end;
  const std::lock_guard lock(delivery());
  deliver_lookups();
  deliver_parameters();
}

/// Products of very many columns are summed while the pass may still be ended. Whether a product is one of
/// them is a property of the graph, since it decides in what order numbers are added.
void Executor::sum_long_products() {
  constexpr size_t long_columns = size_t{1} << 12;
  constexpr double long_work = 1 << 28;
  long_products_.clear();
  if (static_cast<double>(multiply_adds_) < long_work) return;  // all of them together
  for (uint32_t id : parameters_) {
    const DeferredLists deferred = memory_.plan->deferred_of(id);
    if (!deferred.outer.count || !is_learned(id)) continue;
    size_t columns = 0;
    for (uint32_t at = deferred.outer.first; at != none; at = memory_.plan->deferred_uses[at].next) {
      const Dim& dim = graph_.dim(memory_.plan->deferred_uses[at].node);
      columns += size_t{dim.cols()} * dim.bd;
    }
    const size_t size = graph_.dim(id).size();
    if (columns < long_columns || static_cast<double>(columns) * static_cast<double>(size) < long_work)
      continue;
    real* const sum = gradients_.take<real>(size);
    if (workers_[0].add_outer(id, sum, false)) long_products_.push_back({id, sum});
  }
}

/// Threads share out the parameters; those that make a large part of the work they cut among them.
void Executor::deliver_parameters() {
  const unsigned threads = memory_.engine->threads();
  uint64_t total = 0;
  if (threads > 1)
    for (uint32_t id : parameters_) total += cost_of_gradient(id);
  if (total < settings().worth_partitioning) {
    for (uint32_t id : parameters_) deliver_parameter(id, workers_[0]);
    return;
  }
  std::erase_if(parameters_, [&](uint32_t id) {
    const bool is_large = cost_of_gradient(id) > total / (2 * threads);
    if (is_large) deliver_parameter(id, workers_[0]);
    return is_large;
  });
  std::atomic<size_t> next = 0;
  workers_.parallel_for(threads, [&](Worker& worker, unsigned) {
    for (size_t i; (i = next.fetch_add(1)) < parameters_.size();) deliver_parameter(parameters_[i], worker);
  });
}

/// In multiply-adds.
uint64_t Executor::cost_of_gradient(uint32_t id) const {
  const GradientEntry& entry = memory_.entry(id);
  const DeferredLists deferred = memory_.plan->deferred_of(id);
  const uint32_t buffered = entry.is(Accumulation::buffered) ? entry.uses : 0;
  return (uint64_t{deferred.outer.count} + deferred.added.count + buffered) * graph_.dim(id).size();
}

bool Executor::is_learned(uint32_t parameter) const {
  return graph_[parameter].needs_gradient && parameter_storage(graph_[parameter])->updated;
}

/// A table may have got more rows than this graph knows, behind those that it knows.
void Executor::deliver_parameter(uint32_t id, Worker& worker) {
  worker.finish(id);
  if (!is_learned(id)) return;
  Storage& storage = *parameter_storage(graph_[id]);
  const size_t size = graph_.dim(id).size();
  const real* const gradient = memory_.gradient_of(id);
  if (gradient) memory_.engine->add_scaled(size, 1, gradient, storage.gradient.data());
  const DeferredLists deferred = memory_.plan->deferred_of(id);
  bool has_columns = false;
  const auto known = std::ranges::find(long_products_, id, &LongProduct::parameter);
  if (known != long_products_.end()) {
    memory_.engine->add_scaled(size, 1, known->sum, storage.gradient.data());
    has_columns = true;
  } else if (deferred.outer.count) {
    if (size < storage.gradient.size()) storage.gradient.numbers();
    const bool accumulate = !storage.gradient.is_clear();
    has_columns = worker.add_outer(id, storage.gradient.overwrite(), accumulate);
  }
  if (!has_columns && !gradient && !deferred.added.count) return;
  if (deferred.added.count) worker.add_uses(id, storage.gradient.data());
  storage.nonzero = true;
  if (storage.is_lookup) static_cast<LookupParameterStorage&>(storage).all_touched = true;
}

/// Calls f(table, row, gradient, its size) for all rows that were looked up, oldest first.
template <class F>
void Executor::each_row(F f) {
  for (uint32_t id : lookups_) {
    const Node& node = graph_[id];
    const size_t size = graph_.dim(node).batch_size();
    const real* from = memory_.gradient_of(id);
    for (uint32_t row : node.words()) {
      f(*attrs_of<Lookup>(node.payload).table, row, from, size);
      from += size;
    }
  }
}

/// Uses are added one after another; those of a row that has many are listed, and summed in runs.
void Executor::deliver_lookups() {
  size_t uses = 0;
  for (uint32_t id : lookups_) uses += graph_[id].words().size();
  const bool few = uses <= terms_in_a_row;
  using Table = LookupParameterStorage;
  struct Uncount {
    Executor& e;
    bool counted;
    ~Uncount() {
      if (counted)
        e.each_row([](Table& table, uint32_t row, const real*, size_t) { table.forget_uses(row); });
    }
  } uncount{*this, !few};
  if (!few) each_row([](Table& table, uint32_t row, const real*, size_t) { table.count_use(row); });
  row_uses_.clear(), row_sums_.clear();
  each_row([&](Table& table, uint32_t row, const real* from, size_t size) {
    real* const to = table.row_gradient(row);
    if (!few && table.uses[row] > terms_in_a_row) {
      row_uses_.push_back({to, row_uses_.size(), from, size});
      return;
    }
    row_sums_.begin(*memory_.engine, size);
    row_sums_.add(from), row_sums_.end(to);
  });
  std::ranges::sort(row_uses_);
  for (size_t i = 0; i < row_uses_.size();) {
    const RowUse row = row_uses_[i];
    row_sums_.begin(*memory_.engine, row.size);
    for (; i < row_uses_.size() && row_uses_[i].to == row.to; ++i) row_sums_.add(row_uses_[i].from);
    row_sums_.end(row.to);
  }
  row_sums_.make(*memory_.engine);
}

}  // namespace dynet::engine
