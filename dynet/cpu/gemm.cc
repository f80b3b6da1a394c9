// Products of matrices with columns that lie anywhere.
#include "dynet/cpu/gemm.h"

#include "dynet/core/watch.h"
#include "dynet/cpu/engine.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/threads.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// Columns that are taken at once at most.
constexpr size_t most_columns = 264;
/// Columns that are taken at once, so that they stay in the cache over this depth.
size_t columns_at_once(size_t depth) {
  return smaller((size_t{1} << 18) / (depth * sizeof(real) + 1) / 24 * 24 + 24, most_columns);
}

template <Last L, int P, int V>
void run_columns(int columns, const Tile& t) {
  if constexpr (P > 1) {
    columns == 1 ? run_tile<P, V, 1, L>(t) : run_tile<P, V, 2, L>(t);
  } else {
    switch (columns) {
      case 1: return run_tile<1, V, 1, L>(t);
      case 2: return run_tile<1, V, 2, L>(t);
      case 3: return run_tile<1, V, 3, L>(t);
      case 4: return run_tile<1, V, 4, L>(t);
      case 5: return run_tile<1, V, 5, L>(t);
      case 6: return run_tile<1, V, 6, L>(t);
      case 7:
        if constexpr (tile_columns(V) > 6) return run_tile<1, V, 7, L>(t);
        break;
      case 8:
        if constexpr (tile_columns(V) > 6) return run_tile<1, V, 8, L>(t);
        break;
    }
  }
}

template <Last L>
void run(size_t panels, size_t vectors, int columns, const Tile& t) {
  switch (panels * 10 + vectors) {
    case 11: return run_columns<L, 1, 1>(columns, t);
    case 12: return run_columns<L, 1, 2>(columns, t);
    case 22: return run_columns<L, 2, 2>(columns, t);
    case 42: return run_columns<L, 4, 2>(columns, t);
    default: break;
  }
  if constexpr (panel_vectors == 4) {
    switch (panels * 10 + vectors) {
      case 13: return run_columns<L, 1, 3>(columns, t);
      case 23: return run_columns<L, 2, 3>(columns, t);
      case 14: return run_columns<L, 1, 4>(columns, t);
      case 24: return run_columns<L, 2, 4>(columns, t);
      default: break;
    }
  }
}

/// The addresses of some columns, in a table: the one given, or one made here.
class Addresses {
 public:
  Addresses(const Columns& columns, size_t first, size_t count) {
    table_ = columns.n == 1 && columns.items.offset == 0 ? columns.items.table : nullptr;
    if (table_) {
      table_ += first;
      return;
    }
    for (size_t i = 0; i < count; ++i) made_[i] = columns[first + i];
  }
  /// Columns of sums, so many numbers apart.
  Addresses(real* sums, size_t count, size_t step) {
    for (size_t i = 0; i < count; ++i) made_[i] = sums + i * step;
  }
  real* const* operator+(size_t column) const { return (table_ ? table_ : made_) + column; }

 private:
  real* const* table_ = nullptr;
  real* made_[most_columns];
};

void run(bool padded, size_t panels, size_t vectors, int columns, const Tile& t) {
  if (half_vectors && padded && t.tail <= lanes / 2) return run<Last::half>(panels, vectors, columns, t);
  if (padded || t.tail == lanes) return run<Last::whole>(panels, vectors, columns, t);
  if constexpr (masked_loads) run<Last::part>(panels, vectors, columns, t);
}

/// How many panels from p on, all of one height, are worth taking at once for this many columns.
size_t panels_together(const Panels& panels, size_t p, size_t end, size_t columns) {
  const size_t height = panels.height(p);
  size_t most = 1;
  if (columns == 1) most = height >= 3 ? 2 : height == 2 ? 4 : 1;
  if (columns == 2) most = height >= 2 ? 2 : 1;
  while (most > 1 && (p + most > end || panels.height(p + most - 1) != height)) most /= 2;
  return most;
}

/// A part of the work: panels, columns, and steps of the depth.
struct Part {
  size_t panel, panel_end, column, column_end, depth, depth_end;
  real* sums;               // where the sums go for now; null: they are complete and go to y
  size_t sums_rows;         // numbers from a column of sums to the next
  size_t sums_from = 0;     // the step of the depth that they begin with
  const real* a = nullptr;  // these steps of the only panel, where they don't lie in the matrix
};

/// How many tiles so many columns make beside panels of this height; divisions by constants are fast.
size_t tiles_of(size_t columns, size_t height) {
  constexpr size_t high = tile_columns(panel_vectors), low = tile_columns(1);
  return height == panel_vectors ? (columns + high - 1) / high : (columns + low - 1) / low;
}

/// The tile's first panel p and what the panels and the depth say of it.
Tile tile_at(const Work& w, const Panels& panels, const Part& part, size_t p, size_t together) {
  const size_t row = panels.start(p) * lanes, step = panels.height(p) * lanes;
  Tile t;
  t.a_step = w.packed ? step : w.a_step;
  t.a = part.a ? part.a : (w.packed ? w.a + row * w.depth : w.a + row) + part.depth * t.a_step;
  t.panel_step = w.packed ? step * w.depth : step;
  t.depth = part.depth_end - part.depth;
  t.tail = panels.tail(panels.start(p) + panels.height(p) * together);
  t.resume = part.sums && part.depth > part.sums_from;
  t.prefetch = w.columns > 16 || (w.has_init && !part.sums);
  t.x_at = part.depth, t.init_at = row;
  t.y_at = part.sums ? row - panels.start(part.panel) * lanes : row;
  return t;
}

void multiply(const Work& w, const Panels& panels, const Part& part) {
  const size_t count = part.column_end - part.column;
  const bool has_init = w.has_init && !part.sums;
  const bool is_long = (part.depth_end - part.depth) * count >= size_t{1} << 14;  // for each row
  const Addresses x(w.x, part.column, count), init(w.init, part.column, has_init ? count : 0),
      y = part.sums ? Addresses(part.sums, count, part.sums_rows) : Addresses(w.y, part.column, count);
  for (size_t p = part.panel; p < part.panel_end;) {
    const size_t height = panels.height(p), tiles = tiles_of(count, height);
    const size_t fewest = tiles == 1 ? count : count / tiles, wider = count - fewest * tiles;
    const size_t together = tiles == 1 ? panels_together(panels, p, part.panel_end, count) : 1;
    Tile t = tile_at(w, panels, part, p, together);
    for (size_t tile = 0, at = 0; tile < tiles; ++tile) {
      const size_t columns = fewest + (tile < wider);
      t.x = x + at, t.y = y + at, t.init = has_init ? init + at : nullptr;
      at += columns;
      run(w.packed, together, height, static_cast<int>(columns), t);
    }
    if (is_long) worked(static_cast<int64_t>(t.depth * count * height * together * lanes));
    p += together;
  }
}

/// y = init + sums, column after column.
void add_sums(const Work& w, const Part& part, size_t row, size_t rows) {
  for (size_t c = part.column; c < part.column_end; ++c) {
    const real *sums = part.sums + (c - part.column) * part.sums_rows,
               *init = w.has_init ? w.init[c] + row : nullptr;
    real* y = w.y[c] + row;
    for_vectors(
        rows, [=](size_t i, auto n) { finish(Vec::load(sums + i, n), init ? init + i : nullptr, y + i, n); });
  }
}

/// Σ a_k x_k: the lanes are sums of their own, added up at the end.
real dot(const real* a, const real* x, size_t n) {
  return sum_side_by_side<64>(
      n, [=](Vec& sums, size_t i, auto c) { sums = fma(Vec::load(a + i, c), Vec::load(x + i, c), sums); });
}

/// A single row: a dot product with each column.
void multiply_row(const Work& w) {
  for (size_t c = 0; c < w.columns; ++c) {
    const real sum = dot(w.a, w.x[c], w.depth);
    *w.y[c] = (w.has_init ? *w.init[c] : 0) + sum;
  }
}

/// Steps of the depth of a block of Aᵀ.
constexpr size_t turned_depth = 512;

/// Steps of the depth that are summed one after another. Runs as long as a block that stays in the cache cost
/// nothing; short ones do, unless the depth is great.
size_t steps_in_a_row(size_t depth, bool short_runs) {
  if (short_runs || depth > 4096) return 128;
  return depth > 768 ? 512 : depth;
}
size_t room_for_runs(const Work& w, size_t size) { return PairwiseTensors::room(size, w.depth / w.run + 1); }

/// One panel of y = init + Aᵀ x, for columns whose sums fit the scratch memory: each block of Aᵀ is made
/// once.
void multiply_turned(const Work& w, const Panels& panels, Part part) {
  const Panels stored(w.depth);
  const size_t at_once = turned_depth / (panel_vectors * lanes), most = columns_at_once(turned_depth);
  const size_t p = part.panel, c = part.column, c_end = part.column_end;
  const size_t height = panels.height(p) * lanes, row = panels.start(p) * lanes;
  real* block = scratch(Scratch::panel, turned_depth * height);
  const bool in_runs = w.depth > w.run;
  const size_t size = height * (c_end - c), room = in_runs ? room_for_runs(w, size) : size;
  real* sums = stored.count <= at_once && !in_runs ? nullptr : scratch(Scratch::sums, room);
  PairwiseTensors runs(size, sums);
  part.sums_rows = height;
  for (size_t q = 0; q < stored.count; q += at_once) {
    const size_t next = smaller(q + at_once, stored.count);
    const size_t begin = stored.start(q) * lanes, end = smaller(stored.start(next) * lanes, w.depth);
    turn_panels(w.a, stored, w.rows, q, next, panels, p, block);
    for (part.depth = begin; part.depth < end; part.depth = part.depth_end) {
      const size_t run = part.depth / w.run * w.run, run_end = run + w.run;
      part.depth_end = in_runs ? smaller(run_end, end) : end;
      part.sums_from = in_runs ? run : 0, part.a = block + (part.depth - begin) * height;
      if (in_runs) sums = runs.next();
      for (part.column = c; part.column < c_end; part.column = part.column_end) {
        part.column_end = smaller(part.column + most, c_end);
        part.sums = sums ? sums + (part.column - c) * height : nullptr;
        multiply(w, panels, part);
      }
      if (in_runs && (part.depth_end == run_end || part.depth_end == w.depth)) runs.add();
    }
  }
  part.column = c, part.sums = in_runs ? runs.total() : sums;
  if (sums) add_sums(w, part, row, smaller(height, w.rows - row));
}

/// y = init + Aᵀ x from the panels of A: blocks of Aᵀ are made in the cache where they are needed.
void multiply_turned_panels(const Work& w, const Panels& panels, size_t begin, size_t end) {
  constexpr size_t most = 1024;  // columns, so that their sums stay in the cache
  for (size_t p = begin; p < end; ++p)
    for (size_t c = 0; c < w.columns; c += most)
      multiply_turned(w, panels, {p, p + 1, c, smaller(c + most, w.columns), 0, 0, nullptr, 0});
}

/// y = init + A x for the panels [begin, end), over a depth that is summed in runs.
void multiply_in_runs(const Work& w, const Panels& panels, size_t begin, size_t end) {
  constexpr size_t at_once = 4;  // panels, so that their sums stay in the cache
  const size_t most = columns_at_once(w.run);
  for (size_t p = begin; p < end; p += at_once) {
    for (size_t c = 0; c < w.columns; c += most) {
      Part part{p, smaller(p + at_once, end), c, smaller(c + most, w.columns), 0, 0, nullptr, 0};
      const size_t row = panels.start(p) * lanes, rows = panels.start(part.panel_end) * lanes - row;
      const size_t size = rows * (part.column_end - c);
      PairwiseTensors runs(size, scratch(Scratch::sums, room_for_runs(w, size)));
      for (part.sums_rows = rows; part.depth < w.depth; part.depth = part.depth_end) {
        part.sums_from = part.depth, part.depth_end = smaller(part.depth + w.run, w.depth);
        part.sums = runs.next();
        multiply(w, panels, part);
        runs.add();
      }
      part.sums = runs.total();
      add_sums(w, part, row, smaller(rows, w.rows - row));
    }
  }
}

/// y = init + A x for the panels [begin, end).
void multiply_panels(const Work& w, const Panels& panels, size_t begin, size_t end) {
  if (w.depth > w.run) return multiply_in_runs(w, panels, begin, end);
  // A panel, and as many columns as are taken at once, stay in the cache.
  const size_t most = w.columns <= 24 ? 24 : columns_at_once(w.depth);
  for (size_t c = 0; c < w.columns; c += most)
    multiply(w, panels, {begin, end, c, smaller(c + most, w.columns), 0, w.depth, nullptr, 0});
}

/// Cuts the panels among threads.
void on_panels(const Work& w, void (*run)(const Work&, const Panels&, size_t, size_t)) {
  const Panels panels(w.rows);
  const size_t flops = 2 * w.rows * w.depth * w.columns;
  const size_t parts = flops < worth_sharing ? 1 : smaller(thread_count(), panels.count);
  parallel(static_cast<unsigned>(parts), [&](unsigned part) {
    run(w, panels, panels.count * part / parts, panels.count * (part + 1) / parts);
  });
}

/// Packs a plain matrix into scratch memory where the tiles could not read it, or would read it often.
void multiply_plain(bool transposed, Work w) {
  if (w.rows == 1) {
    if (!transposed && w.a_step != 1) {  // a row of a larger matrix
      real* const row = scratch(Scratch::panel, w.depth);
      for (size_t j = 0; j < w.depth; ++j) row[j] = w.a[j * w.a_step];
      w.a = row;
    }
    return multiply_row(w);
  }
  if (transposed || w.columns > 16 || (!masked_loads && w.rows % lanes)) {
    real* panels = scratch(Scratch::panel, Panels(w.rows).packed_size(w.depth));
    pack_all(w.a, w.rows, w.depth, w.a_step, transposed, 1, panels);
    w.a = panels, w.packed = true;
  }
  multiply_all(w);
}

}  // namespace

void multiply_all(const Work& w) { on_panels(w, multiply_panels); }

void CpuEngine::product(const Product& p) {
  const size_t rows = p.transposed ? p.k : p.m, depth = p.transposed ? p.m : p.k;
  const bool has_init = p.init.base || p.init.table;
  const size_t init_step = p.init_is_column ? 0 : rows;
  const auto work = [&](size_t first, size_t count, const real* a, bool packed) {
    return Work{a,
                rows,
                depth,
                p.a_step ? p.a_step : p.m,
                steps_in_a_row(depth, p.short_runs),
                packed,
                count * p.n,
                Columns(p.x, first, count, p.n, depth),
                Columns(p.y, first, count, p.n, rows),
                Columns(p.init, first, count, p.n, init_step),
                has_init};
  };
  if (p.packed) {
    const bool flat = p.m == 1 || p.k == 1, turn = p.transposed && !flat && !p.packed->has_transposed;
    const bool back = p.transposed && !flat && !turn;
    const Work w = work(0, p.count, back ? transposed_panels(*p.packed) : forward_panels(*p.packed), true);
    if (rows == 1) return multiply_row(w);
    return turn ? on_panels(w, multiply_turned_panels) : multiply_all(w);
  }
  for (size_t i = 0; i < p.count;) {
    size_t next = i + 1;
    while (next < p.count && p.a[next] == p.a[i]) ++next;
    multiply_plain(p.transposed, work(i, next - i, p.a[i], false));
    i = next;
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
