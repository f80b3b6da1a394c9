// What is alike in the nodes of a call, and why nodes of one operation are not all in one: as plain data.
#pragma once

#include <string>
#include <vector>

#include "dynet/plan/schedule.h"

namespace dynet::engine {

/// What the nodes of one signature have in common: those that differ in any of it never run together.
struct Kind {
  std::string_view operation, written;  // as it is run, and as the program wrote it
  std::vector<Dim> x_dims;              // of one item
  Dim dim;
  std::vector<Attribute> attributes;
  std::vector<std::string> matrices;  // by argument: the name of the parameter that it must be, or none
};

Kind kind_of(const Graph& graph, uint32_t node);

/// A schedule with what its batches are made of.
struct ExplainedSchedule {
  Schedule schedule;
  std::vector<uint32_t> kind_of_batch;
  std::vector<Kind> kinds;
  /// By kind, the most nodes of it that each need the one before: so many batches there are at least.
  std::vector<uint32_t> chains;
};

/// How the nodes that one of them depends on would be scheduled if nothing of the graph was known yet.
ExplainedSchedule explain_schedule(const Graph& graph, uint32_t wanted, Policy policy);

}  // namespace dynet::engine
