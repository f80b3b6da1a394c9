// Where the time goes: for each operation how often it ran, on how many nodes, and for how long.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "dynet/core/mutex.h"

namespace dynet::engine {

class Graph;

/// What was timed: a merged call of nodes of a graph, or, without nodes, other work.
struct Timing {
  bool is_forward;
  std::string_view name;
  const Graph* graph;
  std::span<const uint32_t> nodes;
  std::chrono::steady_clock::time_point start, end;
};

/// Who hears of what is timed, from any thread.
class Timings {
 public:
  virtual ~Timings() = default;
  virtual void add(const Timing& timing) = 0;
};

/// The sum of what was timed while it was the chosen one.
class Profile final : public Timings {
 public:
  void add(const Timing& timing) override;
  /// A table, the slowest operation first; with `batches` also how many nodes ran in how many calls.
  void print(std::ostream& out, bool batches) const;

 private:
  struct Row {
    uint64_t calls = 0, nodes = 0;
    double seconds = 0;
    std::map<size_t, uint64_t> batches;  // calls by number of nodes
  };
  mutable Mutex mutex_;
  std::map<std::string, Row> rows_;
};

/// Where times are added; null: nothing is timed.
inline std::atomic<Timings*>& chosen_profile() {
  static std::atomic<Timings*> timings{nullptr};
  return timings;
}

/// Times its own life if somebody wants to know.
class Timed {
 public:
  static constexpr bool forward = true, backward = false;

  Timed(bool is_forward, std::string_view name, const Graph* graph = nullptr,
        std::span<const uint32_t> nodes = {})
      : timings_(chosen_profile().load(std::memory_order_relaxed)) {
    if (!timings_) return;
    std::construct_at(&timing_, is_forward, name, graph, nodes, std::chrono::steady_clock::now());
  }
  ~Timed() {
    if (!timings_) return;
    timing_.end = std::chrono::steady_clock::now();
    timings_->add(timing_);
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  Timings* timings_;
  union {  // not written unless it is timed
    Timing timing_;
  };
};

}  // namespace dynet::engine
