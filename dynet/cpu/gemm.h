// How matrices are cut into panels of rows, packed or where they lie.
#pragma once

#include "dynet/cpu/tile.h"
#include "dynet/device/engine.h"

namespace dynet::cpu::DYNET_ISA {

inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// The rows of a matrix as vectors, dealt out evenly to panels; the first panels have one vector more.
struct Panels {
  size_t rows, vectors, count;

  explicit Panels(size_t r)
      : rows(r), vectors((r + lanes - 1) / lanes), count((vectors + panel_vectors - 1) / panel_vectors) {}
  size_t height(size_t p) const { return vectors / count + (p < vectors % count); }
  size_t start(size_t p) const { return p * (vectors / count) + smaller(p, vectors % count); }
  /// Lanes in use in the last of the vectors before `end`.
  int tail(size_t end) const {
    return end == vectors && rows % lanes ? static_cast<int>(rows % lanes) : lanes;
  }
  /// Numbers that the packed form takes; a single row is stored as it is.
  size_t packed_size(size_t depth) const { return rows == 1 ? depth : vectors * lanes * depth; }
};

/// Writes a panel of `vectors` vectors: for each step of the depth, the rows of A, padded with zeros.
void pack_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step, real scale,
                real* to);
/// The same from Aᵀ: row i of the panel lies at a + i * a_step, its depth consecutive.
void pack_transposed_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step,
                           real scale, real* to);
/// All panels of A, or of Aᵀ when `turned`: columns (or rows) of the source lie a_step apart.
void pack_all(const real* a, size_t rows, size_t depth, size_t a_step, bool turned, real scale, real* to);
/// Number i of every column, then number i + 1 of every column, …
void turn_columns(const real* const* columns, size_t count, size_t rows, real* to);
/// Makes the transposed panels from the others.
void add_transposed(PackedMatrix& p);

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
  bool packed;
  size_t columns;
  Columns x, y, init;
  bool has_init;
};

/// y = init + A x for all columns; the rows are cut among threads.
void multiply_all(const Work& w);
/// The same for the panels [begin, end) only.
void multiply_panels(const Work& w, const Panels& panels, size_t begin, size_t end);

}  // namespace dynet::cpu::DYNET_ISA
