// A function of one example runs for many, each in a coroutine that waits where it needs a value.
//
//   Task<unsigned> parse(const Sentence& sentence) {
//     ...
//     const Tensor scores = co_await known(model.scores(state));
//     ...
//     co_return moves;
//   }
//   std::vector<unsigned> moves = run_batched(cg, parse, sentences);
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "dynet/run/computation_graph.h"

namespace dynet {

template <class T>
class Task;

/// What becomes of the nodes that the tasks of run_batched have made: they stay in the graph, as losses must
/// do, or those of ended tasks are removed now and then, so that a run over many examples keeps the nodes of
/// a few hundred, and some 30 bytes for each. Expressions of these nodes are stale then.
enum class TaskNodes { kept, forgotten };

namespace engine {

/// What the coroutine of an example, or one that it has called, waits for.
struct WaitingTask {
  std::vector<Expression> wanted;
  std::coroutine_handle<> waits;  // for these; null: the example is done
  std::exception_ptr error;       // to be thrown where it waits
  uint32_t part = 0;              // of the graph, to which its nodes go
};

struct KnownOne {
  Expression wanted;
};
struct KnownMany {
  std::vector<Expression> wanted;
};

/// Waits, unless all is known.
template <class Known>
struct KnownAwaiter {
  WaitingTask* task;
  Known known;

  bool await_ready() const {
    const auto is_known = [](const Expression& e) {
      return e.is_parameter() || (e.pg && (*e.pg).evaluator->is_known(e.i));
    };
    if constexpr (requires { known.wanted.size(); })
      return std::ranges::all_of(known.wanted, is_known);
    else
      return is_known(known.wanted);
  }
  void await_suspend(std::coroutine_handle<> waits) {
    if constexpr (requires { known.wanted.size(); })
      task->wanted = known.wanted;
    else
      task->wanted.assign(1, known.wanted);
    task->waits = waits;
  }
  auto await_resume() {
    if (task->error) std::rethrow_exception(std::exchange(task->error, nullptr));
    if constexpr (!requires { known.wanted.size(); }) return known.wanted.value();
  }
};

/// What coroutines have in common, whatever they return.
struct TaskPromise {
  WaitingTask* task = nullptr;
  std::coroutine_handle<> caller;
  std::exception_ptr error;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct BackToCaller {
      std::coroutine_handle<> caller;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
        return caller ? caller : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    return BackToCaller{caller};
  }
  void unhandled_exception() { error = std::current_exception(); }
  KnownAwaiter<KnownOne> await_transform(KnownOne known) const { return {task, std::move(known)}; }
  KnownAwaiter<KnownMany> await_transform(KnownMany known) const { return {task, std::move(known)}; }
  /// A task that this one calls.
  template <class T>
  auto await_transform(Task<T>&& called) const {
    struct Call {
      WaitingTask* task;
      Task<T> called;
      bool await_ready() const { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        called.promise().task = task, called.promise().caller = caller;
        return called.handle();
      }
      T await_resume() { return called.promise().take(); }
    };
    return Call{task, std::move(called)};
  }
};

template <class T>
struct TaskPromiseOf : TaskPromise {
  std::optional<T> result;

  Task<T> get_return_object();
  void return_value(T value) { result = std::move(value); }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
};
template <>
struct TaskPromiseOf<void> : TaskPromise {
  Task<void> get_return_object();
  void return_void() const {}
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

/// A run of tasks that take turns: when as many as have room wait, one evaluation answers them all.
class BatchedRun {
 public:
  BatchedRun(Graph& graph, unsigned window, TaskNodes nodes);
  ~BatchedRun();
  BatchedRun(const BatchedRun&) = delete;
  BatchedRun& operator=(const BatchedRun&) = delete;

  /// Runs tasks 0, 1, … as begin(i) makes them, which gives null after the last one. has_failed(i) says
  /// whether a task that is done has thrown; after that only those before it go on, and the number of the
  /// first one that has is given. std::nullopt: none. Where nodes are forgotten, all_ended() is called
  /// before: then no task is alive.
  std::optional<size_t> run(const std::function<WaitingTask*(size_t)>& begin,
                            const std::function<bool(size_t)>& has_failed,
                            const std::function<void()>& all_ended);

 private:
  void forget();
  void go_on(WaitingTask& task);
  void evaluate();

  Graph& graph_;
  Tasks& tasks_;
  const unsigned window_;
  const Tasks::Run run_;
  const bool forgets_;
  std::vector<std::pair<size_t, WaitingTask*>> waiting_;  // in the order of their numbers
};

}  // namespace engine

/// A coroutine that may wait for values; it runs when run_batched or another task calls it.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = engine::TaskPromiseOf<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& o) noexcept : handle_(std::exchange(o.handle_, nullptr)) {}
  Task& operator=(Task&& o) noexcept {
    std::swap(handle_, o.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  Handle handle() const { return handle_; }
  promise_type& promise() const { return handle_.promise(); }

 private:
  Handle handle_;
};

template <class T>
Task<T> engine::TaskPromiseOf<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> engine::TaskPromiseOf<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

/// In a task: `co_await known(e)` waits until the value of e is known, and gives it.
inline engine::KnownOne known(const Expression& e) { return {e}; }
/// The same for several at once; ask each for its value afterwards.
inline engine::KnownMany known(std::vector<Expression> all) { return {std::move(all)}; }

/// The results of f(example), a Task, for each example, computed together although the tasks look at values:
/// when `window` of them wait, or all that are left, one evaluation answers them. Values, gradients and
/// random numbers are the same bits for any window. The error of the first example that has one is thrown, as
/// a loop would throw it; the others are ended then.
///
/// Tasks share the graph. Expressions of one are refused in others; what they share is made before. A
/// recurrent builder is asked for states by their pointers: add_input(state, x). For predictions from many
/// examples give TaskNodes::forgotten; in a task of another run, whose nodes they are, nothing is forgotten.
template <class F, class Examples>
auto run_batched(ComputationGraph& cg, F&& f, Examples&& examples, unsigned window = 32,
                 TaskNodes nodes = TaskNodes::kept) {
  using TaskType = std::invoke_result_t<F&, decltype(*std::begin(examples))>;
  using T = decltype(std::declval<TaskType&>().promise().take());
  struct Example {
    TaskType task;
    engine::WaitingTask waiting;
  };
  std::vector<std::unique_ptr<Example>> all;  // that are alive or whose results were not taken
  std::conditional_t<std::is_void_v<T>, std::monostate,
                     std::vector<std::conditional_t<std::is_void_v<T>, int, T>>>
      results;
  size_t taken = 0;
  const auto take_results = [&] {
    if constexpr (!std::is_void_v<T>)
      for (const auto& each : all) results.push_back(each->task.promise().take());
    taken += all.size();
    all.clear();
  };
  auto next = std::begin(examples);
  const auto end = std::end(examples);
  {
    engine::BatchedRun run(cg.graph(), window, nodes);
    const auto failed = run.run(
        [&](size_t) -> engine::WaitingTask* {
          if (next == end) return nullptr;
          Example& added = *all.emplace_back(new Example{f(*next), {}});
          ++next;
          added.task.promise().task = &added.waiting;
          added.waiting.waits = added.task.handle();
          return &added.waiting;
        },
        [&](size_t i) { return all[i - taken]->task.promise().error != nullptr; }, take_results);
    if (failed) std::rethrow_exception(all[*failed - taken]->task.promise().error);
  }
  if constexpr (!std::is_void_v<T>) {
    results.reserve(taken + all.size());
    take_results();
    return results;
  }
}

}  // namespace dynet
