// Standardising along an axis: numbers less their mean, divided by their deviation.
#include <limits>

#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

constexpr real most = std::numeric_limits<real>::max();
/// Numbers whose squares overflow are divided by it.
constexpr real great = static_cast<real>(sizeof(real) == 4 ? 0x1p80 : 0x1p600);

}  // namespace

void CpuEngine::standardize(bool centered, real epsilon, size_t count, const Axis& axis, Items x, Items s,
                            Items y) {
  for_lines(count, axis, y, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real* from = x[item] + at;
    real* to = y[item] + at;
    const Vec terms = static_cast<real>(axis.n);
    Vec mean = 0, rest = 0;
    if (centered) {
      mean = line.sum([&](size_t i, auto n) { return Vec::load(from + i, n); }) / terms;
      // The mean of what is left: the first mean was rounded.
      rest =
          line.sum([&](size_t i, auto n) { return line.pad(Vec::load(from + i, n) - mean, n, 0); }) / terms;
    }
    const auto value = [=](size_t i, auto n) {
      return line.pad((Vec::load(from + i, n) - mean) - rest, n, 0);
    };
    const auto squares = [&](real factor) {
      return line.sum([&](size_t i, auto n) {
        const Vec v = value(i, n) * factor;
        return v * v;
      });
    };
    const Vec sum = squares(1);
    Vec deviation = sqrt(sum / terms + epsilon);
    if (const Mask overflow = sum > most; largest(select(overflow, 1, 0)) != 0)
      deviation = select(overflow, sqrt(squares(1 / great) / terms) * great, deviation);
    line.store(deviation, s[item] + line_at);
    line.each([&](size_t i, auto n) { (value(i, n) / deviation).store(to + i, n); });
  });
}

void CpuEngine::standardize_backward(bool centered, size_t count, const Axis& axis, Items y, Items s,
                                     Items dy, Items dx) {
  for_lines(count, axis, dx, [=](auto line, size_t item, size_t at, size_t line_at) {
    const real *value = y[item] + at, *slope = dy[item] + at;
    real* to = dx[item] + at;
    const Vec terms = static_cast<real>(axis.n), deviation = line.load(s[item] + line_at);
    Vec mean = 0;
    if (centered) mean = line.sum([&](size_t i, auto n) { return Vec::load(slope + i, n); }) / terms;
    const Vec along =
        line.sum([&](size_t i, auto n) { return Vec::load(value + i, n) * Vec::load(slope + i, n); }) / terms;
    line.each([&](size_t i, auto n) {
      const Vec d = ((Vec::load(slope + i, n) - mean) - Vec::load(value + i, n) * along) / deviation;
      (Vec::load(to + i, n) + d).store(to + i, n);
    });
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
