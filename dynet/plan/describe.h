// Plans as text for people: what runs together, and how each gradient comes about.
#pragma once

#include <ostream>

#include "dynet/plan/gradients.h"

namespace dynet::engine {

/// The merged calls in the order in which they ran, a line each: "2: tanh of v5, v9".
void describe_calls(const Graph& graph, const Tape& tape, std::ostream& out);
/// The nodes that get a gradient, newest first, a line each: where it lies and what it is made of.
void describe_gradients(const Graph& graph, const GradientPlan& plan, std::ostream& out);

}  // namespace dynet::engine
