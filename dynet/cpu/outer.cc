// The gradient of a matrix: the sum of outer products of columns that lie anywhere.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/threads.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// A tile of G, the columns read where they lie: rows from the offset in dy, columns from the offset in x.
struct OuterTile {
  const real* const* dy;
  const real* const* x;
  size_t dy_at, x_at, count, g_step;
  int tail;  // lanes in use in the last vector
  real* g;
  bool accumulate;
};

template <int V, int C, bool Masked>
void run_outer(const OuterTile& t) {
  Vec sum[C][V];
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      sum[c][v] = 0;
      __builtin_prefetch(t.g + c * t.g_step + v * lanes, 1);
    }
  }
  const size_t count = t.count, dy_at = t.dy_at, x_at = t.x_at;
  const real *const *dy = t.dy, *const *x = t.x;
  for (size_t i = 0; i < count; ++i) {
    const real *from = dy[i] + dy_at, *factor = x[i] + x_at;
    Vec row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      row[v] = Masked && v == V - 1 ? Vec::load(from + v * lanes, t.tail) : Vec::load(from + v * lanes);
      hold(row[v]);
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const Vec b = factor[c];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[c][v] = fma(row[v], b, sum[c][v]);
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
    real* g = t.g + c * t.g_step;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v, g += lanes) {
      const real* before = t.accumulate ? g : nullptr;
      if (Masked && v == V - 1)
        finish(sum[c][v], before, g, t.tail);
      else
        finish(sum[c][v], before, g, Whole{});
    }
  }
}

template <int V, bool Masked>
void run_outer(size_t columns, const OuterTile& t) {
  switch (columns) {
    case 1: return run_outer<V, 1, Masked>(t);
    case 2: return run_outer<V, 2, Masked>(t);
    case 3: return run_outer<V, 3, Masked>(t);
    case 4: return run_outer<V, 4, Masked>(t);
    case 5: return run_outer<V, 5, Masked>(t);
    case 6: return run_outer<V, 6, Masked>(t);
    case 7:
      if constexpr (tile_columns(V) > 6) return run_outer<V, 7, Masked>(t);
      break;
    case 8:
      if constexpr (tile_columns(V) > 6) return run_outer<V, 8, Masked>(t);
      break;
  }
}

template <bool Masked>
void run_outer(size_t vectors, size_t columns, const OuterTile& t) {
  if (vectors == 1) return run_outer<1, Masked>(columns, t);
  if (vectors == 2) return run_outer<2, Masked>(columns, t);
  if constexpr (panel_vectors == 4) {
    if (vectors == 3) return run_outer<3, Masked>(columns, t);
    if (vectors == 4) return run_outer<4, Masked>(columns, t);
  }
}

/// So many columns of one panel stay in the cache while the tiles of the panel are summed over them.
constexpr size_t most_columns = 256;

/// The rows of one panel, from all of its tiles.
void add_panel(const OuterSum& o, const Panels& panels, size_t panel) {
  const size_t height = panels.height(panel), row = panels.start(panel) * lanes;
  const int tail = panels.tail(panels.start(panel) + height);
  const size_t widest = tile_columns(static_cast<int>(height)), tiles = (o.k + widest - 1) / widest;
  for (size_t first = 0; first < o.count; first += most_columns) {
    OuterTile t{o.dy + first,
                o.x + first,
                row,
                0,
                smaller(most_columns, o.count - first),
                o.m,
                tail,
                o.g + row,
                o.accumulate || first > 0};
    for (size_t i = 0; i < tiles; ++i) {
      const size_t columns = o.k / tiles + (i < o.k % tiles);
      tail == lanes ? run_outer<false>(height, columns, t) : run_outer<true>(height, columns, t);
      t.x_at += columns, t.g += columns * o.m;
    }
  }
}

}  // namespace

void CpuEngine::outer_sum(const OuterSum& given) {
  // G lies as its transpose where it has one row: then the roles change, and the vectors run along it.
  OuterSum o = given;
  if (o.m == 1) o.m = given.k, o.k = 1, o.dy = given.x, o.x = given.dy;
  const Panels panels(o.m);
  const size_t flops = 2 * o.count * o.m * o.k;
  split(panels.count, 1, flops < worth_sharing ? panels.count : 1, [&](size_t begin, size_t end) {
    for (size_t panel = begin; panel < end; ++panel) add_panel(o, panels, panel);
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
