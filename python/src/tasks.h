// Tasks of run_batched: where one asks for a value that is not known, the others go on until all are asked
// for.
#pragma once

#include <span>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::python {

using namespace engine;

/// In a task of this graph, waits until the values are known, where they are not; else does nothing. Called
/// with Python's lock, before anything is held.
void wait_in_task(const Graph& graph, std::span<const uint32_t> nodes, bool recalculate);

/// What the program still has of a run whose nodes may be forgotten: how many expressions of nodes that its
/// tasks have made, and how many states of builders that were made meanwhile, counted apart for each lot of
/// tasks that was to be forgotten at once. One run is watched at a time.
class InUse {
 public:
  /// From now on nodes of the graph are counted; what was counted before is not, any more.
  void watch(const Graph& graph);
  void leave() { graph_ = nullptr; }
  bool is_watching() const { return graph_; }

  /// Counts an expression that is made (1) or freed (-1).
  void add(const Expression& e, size_t by) {
    if (e.pg != graph_) [[likely]]
      return;
    if (e.graph_id == stamp_ && e.i >= newest_.first) [[likely]]
      newest_.count += by;
    else
      add_to_older(e, by);
  }

  /// The lot that is counted now, and the number of it and those before.
  size_t lots() const { return older_.size() + 1; }
  bool is_empty(const Graph& graph) const { return graph.size() == newest_.first; }
  /// Those of the newest lot.
  unsigned nodes(const Graph& graph) const { return graph.size() - newest_.first; }
  /// The first lot from which on nothing is in use; lots() if there is none.
  size_t first_unused() const;
  /// The nodes of lots from `first` on are gone, or are kept, and all that is made now belongs to lot
  /// `first`.
  void begin_lot(const Graph& graph, size_t first);

  /// What is in use although it is no expression: something belongs to the newest lot, as of a run.
  struct Place {
    unsigned run;
    size_t lot;
  };
  Place hold() {
    if (!graph_) return {};
    ++newest_.count;
    return {run_, older_.size()};
  }
  void give_back(const Place& place) {
    if (!graph_ || place.run != run_) return;
    if (place.lot == older_.size())
      --newest_.count;
    else if (place.lot < older_.size())
      --older_[place.lot].count;
  }

 private:
  struct Lot {
    unsigned first;  // node
    size_t count;
  };
  [[gnu::noinline]] void add_to_older(const Expression& e, size_t by);

  const Graph* graph_ = nullptr;                         // of the run; null: none is watched
  unsigned run_ = 0;                                     // counts runs
  unsigned stamp_ = 0;                                   // of the graph, when a lot was begun last
  unsigned stamp_before_ = 0, newest_stamp_before_ = 0;  // and when the run was watched first
  Lot newest_{};
  std::vector<Lot> older_;
};
extern InUse in_use;
/// The nodes that there are stay as long as the graph does: something holds them that is not counted.
inline void keep_nodes() { static_cast<void>(in_use.hold()); }

/// A member of objects that hold states.
class CountedInUse {
 public:
  CountedInUse() noexcept : place_(in_use.hold()) {}
  CountedInUse(const CountedInUse&) noexcept : CountedInUse() {}
  CountedInUse& operator=(const CountedInUse&) = delete;
  ~CountedInUse() { in_use.give_back(place_); }

 private:
  InUse::Place place_;
};

}  // namespace dynet::python
