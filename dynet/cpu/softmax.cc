// The softmax family along an axis.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// The largest number of a line, and the sum of the exponents of all distances to it, but for its own, which
/// is 1.
///
/// They are kept apart: their common logarithm would be rounded to the spacing of the largest number.
/// An infinite largest number is replaced by a finite one, so that distances to it are numbers.
struct Exponents {
  Vec top, rest;

  Vec sum() const { return rest + 1; }
  Vec log_sum() const { return log1p(rest); }
};

/// The exponents of a line. keep(offset, lanes in use, exponents) sees those that are summed.
template <class Line, class Keep>
Exponents exponents_of(const Line& line, const real* from, Keep keep) {
  constexpr real infinite = static_cast<real>(__builtin_inf()), most = std::numeric_limits<real>::max();
  Vec top = -infinite;
  line.each([&](size_t i, auto n) { top = max(top, line.pad(Vec::load(from + i, n), n, -infinite)); });
  top = min(max(line.greatest(top), -most), most);
  const Vec sum = line.sum([&](size_t i, auto n) {
    const Vec e = exp(Vec::load(from + i, n) - top);
    keep(i, n, e);
    return line.pad(e, n, 0);
  });
  return {top, sum - 1};
}
/// The same where the logarithm of the sum is wanted: a small rest, of which the sum has lost digits, is
/// summed without the 1.
template <class Line>
Exponents exponents_of(const Line& line, const real* from) {
  Exponents e = exponents_of(line, from, [](size_t, auto, Vec) {});
  const Mask small = e.rest >= 0 && e.rest < real(0.0625);
  if (largest(select(small, 1, 0)) == 0) return e;
  const Vec rest = line.sum([&](size_t i, auto n) {
    const Vec x = Vec::load(from + i, n);
    return line.pad(select(x < e.top, exp(x - e.top), 0), n, 0);
  });
  e.rest = select(small, rest, e.rest);
  return e;
}

/// How the two numbers of each of an item's lines are kept: all largest numbers, then all rests.
template <class Line>
Exponents load(const Line& line, const real* s, size_t lines) {
  return {line.load(s), line.load(s + lines)};
}
template <class Line>
void store(const Line& line, const Exponents& e, real* s, size_t lines) {
  line.store(e.top, s), line.store(e.rest, s + lines);
}

}  // namespace

void CpuEngine::softmax(size_t count, const Axis& axis, Items x, Items y, bool may_be_empty) {
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t) {
    real* to = y[item] + at;
    const Exponents e =
        exponents_of(line, x[item] + at, [=](size_t i, auto n, Vec value) { value.store(to + i, n); });
    const Vec share = Vec(1) / (may_be_empty ? select(e.sum() == 0, 1, e.sum()) : e.sum());
    line.each([&](size_t i, auto n) { (Vec::load(to + i, n) * share).store(to + i, n); });
  });
}

void CpuEngine::log_softmax(size_t count, const Axis& axis, Items x, Items y) {
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t) {
    const real* from = x[item] + at;
    real* to = y[item] + at;
    const Exponents e = exponents_of(line, from);
    const Vec log_sum = e.log_sum();
    line.each([&](size_t i, auto n) { (Vec::load(from + i, n) - e.top - log_sum).store(to + i, n); });
  });
}

void CpuEngine::log_sum_exp(size_t count, const Axis& axis, Items x, Items s, Items y) {
  for_lines(count, axis, y, [=, lines = axis.lines()](auto line, size_t item, size_t at, size_t line_at) {
    const Exponents e = exponents_of(line, x[item] + at);
    store(line, e, s[item] + line_at, lines);
    line.store(e.top + e.log_sum(), y[item] + line_at);
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

void CpuEngine::log_sum_exp_backward(size_t count, const Axis& axis, Items x, Items s, Items dy, Items dx) {
  for_lines(count, axis, dx, [=, lines = axis.lines()](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    real* to = dx[item] + at;
    const Exponents e = load(line, s[item] + line_at, lines);
    // A sum of nothing but exponents of -inf does not move.
    const Vec share = select(e.sum() == 0, 0, line.load(dy[item] + line_at) / e.sum());
    line.each([&](size_t i, auto n) {
      (Vec::load(to + i, n) + exp(Vec::load(from + i, n) - e.top) * share).store(to + i, n);
    });
  });
}

void CpuEngine::negative_log_softmax(size_t count, size_t n, Words index, Items x, Items s, Items y) {
  for_items(count, n, s, [=](size_t item) {
    const OneLine line{n};
    const Exponents e = exponents_of(line, x[item]);
    store(line, e, s[item], 1);
    line.store(e.log_sum() - (x[item][index.table[item][0]] - e.top), y[item]);
  });
}

void CpuEngine::negative_log_softmax_backward(size_t count, size_t n, Words index, Items x, Items s, Items dy,
                                              Items dx) {
  for_items(count, n, dx, [=](size_t item) {
    const real* from = x[item];
    real* to = dx[item];
    const Exponents e = load(OneLine{n}, s[item], 1);
    const Vec share = Vec(*dy[item]) / e.sum();
    const size_t right = index.table[item][0];
    const Vec at_right = to[right] + share * (expm1(from[right] - e.top) - e.rest);
    for_vectors(n, [=](size_t i, auto c) {
      (Vec::load(to + i, c) + share * exp(Vec::load(from + i, c) - e.top)).store(to + i, c);
    });
    to[right] = at_right[0];
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
