// The heart of the matrix product: a block of rows times a few columns, held in registers over the whole
// depth.
//
// Every element is summed over the depth in order, in one accumulator that starts at zero (in several, if the
// depth is great): its bits depend neither on the shape of the tile nor on what else runs with it.
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
  int tail;              // lanes in use in the last vector
  bool prefetch;         // y may be far away
  bool resume;           // y holds the sums over an earlier part of the depth
  const real* const* x;  // columns, of which the depth begins at x_at, and so on
  size_t x_at;
  real* const* y;
  size_t y_at;
  const real* const* init;  // null: none
  size_t init_at;
};

/// The last vector of the rows: whole, or padded with zeros; to be read in part; only its first half in use.
enum class Last { whole, part, half };

#if defined(__AVX512F__) && !defined(DYNET_DOUBLE)
/// Half a vector takes half the time of a whole one.
inline constexpr bool half_vectors = true;
inline __m256 lower_half(Vec a) { return __builtin_shufflevector(a.v, a.v, 0, 1, 2, 3, 4, 5, 6, 7); }
/// a * b + c in the lower half of the lanes; the others don't matter.
inline Vec fma_half(Vec a, Vec b, Vec c) {
  return _mm512_castps256_ps512(_mm256_fmadd_ps(lower_half(a), lower_half(b), lower_half(c)));
}
#else
inline constexpr bool half_vectors = false;
inline Vec fma_half(Vec a, Vec b, Vec c) { return fma(a, b, c); }
#endif

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
#elif defined(DYNET_NEON)
  asm("" : "+w"(a.v));
#else
  static_cast<void>(a);
#endif
}

/// Sums where the tile begins: zeros, or those over an earlier part of the depth.
template <int N, int C>
[[gnu::always_inline]] inline void begin_sums(const Tile& t, Vec (&sum)[C][N]) {
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) sum[c][v] = 0;
  }
  if (t.resume) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v)
        sum[c][v] = load_used(t.y[c] + t.y_at + v * lanes, v == N - 1 ? t.tail : lanes);
    }
  } else if (t.prefetch) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v) __builtin_prefetch(t.y[c] + t.y_at + v * lanes, 1);
    }
  }
}

/// Column after column: two of them may be one and the same sum.
template <bool HasInit, int N, int C, class Count>
[[gnu::always_inline]] inline void end_sums(const Tile& t, const Vec (&sum)[C][N], Count tail) {
  real* const* to = t.y;
  const real* const* init = t.init;
  const size_t y_at = t.y_at, init_at = t.init_at;
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
    real* y = to[c] + y_at;
    const real* from = HasInit ? init[c] + init_at : nullptr;
#pragma GCC unroll 8
    for (int v = 0; v < N - 1; ++v)
      finish(sum[c][v], HasInit ? from + v * lanes : nullptr, y + v * lanes, Whole{});
    finish(sum[c][N - 1], HasInit ? from + (N - 1) * lanes : nullptr, y + (N - 1) * lanes, tail);
  }
}

template <int P, int V, int C, Last L>
void run_tile(const Tile& t) {
  constexpr int N = P * V;
  Vec sum[C][N];
  const real* x[C];
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) x[c] = t.x[c] + t.x_at;
  begin_sums(t, sum);
  const real* a = t.a;
  const size_t depth = t.depth, a_step = t.a_step, panel_step = t.panel_step;
  for (size_t k = 0; k < depth; ++k, a += a_step) {
    Vec row[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; ++v) {
      const real* from = a + (v / V) * panel_step + (v % V) * lanes;
      row[v] = L == Last::part && v == N - 1 ? Vec::load(from, t.tail) : Vec::load(from);
      if (C > 1) hold(row[v]);
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
      const Vec b = x[c][k];
#pragma GCC unroll 8
      for (int v = 0; v < N; ++v)
        sum[c][v] =
            L == Last::half && v == N - 1 ? fma_half(row[v], b, sum[c][v]) : fma(row[v], b, sum[c][v]);
    }
  }
  if (L != Last::whole || t.tail < lanes)
    t.init ? end_sums<true>(t, sum, t.tail) : end_sums<false>(t, sum, t.tail);
  else
    t.init ? end_sums<true>(t, sum, Whole{}) : end_sums<false>(t, sum, Whole{});
}

}  // namespace dynet::engine::cpu::DYNET_ISA
