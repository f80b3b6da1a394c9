// Going back to a checkpoint: the memory of what was computed since then serves what comes next.
//
// No call holds nodes from both sides of a checkpoint, so that calls are kept or removed as a whole.
#include <algorithm>

#include "dynet/run/executor.h"

namespace dynet::engine {

void Executor::invalidate() {
  forget();
  ++memory_.evaluations;
}

void Executor::renew() {
  checkpoint_count_ = 0;
  task_marks_.clear();
  forget();
  memory_.evaluations = 0;
}

void Executor::checkpoint() {
  if (checkpoints_.size() == checkpoint_count_) checkpoints_.emplace_back();
  Checkpoint& c = checkpoints_[checkpoint_count_++];
  c.nodes = graph_.size();
  remember(c);
}

/// Says that a checkpoint is now.
void Executor::remember(Checkpoint& c) const {
  c.calls = memory_.tape.size();
  c.is_apart = true;
  protect_memory(c);
}

/// Says that the memory in use is needed by what there was at a checkpoint.
void Executor::protect_memory(Checkpoint& c) const {
  c.values = memory_.values.position();
  c.workers.clear();
  for (size_t i = 0; i < workers_.size(); ++i) c.workers.push_back(workers_[i].position());
}

/// Says that some of the memory in use is a node's.
void Executor::protect(uint32_t id) {
  for (size_t i = checkpoint_count_; i-- > 0 && checkpoints_[i].nodes > id;) protect_memory(checkpoints_[i]);
  note_older(id);
}

/// Said where a node is computed, or its memory is given to a newer one.
void Executor::note_older(uint32_t oldest) {
  for (size_t i = task_marks_.size(); i-- > 0 && task_marks_[i].nodes > oldest;)
    task_marks_[i].is_apart = false;
}

void Executor::note_older(const Needed& found) {
  for (const auto* list : {&found.leaves, &found.views, &found.kernels})
    if (!list->empty()) note_older(list->front());
}

/// Evaluates those of the nodes that are needed which are older than checkpoints, apart from the others.
void Executor::evaluate_older(std::span<const uint32_t> wanted) {
  done_.resize(graph_.size(), 0);
  memory_.marks.resize(graph_.size());
  needed(graph_, wanted, done_, memory_.marks, older_);
  std::vector<uint32_t>& ids = older_ids_;
  ids.clear();
  for (const auto* list : {&older_.leaves, &older_.views, &older_.kernels})
    ids.insert(ids.end(), list->begin(), list->end());
  std::ranges::sort(ids);
  auto first = ids.begin();
  for (size_t i = 0; i < checkpoint_count_; ++i) {
    const auto end = std::lower_bound(first, ids.end(), checkpoints_[i].nodes);
    if (end == first) continue;
    run({first, end});
    protect(end[-1]);
    first = end;
  }
}

void Executor::revert(unsigned /*nodes*/) {
  task_marks_.clear();
  go_back(checkpoints_[--checkpoint_count_]);
}

void Executor::go_back(const Checkpoint& to) {
  const uint32_t nodes = to.nodes;
  const auto known = static_cast<uint32_t>(done_.size());
  for (uint32_t id = known; id-- > nodes;)
    if (done_[id] && graph_[id].op == &parameter_op) memory_.release(id);
  if (nodes < known) done_.resize(nodes), memory_.marks.resize(nodes);
  remove_calls(to.calls, nodes);
  kept_ = nullptr;
  memory_.values.go_back(to.values);
  for (size_t i = 0; i < workers_.size(); ++i)
    workers_[i].go_back(i < to.workers.size() ? to.workers[i] : Worker::Position{});
  if (backward_from_ != none && backward_from_ >= nodes) backward_from_ = none;
}

void Executor::mark_tasks(size_t number) {
  task_marks_.resize(number);
  Checkpoint& mark = task_marks_.emplace_back();
  mark.nodes = graph_.size();
  remember(mark);
}

bool Executor::forget_tasks(size_t number) {
  if (!task_marks_[number].is_apart) return false;
  task_marks_.resize(number + 1);
  go_back(task_marks_.back());
  return true;
}

/// Removes, from a call on, those of newer nodes.
void Executor::remove_calls(size_t first, uint32_t nodes) {
  Tape& tape = memory_.tape;
  size_t kept = first;
  uint32_t to = first < tape.size() ? tape.entries[first].first : static_cast<uint32_t>(tape.nodes.size());
  for (size_t i = first; i < tape.size(); ++i) {
    const TapeEntry entry = tape.entries[i];
    if (tape.nodes[entry.first] >= nodes) continue;
    for (uint32_t k = 0; k < entry.count; ++k) {
      const uint32_t id = tape.nodes[to + k] = tape.nodes[entry.first + k];
      tape.entry_of[id] = static_cast<uint32_t>(kept);
    }
    memory_.calls[kept] = memory_.calls[i];
    tape.entries[kept] = entry;
    tape.entries[kept++].first = to;
    to += entry.count;
  }
  tape.entries.resize(kept);
  tape.nodes.resize(to);
}

}  // namespace dynet::engine
