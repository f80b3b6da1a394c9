// Where tasks have made nodes in turns: contributions in the order of the tasks one after another.
#pragma once

#include "dynet/plan/gradients.h"

namespace dynet::engine {

/// Sorts what is listed by the ids of consumers, newest first, by their places among the tasks.
void order_by_tasks(const Graph& graph, const Tape& tape, GradientPlan& plan);

}  // namespace dynet::engine
