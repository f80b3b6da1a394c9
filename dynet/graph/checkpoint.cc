// Going back to a checkpoint: what was added after it is removed, and its expressions are refused for good.
//
// The expressions of a graph carry a stamp, at first the number of the graph. Those made after nodes were
// removed carry another one, so that they are told from those of removed nodes, whose numbers they have.
#include <algorithm>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// Counts down, as the numbers of graphs count up: no two are the same.
unsigned Graph::next_stamp() {
  static std::atomic<unsigned> last{~0u};
  return --last;
}

/// Of a node that is not in the last segment.
unsigned Graph::stamp_of(unsigned node) const {
  return std::prev(std::ranges::upper_bound(segments_, node, {}, &Segment::first))->stamp;
}

/// The node of an expression from before the last revert(), or none.
unsigned Graph::older_node(const Expression& e) const {
  if (e.pg != this || e.i >= size() || segments_.size() == 1 || ended_) return none;
  return stamp_of(e.i) == e.graph_id ? e.i : none;
}

bool Graph::has_removed(const Expression& e) const {
  if (e.pg != this || ended_ || holds(e)) return false;
  const bool is_stamp = stamp() != id_ && e.graph_id >= stamp() && e.graph_id < first_stamp_;
  return e.graph_id == id_ || is_stamp;
}

Graph::Checkpoint Graph::here() const {
  return {mark(), payload_.position(), kept_.size(), held_.size(), first_uses_.size()};
}

void Graph::checkpoint() {
  if (is_in_use()) refuse_use();
  check_outside_tasks("checkpoint");
  checkpoints_.push_back(here());
  kept_before_ = kept_.size();
  if (evaluator) evaluator->checkpoint();
}

/// Whether a node was used decides how others are made of it, so that it must be unused again after going
/// back.
[[gnu::noinline]] void Graph::log_uses(std::span<const uint32_t> args) {
  for (const uint32_t arg : args)
    if (!nodes_[arg].used) first_uses_.push_back(arg);
}

/// Their expressions are refused for good.
void Graph::remove_nodes(const Mark& m) {
  if (size() > m.nodes) {
    while (segments_.size() > 1 && segments_.back().first >= m.nodes) segments_.pop_back();
    if (m.nodes == 0) segments_.clear();
    stamp_ = next_stamp();
    segments_.push_back({m.nodes, stamp()});
  }
  for (unsigned id = m.nodes; id < size(); ++id)
    if (nodes_[id].op == &parameter_op)
      bound_[place_of(*parameter_storage(nodes_[id]))].node[nodes_[id].needs_gradient] = none;
  while (!sources_.empty() && sources_.back().node >= m.nodes) sources_.pop_back();
  places_.resize(std::min<size_t>(places_.size(), m.nodes));
  args_.shrink(m.args);
  nodes_.shrink(m.nodes);
  if (tasks_) tasks_->keep_nodes(m.nodes);
}

void Graph::undo(const Mark& m) {
  if (size() == m.nodes && edge_count() == m.args) return;
  check_idle();
  remove_nodes(m);  // builders may know some of them
}

bool Graph::revert() {
  if (is_in_use()) refuse_use();
  check_outside_tasks("revert");
  if (checkpoints_.empty()) return false;
  const Checkpoint to = checkpoints_.back();
  checkpoints_.pop_back();
  kept_before_ = checkpoints_.empty() ? 0 : checkpoints_.back().kept;
  if (evaluator) evaluator->revert(to.mark.nodes);
  task_marks_.clear();
  go_back(to);
  return true;
}

void Graph::go_back(const Checkpoint& to) {
  remove_nodes(to.mark);
  for (; first_uses_.size() > to.first_uses; first_uses_.pop_back())
    if (first_uses_.back() < size()) nodes_.at(first_uses_.back()).used = false;
  payload_.go_back(to.payload);
  // The table of parameters becomes what it was, since those held last were entered last.
  for (; held_.size() > to.held; held_.pop_back()) bound_[held_.back().place] = {};
  last_held_ = nullptr;
  std::vector<std::shared_ptr<const void>> removed(
      std::make_move_iterator(kept_.begin() + static_cast<ptrdiff_t>(to.kept)),
      std::make_move_iterator(kept_.end()));
  kept_.resize(to.kept);
  // What was removed is freed when all is in order again.
}

void Graph::mark_tasks(size_t number) {
  task_marks_.resize(number);
  task_marks_.push_back(here());
  if (evaluator) evaluator->mark_tasks(number);
}

/// Older nodes that were used stay so: whoever uses them afterwards computes the same as if all were there.
bool Graph::forget_tasks(size_t number) {
  if (is_in_use()) refuse_use();
  if (!checkpoints_.empty() || !evaluator || !evaluator->forget_tasks(number)) return false;
  task_marks_.resize(number + 1);
  go_back(task_marks_.back());
  return true;
}

}  // namespace dynet::engine
