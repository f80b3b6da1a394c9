// The softmax family along an axis.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {

void CpuEngine::log_sum_exp(size_t count, const Axis& axis, Items x, Items s) {
  constexpr real infinite = static_cast<real>(__builtin_inf());
  for_lines(count, axis, s, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    Vec top = -infinite;
    line.each([&](size_t i, auto n) { top = max(top, line.pad(Vec::load(from + i, n), n, -infinite)); });
    top = line.greatest(top);
    const Vec shift = select(abs(top) < infinite, top, 0);
    const Vec total =
        line.sum([&](size_t i, auto n) { return line.pad(exp(Vec::load(from + i, n) - shift), n, 0); });
    line.store(shift + log(total), s[item] + line_at);
  });
}

void CpuEngine::exp_minus(size_t count, const Axis& axis, Items x, Items s, Items y) {
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    real* to = y[item] + at;
    const Vec shift = line.load(s[item] + line_at);
    line.each([&](size_t i, auto n) { exp(Vec::load(from + i, n) - shift).store(to + i, n); });
  });
}

void CpuEngine::minus(size_t count, const Axis& axis, Items x, Items s, Items y) {
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    real* to = y[item] + at;
    const Vec shift = line.load(s[item] + line_at);
    line.each([&](size_t i, auto n) { (Vec::load(from + i, n) - shift).store(to + i, n); });
  });
}

void CpuEngine::softmax_backward(size_t count, const Axis& axis, Items y, Items dy, Items dx) {
  for_lines(count, axis, dx, [=](auto line, size_t item, size_t at, size_t) {
    const real *p = y[item] + at, *dp = dy[item] + at;
    real* to = dx[item] + at;
    const Vec total = line.sum([&](size_t i, auto n) { return Vec::load(p + i, n) * Vec::load(dp + i, n); });
    line.each([&](size_t i, auto n) {
      const Vec d = Vec::load(p + i, n) * (Vec::load(dp + i, n) - total);
      (Vec::load(to + i, n) + d).store(to + i, n);
    });
  });
}

void CpuEngine::log_softmax_backward(size_t count, const Axis& axis, Items y, Items dy, Items dx) {
  for_lines(count, axis, dx, [=](auto line, size_t item, size_t at, size_t) {
    const real *log_p = y[item] + at, *d_log = dy[item] + at;
    real* to = dx[item] + at;
    const Vec total = line.sum([&](size_t i, auto n) { return Vec::load(d_log + i, n); });
    line.each([&](size_t i, auto n) {
      const Vec d = Vec::load(d_log + i, n) - exp(Vec::load(log_p + i, n)) * total;
      (Vec::load(to + i, n) + d).store(to + i, n);
    });
  });
}

void CpuEngine::log_sum_exp_backward(size_t count, const Axis& axis, Items x, Items s, Items ds, Items dx) {
  for_lines(count, axis, dx, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    real* to = dx[item] + at;
    const Vec shift = line.load(s[item] + line_at), d = line.load(ds[item] + line_at);
    line.each([&](size_t i, auto n) {
      (Vec::load(to + i, n) + exp(Vec::load(from + i, n) - shift) * d).store(to + i, n);
    });
  });
}

void CpuEngine::negative_log_softmax(size_t count, size_t, Words index, Items x, Items s, Items y) {
  for (size_t i = 0; i < count; ++i) *y[i] = *s[i] - x[i][index.table[i][0]];
}

void CpuEngine::negative_log_softmax_backward(size_t count, size_t n, Words index, Items x, Items s, Items dy,
                                              Items dx) {
  for_items(count, n, dx, [=](size_t item) {
    const real* from = x[item];
    real* to = dx[item];
    const Vec shift = *s[item], d = *dy[item];
    const size_t right = index.table[item][0];
    const Vec at_right = to[right] + d * (exp(from[right] - shift) - 1);
    for_vectors(n, [=](size_t i, auto c) {
      (Vec::load(to + i, c) + d * exp(Vec::load(from + i, c) - shift)).store(to + i, c);
    });
    to[right] = at_right[0];
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
