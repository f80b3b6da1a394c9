// A small pool of threads: it spins briefly for work, then sleeps.
#pragma once

#include <cstddef>
#include <type_traits>

namespace dynet::engine::cpu {

/// How many threads may compute: the physical cores that this process may use, until it is set.
unsigned most_threads();
void set_most_threads(unsigned n);
/// How many of them the calling thread uses; at first all.
unsigned thread_count();
void use_threads(unsigned n);

/// Work of fewer operations is done before another thread is awake.
constexpr size_t worth_sharing = size_t{1} << 20;

/// Calls run(context, part) for every part below `parts`, on as many threads as there are; returns when all
/// are done. If one throws, those that were not begun are left out, and it is thrown here.
void run_parts(unsigned parts, void (*run)(void* context, unsigned part), void* context);

template <class F>
void parallel(unsigned parts, F&& f) {
  if (parts <= 1) {
    if (parts == 1) f(0u);
    return;
  }
  run_parts(
      parts, [](void* context, unsigned part) { (*static_cast<std::remove_reference_t<F>*>(context))(part); },
      &f);
}

/// Calls f(begin, end) for consecutive pieces of [0, n), on several threads if each gets at least `worth`.
template <class F>
void split(size_t n, size_t multiple, size_t worth, F&& f) {
  const unsigned threads = thread_count();
  if (threads <= 1 || n < 2 * worth) return f(size_t{0}, n);
  const size_t most = n / worth;
  const unsigned parts = most < threads ? static_cast<unsigned>(most) : threads;
  const size_t piece = ((n + parts - 1) / parts + multiple - 1) / multiple * multiple;
  parallel(parts, [&](unsigned part) {
    const size_t begin = part * piece, end = begin + piece < n ? begin + piece : n;
    if (begin < end) f(begin, end);
  });
}

}  // namespace dynet::engine::cpu
