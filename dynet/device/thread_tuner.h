// How many threads pay: that is measured, as nothing but the time depends on it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "dynet/device/engine.h"

namespace dynet::engine {

/// Compares numbers of threads while a program runs. The time from graph to graph, divided by the work, is
/// known for the number in use; from time to time half as many threads or twice as many are tried for some
/// graphs. The longer a trial would take than what it replaces, the more seldom it is made, so that trials
/// take about a hundredth of the time.
///
/// Threads that seem to be there may be slow to reach (other caches), or busy (other programs), or held back
/// (a quota); what it costs to use them cannot be known beforehand.
class ThreadTuner {
 public:
  using Clock = std::chrono::steady_clock;

  /// A graph begins at this time: the one before is done with. Returns how many threads, of at most so many,
  /// are to be used for it.
  unsigned begin(unsigned most, Clock::time_point now);
  /// The graph had, or has, so many multiply-adds.
  void add(uint64_t multiply_adds) { work_ += multiply_adds; }

 private:
  static constexpr unsigned many = 15, few = 5;  // graphs whose median counts; where they take long
  static constexpr auto long_time = std::chrono::milliseconds(200);
  static constexpr uint64_t worth_measuring = uint64_t{1} << 20;  // multiply-adds of a graph
  static constexpr double gain = 0.97;        // what a trial must need of the time to be preferred
  static constexpr double hopeless = 1.5;     // a trial ends early where it needs so much
  static constexpr double trial_cost = 0.01;  // of the time

  double median();
  void judge(double cost);
  /// What to try next to the best number.
  unsigned neighbour(unsigned most);

  unsigned best_ = 1, used_ = 1;
  double best_cost_ = 0;  // 0: unknown
  bool up_ = true;        // where the next trial goes
  double wait_ = 0;       // until then, in series of graphs
  uint64_t work_ = 0;
  Clock::time_point last_, start_;  // of the graph, and of the series
  std::array<double, many> costs_;  // seconds a multiply-add
  unsigned count_ = 0;
};

/// Chooses, of the threads that may be used, how many the calling thread uses for a graph that begins; all of
/// them, if no work is too little.
void choose_threads(Engine& engine, bool all);
/// The calling thread's.
ThreadTuner& thread_tuner();

}  // namespace dynet::engine
