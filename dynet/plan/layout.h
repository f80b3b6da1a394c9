// LAYOUT: where each value lives. A pure function of the graph and a schedule.
#pragma once

#include <vector>

#include "dynet/plan/schedule.h"

namespace dynet::engine {

/// One merged call: nodes order[first … first + count) of the schedule, in memory one after another.
struct Step {
  uint32_t first, count;          // nodes
  uint32_t items;                 // items of the call: batch elements, or nodes
  uint32_t shared;                // bit i: argument i is one parameter for all nodes, a matrix or a bias
  size_t value, saved;            // offsets of the first item, in numbers
  size_t value_size, saved_size;  // per item; saved_size is 0 where it takes the memory of argument 0
};

/// Whether argument i is among those that are shared.
inline bool is_shared_parameter(uint32_t shared, unsigned i) { return i < 32 && shared >> i & 1; }

struct Layout {
  std::vector<Step> steps;
  size_t size = 0;             // numbers needed in all
  uint64_t multiply_adds = 0;  // of products with matrices
};

void layout(const Graph& graph, const Schedule& schedule, Layout& result);

}  // namespace dynet::engine
