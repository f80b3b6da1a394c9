// Views in the backward pass: a view's gradient may be a place in the gradient of what it shows.
#include "dynet/run/executor.h"

namespace dynet::engine {

/// Lists the views of each kernel or leaf, newest first.
void Executor::link_views() {
  memory_.views.resize(graph_.size());
  for (auto it = backward_set_.rbegin(); it != backward_set_.rend(); ++it) {
    const uint32_t id = *it;
    if (!graph_[id].op->view) continue;
    const uint32_t source = graph_.args(graph_[id])[0];
    Views& views = memory_.views[id];
    views = {};
    views.origin = !graph_[source].op->view ? source
                   : memory_.marks[source]  ? memory_.views[source].origin
                                            : origin(graph_, source);
    if (memory_.marks[views.origin] && !memory_.gradients[views.origin].has_views) {
      memory_.gradients[views.origin].has_views = true;
      memory_.views[views.origin] = {};
    }
  }
  for (uint32_t id : backward_set_) {
    if (!graph_[id].op->view || !memory_.marks[memory_.views[id].origin]) continue;
    Views& list = memory_.views[memory_.views[id].origin];
    (list.last == none ? list.first : memory_.views[list.last].next) = id;
    list.last = id;
  }
}

/// How the views of a node that are in the backward set, which are among those of its origin, lie in it.
Executor::Cover Executor::cover_by_views(uint32_t id) const {
  constexpr unsigned most = 8, most_seen = 64;  // cheap for the halves and quarters of a cell's state
  size_t from[most], to[most], covered = 0;
  unsigned n = 0, seen = 0;
  const uint32_t root = graph_[id].op->view ? memory_.views[id].origin : id;
  if (!memory_.marks[root]) return Cover::overlapping;
  for (uint32_t v = memory_.views[root].first; v != none; v = memory_.views[v].next) {
    if (++seen > most_seen) return Cover::overlapping;
    if (graph_.args(graph_[v])[0] != id) continue;
    if (n == most) return Cover::overlapping;
    from[n] = graph_.item(v).view_offset;
    to[n] = from[n] + graph_.dim(v).batch_size();
    covered += to[n] - from[n];
    for (unsigned k = 0; k < n; ++k)
      if (from[n] < to[k] && from[k] < to[n]) return Cover::overlapping;
    ++n;
  }
  return covered == graph_.dim(id).batch_size() ? Cover::whole : Cover::partial;
}

}  // namespace dynet::engine
