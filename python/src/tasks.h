// Tasks of run_batched: where one asks for a value that is not known, the others go on until all are asked
// for.
#pragma once

#include <span>

#include "dynet/graph/graph.h"

namespace dynet::python {

using namespace engine;

/// In a task of this graph, waits until the values are known, where they are not; else does nothing. Called
/// with Python's lock, before anything is held.
void wait_in_task(Graph& graph, std::span<const uint32_t> nodes, bool recalculate);

}  // namespace dynet::python
