// Tasks in turns, in the order of their examples; places that get free are filled half of the window at once.
#include "dynet/program/run_batched.h"

#include <algorithm>
#include <limits>

namespace dynet::engine {

namespace {

/// After so many examples all tasks end before others begin, and what they have made is forgotten.
size_t lot_of(unsigned window) { return std::max<size_t>(128, size_t{4} * window); }

}  // namespace

BatchedRun::BatchedRun(Graph& graph, unsigned window, TaskNodes nodes)
    : graph_(graph),
      tasks_((static_cast<void>(graph.id()), graph.start_tasks())),
      window_(window),
      run_(tasks_.begin_run()),
      forgets_(nodes == TaskNodes::forgotten && run_.caller == Tasks::before) {
  if (window == 0) invalid("run_batched: the window is 0; at least 1 is needed");
  if (forgets_) graph_.mark_tasks(0);
}

BatchedRun::~BatchedRun() { tasks_.end_run(run_); }

/// Where older nodes were computed meanwhile, the next call leaves what there is now.
void BatchedRun::forget() {
  if (graph_.task_marks() == 0 || !graph_.forget_tasks(0)) graph_.mark_tasks(0);
}

/// Runs a task until it waits or is done.
void BatchedRun::go_on(WaitingTask& task) {
  const std::coroutine_handle<> waits = std::exchange(task.waits, nullptr);
  task.wanted.clear();
  tasks_.enter(task.part);
  waits.resume();
  task.part = tasks_.current();
  tasks_.enter(run_.part_before);
}

/// One evaluation for all; if that fails, one for each, whose error is thrown where the task waits.
void BatchedRun::evaluate() {
  std::vector<uint32_t> nodes;
  const auto add = [&](const WaitingTask& task) {
    for (const Expression& e : task.wanted) nodes.push_back(graph_.resolve(e));
  };
  try {
    for (const auto& [number, task] : waiting_) add(*task);
    graph_.evaluator->evaluate(nodes);
  } catch (const std::exception&) {
    for (const auto& [number, task] : waiting_) try {
        nodes.clear();
        add(*task);
        graph_.evaluator->evaluate(nodes);
      } catch (const std::exception&) {
        task->error = std::current_exception();
      }
  }
}

std::optional<size_t> BatchedRun::run(const std::function<WaitingTask*(size_t)>& begin,
                                      const std::function<bool(size_t)>& has_failed,
                                      const std::function<void()>& all_ended) {
  std::optional<size_t> failed;
  const auto note = [&](size_t number) {
    if (has_failed(number) && (!failed || number < *failed)) failed = number;
  };
  size_t begun = 0, in_lot = 0;
  const size_t most = forgets_ ? lot_of(window_) : std::numeric_limits<size_t>::max();
  for (bool is_last = false;;) {
    while (!is_last && !failed && waiting_.size() < window_ && in_lot < most) {
      WaitingTask* task = begin(begun);
      is_last = !task;
      if (is_last) break;
      task->part = tasks_.add_task(run_);
      go_on(*task);
      if (task->waits)
        waiting_.push_back({begun, task});
      else
        note(begun);
      ++begun, ++in_lot;
    }
    if (waiting_.empty()) {
      if (is_last || failed) return failed;
      all_ended();
      forget();
      in_lot = 0;
      continue;
    }
    do {
      evaluate();
      for (const auto& [number, task] : waiting_) go_on(*task);
      std::erase_if(waiting_, [&](const auto& each) {
        if (!each.second->waits) note(each.first);
        return !each.second->waits;
      });
      if (failed) std::erase_if(waiting_, [&](const auto& each) { return each.first > *failed; });
    } while (2 * waiting_.size() > window_);
  }
}

}  // namespace dynet::engine
