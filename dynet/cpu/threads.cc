// The thread pool: workers are made when first needed, again after a fork, and sleep when idle.
#include "dynet/cpu/threads.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "dynet/cpu/cores.h"

namespace dynet::engine::cpu {
namespace {

constexpr int spins = 50000;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/// What the workers of one process share. Never destroyed: workers may outlive static objects. What waiting
/// threads read has cache lines of its own.
struct alignas(128) Pool {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> workers;
  std::mutex busy;  // held by the caller whose work is under way

  // A ticket is a generation (32 bits), its number of parts and the number handed out (16 bits each).
  alignas(128) std::atomic<uint64_t> ticket{0};
  void (*run)(void*, unsigned) = nullptr;
  void* context = nullptr;
  alignas(128) std::atomic<unsigned> left{0};
};

std::atomic<unsigned> most{0};  // 0: not yet known
thread_local unsigned used = ~0u;
std::atomic<Pool*> current{nullptr};
std::atomic<pid_t> owner{0};
thread_local bool inside = false;

/// Works on the generation of this ticket until its parts are handed out.
void take_parts(Pool& pool, uint32_t generation) {
  for (;;) {
    uint64_t ticket = pool.ticket.load(std::memory_order_acquire);
    if (static_cast<uint32_t>(ticket >> 32) != generation) return;
    const unsigned part = ticket & 0xffff, parts = ticket >> 16 & 0xffff;
    if (part >= parts) return;
    if (!pool.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    pool.run(pool.context, part);
    pool.left.fetch_sub(1, std::memory_order_release);
  }
}

uint32_t generation_of(Pool& pool) {
  return static_cast<uint32_t>(pool.ticket.load(std::memory_order_acquire) >> 32);
}

void work(Pool* pool, uint32_t seen) {
  inside = true;
  for (;;) {
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
  static std::mutex making;
  if (owner.load(std::memory_order_acquire) == getpid()) return *current.load(std::memory_order_acquire);
  std::lock_guard lock(making);
  if (owner.load() != getpid()) {
    current.store(new Pool);
    owner.store(getpid());
  }
  return *current.load();
}

void start_workers(Pool& pool, unsigned wanted) {
  while (pool.workers.size() < wanted) pool.workers.emplace_back(work, &pool, generation_of(pool));
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
  std::lock_guard busy(pool->busy, std::adopt_lock);
  start_workers(*pool, threads - 1);
  const uint32_t generation = generation_of(*pool) + 1;
  {
    std::lock_guard lock(pool->mutex);
    pool->run = run, pool->context = context;
    pool->left.store(parts, std::memory_order_relaxed);
    pool->ticket.store(uint64_t{generation} << 32 | parts << 16, std::memory_order_release);
  }
  pool->wake.notify_all();
  inside = true;
  take_parts(*pool, generation);
  inside = false;
  // Where there are more threads than cores, the one that is waited for may need this core.
  for (int i = 0; pool->left.load(std::memory_order_acquire) != 0; ++i)
    i < spins ? pause() : std::this_thread::yield();
}

}  // namespace dynet::engine::cpu
