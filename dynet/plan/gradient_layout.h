// Where gradients lie, once it is known what contributes to them.
#pragma once

#include "dynet/plan/gradients.h"

namespace dynet::engine {

/// Places the gradients of the nodes of a plan, the members of a call one after another, and the
/// contributions that have places of their own.
void place_gradients(const Graph& graph, const Marks& marks, const Tape& tape, GradientPlan& plan);

}  // namespace dynet::engine
