// Views in the backward pass: a view's gradient may be a place in the gradient of what it shows.
#include "dynet/run/executor.h"

namespace dynet::engine {

/// Lists the views of each kernel or leaf, newest first.
void Executor::link_views() {
  t_.views.resize(graph_.size());
  for (auto it = path_.rbegin(); it != path_.rend(); ++it) {
    const uint32_t id = *it;
    if (!graph_[id].op->view) continue;
    const uint32_t source = graph_.args(graph_[id])[0];
    Views& views = t_.views[id];
    views = {};
    views.origin = !graph_[source].op->view ? source
                   : t_.marks[source]       ? t_.views[source].origin
                                            : origin(graph_, source);
    if (t_.marks[views.origin] && !t_.flow[views.origin].has_views) {
      t_.flow[views.origin].has_views = true;
      t_.views[views.origin] = {};
    }
  }
  for (uint32_t id : path_) {
    if (!graph_[id].op->view || !t_.marks[t_.views[id].origin]) continue;
    Views& list = t_.views[t_.views[id].origin];
    (list.last == none ? list.first : t_.views[list.last].next) = id;
    list.last = id;
  }
}

/// How the views of a node that are on the path, which are among those of its origin, lie in it.
Executor::Cover Executor::cover_by_views(uint32_t id) const {
  constexpr unsigned most = 8, most_seen = 64;  // cheap for the halves and quarters of a cell's state
  size_t from[most], to[most], covered = 0;
  unsigned n = 0, seen = 0;
  const uint32_t root = graph_[id].op->view ? t_.views[id].origin : id;
  if (!t_.marks[root]) return Cover::overlapping;
  for (uint32_t v = t_.views[root].first; v != none; v = t_.views[v].next) {
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
