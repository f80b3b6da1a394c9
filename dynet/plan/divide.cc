// Nodes that hang together form a piece, up to a share of the work: what would join two larger ones comes after
// them all. Examples of a minibatch, which meet in the sum of their losses, so become pieces; so do the two
// directions of one bidirectional network.
#include "dynet/plan/divide.h"

#include <algorithm>

#include "dynet/plan/reach.h"

namespace dynet::engine {
namespace {

constexpr uint32_t none = ~0u;
constexpr uint32_t before = 0, piece = 1, after = 2;  // lists, until pieces are dealt out

constexpr uint64_t node_cost = 4000;  // beside its arithmetic, in multiply-adds

class Divider {
 public:
  Divider(const Graph& graph, std::span<const uint32_t> nodes, unsigned pieces, DivisionScratch& scratch)
      : graph_(graph), nodes_(nodes), pieces_(pieces), s_(scratch) {}

  void run(uint64_t worth, Division& result) {
    prepare();
    if (total_ < worth) return;
    limit_ = total_ / (4 * pieces_);
    for (uint32_t i = 0; i < nodes_.size(); ++i) s_.list[i] = join(i);
    if (deal()) write(result);
  }

 private:
  void prepare() {
    const size_t n = nodes_.size();
    s_.local.resize(std::max<size_t>(s_.local.size(), graph_.size()));
    s_.parent.resize(n), s_.cost.resize(n), s_.list.resize(n), s_.seen.assign(n, none);
    for (uint32_t i = 0; i < n; ++i) {
      s_.local[nodes_[i]] = i;
      s_.parent[i] = i;
      total_ += s_.cost[i] = cost_of(graph_[nodes_[i]]);
    }
  }

  /// Roughly, in multiply-adds.
  uint64_t cost_of(const Node& node) const {
    const Item& item = graph_.item(node);
    uint64_t numbers = 16 * item.size;
    for (unsigned i = 0; item.matrices && i < node.arg_count; ++i)
      if (item.is_matrix(node, i)) numbers += item.x_dims[i].size() * item.dim.cols();
    return node_cost + numbers * graph_.dim(node).bd;
  }

  uint32_t root_of(uint32_t position) {
    while (s_.parent[position] != position)
      position = s_.parent[position] = s_.parent[s_.parent[position]];
    return position;
  }

  /// The position of the node that makes an argument's memory, if it is one of those before `end`, else none.
  uint32_t position_of(uint32_t id, uint32_t end) const {
    const uint32_t p = s_.local[id = origin(graph_, id)];
    return p < end && nodes_[p] == id ? p : none;
  }

  /// Joins a node with the pieces of its arguments; gives the list that it belongs to.
  uint32_t join(uint32_t position) {
    uint64_t sum = 0, largest = 0;
    uint32_t roots = 0, first = none;
    bool only_parameters = true;
    const std::span<const uint32_t> args = graph_.args(graph_[nodes_[position]]);
    for (uint32_t arg : args) {
      const uint32_t p = position_of(arg, position);
      if (p == none) {
        only_parameters &= graph_[arg].op == &parameter_op;
        continue;
      }
      if (s_.list[p] == after) return after;
      if (s_.list[p] == before) continue;
      only_parameters = false;
      const uint32_t root = root_of(p);
      if (s_.seen[root] == position) continue;
      s_.seen[root] = position;
      sum += s_.cost[root];
      largest = std::max(largest, s_.cost[root]);
      ++roots;
      if (first == none) first = root;
    }
    if (only_parameters && !args.empty()) return before;
    if (roots > 1 && sum > limit_ && largest < sum - sum / 8) return after;
    if (first == none) return piece;
    for (uint32_t arg : args)
      if (const uint32_t p = position_of(arg, position); p != none && s_.list[p] == piece)
        s_.parent[root_of(p)] = first;
    s_.parent[position] = first;
    s_.cost[first] = sum + s_.cost[position];
    return piece;
  }

  /// Deals the trees out to pieces, the costliest first; false if the threads would not gain enough.
  bool deal() {
    s_.roots.clear();
    uint64_t alone = 0;
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      if (s_.list[i] != piece)
        alone += s_.cost[i];
      else if (s_.parent[i] == i)
        s_.roots.push_back(i);
    }
    std::ranges::sort(s_.roots, [&](uint32_t a, uint32_t b) {
      return s_.cost[a] != s_.cost[b] ? s_.cost[a] > s_.cost[b] : a < b;
    });
    s_.load.assign(pieces_, 0);
    for (uint32_t root : s_.roots) {
      const auto least = static_cast<uint32_t>(std::ranges::min_element(s_.load) - s_.load.begin());
      s_.load[least] += s_.cost[root];
      s_.seen[root] = least;
    }
    return alone + std::ranges::max(s_.load) < total_ * 3 / 4;
  }

  /// Sorts the nodes by list.
  void write(Division& result) {
    s_.at.assign(pieces_ + 3, 0);
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      uint32_t& list = s_.list[i];
      list = list == before ? 0 : list == after ? pieces_ + 1 : 1 + s_.seen[root_of(i)];
      ++s_.at[list + 1];
    }
    for (size_t list = 1; list < s_.at.size(); ++list) s_.at[list] += s_.at[list - 1];
    result.ends.assign(s_.at.begin() + 1, s_.at.end());
    result.nodes.resize(nodes_.size());
    for (uint32_t i = 0; i < nodes_.size(); ++i) result.nodes[s_.at[s_.list[i]]++] = nodes_[i];
  }

  const Graph& graph_;
  std::span<const uint32_t> nodes_;
  unsigned pieces_;
  DivisionScratch& s_;
  uint64_t total_ = 0, limit_ = 0;
};

}  // namespace

void divide(const Graph& graph, std::span<const uint32_t> nodes, unsigned pieces, uint64_t worth,
            DivisionScratch& scratch, Division& result) {
  result.nodes.clear(), result.ends.clear();
  if (pieces > 1 && nodes.size() > pieces) Divider(graph, nodes, pieces, scratch).run(worth, result);
}

}  // namespace dynet::engine
