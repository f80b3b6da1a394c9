// Adds a call to the record, and shares its time among the lines that its nodes are from.
#include "dynet/run/recorder.h"

#include <mutex>

namespace dynet::engine {

bool Recorder::start() {
  const std::lock_guard lock(mutex_);
  if (is_on_) return false;
  calls_.clear(), kinds_.clear(), known_.clear(), threads_.clear(), lines_.clear();
  is_on_ = true;
  begin_ = Clock::now();
  next_ = chosen_profile().exchange(this);
  return true;
}

void Recorder::stop() {
  const std::lock_guard lock(mutex_);
  if (!is_on_) return;
  is_on_ = false;
  Timings* self = this;
  chosen_profile().compare_exchange_strong(self, next_);
}

void Recorder::add(const Timing& timing) {
  const std::lock_guard lock(mutex_);
  if (next_) next_->add(timing);
  if (!is_on_) return;  // it began to be timed before the end
  const auto nanoseconds = [](auto time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  };
  const auto thread = static_cast<uint32_t>(threads_.size());
  RecordedCall call{.kind = kind(timing),
                    .nodes = static_cast<uint32_t>(timing.nodes.size()),
                    .items = 0,
                    .graph = timing.graph ? timing.graph->number() : 0,
                    .thread = threads_.try_emplace(std::this_thread::get_id(), thread).first->second,
                    .is_forward = timing.is_forward,
                    .start = nanoseconds(timing.start - begin_),
                    .duration = nanoseconds(timing.end - timing.start),
                    .bytes = 0};
  if (timing.graph && !timing.nodes.empty()) add_nodes(timing, call);
  calls_.push_back(call);
}

uint32_t Recorder::kind(const Timing& timing) {
  const bool is_call = timing.graph && !timing.nodes.empty();
  const Graph* graph = is_call ? timing.graph : nullptr;
  const Key key = graph ? Key{graph, graph->life(), graph->intern_epoch(),
                              (*graph)[timing.nodes[0]].signature, timing.name}
                        : Key{nullptr, 0, 0, 0, timing.name};
  const auto [known, is_new] = known_.try_emplace(key, static_cast<uint32_t>(kinds_.size()));
  if (is_new) {
    kinds_.push_back(graph ? kind_of(*graph, timing.nodes[0]) : Kind{});
    kinds_.back().operation = timing.name;
  }
  return known->second;
}

/// Each node takes as much of the time as it has batch elements.
void Recorder::add_nodes(const Timing& timing, RecordedCall& call) {
  const Graph& graph = *timing.graph;
  for (const uint32_t id : timing.nodes) call.items += graph.dim(id).bd;
  const Item& item = graph.item(timing.nodes[0]);
  const double share = static_cast<double>(call.duration) / call.items;
  for (const uint32_t id : timing.nodes) {
    const uint32_t place = graph.place(id);
    if (lines_.size() <= place) lines_.resize(place + 1);
    LineTotal& line = lines_[place];
    const Dim& dim = graph.dim(id);
    const size_t bytes = sizeof(real) * (dim.size() + (timing.is_forward ? item.saved_size * dim.bd : 0));
    call.bytes += bytes;
    (timing.is_forward ? line.forward : line.backward) += share * dim.bd;
    if (timing.is_forward) ++line.nodes, line.bytes += bytes;
  }
}

}  // namespace dynet::engine
