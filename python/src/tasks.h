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

/// What the program still has of a run whose nodes may be forgotten: how many expressions of nodes that its
/// tasks have made, and how many states of builders that were made meanwhile. One run is watched at a time.
struct InUse {
  const Graph* graph = nullptr;   // of the run; null: none is watched
  unsigned stamp = 0, first = 0;  // of its expressions
  unsigned run = 0;               // counts runs
  size_t count = 0;

  bool is_of_run(const Expression& e) const {
    return graph && e.pg == graph && e.graph_id == stamp && e.i >= first && !e.is_parameter();
  }
};
extern InUse in_use;
/// Nothing of the run is forgotten from now on: something holds its nodes that is not counted.
inline void keep_run() { in_use.count += in_use.graph != nullptr; }

/// A member of objects that hold states.
class CountedInUse {
 public:
  CountedInUse() noexcept : run_(in_use.graph ? in_use.run : 0) { in_use.count += run_ != 0; }
  CountedInUse(const CountedInUse&) noexcept : CountedInUse() {}
  CountedInUse& operator=(const CountedInUse&) noexcept { return *this; }
  ~CountedInUse() { in_use.count -= run_ != 0 && in_use.graph && run_ == in_use.run; }

 private:
  unsigned run_;
};

}  // namespace dynet::python
