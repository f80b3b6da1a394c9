// Locks that a forked child can take, whichever thread of the parent held them.
#pragma once

#include <atomic>
#include <cstdint>

namespace dynet::engine {

/// How many forks lie between this process and the one that loaded the library. Threads, and what they hold,
/// belong to one such number.
inline std::atomic<uint32_t>& fork_counter() {
  static constinit std::atomic<uint32_t> count{0};
  return count;
}
inline uint32_t forks() { return fork_counter().load(std::memory_order_relaxed); }

/// A lock that is free in a child, since the thread that held it does not exist there. What it protects has
/// to be sound wherever that thread may have stopped.
class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  bool try_lock() {
    uint32_t seen = state_.load(std::memory_order_relaxed);
    return !is_held(seen) && state_.compare_exchange_strong(seen, held(), std::memory_order_acquire);
  }
  void lock() {
    if (!try_lock()) wait();
  }
  void unlock() {
    if (state_.exchange(0, std::memory_order_release) & waited_for) state_.notify_one();
  }

 private:
  // The state is 0, or the number of forks and two bits.
  static constexpr uint32_t locked = 1, waited_for = 2;

  static uint32_t held() { return forks() << 2 | locked; }
  static bool is_held(uint32_t state) { return (state | waited_for) == (held() | waited_for); }
  void wait();

  std::atomic<uint32_t> state_{0};
};

/// A lock that a fork waits for: what it protects is sound in a child, too. It is held briefly, by a thread
/// that waits for nothing else meanwhile, and is never destroyed.
class ForkedMutex : public Mutex {
 public:
  ForkedMutex();
};

}  // namespace dynet::engine
