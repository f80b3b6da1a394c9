// Nodes that hang together form a part, up to a share of the work: what would join two larger ones comes
// after them all. Examples of a minibatch, which meet in the sum of their losses, so become parts; so do the
// two directions of one bidirectional network.
#include "dynet/plan/partition.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "dynet/plan/needed.h"

namespace dynet::engine {
namespace {

constexpr uint32_t prologue = 0, part = 1, epilogue = 2;  // lists, until parts are dealt out

constexpr uint64_t node_cost = 4000;  // beside its arithmetic, in multiply-adds

class Partitioner {
 public:
  Partitioner(const Graph& graph, std::span<const uint32_t> nodes, unsigned parts, PartitionScratch& scratch)
      : graph_(graph), nodes_(nodes), parts_(parts), s_(scratch) {}

  /// Tries fewer parts where so many would not pay.
  void run(uint64_t worth, Partition& result) {
    for (; parts_ > 1; parts_ /= 2) {
      prepare();
      if (total_ < worth) return;
      limit_ = total_ / (4 * parts_);
      for (uint32_t i = 0; i < nodes_.size(); ++i) links_[i].list = join(i);
      if (deal() && (worth == 0 || stays_wide())) return write(result);
      if (s_.roots.size() < 2) return;
    }
  }

 private:
  static constexpr uint32_t none = ~0u;

  using Link = PartitionScratch::Link;

  void prepare() {
    s_.local.resize(std::max<size_t>(s_.local.size(), graph_.size()));
    s_.links.resize(std::max(s_.links.size(), nodes_.size()));
    links_ = s_.links.data();
    total_ = 0;
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = graph_[nodes_[i]];
      const Item& item = graph_.item(node);
      const uint64_t cost = node_cost + (16 * item.size + item.multiply_adds) * graph_.dim(node).bd;
      s_.local[nodes_[i]] = i;
      links_[i] = {cost, i, part, none, 0};
      total_ += cost;
    }
  }

  Link& root_of(uint32_t position) {
    while (links_[position].parent != position)
      position = links_[position].parent = links_[links_[position].parent].parent;
    return links_[position];
  }

  /// The position of the node that makes an argument's memory, if it is one of those before `end`, else none.
  uint32_t position_of(uint32_t id, uint32_t end) const {
    const uint32_t p = s_.local[id = origin(graph_, id)];
    return p < end && nodes_[p] == id ? p : none;
  }

  /// Joins a node with the parts of its arguments; gives the list that it belongs to.
  uint32_t join(uint32_t position) {
    uint64_t sum = 0, largest = 0;
    Link* first = nullptr;
    bool joins = false, only_parameters = true;
    const std::span<const uint32_t> args = graph_.args(graph_[nodes_[position]]);
    for (uint32_t arg : args) {
      const uint32_t p = position_of(arg, position);
      if (p == none) {
        only_parameters &= graph_[arg].op == &parameter_op;
        continue;
      }
      if (links_[p].list == epilogue) return epilogue;
      links_[position].depth = std::max(links_[position].depth, links_[p].depth + 1);
      if (links_[p].list == prologue) continue;
      only_parameters = false;
      Link& root = root_of(p);
      if (std::exchange(root.seen, position) == position) continue;
      sum += root.cost;
      largest = std::max(largest, root.cost);
      joins |= first != nullptr;
      if (!first) first = &root;
    }
    if (only_parameters && !args.empty()) return prologue;
    if (joins && sum > limit_ && largest < sum - sum / 8) return epilogue;
    if (!first) return part;
    const uint32_t root = first->parent;
    if (joins)
      for (uint32_t arg : args)
        if (const uint32_t p = position_of(arg, position); p != none && links_[p].list == part)
          root_of(p).parent = root;
    links_[position].parent = root;
    first->cost = sum + links_[position].cost;
    return part;
  }

  /// Deals the trees out to parts, the costliest first; false if the threads would not gain enough.
  bool deal() {
    s_.roots.clear();
    uint64_t alone = 0;
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      if (links_[i].list != part)
        alone += links_[i].cost;
      else if (links_[i].parent == i)
        s_.roots.push_back(i);
    }
    std::ranges::sort(s_.roots, [&](uint32_t a, uint32_t b) {
      return links_[a].cost != links_[b].cost ? links_[a].cost > links_[b].cost : a < b;
    });
    s_.load.assign(parts_, 0);
    for (uint32_t root : s_.roots) {
      const auto least = std::ranges::min_element(s_.load);
      *least += links_[root].cost;
      links_[root].seen = static_cast<uint32_t>(least - s_.load.begin());
    }
    return alone + std::ranges::max(s_.load) < total_ * 3 / 4;
  }

  /// False if most products are of few columns which more than one part has: apart they would read the same
  /// matrices for even fewer.
  bool stays_wide() {
    s_.products.assign(graph_.signature_count(), {});
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = graph_[nodes_[i]];
      if (links_[i].list != part || graph_.item(node).multiply_adds == 0) continue;
      auto& product = s_.products[node.signature];
      const uint32_t own = root_of(i).seen;
      if (product.count == 0) product.part = own;
      product.shared |= product.part != own;
      product.count += graph_.dim(node).bd;
      product.cost += links_[i].cost;
      product.depths |= uint64_t{1} << links_[i].depth % 64;
    }
    uint64_t narrow = 0;
    for (const auto& product : s_.products)
      if (product.shared && product.count < 2 * parts_ * std::popcount(product.depths))
        narrow += product.cost;
    return narrow < total_ / 4;
  }

  /// Sorts the nodes by list.
  void write(Partition& result) {
    s_.at.assign(parts_ + 3, 0);
    for (uint32_t i = 0; i < nodes_.size(); ++i) {
      const uint32_t list = links_[i].list;
      links_[i].list = list == prologue ? 0 : list == epilogue ? parts_ + 1 : 1 + root_of(i).seen;
      ++s_.at[links_[i].list + 1];
    }
    for (size_t list = 1; list < s_.at.size(); ++list) s_.at[list] += s_.at[list - 1];
    result.ends.assign(s_.at.begin() + 1, s_.at.end());
    result.nodes.resize(nodes_.size());
    for (uint32_t i = 0; i < nodes_.size(); ++i) result.nodes[s_.at[links_[i].list]++] = nodes_[i];
  }

  const Graph& graph_;
  std::span<const uint32_t> nodes_;
  unsigned parts_;
  PartitionScratch& s_;
  Link* links_ = nullptr;
  uint64_t total_ = 0, limit_ = 0;
};

}  // namespace

void partition(const Graph& graph, std::span<const uint32_t> nodes, unsigned parts, uint64_t worth,
               PartitionScratch& scratch, Partition& result) {
  result.nodes.clear(), result.ends.clear();
  if (parts > 1 && nodes.size() > parts) Partitioner(graph, nodes, parts, scratch).run(worth, result);
}

}  // namespace dynet::engine
