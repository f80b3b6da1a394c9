// The agenda policy: of the signatures with ready nodes, run the one that is least deep on average.
//
// "On-the-fly Operation Batching in Dynamic Computation Graphs", Neubig, Goldberg, Dyer 2017.
#include <algorithm>
#include <bit>

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
    for (size_t word = 0; word < s_.ready.size();)
      if (s_.ready[word])
        word = take_batch(static_cast<uint32_t>(64 * word + std::countr_zero(s_.ready[word])), result);
      else
        ++word;
  }

 private:
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

  /// The rank of a signature is its place by the average depth of its nodes.
  void rank() {
    s_.class_of.resize(std::max<size_t>(s_.class_of.size(), graph_.signature_count()), none);
    s_.rank.resize(nodes_.size()), s_.ready_next.resize(nodes_.size());
    s_.classes.clear();
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      uint32_t& c = s_.class_of[graph_[nodes_[i]].signature];
      if (c == none) {
        c = static_cast<uint32_t>(s_.classes.size());
        s_.classes.push_back({0, 0, graph_[nodes_[i]].signature, c});
      }
      s_.classes[c].depth += s_.depth[i];
      ++s_.classes[c].count;
      s_.rank[i] = c;
    }
    for (ScheduleScratch::Class& c : s_.classes) {
      c.depth /= c.count;
      s_.class_of[c.signature] = none;
    }
    std::ranges::sort(s_.classes, [](const auto& a, const auto& b) {
      return a.depth != b.depth ? a.depth < b.depth : a.signature < b.signature;
    });
    s_.ready_first.assign(s_.classes.size(), none), s_.ready_last.resize(s_.classes.size());
    s_.ready.assign((s_.classes.size() + 63) / 64, 0);
    for (uint32_t r = 0; r < s_.classes.size(); ++r) s_.ready_last[s_.classes[r].found] = r;
    for (uint32_t& r : s_.rank) r = s_.ready_last[r];
  }

  void make_ready(uint32_t position) {
    const uint32_t r = s_.rank[position];
    s_.ready_next[position] = none;
    if (s_.ready_first[r] == none) {
      s_.ready_first[r] = position;
      s_.ready[r / 64] |= uint64_t{1} << r % 64;
    } else {
      s_.ready_next[s_.ready_last[r]] = position;
    }
    s_.ready_last[r] = position;
  }

  /// Runs all ready nodes of a rank; gives the first word of `ready` that may have changed.
  size_t take_batch(uint32_t rank, Schedule& result) {
    const size_t first = result.order.size();
    for (uint32_t p = s_.ready_first[rank]; p != none; p = s_.ready_next[p]) result.order.push_back(p);
    s_.ready_first[rank] = none;
    s_.ready[rank / 64] &= ~(uint64_t{1} << rank % 64);
    const std::span<uint32_t> batch(result.order.begin() + first, result.order.end());
    if (!std::ranges::is_sorted(batch)) std::ranges::sort(batch);
    result.ends.push_back(static_cast<uint32_t>(result.order.size()));
    uint32_t lowest = rank;
    for (uint32_t& position : batch) {
      for (uint32_t e = s_.first_edge[position]; e != none; e = s_.edge_next[e]) {
        const uint32_t consumer = s_.edge_to[e];
        if (--s_.pending[consumer]) continue;
        make_ready(consumer);
        lowest = std::min(lowest, s_.rank[consumer]);
      }
      position = nodes_[position];
    }
    return lowest / 64;
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
