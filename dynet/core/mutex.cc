// Waiting for locks, and what happens to them when the process is forked.
#include "dynet/core/mutex.h"

#include <pthread.h>

#include <mutex>
#include <vector>

namespace dynet::engine {
namespace {

struct Registry {
  Mutex mutex;
  std::vector<Mutex*> all;

  static Registry& get() {
    static Registry& registry = *new Registry;  // threads may outlive static objects
    return registry;
  }
};

void before_fork() {
  Registry& registry = Registry::get();
  registry.mutex.lock();
  for (Mutex* mutex : registry.all) mutex->lock();
}

void in_parent() {
  Registry& registry = Registry::get();
  for (Mutex* mutex : registry.all) mutex->unlock();
  registry.mutex.unlock();
}

/// What was locked before is free by that.
void in_child() { fork_counter().fetch_add(1, std::memory_order_relaxed); }

[[maybe_unused]] const bool installed = (pthread_atfork(before_fork, in_parent, in_child), true);

}  // namespace

ForkedMutex::ForkedMutex() {
  Registry& registry = Registry::get();
  const std::lock_guard lock(registry.mutex);
  registry.all.push_back(this);
}

void Mutex::wait() {
  const uint32_t wanted = held() | waited_for;
  for (uint32_t seen = state_.load(std::memory_order_relaxed);;) {
    if (!is_held(seen)) {
      // Others may wait, too: whoever unlocks has to look.
      if (state_.compare_exchange_weak(seen, wanted, std::memory_order_acquire)) return;
    } else if (seen == wanted || state_.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) {
      state_.wait(wanted, std::memory_order_relaxed);
      seen = state_.load(std::memory_order_relaxed);
    }
  }
}

}  // namespace dynet::engine
