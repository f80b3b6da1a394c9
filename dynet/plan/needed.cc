// One descending scan that stops as soon as no marked node is left.
#include "dynet/plan/needed.h"

#include <algorithm>

namespace dynet::engine {

void needed(const Graph& graph, std::span<const uint32_t> wanted, std::span<const uint8_t> done, Marks& marks,
            Needed& found) {
  found.leaves.clear(), found.views.clear(), found.kernels.clear();
  size_t open = 0;
  uint32_t newest = 0;
  const auto want = [&](uint32_t id) {
    if (done[id] || marks[id]) return;
    marks.set(id);
    newest = std::max(newest, id);
    ++open;
  };
  for (uint32_t id : wanted) want(id);
  if (open == 0) return;
  for (uint32_t id = newest;; id = marks.next_before(id)) {
    marks.clear(id);
    --open;
    const Node& node = graph[id];
    (node.op->leaf ? found.leaves : node.op->view ? found.views : found.kernels).push_back(id);
    for (uint32_t arg : graph.args(node)) want(arg);
    if (open == 0) {
      marks.leave(id);
      break;
    }
  }
  std::ranges::reverse(found.leaves);
  std::ranges::reverse(found.views);
  std::ranges::reverse(found.kernels);
}

}  // namespace dynet::engine
