// The agenda policy: of the signatures with ready nodes, run the one that is least deep on average.
//
// "On-the-fly Operation Batching in Dynamic Computation Graphs", Neubig, Goldberg, Dyer 2017.
#include <algorithm>
#include <bit>

#include "dynet/plan/needed.h"
#include "dynet/plan/schedule.h"

namespace dynet::engine {
namespace {

class Agenda {
 public:
  Agenda(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& scratch)
      : graph_(graph), nodes_(nodes), s_(scratch) {}

  void run(Schedule& result) {
    link();
    rank();
    for (uint32_t i = 0; i < nodes_.size(); ++i)
      if (s_.places[i].pending == 0) make_ready(i);
    for (size_t word = 0; word < s_.any_is_ready.size();)
      if (const uint64_t bits = s_.any_is_ready[word])
        word = take_batch(static_cast<uint32_t>(64 * word + std::countr_zero(bits)), result);
      else
        ++word;
  }

 private:
  static constexpr uint32_t none = ~0u;

  /// Makes room; what is read before it is written is set.
  void prepare() {
    const size_t n = nodes_.size();
    const auto grow = [](auto& list, size_t size) { list.resize(std::max<size_t>(list.size(), size)); };
    grow(s_.local, graph_.size()), grow(s_.edges, graph_.edge_count()), grow(s_.places, n), grow(s_.ready, n);
    s_.class_of.resize(std::max<size_t>(s_.class_of.size(), graph_.signature_count()), none);
    s_.classes.clear();
  }

  /// Depths, counts of arguments that are still to run, edges to consumers, and classes of equal signature.
  void link() {
    prepare();
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = graph_[nodes_[i]];
      uint32_t depth = 0, pending = 0;
      const std::span<const uint32_t> args = graph_.args(node);
      for (uint32_t k = 0; k < args.size(); ++k) {
        const uint32_t p = position_of(args[k], i);
        if (p == none) continue;
        ScheduleScratch::Place& place = s_.places[p];
        depth = std::max(depth, place.depth + 1);
        ++pending;
        s_.edges[node.args + k] = {place.first_edge, i};
        place.first_edge = node.args + k;
      }
      s_.local[nodes_[i]] = i;
      s_.places[i] = {depth, pending, none, add_to_class(node.signature, depth)};
    }
  }

  /// The position of the node that makes an argument's memory, if it is one of those before `end`, else none.
  uint32_t position_of(uint32_t id, uint32_t end) const {
    const auto known = [&] {
      const uint32_t p = s_.local[id];
      return p < end && nodes_[p] == id ? p : none;
    };
    if (const uint32_t p = known(); p != none || !graph_[id].op->view) return p;
    id = origin(graph_, id);
    return known();
  }

  uint32_t add_to_class(uint32_t signature, uint32_t depth) {
    uint32_t& c = s_.class_of[signature];
    if (c == none) {
      c = static_cast<uint32_t>(s_.classes.size());
      s_.classes.push_back({0, 0, signature, c});
    }
    s_.classes[c].depth += depth;
    ++s_.classes[c].count;
    return c;
  }

  /// The rank of a class is its place by the average depth of its nodes; until here a place holds the class.
  void rank() {
    for (ScheduleScratch::Class& c : s_.classes) {
      c.depth /= c.count;
      s_.class_of[c.signature] = none;
    }
    std::ranges::sort(s_.classes, [](const auto& a, const auto& b) {
      return a.depth != b.depth ? a.depth < b.depth : a.signature < b.signature;
    });
    s_.any_is_ready.assign((s_.classes.size() + 63) / 64, 0);
    s_.rank_of.resize(s_.classes.size());
    uint32_t before = 0;
    for (uint32_t r = 0; r < s_.classes.size(); ++r) {
      ScheduleScratch::Class& c = s_.classes[r];
      c.first = c.last = before;
      before += c.count;
      s_.rank_of[c.found] = r;
    }
    for (uint32_t i = 0; i < nodes_.size(); ++i) s_.places[i].rank = s_.rank_of[s_.places[i].rank];
  }

  /// Adds a node to those of its class that can run; gives the rank of the class.
  uint32_t make_ready(uint32_t position) {
    const uint32_t r = s_.places[position].rank;
    ScheduleScratch::Class& c = s_.classes[r];
    if (c.first == c.last) s_.any_is_ready[r / 64] |= uint64_t{1} << r % 64;
    s_.ready[c.last++] = position;
    return r;
  }

  /// Runs all ready nodes of a rank; gives the first word of `ready` that may have changed.
  size_t take_batch(uint32_t rank, Schedule& result) {
    const size_t first = result.order.size();
    ScheduleScratch::Class& c = s_.classes[rank];
    result.order.insert(result.order.end(), s_.ready.begin() + c.first, s_.ready.begin() + c.last);
    c.first = c.last;
    s_.any_is_ready[rank / 64] &= ~(uint64_t{1} << rank % 64);
    const std::span<uint32_t> batch(result.order.begin() + first, result.order.end());
    if (!std::ranges::is_sorted(batch)) std::ranges::sort(batch);
    result.ends.push_back(static_cast<uint32_t>(result.order.size()));
    uint32_t lowest = rank;
    for (uint32_t& position : batch) {
      for (uint32_t e = s_.places[position].first_edge; e != none; e = s_.edges[e].next)
        if (const uint32_t consumer = s_.edges[e].to; --s_.places[consumer].pending == 0)
          lowest = std::min(lowest, make_ready(consumer));
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

}  // namespace dynet::engine
