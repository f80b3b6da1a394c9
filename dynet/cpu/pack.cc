// Packing of matrices into panels, and back.
#include <utility>

#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/scratch.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// Exchanges, between two rows, the lanes whose position has this bit set in one and not in the other.
template <int Half, int... Lane>
inline void exchange(Vec& a, Vec& b, std::integer_sequence<int, Lane...>) {
  const auto low = __builtin_shufflevector(a.v, b.v, (Lane & Half ? Lane - Half + lanes : Lane)...);
  const auto high = __builtin_shufflevector(a.v, b.v, (Lane & Half ? Lane + lanes : Lane + Half)...);
  a = low, b = high;
}

/// Turns a square of numbers around, its rows in vectors.
template <int Half = lanes / 2>
inline void transpose(Vec (&row)[lanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i)
    if (!(i & Half)) exchange<Half>(row[i], row[i + Half], std::make_integer_sequence<int, lanes>());
  if constexpr (Half > 1) transpose<Half / 2>(row);
}

/// Turns a block of at most lanes rows and lanes steps of depth.
template <class Rows>
inline void pack_square(const real* a, size_t a_step, Rows rows, int steps, Vec scale, real* to,
                        size_t to_step) {
  Vec square[lanes];
  for (int i = 0; i < lanes; ++i) {
    if (i >= rows)
      square[i] = 0;
    else if (steps == lanes)
      square[i] = Vec::load(a + i * a_step) * scale;
    else
      square[i] = Vec::load(a + i * a_step, steps) * scale;
  }
  transpose(square);
  for (int k = 0; k < steps; ++k) square[k].store(to + k * to_step);
}

/// One vector of a panel of Aᵀ: at most lanes rows over the whole depth.
void turn_rows(const real* a, size_t rows, size_t depth, size_t a_step, real scale, real* to,
               size_t to_step) {
  for_vectors(depth, [&](size_t k, auto n) {
    if (rows == lanes)
      pack_square(a + k, a_step, Whole{}, n, scale, to + k * to_step, to_step);
    else
      pack_square(a + k, a_step, static_cast<int>(rows), n, scale, to + k * to_step, to_step);
  });
}

void unpack_all(const PackedMatrix& p, real* a) {
  const real* from = forward_panels(p);
  const Panels panels(p.rows);
  const size_t rows = p.rows, depth = p.cols;
  if (rows == 1) {
    for (size_t k = 0; k < depth; ++k) a[k] = from[k];
    return;
  }
  for (size_t i = 0; i < panels.count; ++i) {
    const size_t row = panels.start(i) * lanes, height = panels.height(i) * lanes;
    const size_t used = smaller(height, rows - row);
    for (size_t k = 0; k < depth; ++k) {
      const real* panel = from + row * depth + k * height;
      for_vectors(used, [&](size_t j, auto n) { Vec::load(panel + j).store(a + k * rows + row + j, n); });
    }
  }
}

}  // namespace

void pack_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step, real scale, real* to,
                bool past_the_cache) {
  const Vec factor = scale;
  const auto write = [=](auto put) {
    const real* from = a;
    real* at = to;
    for (size_t k = 0; k < depth; ++k, from += a_step, at += vectors * lanes)
      for_vectors(rows, [=](size_t i, auto n) { put(Vec::load(from + i, n) * factor, at + i); });
  };
  if (!past_the_cache) return write([](Vec numbers, real* p) { numbers.store(p); });
  write([](Vec numbers, real* p) { numbers.stream(p); });
  native::end_stream();
}

void pack_transposed_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step,
                           real scale, real* to) {
  for (size_t v = 0; v < vectors; ++v)
    turn_rows(a + v * lanes * a_step, smaller(lanes, rows - v * lanes), depth, a_step, scale, to + v * lanes,
              vectors * lanes);
}

void pack_all(const real* a, size_t rows, size_t depth, size_t a_step, bool turned, real scale, real* to) {
  if (rows == 1) {
    for (size_t k = 0; k < depth; ++k) to[k] = a[k] * scale;
    return;
  }
  const Panels panels(rows);
  for (size_t p = 0; p < panels.count; ++p) {
    const size_t row = panels.start(p) * lanes, vectors = panels.height(p);
    const size_t used = smaller(vectors * lanes, rows - row);
    real* panel = to + row * depth;
    if (turned)
      pack_transposed_panel(a + row * a_step, used, vectors, depth, a_step, scale, panel);
    else
      pack_panel(a + row, used, vectors, depth, a_step, scale, panel);
  }
}

void turn_panels(const real* panels, const Panels& rows, size_t depth, size_t begin, size_t end,
                 const Panels& turned, size_t p, real* to) {
  const size_t first = turned.start(p) * lanes, height = turned.height(p);
  const size_t used = smaller(height * lanes, turned.rows - first);
  for (size_t i = begin; i < end; ++i) {
    const size_t row = rows.start(i) * lanes, step = rows.height(i) * lanes;
    const size_t steps = smaller(step, rows.rows - row);
    pack_transposed_panel(panels + row * depth + first * step, used, height, steps, step, 1, to);
    to += steps * height * lanes;
  }
}

Packing::Packing(PackedMatrix& p, const void* engine, size_t r, size_t c, real factor, bool turned)
    : rows(r), cols(c), scale(factor) {
  const size_t there = rows.packed_size(c), back = cols.packed_size(r), room = there > back ? there : back;
  turned = turned && r > 1 && c > 1;  // otherwise both forms are one
  p.rows = static_cast<unsigned>(r), p.cols = static_cast<unsigned>(c);
  p.has_transposed = turned, p.transposed_reads = 0, p.engine = engine;
  forward = forward_panels(p, room);
  transposed = turned ? transposed_panels(p, room) : nullptr;
}

void Packing::write(const real* a, size_t first, size_t n) const {
  if (rows.rows == 1) {
    for (size_t k = 0; k < n; ++k) forward[first + k] = a[k] * scale;
    return;
  }
  for (size_t p = 0; p < rows.count; ++p) {
    const size_t row = rows.start(p) * lanes, height = rows.height(p);
    pack_panel(a + row, smaller(height * lanes, rows.rows - row), height, n, rows.rows, scale,
               forward + row * cols.rows + first * height * lanes, outgrows_cache(rows.rows * cols.rows));
  }
  if (!transposed) return;
  const size_t p = cols.holding(first / lanes), start = cols.start(p) * lanes;
  turn_rows(a, n, rows.rows, rows.rows, scale, transposed + start * rows.rows + (first - start),
            cols.height(p) * lanes);
}

void CpuEngine::pack(const real* a, unsigned rows, unsigned cols, real scale, bool transposed,
                     PackedMatrix& p) {
  Packing(p, this, rows, cols, scale, transposed).each_columns(a, [](size_t, size_t) {});
}

void CpuEngine::pack_transposed(PackedMatrix& p) {
  if (p.rows == 1 || p.cols == 1) return;
  const Panels rows(p.rows), turned(p.cols);
  const size_t there = rows.packed_size(p.cols), back = turned.packed_size(p.rows);
  real* to = transposed_panels(p, there > back ? there : back);
  split(turned.count, 1, (size_t{1} << 16) / (p.rows * panel_vectors * lanes) + 1,
        [&](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i)
            turn_panels(forward_panels(std::as_const(p)), rows, p.cols, 0, rows.count, turned, i,
                        to + turned.start(i) * lanes * p.rows);
        });
  p.has_transposed = true;
}

void CpuEngine::unpack(const PackedMatrix& p, real* a) { unpack_all(p, a); }

}  // namespace dynet::engine::cpu::DYNET_ISA
