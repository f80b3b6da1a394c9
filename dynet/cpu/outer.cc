// The gradient of a matrix: the sum of outer products of columns that lie anywhere.
#include "dynet/core/watch.h"
#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/threads.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// So many columns of one panel stay in the cache while the tiles of the panel are summed over them; each
/// half of them is summed one after another.
constexpr size_t most_columns = 256;
/// More columns than these are summed in runs, which are summed pairwise.
constexpr size_t columns_in_a_row = 8 * most_columns;

/// How the rows of dy lie: in its columns; so, the last vector to be read in part; in copies one after
/// another, padded with zeros; so, the last vector half empty.
enum class Rows { apart, part, gathered, half };

/// A tile of G: rows from the offset in dy, or the copies of them, columns from the offset in x.
struct OuterTile {
  const real* const* dy;
  const real* copies;
  const real* const* x;
  size_t dy_at, x_at, count, g_step;
  int tail;  // lanes in use in the last vector
  real* g;
  bool accumulate;
};

template <int C, int V>
[[gnu::always_inline]] inline void clear(Vec (&sum)[C][V]) {
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[c][v] = 0;
  }
}

/// sum += dy xᵀ over the columns [begin, end).
template <Rows R, int C, int V>
[[gnu::always_inline]] inline void add_columns(const OuterTile& t, size_t begin, size_t end,
                                               Vec (&sum)[C][V]) {
  constexpr bool copied = R == Rows::gathered || R == Rows::half;
  const size_t dy_at = t.dy_at, x_at = t.x_at;
  const real *const *dy = t.dy, *const *x = t.x, *copy = t.copies + (copied ? begin * V * lanes : 0);
  for (size_t i = begin; i < end; ++i, copy += V * lanes) {
    const real *from = copied ? copy : dy[i] + dy_at, *factor = x[i] + x_at;
    Vec row[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      row[v] =
          R == Rows::part && v == V - 1 ? Vec::load(from + v * lanes, t.tail) : Vec::load(from + v * lanes);
      hold(row[v]);
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const Vec b = factor[c];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v)
        sum[c][v] =
            R == Rows::half && v == V - 1 ? fma_half(row[v], b, sum[c][v]) : fma(row[v], b, sum[c][v]);
    }
  }
}

/// Many columns are summed in two halves. Few ones, the common case, are a function of their own, which needs
/// no memory for the first half.
template <int V, int C, Rows R, bool Many>
void run_outer(const OuterTile& t) {
  Vec sum[C][V];
  clear(sum);
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) __builtin_prefetch(t.g + c * t.g_step + v * lanes, 1);
  }
  constexpr size_t half = most_columns / 2;
  add_columns<R>(t, 0, Many ? half : t.count, sum);
  if constexpr (Many) {
    Vec first[C][V];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) first[c][v] = sum[c][v];
    }
    clear(sum);
    add_columns<R>(t, half, t.count, sum);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[c][v] += first[c][v];
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
    real* g = t.g + c * t.g_step;
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v, g += lanes) {
      const real* before = t.accumulate ? g : nullptr;
      if (R != Rows::apart && v == V - 1 && (R != Rows::gathered || t.tail < lanes))
        finish(sum[c][v], before, g, t.tail);
      else
        finish(sum[c][v], before, g, Whole{});
    }
  }
}

template <int V, int C, Rows R>
void run_outer(const OuterTile& t) {
  return t.count > most_columns / 2 ? run_outer<V, C, R, true>(t) : run_outer<V, C, R, false>(t);
}

template <int V, Rows R>
void run_outer(size_t columns, const OuterTile& t) {
  switch (columns) {
    case 1: return run_outer<V, 1, R>(t);
    case 2: return run_outer<V, 2, R>(t);
    case 3: return run_outer<V, 3, R>(t);
    case 4: return run_outer<V, 4, R>(t);
    case 5: return run_outer<V, 5, R>(t);
    case 6: return run_outer<V, 6, R>(t);
    case 7:
      if constexpr (tile_columns(V) > 6) return run_outer<V, 7, R>(t);
      break;
    case 8:
      if constexpr (tile_columns(V) > 6) return run_outer<V, 8, R>(t);
      break;
  }
}

template <Rows R>
void run_outer(size_t vectors, size_t columns, const OuterTile& t) {
  if (vectors == 1) return run_outer<1, R>(columns, t);
  if (vectors == 2) return run_outer<2, R>(columns, t);
  if constexpr (panel_vectors == 4) {
    if (vectors == 3) return run_outer<3, R>(columns, t);
    if (vectors == 4) return run_outer<4, R>(columns, t);
  }
}

void run_outer(size_t vectors, size_t columns, const OuterTile& t) {
  if (!t.copies)
    return t.tail == lanes ? run_outer<Rows::apart>(vectors, columns, t)
                           : run_outer<Rows::part>(vectors, columns, t);
  if constexpr (half_vectors)
    if (t.tail <= lanes / 2) return run_outer<Rows::half>(vectors, columns, t);
  run_outer<Rows::gathered>(vectors, columns, t);
}

/// Whether many enough tiles read the rows of a panel that copies of them, close together, pay.
bool worth_gathering(const OuterSum& o) { return o.k >= 64; }

/// Copies the rows [row, row + used) of columns of dy, padded to the height; brings x near where it is
/// wanted.
void gather(const OuterSum& o, size_t first, size_t count, size_t row, size_t used, size_t height, bool x,
            real* to) {
  constexpr size_t ahead = 8;
  for (size_t i = 0; i < count; ++i, to += height) {
    const size_t next = first + smaller(i + ahead, count - 1);
    for (size_t j = 0; j < used; j += lanes) __builtin_prefetch(o.dy[next] + row + j);
    for (size_t k = 0; x && k < o.k; k += lanes) __builtin_prefetch(o.x[next] + k, 0, 2);
    const real* from = o.dy[first + i] + row;
    for_vectors(used, [=](size_t j, auto n) { Vec::load(from + j, n).store(to + j); });
  }
}

/// The rows of one panel, from all of its tiles: to g, whose columns lie g_step apart.
void add_panel(const OuterSum& o, const Panels& panels, size_t panel, bool far, real* g, size_t g_step) {
  const size_t height = panels.height(panel), row = panels.start(panel) * lanes;
  const int tail = panels.tail(panels.start(panel) + height);
  const size_t widest = tile_columns(static_cast<int>(height)), tiles = (o.k + widest - 1) / widest;
  const bool copy = worth_gathering(o);
  for (size_t first = 0; first < o.count; first += most_columns) {
    const size_t count = smaller(most_columns, o.count - first);
    real* copies = copy ? scratch(Scratch::panel, count * height * lanes) : nullptr;
    if (copy) gather(o, first, count, row, smaller(height * lanes, o.m - row), height * lanes, far, copies);
    OuterTile t{o.dy + first, copies, o.x + first, row, 0, count, g_step, tail, g, o.accumulate || first > 0};
    for (size_t i = 0; i < tiles; ++i) {
      const size_t columns = o.k / tiles + (i < o.k % tiles);
      run_outer(height, columns, t);
      t.x_at += columns, t.g += columns * g_step;
    }
    if (const size_t each = count * o.k; each >= size_t{1} << 14)
      worked(static_cast<int64_t>(each * height * lanes));
  }
}

/// The same for so many columns that they are summed in runs.
void add_panel_in_runs(const OuterSum& o, const Panels& panels, size_t panel) {
  const size_t row = panels.start(panel) * lanes, step = panels.height(panel) * lanes, size = step * o.k;
  const size_t rows = smaller(step, o.m - row), runs = o.count / columns_in_a_row + 1;
  PairwiseTensors sums(size, scratch(Scratch::sums, PairwiseTensors::room(size, runs)));
  for (size_t first = 0; first < o.count; first += columns_in_a_row) {
    OuterSum part = o;
    part.dy += first, part.x += first, part.accumulate = false;
    part.count = smaller(columns_in_a_row, o.count - first);
    add_panel(part, panels, panel, first == 0, sums.next(), step);
    sums.add();
  }
  const real* total = sums.total();
  for (size_t k = 0; k < o.k; ++k, total += step) {
    real* g = o.g + row + k * o.m;
    for_vectors(rows, [&](size_t i, auto n) {
      finish(Vec::load(total + i, n), o.accumulate ? g + i : nullptr, g + i, n);
    });
  }
}

}  // namespace

void CpuEngine::outer_sum(const OuterSum& given) {
  if (given.count == 0) {
    if (!given.accumulate) fill(size_t{given.m} * given.k, 0, given.g);
    return;
  }
  // G lies as its transpose where it has one row: then the roles change, and the vectors run along it.
  OuterSum o = given;
  if (o.m == 1) o.m = given.k, o.k = 1, o.dy = given.x, o.x = given.dy;
  const Panels panels(o.m);
  const size_t flops = 2 * o.count * o.m * o.k;
  split(panels.count, 1, flops < worth_sharing ? panels.count : 1, [&](size_t begin, size_t end) {
    for (size_t panel = begin; panel < end; ++panel)
      if (o.count > columns_in_a_row)
        add_panel_in_runs(o, panels, panel);
      else
        add_panel(o, panels, panel, panel == begin, o.g + panels.start(panel) * lanes, o.m);
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
