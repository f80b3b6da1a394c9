// How matrices are cut into panels of rows, packed or where they lie.
#pragma once

#include "dynet/cpu/sums.h"
#include "dynet/cpu/threads.h"
#include "dynet/cpu/tile.h"
#include "dynet/device/engine.h"

namespace dynet::engine::cpu::DYNET_ISA {

/// The rows of a matrix as vectors, dealt out evenly to panels; the first panels have one vector more.
struct Panels {
  size_t rows, vectors, count;
  size_t low, higher;  // vectors of a low panel; panels that have one more

  explicit Panels(size_t r)
      : rows(r), vectors((r + lanes - 1) / lanes), count((vectors + panel_vectors - 1) / panel_vectors) {
    low = vectors <= panel_vectors ? vectors : vectors / count, higher = vectors - low * count;
  }
  size_t height(size_t p) const { return low + (p < higher); }
  size_t start(size_t p) const { return p * low + smaller(p, higher); }
  /// The panel that this vector lies in.
  size_t holding(size_t v) const {
    const size_t high = higher * (low + 1);
    return v < high ? v / (low + 1) : (v - high) / low + higher;
  }
  /// Lanes in use in the last of the vectors before `end`.
  int tail(size_t end) const {
    return end == vectors && rows % lanes ? static_cast<int>(rows % lanes) : lanes;
  }
  /// Numbers that the packed form takes; a single row is stored as it is.
  size_t packed_size(size_t depth) const { return rows == 1 ? depth : vectors * lanes * depth; }
};

/// True of numbers that other memory drives out of the cache before they are read again: 4 MiB of them.
constexpr bool outgrows_cache(size_t numbers) { return numbers * sizeof(real) > size_t{1} << 22; }
/// Writes a panel of `vectors` vectors: for each step of the depth, the rows of A, padded with zeros.
void pack_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step, real scale, real* to,
                bool past_the_cache = false);
/// The same from Aᵀ: row i of the panel lies at a + i * a_step, its depth consecutive.
void pack_transposed_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step,
                           real scale, real* to);
/// All panels of A, or of Aᵀ when `turned`: columns (or rows) of the source lie a_step apart.
void pack_all(const real* a, size_t rows, size_t depth, size_t a_step, bool turned, real scale, real* to);
/// Writes steps of the depth of a panel of Aᵀ from the panels [begin, end) of A (rows × depth of it).
void turn_panels(const real* panels, const Panels& rows, size_t depth, size_t begin, size_t end,
                 const Panels& turned, size_t p, real* to);

/// The packed form of a matrix, being written a few whole columns at a time.
struct Packing {
  Panels rows, cols;
  real scale;
  real *forward, *transposed;  // transposed may be null: not wanted

  Packing(PackedMatrix& p, const void* engine, size_t r, size_t c, real factor, bool turned);
  /// Calls f(first, count) for all columns of A, on several threads, and packs these columns afterwards.
  template <class F>
  void each_columns(const real* a, F f) const {
    split(cols.rows, lanes, (size_t{1} << 16) / rows.rows + 1, [&](size_t begin, size_t end) {
      for (size_t c = begin; c < end; c += lanes) {
        const size_t n = smaller(lanes, end - c);
        f(c, n);
        write(a + c * rows.rows, c, n);
      }
    });
  }

 private:
  /// Packs the columns [first, first + n), the first of them at a.
  void write(const real* a, size_t first, size_t n) const;
};

/// The columns of consecutive items, each of which has n that lie `step` apart.
struct Columns {
  Items items;
  size_t n, step;

  Columns(Items all, size_t first, size_t count, size_t per_item, size_t distance)
      : items(all), n(per_item), step(distance) {
    if (items.table)
      items.table += first;
    else if (items.base)
      items.base += first * items.step;
    if (count == 1 && (items.base || items.table)) items = {items[0], nullptr, n * step};
    if (!items.table && items.step == n * step) items.step = step, n = 1;
  }
  real* operator[](size_t c) const { return n == 1 ? items[c] : items[c / n] + (c % n) * step; }
};

/// One matrix (rows × depth, as panels or as it lies) and all the columns that it multiplies.
struct Work {
  const real* a;
  size_t rows, depth, a_step;
  size_t run;  // steps of the depth that are summed one after another; runs are summed pairwise
  bool packed;
  size_t columns;
  Columns x, y, init;
  bool has_init;
};

/// y = init + A x for all columns; the rows are cut among threads.
void multiply_all(const Work& w);

}  // namespace dynet::engine::cpu::DYNET_ISA
