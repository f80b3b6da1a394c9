// The best dependency tree, by contraction of cycles.
#include <algorithm>

#include "dynet/core/watch.h"
#include "dynet/structured/choices.h"

namespace dynet::engine::structured {
namespace {

/// The weight of an arc: fewer arcs from the root come before any score.
struct Weight {
  int roots = 0;
  double score = -infinity;

  bool possible() const { return score > -infinity; }
  friend bool operator>(const Weight& a, const Weight& b) {
    if (a.possible() != b.possible()) return a.possible();
    return a.roots != b.roots ? a.roots < b.roots : a.score > b.score;
  }
  friend Weight operator-(const Weight& a, const Weight& b) {
    return a.possible() ? Weight{a.roots - b.roots, a.score - b.score} : a;
  }
};

/// Arcs by dependent and head; node 0 is the root.
struct Network {
  size_t n;
  std::vector<Weight> weights;

  explicit Network(size_t nodes) : n(nodes), weights(nodes * nodes) {}
  Weight& at(size_t d, size_t h) { return weights[d * n + h]; }
};

/// The nodes of a cycle of heads, or none.
std::vector<size_t> cycle_of(const std::vector<size_t>& heads) {
  std::vector<size_t> seen(heads.size(), 0);
  for (size_t start = 1; start < heads.size(); ++start) {
    size_t d = start;
    while (d != 0 && seen[d] == 0) seen[d] = start, d = heads[d];
    if (d == 0 || seen[d] != start) continue;
    std::vector<size_t> cycle{d};
    for (size_t k = heads[d]; k != d; k = heads[k]) cycle.push_back(k);
    return cycle;
  }
  return {};
}

bool best_heads(Network& net, std::vector<size_t>& heads) {
  heads.assign(net.n, 0);
  for (size_t d = 1; d < net.n; ++d) {
    for (size_t h = 1; h < net.n; ++h)
      if (h != d && net.at(d, h) > net.at(d, heads[d])) heads[d] = h;
    if (!net.at(d, heads[d]).possible()) return false;
  }
  worked(static_cast<int64_t>(4 * net.n * net.n));
  const std::vector<size_t> cycle = cycle_of(heads);
  if (cycle.empty()) return true;

  std::vector<char> inside(net.n, 0);
  for (const size_t d : cycle) inside[d] = 1;
  std::vector<size_t> kept;  // the cycle is the node after these
  for (size_t d = 0; d < net.n; ++d)
    if (!inside[d]) kept.push_back(d);
  const size_t joined = kept.size();
  Network small(joined + 1);
  std::vector<size_t> enters(joined, 0), leaves(joined, 0);  // which node of the cycle an arc has
  for (size_t a = 0; a < joined; ++a) {
    const size_t other = kept[a];
    for (size_t b = 1; b < joined + 0; ++b) small.at(b, a) = net.at(kept[b], other);
    for (const size_t d : cycle) {
      const Weight in = net.at(d, other) - net.at(d, heads[d]);
      if (enters[a] == 0 || in > small.at(joined, a)) small.at(joined, a) = in, enters[a] = d;
      if (a == 0) continue;
      if (leaves[a] == 0 || net.at(other, d) > small.at(a, joined))
        small.at(a, joined) = net.at(other, d), leaves[a] = d;
    }
  }
  std::vector<size_t> found;
  if (!best_heads(small, found)) return false;
  const size_t entered = enters[found[joined]];
  heads[entered] = kept[found[joined]];
  for (size_t a = 1; a < joined; ++a) heads[kept[a]] = found[a] == joined ? leaves[a] : kept[found[a]];
  return true;
}

bool best_tree(const SpanningTrees& p, const double* scores, std::vector<uint32_t>& chosen) {
  const size_t n = p.words + size_t{1};
  Network net(n);
  for (size_t d = 1; d < n; ++d)
    for (size_t h = 0; h < n; ++h)
      if (h != d) net.at(d, h) = {p.single_root && h == 0 ? 1 : 0, scores[(d - 1) * n + h]};
  std::vector<size_t> heads;
  if (!best_heads(net, heads)) return false;
  chosen.clear();
  size_t roots = 0;
  for (size_t d = 1; d < n; ++d)
    chosen.push_back(static_cast<uint32_t>(heads[d])), roots += heads[d] == 0 ? 1 : 0;
  return !p.single_root || roots == 1;
}

}  // namespace

std::vector<Scored> best_of(const SpanningTrees& p, const double* scores, unsigned k) {
  const Solve solve = [&](const double* s, std::vector<uint32_t>& chosen) { return best_tree(p, s, chosen); };
  return best_choices(solve, p.words + 1, p.words, scores, k);
}

}  // namespace dynet::engine::structured
