// How often work looks up: by a coarse clock, which is read when a good many operations are done.
#include "dynet/core/watch.h"

#include <time.h>

namespace dynet::engine {
namespace {

constexpr int64_t operations = int64_t{1} << 24;  // at most a few milliseconds
constexpr int64_t interval = 50;                  // milliseconds

int64_t milliseconds() {
#ifdef CLOCK_MONOTONIC_COARSE
  constexpr clockid_t clock = CLOCK_MONOTONIC_COARSE;
#else
  constexpr clockid_t clock = CLOCK_MONOTONIC;
#endif
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace

void look_up() {
  Work& work = Work::here();
  work.left = operations;
  if (work.ended && work.ended->load(std::memory_order_relaxed)) throw Ended{};
  if (!work.watch) return;
  const int64_t now = milliseconds();
  if (now - work.last < interval) return;
  work.last = now;
  work.watch->look();
}

void look_now() {
  if (Watch* watch = Work::here().watch) watch->look();
}

}  // namespace dynet::engine
