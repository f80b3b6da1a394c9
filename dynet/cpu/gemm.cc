// Products of matrices with columns that lie anywhere.
#include "dynet/cpu/gemm.h"

#include "dynet/cpu/engine.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/threads.h"

namespace dynet::cpu::DYNET_ISA {
namespace {

template <bool Masked, int P, int V>
void run_columns(int columns, const Tile& t) {
  if constexpr (P > 1) {
    columns == 1 ? run_tile<P, V, 1, Masked>(t) : run_tile<P, V, 2, Masked>(t);
  } else {
    switch (columns) {
      case 1: return run_tile<1, V, 1, Masked>(t);
      case 2: return run_tile<1, V, 2, Masked>(t);
      case 3: return run_tile<1, V, 3, Masked>(t);
      case 4: return run_tile<1, V, 4, Masked>(t);
      case 5: return run_tile<1, V, 5, Masked>(t);
      case 6: return run_tile<1, V, 6, Masked>(t);
      case 7: if constexpr (tile_columns(V) > 6) return run_tile<1, V, 7, Masked>(t); break;
      case 8: if constexpr (tile_columns(V) > 6) return run_tile<1, V, 8, Masked>(t); break;
    }
  }
}

template <bool Masked>
void run(size_t panels, size_t vectors, int columns, const Tile& t) {
  switch (panels * 10 + vectors) {
    case 11: return run_columns<Masked, 1, 1>(columns, t);
    case 12: return run_columns<Masked, 1, 2>(columns, t);
    case 22: return run_columns<Masked, 2, 2>(columns, t);
    case 42: return run_columns<Masked, 4, 2>(columns, t);
    default: break;
  }
  if constexpr (panel_vectors == 4) {
    switch (panels * 10 + vectors) {
      case 13: return run_columns<Masked, 1, 3>(columns, t);
      case 23: return run_columns<Masked, 2, 3>(columns, t);
      case 14: return run_columns<Masked, 1, 4>(columns, t);
      case 24: return run_columns<Masked, 2, 4>(columns, t);
      default: break;
    }
  }
}

/// How many panels from p on, all of one height, are worth taking at once for this many columns.
size_t panels_together(const Panels& panels, size_t p, size_t end, size_t columns) {
  const size_t height = panels.height(p);
  size_t most = 1;
  if (columns == 1) most = height >= 3 ? 2 : height == 2 ? 4 : 1;
  if (columns == 2) most = height == 2 || height == 3 ? 2 : 1;
  while (most > 1 && (p + most > end || panels.height(p + most - 1) != height)) most /= 2;
  return most;
}

/// Panels [p, p_end) times columns [c, c_end).
void multiply(const Work& w, const Panels& panels, size_t p, size_t p_end, size_t c, size_t c_end) {
  while (p < p_end) {
    const size_t height = panels.height(p), widest = tile_columns(static_cast<int>(height));
    const size_t count = c_end - c, tiles = (count + widest - 1) / widest;
    const size_t together = tiles == 1 ? panels_together(panels, p, p_end, count) : 1;
    const size_t row = panels.start(p) * lanes, step = height * lanes;
    Tile t;
    t.depth = w.depth;
    t.a = w.packed ? w.a + row * w.depth : w.a + row;
    t.a_step = w.packed ? step : w.a_step;
    t.panel_step = w.packed ? step * w.depth : step;
    t.tail = panels.tail(panels.start(p) + height * together);
    for (size_t tile = 0, at = c; tile < tiles; ++tile) {
      const size_t columns = count / tiles + (tile < count % tiles);
      for (size_t i = 0; i < columns; ++i, ++at) {
        t.x[i] = w.x[at];
        t.y[i] = w.y[at] + row;
        t.init[i] = w.has_init ? w.init[at] + row : nullptr;
      }
      if (w.packed || t.tail == lanes)
        run<false>(together, height, static_cast<int>(columns), t);
      else if constexpr (masked_loads)
        run<true>(together, height, static_cast<int>(columns), t);
    }
    p += together;
  }
}

/// Σ a_k x_k: the lanes are sums of their own, added up at the end.
real dot(const real* a, const real* x, size_t n) {
  Vec total[4] = {0, 0, 0, 0};
  size_t k = 0;
  for (; k + 4 * lanes <= n; k += 4 * lanes)
    for (int j = 0; j < 4; ++j)
      total[j] = fma(Vec::load(a + k + j * lanes), Vec::load(x + k + j * lanes), total[j]);
  for_vectors(n - k, [&](size_t i, auto c) {
    total[0] = fma(Vec::load(a + k + i, c), Vec::load(x + k + i, c), total[0]);
  });
  return sum((total[0] + total[1]) + (total[2] + total[3]));
}

/// A single row: a dot product with each column.
void multiply_row(const Work& w) {
  for (size_t c = 0; c < w.columns; ++c) {
    const real sum = dot(w.a, w.x[c], w.depth);
    *w.y[c] = w.has_init ? *w.init[c] + sum : sum;
  }
}

/// Packs a plain matrix into scratch memory where the tiles could not read it, or would read it often.
void multiply_plain(bool transposed, Work w) {
  if (w.rows == 1) return multiply_row(w);
  if (transposed || w.columns > 16 || (!masked_loads && w.rows % lanes)) {
    real* panels = scratch(Scratch::panel, Panels(w.rows).packed_size(w.depth));
    pack_all(w.a, w.rows, w.depth, w.a_step, transposed, 1, panels);
    w.a = panels, w.packed = true;
  }
  multiply_all(w);
}

}  // namespace

void multiply_all(const Work& w) {
  // As many columns at once as stay in the cache while the panels pass by.
  const size_t most = (size_t{1} << 18) / (w.depth * sizeof(real) + 1) / 24 * 24 + 24;
  const Panels panels(w.rows);
  const size_t flops = 2 * w.rows * w.depth * w.columns;
  const size_t parts = flops < (1 << 20) ? 1 : smaller(thread_count(), panels.count);
  parallel(static_cast<unsigned>(parts), [&](unsigned part) {
    const size_t begin = panels.count * part / parts, end = panels.count * (part + 1) / parts;
    for (size_t c = 0; c < w.columns; c += most)
      multiply(w, panels, begin, end, c, smaller(c + most, w.columns));
  });
}

void CpuEngine::product(const Product& p) {
  const size_t rows = p.transposed ? p.k : p.m, depth = p.transposed ? p.m : p.k;
  const bool has_init = p.init.base || p.init.table;
  const size_t init_step = p.init_is_column ? 0 : rows;
  const auto work = [&](size_t first, size_t count, const real* a, bool packed) {
    return Work{a,
                rows,
                depth,
                p.m,
                packed,
                count * p.n,
                Columns(p.x, first, count, p.n, depth),
                Columns(p.y, first, count, p.n, rows),
                Columns(p.init, first, count, p.n, init_step),
                has_init};
  };
  if (p.packed) {
    if (p.transposed && !p.packed->has_transposed) add_transposed(*p.packed);
    const real* panels = p.transposed ? transposed_panels(*p.packed) : forward_panels(*p.packed);
    const Work w = work(0, p.count, panels, true);
    return rows == 1 ? multiply_row(w) : multiply_all(w);
  }
  for (size_t i = 0; i < p.count;) {
    size_t next = i + 1;
    while (next < p.count && p.a[next] == p.a[i]) ++next;
    multiply_plain(p.transposed, work(i, next - i, p.a[i], false));
    i = next;
  }
}

}  // namespace dynet::cpu::DYNET_ISA
