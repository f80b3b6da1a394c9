// What a graph refuses to tasks that make its nodes in turns, and the order of what they make.
#include "dynet/graph/tasks.h"

#include "dynet/graph/graph.h"

namespace dynet::engine {

void Tasks::rank() {
  if (ranks_.size() == parts_.size()) return;
  std::vector<uint32_t> first{0}, children(parts_.size()), waiting{before};
  first.reserve(parts_.size());
  for (const Part& part : parts_) first.push_back(first.back() + part.children);
  for (uint32_t part = before + 1; part < size(); ++part)
    children[first[parts_[part].parent] + parts_[part].ordinal] = part;
  ranks_.resize(parts_.size());
  for (uint32_t rank = 0; !waiting.empty(); ++rank) {
    const uint32_t part = waiting.back();
    waiting.pop_back();
    ranks_[part] = rank;
    for (uint32_t at = first[part + 1]; at-- > first[part];) waiting.push_back(children[at]);
  }
}

Tasks& Graph::start_tasks() {
  check_idle();
  if (!tasks_) {
    tasks_ = std::make_unique<Tasks>();
    for (unsigned id = 0; id < size(); ++id) tasks_->add_node(Tasks::before);
  }
  return *tasks_;
}

void Graph::check_outside_tasks(std::string_view call) const {
  if (tasks_ && tasks_->in_task())
    failed(
        call,
        ": a task of run_batched calls it, whose graph others use as well; call it before or after the run");
}

/// What is there to be used, and in what order, would depend on whose turn it was.
void Graph::refuse_other_task(std::span<const uint32_t> args) const {
  const auto of_another = [&](uint32_t id) { return !tasks_->may_use(id); };
  invalid("argument ", std::ranges::find_if(args, of_another) - args.begin(),
          " was made by another task of run_batched; make what tasks share before the run");
}

}  // namespace dynet::engine
