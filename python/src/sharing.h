// What keeps Python's threads apart while one of them computes without Python's lock.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>

#include "dynet/core/watch.h"
#include "dynet/graph/graph.h"
#include "python/src/lock.h"

namespace dynet::python {

using namespace engine;

/// Held by who changes what is learned, or reads what backward passes write, for the length of a call.
/// It is taken with Python's lock. Whoever holds it may evaluate graphs and may take it again.
class Changing {
 public:
  Changing();
  ~Changing();
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;
};

/// Is told, by whoever begins to change what is learned in another thread than its own. It ends with Python's
/// lock.
class ChangeObserver {
 public:
  ChangeObserver(const ChangeObserver&) = delete;
  ChangeObserver& operator=(const ChangeObserver&) = delete;
  /// Tells those of other threads.
  static void tell();

 protected:
  ChangeObserver() = default;
  ~ChangeObserver();
  /// From now on it is told of others than the calling thread, which holds Changing.
  void observe();

 private:
  /// Nothing has changed yet, and everything may once it returns.
  virtual void before_change() noexcept = 0;

  unsigned long thread_ = 0;
};

/// Says of a bound function that it changes what is learned.
inline constexpr nanobind::call_guard<Changing> alone;

/// Held by who computes with what is learned; many may at once. It is taken without Python's lock.
class Reading {
 public:
  Reading();
  ~Reading();
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  bool locked_;
};

/// Work without Python's lock. In the main thread, handlers of signals run meanwhile, and what they raise
/// ends it.
class Interruptible : public Watch {
 public:
  void look() override;
};

/// While it lives, the thread computes with nothing that is learned, or writes or reads files.
class Unlocked {
  const Released released_;
  const Interruptible watch_;
};

/// While it lives, the thread changes what is learned, without Python's lock. Nobody waits for that lock with
/// this one.
class Working {
 public:
  Working() : changing_(std::in_place) {}

 private:
  std::optional<Changing> changing_;
  const Released released_;
  const struct Unlock {
    std::optional<Changing>& lock;
    ~Unlock() { lock.reset(); }
  } unlock_{changing_};
  const Interruptible watch_;
};

/// Runs f, which computes with what is learned and with no graph.
template <class F>
auto compute_apart(F&& f) {
  const Unlocked unlocked;
  const Reading lock;
  return f();
}

/// Runs f on a graph that no other thread may touch until `then` has read the result with Python's lock.
template <class F, class Then>
auto compute(Graph& graph, F&& f, Then&& then) {
  const Graph::BusyGuard use(graph);
  return then(compute_apart(f));
}

/// Makes forks of Python wait for threads that change what is learned.
void bind_forks();

}  // namespace dynet::python
