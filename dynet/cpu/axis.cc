// Extremes and running sums along an axis.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {

void CpuEngine::extremum(int sign, size_t count, const Axis& axis, Items x, Items y) {
  constexpr real lowest = -static_cast<real>(__builtin_inf());
  const Vec factor = sign;
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    Vec top = lowest;
    line.each(
        [&](size_t i, auto n) { top = max(top, line.pad(factor * Vec::load(from + i, n), n, lowest)); });
    line.store(factor * line.greatest(top), y[item] + line_at);
  });
}

void CpuEngine::extremum_backward(size_t count, const Axis& axis, Items x, Items y, Items dy, Items dx) {
  for (size_t item = 0; item < count; ++item) {
    for (size_t line = 0; line < axis.outer * axis.inner; ++line) {
      const size_t at = line / axis.inner * axis.n * axis.inner + line % axis.inner;
      const real extreme = y[item][line];
      const real* from = x[item] + at;
      size_t j = 0;
      while (j < axis.n && from[j * axis.inner] != extreme) ++j;
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
      if (axis.inner == 1) {
        real total = 0;
        for (size_t j = 0; j < axis.n; ++j) {
          const size_t i = reverse ? last - j : j;
          total += from[i];
          to[i] = accumulate ? to[i] + total : total;
        }
        continue;
      }
      for_vectors(axis.inner, [&](size_t lane, auto n) {
        Vec total = 0;
        for (size_t j = 0; j < axis.n; ++j) {
          const size_t i = (reverse ? last - j : j) * axis.inner + lane;
          total += Vec::load(from + i, n);
          (accumulate ? Vec::load(to + i, n) + total : total).store(to + i, n);
        }
      });
    }
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
