// The heart of the matrix product: a block of rows times a few columns, held in registers over the whole
// depth.
//
// Every element is summed over the depth in order, in one accumulator that starts at zero: its bits depend
// neither on the shape of the tile nor on what else runs with it.
#pragma once

#include "dynet/cpu/simd/vec.h"

namespace dynet::engine::cpu::DYNET_ISA {

/// Vectors a panel has at most, and columns a tile of panels of v vectors has at most.
inline constexpr int panel_vectors = register_count == 32 ? 4 : 2;
constexpr int tile_columns(int v) { return v == panel_vectors ? 6 : 8; }
/// Panels taken at once, so that enough sums are under way to hide the latency of an addition.
constexpr int tile_panels(int v, int columns) { return columns == 1 ? 8 / v : columns == 2 && v < 4 ? 2 : 1; }

struct Tile {
  const real* a;  // rows of one panel, then the next step of the depth after a_step
  size_t a_step;
  size_t panel_step;  // from a panel to the next
  size_t depth;
  int tail;          // lanes in use in the last vector
  const real* x[8];  // columns
  real* y[8];
  const real* init[8];  // null: none
  bool prefetch;        // y may be far away
  bool resume;          // y holds the sums over an earlier part of the depth
};

/// One vector of a column: init + sum, of 0 if there is none.
template <class Count>
inline void finish(Vec sum, const real* init, real* y, Count n) {
  ((init ? Vec::load(init, n) : Vec(0)) + sum).store(y, n);
}

inline Vec load_used(const real* p, int used) { return used < lanes ? Vec::load(p, used) : Vec::load(p); }

/// Keeps the compiler from reading the vector again where it is used: several columns share one load.
inline void hold(Vec& a) {
#if defined(__AVX512F__)
  asm("" : "+v"(a.v));
#elif defined(__SSE2__)
  asm("" : "+x"(a.v));
#else
  static_cast<void>(a);
#endif
}

template <int P, int V, int C, bool Masked>
void run_tile(const Tile& t) {
  Vec sum[C][P * V];
  const real* x[C];
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
    x[c] = t.x[c];
#pragma GCC unroll 8
    for (int v = 0; v < P * V; ++v) sum[c][v] = 0;
  }
  if (t.resume) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < P * V; ++v)
        sum[c][v] = load_used(t.y[c] + v * lanes, v == P * V - 1 ? t.tail : lanes);
    }
  } else if (t.prefetch) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < P * V; ++v) __builtin_prefetch(t.y[c] + v * lanes, 1);
    }
  }
  const real* a = t.a;
  const size_t depth = t.depth, a_step = t.a_step, panel_step = t.panel_step;
  for (size_t k = 0; k < depth; ++k, a += a_step) {
    Vec row[P * V];
#pragma GCC unroll 8
    for (int v = 0; v < P * V; ++v) {
      const real* from = a + (v / V) * panel_step + (v % V) * lanes;
      row[v] = Masked && v == P * V - 1 ? Vec::load(from, t.tail) : Vec::load(from);
      if (C > 1) hold(row[v]);
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const Vec b = x[c][k];
#pragma GCC unroll 8
      for (int v = 0; v < P * V; ++v) sum[c][v] = fma(row[v], b, sum[c][v]);
    }
  }
  // Column after column: two of them may be one and the same sum.
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < P * V; ++v) {
      const real* init = t.init[c] ? t.init[c] + v * lanes : nullptr;
      if (v == P * V - 1 && t.tail < lanes)
        finish(sum[c][v], init, t.y[c] + v * lanes, t.tail);
      else
        finish(sum[c][v], init, t.y[c] + v * lanes, Whole{});
    }
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
