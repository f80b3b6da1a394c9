// One lock for all that is learned: its threads are few, and each holds it for the length of a pass.
#include "python/src/sharing.h"

#include <pthread.h>

#include <chrono>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "dynet/core/error.h"

namespace dynet::python {
namespace {

using namespace std::chrono_literals;

using Lock = std::shared_timed_mutex;

/// Never destroyed: threads may outlive static objects.
Lock& learned() {
  static Lock& lock = *new Lock;
  return lock;
}

thread_local unsigned changes = 0;   // how often the thread holds it exclusively
thread_local unsigned readings = 0;  // and how often it computes
thread_local bool lent = false;      // what it computes is interrupted by a handler, and holds the lock still

/// The child has only the thread that has forked: what others held is free.
void renew_lock() {
  Lock& lock = *std::construct_at(&learned());
  if (changes > 0)
    lock.lock();
  else if (readings > 0 || lent)
    lock.lock_shared();
}

/// Runs the handlers of signals; what they raise is thrown. With Python's lock.
void run_handlers() {
  if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
}

/// Threads that Python has left behind hold what they hold for ever.
template <class Try>
bool wait_for(Try try_it) {
  const bool got = try_it();
  if (!got && !Py_IsInitialized()) failed("the parameters are in use by a thread, and Python has ended");
  return got;
}

/// Handlers may do what a program may do elsewhere: the lock of what they interrupt is given up when one
/// changes what is learned. Python's lock is not held at the end.
class Handling {
 public:
  Handling()
      : readings_(changes > 0 ? 0 : std::exchange(readings, 0)), lent_(std::exchange(lent, readings_ > 0)) {}
  ~Handling() {
    if (readings_ > 0) {
      if (!lent) learned().lock_shared();
      readings = readings_;
    }
    lent = lent_;
  }

 private:
  unsigned readings_;
  bool lent_;
};

}  // namespace

namespace {

/// Of all threads.
std::vector<ChangeObserver*>& observers() {
  static std::vector<ChangeObserver*>& all = *new std::vector<ChangeObserver*>;
  return all;
}

}  // namespace

void ChangeObserver::observe() {
  thread_ = PyThread_get_thread_ident();
  observers().push_back(this);
}
ChangeObserver::~ChangeObserver() { std::erase(observers(), this); }

void ChangeObserver::tell() {
  if (observers().empty()) return;
  for (ChangeObserver* const each : observers())
    if (each->thread_ != PyThread_get_thread_ident()) each->before_change();
}

void Interruptible::look() {
  if (!is_main_thread()) return;
  const Handling handling;
  const Acquired lock;
  run_handlers();
}

Changing::Changing() {
  if (readings > 0 && changes == 0)
    failed("a function that a graph calls cannot change parameters, nor read their gradients");
  if (std::exchange(lent, false)) learned().unlock_shared();
  // Nobody waits with Python's lock: whoever is waited for may need it.
  for (bool locked = changes > 0 || learned().try_lock(); !locked; run_handlers()) {
    const Released released;
    locked = wait_for([] { return learned().try_lock_for(100ms); });
  }
  if (++changes == 1) ChangeObserver::tell();
}
Changing::~Changing() {
  if (--changes == 0) learned().unlock();
}

Reading::Reading() : locked_(changes == 0 && readings == 0) {
  if (locked_ && !learned().try_lock_shared())
    while (!wait_for([] { return learned().try_lock_shared_for(100ms); })) look_now();
  ++readings;
}
Reading::~Reading() {
  --readings;
  if (locked_) learned().unlock_shared();
}

namespace {

/// What the thread that forks holds meanwhile, so that the child has no parameter of which a half is changed,
/// and no graph of which a half is evaluated.
enum class Hold { none, shared, alone };
thread_local Hold hold = Hold::none;

void before_fork() {
  if (changes > 0 || readings > 0 || lent || hold != Hold::none) return;
  if (learned().try_lock()) {
    hold = Hold::alone;
    return;
  }
  // Long evaluations are not waited for: then their graphs are lost to the child. Updates are.
  const Released released;
  if (learned().try_lock_for(1s))
    hold = Hold::alone;
  else if (learned().try_lock_shared_for(10s))
    hold = Hold::shared;
}

void after_fork() {
  const Hold held = std::exchange(hold, Hold::none);
  if (held == Hold::alone) learned().unlock();
  if (held == Hold::shared) learned().unlock_shared();
}

}  // namespace

void bind_forks() {
  pthread_atfork(nullptr, nullptr, [] {
    hold = Hold::none;
    renew_lock();
  });
  const nanobind::module_ os = nanobind::module_::import_("os");
  if (!nanobind::hasattr(os, "register_at_fork")) return;
  os.attr("register_at_fork")(nanobind::arg("before") = nanobind::cpp_function(before_fork),
                              nanobind::arg("after_in_parent") = nanobind::cpp_function(after_fork));
}

}  // namespace dynet::python
