// The lines along an axis: one at a time in vectors, or as many neighbouring lines at once as a vector has
// lanes.
#pragma once

#include "dynet/core/watch.h"
#include "dynet/cpu/simd/math.h"
#include "dynet/cpu/sums.h"
#include "dynet/cpu/threads.h"
#include "dynet/device/engine.h"

namespace dynet::engine::cpu::DYNET_ISA {

/// One line whose numbers lie one after another. What is found for it stands in all lanes.
struct OneLine {
  size_t n;

  /// Calls f(offset, lanes in use) along the line.
  template <class F>
  void each(F f) const {
    for_vectors(n, f);
  }
  /// Replaces the lanes behind the end.
  static Vec pad(Vec v, Whole, real) { return v; }
  static Vec pad(Vec v, int used, real neutral) { return first_lanes(v, used) + behind(used, neutral); }
  /// Σ term(offset, lanes in use), which is zero behind the end.
  template <class Term>
  Vec sum(Term term) const {
    constexpr int ways = 16;  // more would not fit the registers beside what an exponent needs
    return sum_side_by_side<ways>(n, [&](Vec& sums, size_t i, auto c) { sums += term(i, c); });
  }
  static Vec greatest(Vec v) { return largest(v); }
  static Vec load(const real* s) { return *s; }
  static void store(Vec v, real* s) { *s = v[0]; }

 private:
  static Vec behind(int used, real neutral) {
    native::Bits lane;
    for (int i = 0; i < lanes; ++i) lane[i] = i;
    return lane < native::Bits{} + used ? native::Reals{} : native::all(neutral);
  }
};

/// Neighbouring lines whose numbers are `inner` apart, one in each lane.
template <class Count>
struct ManyLines {
  size_t n, inner;
  Count lines;

  template <class F>
  void each(F f) const {
    for (size_t j = 0; j < n; ++j) f(j * inner, lines);
  }
  static Vec pad(Vec v, Count, real) { return v; }
  template <class Term>
  Vec sum(Term term) const {
    return sum_in_runs<Vec>(n, [&](size_t j) { return term(j * inner, lines); });
  }
  static Vec greatest(Vec v) { return v; }
  Vec load(const real* s) const { return Vec::load(s, lines); }
  void store(Vec v, real* s) const { v.store(s, lines); }
};

/// Calls f(item) for all items, on several threads if what is written lies apart.
template <class F>
void for_items(size_t count, size_t size, const Items& written, F f) {
  constexpr size_t worth_a_thread = size_t{1} << 15;  // numbers
  const bool apart = !written.table && written.step > 0;
  split(count, 1, apart ? worth_a_thread / size + 1 : count, [&](size_t begin, size_t end) {
    const bool is_long = size >= size_t{1} << 14;
    for (size_t item = begin; item < end; ++item) {
      f(item);
      if (is_long) worked(static_cast<int64_t>(8 * size));
    }
  });
}

/// Calls f(lines, item, offset in the tensor, offset in a tensor of one number a line), as for_items does.
template <class F>
void for_lines(size_t count, const Axis& axis, const Items& written, F f) {
  for_items(count, axis.outer * axis.n * axis.inner, written, [&](size_t item) {
    for (size_t o = 0; o < axis.outer; ++o) {
      const size_t at = o * axis.n * axis.inner;
      if (axis.inner == 1)
        f(OneLine{axis.n}, item, at, o);
      else
        for_vectors(axis.inner, [&](size_t i, auto c) {
          f(ManyLines<decltype(c)>{axis.n, axis.inner, c}, item, at + i, o * axis.inner + i);
        });
    }
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
