// What builders have in each of the graphs that they are used in, of which one is at hand.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// The graph of a sequence, as it was when the sequence began.
struct BoundGraph {
  GraphHandle handle;
  unsigned id = 0;

  /// The graph is there, and was not renewed.
  bool is_there() const { return handle.is_alive() && handle.get().number() == id; }
  /// Tasks of run_batched that make the graph; null if there are none.
  const Tasks* tasks() const {
    const Graph* const graph = handle.get_or_null();
    return graph ? graph->tasks() : nullptr;
  }
  /// Of the graph, to which nodes go now.
  uint32_t part() const { return tasks() ? tasks()->current() : Tasks::before; }
  /// Whether another task makes nodes now than the one that has this part.
  bool is_of_another_task(uint32_t part) const {
    return tasks() && tasks()->in_task() && !tasks()->is_own(part);
  }
};

/// Those sequences of a builder that wait in other graphs while it is used in one. T has a BoundGraph
/// `bound`.
template <class T>
class Waiting {
 public:
  /// Keeps what was at hand for as long as its graph is there.
  void put(T&& sequence) {
    std::erase_if(all_, [&](const T& w) { return !w.bound.is_there() || w.bound.id == sequence.bound.id; });
    if (sequence.bound.is_there()) all_.push_back(std::move(sequence));
  }
  /// Takes out the one of a graph; false if there is none.
  bool take(unsigned graph_id, T& to) {
    const auto found = std::ranges::find_if(all_, [&](const T& w) { return w.bound.id == graph_id; });
    if (found == all_.end() || !found->bound.is_there()) return false;
    to = std::move(*found);
    all_.erase(found);
    return true;
  }

 private:
  std::vector<T> all_;
};

}  // namespace dynet::engine
