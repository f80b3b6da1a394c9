// COMPILE: from a graph, and what is wanted of it, to all that is known before a kernel runs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/device/engine.h"
#include "dynet/plan/layout.h"
#include "dynet/plan/needed.h"
#include "dynet/plan/partition.h"

namespace dynet::engine {

/// What a plan is made for: these nodes of a graph, wanted under this policy, to be run by so many threads.
struct Evaluation {
  const Graph& graph;
  std::span<const uint32_t> wanted;
  Policy policy;
  unsigned threads;
};

/// All that is known of an evaluation before its first kernel runs.
struct ExecutionPlan {
  Needed needed;
  Schedule schedule;
  Layout layout;
};

/// What a graph says of batching comes before what the process has chosen.
Policy policy_of(const Graph& graph, Policy chosen);

/// Makes plans. It carries nothing from one to the next but its memory.
class Compiler {
 public:
  /// Plans what `done` does not hold; `marks` are as for needed(). An evaluation that costs at least `worth`
  /// is partitioned, if that pays; its parts are scheduled side by side by the engine's threads.
  void compile(const Evaluation& evaluation, std::span<const uint8_t> done, Marks& marks, uint64_t worth,
               Engine& engine, ExecutionPlan& plan);

 private:
  void schedule_partition(const Graph& graph, Policy policy, Engine& engine, Schedule& result);

  Partition partition_;
  PartitionScratch partition_scratch_;
  /// Threads that schedule parts share no cache line.
  struct alignas(128) Part {
    Schedule schedule;
    ScheduleScratch scratch;
  };
  std::vector<Part> parts_{1};  // the first one serves for what is not partitioned, too
};

}  // namespace dynet::engine
