// The agenda policy: of the signatures with ready nodes, run the one that is least deep on average.
//
// "On-the-fly Operation Batching in Dynamic Computation Graphs", Neubig, Goldberg, Dyer 2017.
#include <algorithm>
#include <utility>

#include "dynet/plan/reach.h"
#include "dynet/plan/schedule.h"

namespace dynet {
namespace {

constexpr uint32_t none = ~0u;

class Agenda {
 public:
  Agenda(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& scratch)
      : graph_(graph), nodes_(nodes), s_(scratch) {}

  void run(Schedule& result) {
    link();
    rank();
    for (uint32_t i = 0; i < nodes_.size(); ++i)
      if (s_.pending[i] == 0) make_ready(i);
    while (!s_.heap.empty()) take_batch(result);
  }

 private:
  uint32_t signature(uint32_t position) const { return graph_[nodes_[position]].signature; }

  /// Depths, counts of arguments that are still to run, and edges to consumers.
  void link() {
    const size_t n = nodes_.size();
    s_.local.resize(std::max<size_t>(s_.local.size(), graph_.size()));
    s_.depth.assign(n, 0), s_.pending.assign(n, 0), s_.first_edge.assign(n, none);
    s_.edge_next.clear(), s_.edge_to.clear();
    for (uint32_t i = 0; i < n; ++i) {
      s_.local[nodes_[i]] = i;
      for (uint32_t arg : graph_.args(graph_[nodes_[i]])) {
        const uint32_t id = origin(graph_, arg);
        const uint32_t p = s_.local[id];
        if (p >= i || nodes_[p] != id) continue;
        s_.depth[i] = std::max(s_.depth[i], s_.depth[p] + 1);
        ++s_.pending[i];
        s_.edge_next.push_back(s_.first_edge[p]);
        s_.edge_to.push_back(i);
        s_.first_edge[p] = static_cast<uint32_t>(s_.edge_to.size() - 1);
      }
    }
  }

  /// The priority of a signature is the average depth of its nodes.
  void rank() {
    const size_t n = std::max<size_t>(s_.priority.size(), graph_.signature_count());
    s_.priority.resize(n), s_.depth_count.resize(n), s_.ready_first.resize(n), s_.ready_last.resize(n);
    s_.ready_next.resize(std::max(s_.ready_next.size(), nodes_.size()));
    s_.heap.clear();
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const uint32_t k = signature(i);
      s_.priority[k] = 0, s_.depth_count[k] = 0, s_.ready_first[k] = none;
    }
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      s_.priority[signature(i)] += s_.depth[i];
      ++s_.depth_count[signature(i)];
    }
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const uint32_t k = signature(i);
      if (const uint32_t count = std::exchange(s_.depth_count[k], 0)) s_.priority[k] /= count;
    }
  }

  /// True when signature a runs after b: the heap's top is the one to run next.
  bool after(uint32_t a, uint32_t b) const {
    return s_.priority[a] != s_.priority[b] ? s_.priority[a] > s_.priority[b] : a > b;
  }

  void make_ready(uint32_t position) {
    const uint32_t k = signature(position);
    s_.ready_next[position] = none;
    if (s_.ready_first[k] == none) {
      s_.ready_first[k] = position;
      s_.heap.push_back(k);
      std::ranges::push_heap(s_.heap, [this](uint32_t a, uint32_t b) { return after(a, b); });
    } else {
      s_.ready_next[s_.ready_last[k]] = position;
    }
    s_.ready_last[k] = position;
  }

  void take_batch(Schedule& result) {
    std::ranges::pop_heap(s_.heap, [this](uint32_t a, uint32_t b) { return after(a, b); });
    const uint32_t k = s_.heap.back();
    s_.heap.pop_back();
    const size_t first = result.order.size();
    for (uint32_t p = s_.ready_first[k]; p != none; p = s_.ready_next[p]) result.order.push_back(p);
    s_.ready_first[k] = none;
    const std::span<uint32_t> batch(result.order.begin() + first, result.order.end());
    if (!std::ranges::is_sorted(batch)) std::ranges::sort(batch);
    result.ends.push_back(static_cast<uint32_t>(result.order.size()));
    for (uint32_t& position : batch) {
      for (uint32_t e = s_.first_edge[position]; e != none; e = s_.edge_next[e])
        if (--s_.pending[s_.edge_to[e]] == 0) make_ready(s_.edge_to[e]);
      position = nodes_[position];
    }
  }

  const Graph& graph_;
  std::span<const uint32_t> nodes_;
  ScheduleScratch& s_;
};

}  // namespace

void schedule_agenda(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& scratch,
                     Schedule& result) {
  Agenda(graph, nodes, scratch).run(result);
}

}  // namespace dynet
