// Extremes and running sums along an axis.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// Calls put(k, sum of the terms up to k), which is the sum of whole runs and of the last one.
template <class T, class Term, class Put>
void running_sums(size_t n, Term term, Put put) {
  Pairwise<T> runs;
  T before = 0;
  for (size_t k = 0; k < n;) {
    T sum = 0;
    for (const size_t end = smaller(k + terms_in_a_row, n); k < end; ++k) put(k, before + (sum += term(k)));
    runs.add(sum);
    before = runs.total(0);
  }
}

}  // namespace

void CpuEngine::extremum(int sign, size_t count, const Axis& axis, Items x, Items y) {
  constexpr real lowest = -static_cast<real>(__builtin_inf());
  const Vec factor = sign;
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    Vec top = lowest;
    line.each(
        [&](size_t i, auto n) { top = larger(line.pad(factor * Vec::load(from + i, n), n, lowest), top); });
    line.store(factor * line.greatest(top), y[item] + line_at);
  });
}

void CpuEngine::extremum_backward(size_t count, const Axis& axis, Items x, Items y, Items dy, Items dx) {
  for (size_t item = 0; item < count; ++item) {
    for (size_t line = 0; line < axis.lines(); ++line) {
      const size_t at = axis.start(line);
      const real extreme = y[item][line];
      const real* from = x[item] + at;
      const auto is_extreme = [=](real v) { return extreme == extreme ? v == extreme : v != v; };
      size_t j = 0;
      while (j < axis.n && !is_extreme(from[j * axis.inner])) ++j;
      if (j < axis.n) dx[item][at + j * axis.inner] += dy[item][line];
    }
  }
}

void CpuEngine::cumulative_sum(size_t count, const Axis& axis, bool reverse, bool accumulate, Items x,
                               Items y) {
  const size_t last = axis.n - 1;
  if (axis.n == 0) return;
  for (size_t item = 0; item < count; ++item) {
    for (size_t o = 0; o < axis.outer; ++o) {
      const real* from = x[item] + o * axis.n * axis.inner;
      real* to = y[item] + o * axis.n * axis.inner;
      const auto place = [&](size_t j) { return (reverse ? last - j : j) * axis.inner; };
      if (axis.inner == 1) {
        running_sums<real>(
            axis.n, [&](size_t j) { return from[place(j)]; },
            [&](size_t j, real sum) { to[place(j)] = accumulate ? to[place(j)] + sum : sum; });
        continue;
      }
      for_vectors(axis.inner, [&](size_t lane, auto n) {
        running_sums<Vec>(
            axis.n, [&](size_t j) { return Vec::load(from + place(j) + lane, n); },
            [&](size_t j, Vec sum) {
              real* y = to + place(j) + lane;
              (accumulate ? Vec::load(y, n) + sum : sum).store(y, n);
            });
      });
    }
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
