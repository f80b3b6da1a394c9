// Packing of matrices into panels, and back.
#include <utility>

#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/scratch.h"

namespace dynet::cpu::DYNET_ISA {
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

void pack_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step, real scale,
                real* to) {
  const Vec factor = scale;
  for (size_t k = 0; k < depth; ++k, a += a_step, to += vectors * lanes)
    for_vectors(rows, [=](size_t i, auto n) { (Vec::load(a + i, n) * factor).store(to + i); });
}

void pack_transposed_panel(const real* a, size_t rows, size_t vectors, size_t depth, size_t a_step,
                           real scale, real* to) {
  const size_t to_step = vectors * lanes;
  for (size_t v = 0; v < vectors; ++v) {
    const real* from = a + v * lanes * a_step;
    for_vectors(depth, [&](size_t k, auto n) {
      real* square = to + v * lanes + k * to_step;
      if (rows - v * lanes >= lanes)
        pack_square(from + k, a_step, Whole{}, n, scale, square, to_step);
      else
        pack_square(from + k, a_step, static_cast<int>(rows - v * lanes), n, scale, square, to_step);
    });
  }
}

void turn_columns(const real* const* columns, size_t count, size_t rows, real* to) {
  for (size_t c = 0; c < count; c += lanes) {
    const int used = static_cast<int>(smaller(lanes, count - c));
    for_vectors(rows, [&](size_t i, auto n) {
      Vec square[lanes];
      for (int j = 0; j < lanes; ++j) square[j] = j < used ? Vec::load(columns[c + j] + i, n) : Vec(0);
      transpose(square);
      for (int j = 0; j < n; ++j) {
        if (used == lanes)
          square[j].store(to + (i + j) * count + c);
        else
          square[j].store(to + (i + j) * count + c, used);
      }
    });
  }
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

void CpuEngine::pack(const real* a, unsigned rows, unsigned cols, real scale, bool transposed,
                     PackedMatrix& p) {
  const size_t forward = Panels(rows).packed_size(cols), backward = Panels(cols).packed_size(rows);
  const size_t room = forward > backward ? forward : backward;
  p.rows = rows, p.cols = cols, p.has_transposed = transposed;
  pack_all(a, rows, cols, rows, false, scale, forward_panels(p, room));
  if (transposed) pack_all(a, cols, rows, rows, true, scale, transposed_panels(p, room));
}

void add_transposed(PackedMatrix& p) {
  const size_t forward = Panels(p.rows).packed_size(p.cols), backward = Panels(p.cols).packed_size(p.rows);
  real* plain = scratch(Scratch::columns, size_t{p.rows} * p.cols);
  unpack_all(p, plain);
  pack_all(plain, p.cols, p.rows, p.rows, true, 1,
           transposed_panels(p, forward > backward ? forward : backward));
  p.has_transposed = true;
}

void CpuEngine::unpack(const PackedMatrix& p, real* a) { unpack_all(p, a); }

}  // namespace dynet::cpu::DYNET_ISA
