// Tasks: calls of a program's function that take turns while they wait for values. The order in which sums
// are made and random numbers are drawn is that of the tasks one after another, whoever came first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace dynet::engine {

/// The nodes of a graph are dealt out to parts, which form a tree. A part's own nodes come before those of
/// the parts below it, which come in the order of their ordinals: the calls of one run, then what their
/// caller goes on to make, then the calls of its next run.
class Tasks {
  /// Who makes nodes now, and the number of the next random one, where it has one.
  struct State {
    uint32_t current = 0, number = 0;
    bool is_named = false;
  };

 public:
  /// What is made before all tasks, and the parameters.
  static constexpr uint32_t before = 0;

  /// Calls that take turns: the task, or `before`, that makes them, the part that it was at, and the first
  /// part that may belong to one of them.
  struct Run {
    uint32_t number, caller, part_before, first;
  };
  Run begin_run() { return {++runs_, parts_[state_.current].task, state_.current, size()}; }
  /// The next call of a run. As long as the run goes on, none but tasks below it may use its nodes.
  uint32_t add_task(const Run& run) {
    const uint32_t task = add(run.caller, size(), true);
    parts_[task].run = run.number;
    return task;
  }
  /// What the caller goes on to make comes after the tasks of its run, whose nodes it may use. A run that is
  /// ended elsewhere, when it is forgotten, leaves to others what they make.
  void end_run(const Run& run) {
    for (uint32_t part = run.first; part < size(); ++part)
      if (parts_[part].open && is_of_run(part, run.number)) parts_[part].open = false;
    if (state_.current == run.part_before) enter(add(run.caller, run.caller, parts_[run.caller].open));
  }
  /// Others may use what a task has made, although the run goes on.
  void release(uint32_t part) {
    const uint32_t task = parts_[part].task, last = parts_[task].children ? size() - 1 : task;
    for (uint32_t each = task; each <= last; ++each)
      if (parts_[each].task == task) parts_[each].open = false;
  }
  uint32_t current() const { return state_.current; }
  void enter(uint32_t part) { state_ = {.current = part}; }
  uint32_t size() const { return static_cast<uint32_t>(parts_.size()); }
  /// Whether the current part has nodes.
  bool is_empty() const { return !parts_[state_.current].has_nodes; }
  /// Within a task.
  bool in_task() const { return state_.current != before && parts_[state_.current].open; }

  /// While it lives, nodes belong to a part, whichever task makes them, and random ones are numbered from
  /// `number` on, which says what they are for.
  class Apart {
   public:
    Apart(Tasks* tasks, uint32_t part, uint32_t number) : tasks_(tasks) {
      if (!tasks_) return;
      before_ = std::exchange(tasks_->state_, {part, number, true});
    }
    ~Apart() {
      if (tasks_) tasks_->state_ = before_;
    }
    Apart(const Apart&) = delete;
    Apart& operator=(const Apart&) = delete;

   private:
    Tasks* tasks_;
    State before_;
  };

  void add_node(uint32_t part) {
    part_of_.push_back(part);
    parts_[part].has_nodes = true;
  }
  void keep_nodes(uint32_t count) { part_of_.resize(std::min<size_t>(count, part_of_.size())); }
  /// Whether the current part may use a node: it is one of its own, of those that it is below, or of a run
  /// that has ended.
  bool may_use(uint32_t node) const {
    const Part& part = parts_[part_of_[node]];
    return !part.open || is_below(state_.current, part.task);
  }

  /// Whether it may ask for the value: also of what the tasks of its own runs wait for.
  bool may_ask(uint32_t node) const {
    return may_use(node) || is_below(part_of_[node], parts_[state_.current].task);
  }
  /// Whether a part belongs to the task that makes nodes now.
  bool is_own(uint32_t part) const { return parts_[part].task == parts_[state_.current].task; }
  /// Whether another node of the current part may take over a node that no other one uses. In a task that
  /// is one of its own, or of runs that it has begun: of others it is not known who comes first.
  bool may_fuse(uint32_t node) const {
    return !in_task() || is_below(part_of_[node], parts_[state_.current].task);
  }

  /// The name of the next random node of the current part: a number that no other one of the part has, and
  /// one of the part.
  struct Name {
    uint32_t number, part;
  };
  Name next_random() {
    constexpr uint32_t named = 1u << 31;
    if (state_.is_named) return {state_.number++, parts_[state_.current].key ^ named};
    return {parts_[state_.current].random_nodes++, parts_[state_.current].key};
  }

  /// Makes place() right for all parts that there are.
  void rank();
  /// The place of a node in the order in which sums are made.
  uint64_t place(uint32_t node) const { return uint64_t{ranks_[part_of_[node]]} << 32 | node; }

 private:
  struct Part {
    uint32_t parent, ordinal, task;
    uint32_t key;  // the same however the tasks took turns
    uint32_t children = 0, random_nodes = 0, run = 0;
    bool open = false, has_nodes = false;
  };

  uint32_t add(uint32_t parent, uint32_t task, bool open) {
    constexpr uint32_t odd = 0x9E3779B1;
    const uint32_t ordinal = parts_[parent].children++;
    parts_.push_back({parent, ordinal, task, parts_[parent].key * odd + ordinal + 1});
    parts_.back().open = open;
    return size() - 1;
  }
  /// Whether a part belongs to a task, or to one that it has called.
  bool is_below(uint32_t part, uint32_t task) const {
    for (uint32_t at = parts_[part].task;; at = parts_[parts_[at].parent].task) {
      if (at == task) return true;
      if (at == before) return false;
    }
  }

  /// Whether a part belongs to a task of a run, or to one that such a task has called.
  bool is_of_run(uint32_t part, uint32_t run) const {
    for (uint32_t at = parts_[part].task; at != before; at = parts_[parts_[at].parent].task)
      if (parts_[at].run == run) return true;
    return false;
  }

  std::vector<Part> parts_{{before, 0, before, 0}};
  uint32_t runs_ = 0;
  std::vector<uint32_t> part_of_;  // by node
  std::vector<uint32_t> ranks_;    // by part
  State state_;
};

}  // namespace dynet::engine
