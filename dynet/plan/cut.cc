// Large evaluations are cut into pieces whose values stay in the cache from forward to backward.
//
// Any pieces of consecutive nodes may run one after another. Programs write one example after another, so few
// values cross from piece to piece where one ends between two examples: those places are looked for.
#include <algorithm>

#include "dynet/plan/reach.h"
#include "dynet/plan/schedule.h"

namespace dynet {
namespace {

constexpr size_t fewest_nodes = 4096;               // below, no time is to be won
constexpr size_t fewest_numbers = size_t{3} << 17;  // of a piece: 1.5 MiB of values
constexpr size_t numbers_for_each_weight = 4;       // every piece reads all weights once more
constexpr size_t slack = 4;                         // a piece may be a fourth longer or shorter

class Cuts {
 public:
  Cuts(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& scratch)
      : graph_(graph), nodes_(nodes), s_(scratch) {}

  void find() {
    measure();
    const size_t target = std::max(fewest_numbers, numbers_for_each_weight * weights_);
    if (total_ < 2 * target) return;
    const size_t pieces = total_ / target, size = total_ / pieces;
    size_t start = 0, numbers = 0, best = 0, so_far = 0;
    for (size_t i = 0; i + 1 < nodes_.size(); ++i) {
      numbers += numbers_of(nodes_[i]);
      if (numbers < size - size / slack) continue;
      // Of equally good places the last one: what follows is the beginning of an example.
      if (best <= start || s_.crossing[i + 1] <= s_.crossing[best]) best = i + 1, so_far = numbers;
      if (numbers < size + size / slack) continue;
      s_.cuts.push_back(static_cast<uint32_t>(best));
      start = best;
      numbers -= so_far;
    }
  }

 private:
  size_t numbers_of(uint32_t id) const {
    const Item& item = graph_.item(id);
    const bool whole = graph_[id].op->batching == Batching::nodes;
    return (item.size + item.aux_size) * (whole ? 1 : graph_.dim(id).bd);
  }

  /// Adds up sizes, and counts for each place the values that cross it.
  void measure() {
    s_.local.resize(std::max<size_t>(s_.local.size(), graph_.size()));
    s_.crossing.assign(nodes_.size() + 1, 0);
    s_.weights.clear();
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      s_.local[nodes_[i]] = i;
      total_ += numbers_of(nodes_[i]);
      const Node& node = graph_[nodes_[i]];
      for (uint32_t arg : graph_.args(node)) {
        const uint32_t id = origin(graph_, arg), p = s_.local[id];
        if (node.op->has_matrix && graph_[id].op == &parameter_op) s_.weights.push_back(id);
        if (p >= i || nodes_[p] != id) continue;
        ++s_.crossing[p + 1], --s_.crossing[i + 1];
      }
    }
    for (size_t i = 1; i < s_.crossing.size(); ++i) s_.crossing[i] += s_.crossing[i - 1];
    std::ranges::sort(s_.weights);
    const auto repeated = std::ranges::unique(s_.weights);
    s_.weights.erase(repeated.begin(), repeated.end());
    for (uint32_t id : s_.weights) weights_ += graph_.dim(id).size();
  }

  const Graph& graph_;
  std::span<const uint32_t> nodes_;
  ScheduleScratch& s_;
  size_t total_ = 0, weights_ = 0;
};

}  // namespace

void cut(const Graph& graph, std::span<const uint32_t> nodes, ScheduleScratch& scratch) {
  scratch.cuts.clear();
  if (nodes.size() >= fewest_nodes) Cuts(graph, nodes, scratch).find();
  scratch.cuts.push_back(static_cast<uint32_t>(nodes.size()));
}

}  // namespace dynet
