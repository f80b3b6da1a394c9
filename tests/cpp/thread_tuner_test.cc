// The choice of threads by measurement, on machines that are made up.
#include "dynet/device/thread_tuner.h"

#include <cmath>
#include <random>

#include "dynet/core/error.h"
#include "tests/cpp/check.h"

using namespace dynet::engine;
using test::check;

namespace {

using std::chrono::nanoseconds;

/// Runs graphs on a machine where so many threads need such a share of the time of one.
class Machine {
 public:
  /// The time for `graphs` graphs in relation to that on one thread.
  template <class Share>
  double run(unsigned graphs, unsigned most, Share&& share) {
    double time = 0, alone = 0;
    for (unsigned i = 0; i < graphs; ++i) {
      threads_ = tuner_.begin(most, now_);
      const auto work = static_cast<uint64_t>(2e6 * (0.5 + uniform_(random_)));
      tuner_.add(work);
      const double one = static_cast<double>(work) * 1e-11 * (0.9 + 0.2 * uniform_(random_));
      time += one * share(threads_), alone += one;
      const double pause = uniform_(random_) < 0.01 ? 1e-2 : 0;  // the program does something else
      now_ += nanoseconds(std::llround(1e9 * (one * share(threads_) + pause)));
    }
    return time / alone;
  }
  unsigned threads() const { return threads_; }

 private:
  ThreadTuner tuner_;
  ThreadTuner::Clock::time_point now_{};
  unsigned threads_ = 0;
  std::mt19937 random_{7};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

void check_choice() {
  check(Machine().run(20000, 2, [](unsigned n) { return n == 1 ? 1 : 0.7; }) < 0.72,
        "threads that pay are used");
  for (double slow : {1.1, 1.5, 20.0})
    check(Machine().run(20000, 2, [&](unsigned n) { return n == 1 ? 1 : slow; }) < 1.03,
          text("threads that cost ", slow, " are used"));
  check(Machine().run(20000, 64, [](unsigned n) { return 1.0 / std::min(n, 8u) + 0.01 * n; }) < 0.23,
        "the best of several numbers is found");
  check(Machine().run(100, 1, [](unsigned n) { return n; }) == 1, "there is one thread only");
}

void check_changes() {
  Machine machine;
  const auto pays = [](unsigned n) { return n == 1 ? 1 : 0.7; };
  const auto costs = [](unsigned n) { return n == 1 ? 1 : 1.5; };
  for (int times = 0; times < 3; ++times) {
    check(machine.run(20000, 2, pays) < 0.75, "threads are used again when they pay");
    check(machine.run(20000, 2, costs) < 1.05, "threads are given up when they cost");
  }
  machine.run(5000, 8, [](unsigned n) { return 1.0 / n; });
  check(machine.threads() == 8, "more threads may be used");
  machine.run(1, 2, pays);
  check(machine.threads() <= 2, "fewer threads may be used");
}

/// Graphs without much work say nothing, and are not measured.
void check_small() {
  ThreadTuner pace;
  ThreadTuner::Clock::time_point now{};
  for (int i = 0; i < 1000; ++i) {
    check(pace.begin(4, now) == 1, "small graphs need no threads");
    pace.add(1000);
    now += nanoseconds(1000 + i);
  }
}

}  // namespace

int main() {
  check_choice();
  check_changes();
  check_small();
  return test::finish();
}
