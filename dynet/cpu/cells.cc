// The elementwise part of recurrent cells, forward and backward in one pass each.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/lines.h"

namespace dynet::engine::cpu::DYNET_ISA {
void CpuEngine::lstm_cell(size_t count, size_t hidden, real forget_bias, Items gates, Items c_prev, Items y) {
  const bool first = c_prev.is_none();
  for_items(count, 4 * hidden, y, [&](size_t item) {
    real *in = gates[item], *forget = in + hidden, *out = forget + hidden, *input = out + hidden;
    real *c = y[item], *h = c + hidden;
    const real* previous = first ? nullptr : c_prev[item];
    for_vectors(hidden, [=](size_t j, auto n) {
      const Vec i = logistic(Vec::load(in + j, n));
      const Vec f = logistic(Vec::load(forget + j, n) + forget_bias);
      const Vec o = logistic(Vec::load(out + j, n));
      const Vec g = tanh(Vec::load(input + j, n));
      const Vec state = previous ? f * Vec::load(previous + j, n) + i * g : i * g;
      i.store(in + j, n), f.store(forget + j, n), o.store(out + j, n), g.store(input + j, n);
      state.store(c + j, n);
      (o * tanh(state)).store(h + j, n);
    });
  });
}

void CpuEngine::lstm_cell_backward(size_t count, size_t hidden, Items gates, Items c_prev, Items y, Items dy,
                                   Items dc_prev) {
  const bool first = c_prev.is_none(), to_previous = !dc_prev.is_none();
  for_items(count, 4 * hidden, gates, [&](size_t item) {
    real* const gate = gates[item];
    const real *c = y[item], *dc = dy[item], *dh = dc + hidden;
    const real* previous = first ? nullptr : c_prev[item];
    real* d_previous = to_previous ? dc_prev[item] : nullptr;
    for_vectors(hidden, [=](size_t j, auto n) {
      const Vec i = Vec::load(gate + j, n), f = Vec::load(gate + hidden + j, n);
      const Vec o = Vec::load(gate + 2 * hidden + j, n), g = Vec::load(gate + 3 * hidden + j, n);
      const Vec squashed = tanh(Vec::load(c + j, n)), d_hidden = Vec::load(dh + j, n);
      const Vec d_state = Vec::load(dc + j, n) + d_hidden * o * (1 - squashed * squashed);
      const Vec before = previous ? Vec::load(previous + j, n) : Vec(0);
      (d_state * g * (i * (1 - i))).store(gate + j, n);
      (d_state * before * (f * (1 - f))).store(gate + hidden + j, n);
      (d_hidden * squashed * (o * (1 - o))).store(gate + 2 * hidden + j, n);
      (d_state * i * (1 - g * g)).store(gate + 3 * hidden + j, n);
      if (d_previous) (f * d_state).store(d_previous + j, n);
    });
  });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
