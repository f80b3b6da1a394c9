// Keeps every call that was timed, for pictures and tables: what it was, when, and of which lines of the
// program.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <thread>
#include <tuple>
#include <vector>

#include "dynet/core/mutex.h"
#include "dynet/core/profile.h"
#include "dynet/plan/explain.h"

namespace dynet::engine {

/// What was timed: a merged call, or work that belongs to no node.
struct RecordedCall {
  uint32_t kind, nodes, items, graph, thread;
  bool is_forward;
  int64_t start, duration;  // nanoseconds, from the beginning of the record
  uint64_t bytes;           // of values and what is saved with them, or of gradients
};

/// What nodes of one line of the program took: their shares of calls.
struct LineTotal {
  double forward = 0, backward = 0;  // nanoseconds
  uint64_t nodes = 0, bytes = 0;     // of forward calls
};

class Recorder final : public Timings {
 public:
  /// Forgets what there is, and hears of all that is timed until stop(). False if it records already.
  bool start();
  void stop();

  void add(const Timing& timing) override;

  // Once it has stopped.
  std::span<const RecordedCall> calls() const { return calls_; }
  std::span<const Kind> kinds() const { return kinds_; }
  std::span<const LineTotal> lines() const { return lines_; }  // by place in the program

 private:
  using Clock = std::chrono::steady_clock;
  /// A signature of a graph, or a name.
  using Key = std::tuple<const Graph*, unsigned, unsigned, uint32_t, std::string_view>;

  uint32_t kind(const Timing& timing);
  void add_nodes(const Timing& timing, RecordedCall& call);

  Mutex mutex_;
  bool is_on_ = false;
  Timings* next_ = nullptr;  // hears of everything too
  Clock::time_point begin_;
  std::vector<RecordedCall> calls_;
  std::vector<Kind> kinds_;
  std::map<Key, uint32_t> known_;
  std::map<std::thread::id, uint32_t> threads_;
  std::vector<LineTotal> lines_;
};

}  // namespace dynet::engine
