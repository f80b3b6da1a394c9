// The thread pool: workers are made when first needed, again after a fork, and sleep when idle.
#include "dynet/cpu/threads.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "dynet/core/error.h"
#include "dynet/core/mutex.h"
#include "dynet/core/watch.h"
#include "dynet/cpu/cores.h"

namespace dynet::engine::cpu {
namespace {

constexpr int spins = 50000;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // "yield" does nothing on most machines
#endif
}

/// What the workers of one process share. Never destroyed: workers may outlive static objects. What waiting
/// threads read has cache lines of its own.
struct alignas(128) Pool {
  const uint32_t forks = engine::forks();  // it belongs to the process that has made it
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;
  unsigned refusals = 0;  // 0: the system gives threads; else counts the calls since it gave none
  Mutex busy;             // held by the caller whose work is under way

  // A ticket is a generation (32 bits), its number of parts and the number handed out (16 bits each).
  alignas(128) std::atomic<uint64_t> ticket{0};
  void (*run)(void*, unsigned) = nullptr;
  void* context = nullptr;
  std::exception_ptr failure;      // what the first of the parts that failed has thrown
  std::atomic<bool> ended{false};  // one has: what is left is not wanted
  alignas(128) std::atomic<unsigned> left{0};
};

std::atomic<unsigned> most{0};  // 0: not yet known
thread_local unsigned used = ~0u;
std::atomic<Pool*> current{nullptr};
thread_local bool inside = false;

void run_part(Pool& pool, unsigned part) {
  if (pool.ended.load(std::memory_order_relaxed)) return;
  try {
    pool.run(pool.context, part);
  } catch (...) {
    if (!pool.ended.exchange(true)) pool.failure = std::current_exception();
  }
}

/// Works on the generation of this ticket until its parts are handed out, or one of them has forked: the
/// child has only this thread.
void take_parts(Pool& pool, uint32_t generation) {
  while (pool.forks == forks()) {
    uint64_t ticket = pool.ticket.load(std::memory_order_acquire);
    if (static_cast<uint32_t>(ticket >> 32) != generation) return;
    const unsigned part = ticket & 0xffff, parts = ticket >> 16 & 0xffff;
    if (part >= parts) return;
    if (!pool.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    run_part(pool, part);
    pool.left.fetch_sub(1, std::memory_order_release);
  }
}

uint32_t generation_of(Pool& pool) {
  return static_cast<uint32_t>(pool.ticket.load(std::memory_order_acquire) >> 32);
}

void work(Pool* pool, uint32_t seen) {
  inside = true;
  Work::here().ended = &pool->ended;
  while (pool->forks == forks()) {
    for (int i = 0; i < spins && generation_of(*pool) == seen; ++i) pause();
    if (generation_of(*pool) == seen) {
      std::unique_lock lock(pool->mutex);
      pool->wake.wait(lock, [&] { return generation_of(*pool) != seen; });
    }
    seen = generation_of(*pool);
    take_parts(*pool, seen);
  }
}

/// The pool of this process: a forked child has the parent's pool in memory, but not its threads.
Pool& pool_here() {
  static constinit Mutex making;
  Pool* pool = current.load(std::memory_order_acquire);
  if (pool && pool->forks == forks()) return *pool;
  const std::lock_guard lock(making);
  pool = current.load(std::memory_order_acquire);
  if (!pool || pool->forks != forks()) current.store(pool = new Pool, std::memory_order_release);
  return *pool;
}

/// While it lives, signals wait for other threads than those that the calling one starts: handlers run in
/// threads of the program.
class SignalsElsewhere {
 public:
  SignalsElsewhere() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF}) sigdelset(&all, own);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsElsewhere() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// Where the system gives no more threads, those that there are do the work; it is asked again ever more
/// seldom.
void start_workers(Pool& pool, unsigned wanted) {
  if (pool.workers.size() >= wanted) return;
  if (pool.refusals > 0 && !std::has_single_bit(++pool.refusals)) return;
  const SignalsElsewhere scope;
  try {
    while (pool.workers.size() < wanted) pool.workers.emplace_back(work, &pool, generation_of(pool));
    pool.refusals = 0;
  } catch (const std::system_error&) {
    pool.refusals = std::max(1u, pool.refusals);
  }
}

/// The calling thread has a part of what the pool does.
struct Inside {
  explicit Inside(Pool& pool) : ended(std::exchange(Work::here().ended, &pool.ended)) { inside = true; }
  ~Inside() { inside = false, Work::here().ended = ended; }
  const std::atomic<bool>* const ended;
};

/// Waits for the parts that others have. The caller may end the work meanwhile.
void wait_for_others(Pool& pool) {
  // Where there are more threads than cores, the one that is waited for may need this core.
  for (int i = 0; pool.left.load(std::memory_order_acquire) != 0; ++i) {
    if (pool.forks != forks())
      failed(
          "this process was forked by a function that is called in an evaluation; the threads that took part "
          "in it are not in the child, where it has to be evaluated again");
    if (i < spins) {
      pause();
      continue;
    }
    std::this_thread::yield();
    try {
      worked(int64_t{1} << 16);
    } catch (...) {
      if (!pool.ended.exchange(true)) pool.failure = std::current_exception();
    }
  }
}

}  // namespace

unsigned most_threads() {
  unsigned n = most.load(std::memory_order_relaxed);
  if (n == 0) most.store(n = usable_cores());
  return n;
}
void set_most_threads(unsigned n) { most.store(n == 0 ? 1 : n); }

unsigned thread_count() { return inside ? 1 : std::min(most_threads(), used); }
void use_threads(unsigned n) { used = n == 0 ? 1 : n; }

void run_parts(unsigned parts, void (*run)(void* context, unsigned part), void* context) {
  const unsigned threads = thread_count();
  Pool* pool = threads > 1 ? &pool_here() : nullptr;
  if (!pool || !pool->busy.try_lock()) {
    for (unsigned part = 0; part < parts; ++part) run(context, part);
    return;
  }
  const std::lock_guard busy(pool->busy, std::adopt_lock);
  start_workers(*pool, threads - 1);
  const uint32_t generation = generation_of(*pool) + 1;
  {
    const std::lock_guard lock(pool->mutex);
    pool->run = run, pool->context = context;
    pool->ended.store(false, std::memory_order_relaxed);
    pool->left.store(parts, std::memory_order_relaxed);
    pool->ticket.store(uint64_t{generation} << 32 | parts << 16, std::memory_order_release);
  }
  pool->wake.notify_all();
  {
    const Inside scope(*pool);
    take_parts(*pool, generation);
    wait_for_others(*pool);
  }
  if (pool->ended.load(std::memory_order_relaxed))
    std::rethrow_exception(std::exchange(pool->failure, nullptr));
}

}  // namespace dynet::engine::cpu
