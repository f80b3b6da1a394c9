// The gradient of a matrix: the sum of outer products of columns that lie anywhere.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/scratch.h"

namespace dynet::cpu::DYNET_ISA {
namespace {

/// Panels whose depth runs over the columns.
void pack_columns(const real* const* columns, size_t count, size_t rows, real* to) {
  const Panels panels(rows);
  for (size_t p = 0; p < panels.count; ++p) {
    const size_t row = panels.start(p) * lanes, height = panels.height(p) * lanes;
    const size_t used = smaller(height, rows - row);
    for (size_t c = 0; c < count; ++c, to += height)
      for_vectors(used, [&](size_t i, auto n) { Vec::load(columns[c] + row + i, n).store(to + i); });
  }
}

}  // namespace

void CpuEngine::outer_sum(const OuterSum& o) {
  // G lies as its transpose where it has one row: then the roles change, and the vectors run along it.
  const bool row = o.m == 1;
  const size_t m = row ? o.k : o.m, k = row ? o.m : o.k;
  const auto *dy = row ? o.x : o.dy, *x = row ? o.dy : o.x;
  if (o.count == 0 || m == 0 || k == 0) return;
  real* panels = scratch(Scratch::panel, Panels(m).vectors * lanes * o.count);
  real* turned = scratch(Scratch::columns, k * o.count);
  pack_columns(dy, o.count, m, panels);
  turn_columns(x, o.count, k, turned);
  const Columns g({o.g, nullptr, 0}, 0, 1, k, m);
  multiply_all({panels, m, o.count, 0, true, k, Columns({turned, nullptr, 0}, 0, 1, k, o.count), g, g, true});
}

}  // namespace dynet::cpu::DYNET_ISA
