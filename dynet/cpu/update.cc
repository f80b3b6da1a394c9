// The update of learned numbers, for every rule in Rules.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/gemm.h"
#include "dynet/cpu/simd/math.h"
#include "dynet/train/rules.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

template <class Rule>
void run(const real* hyper, size_t first, size_t n, real* values, const real* gradient, real* const* slots) {
  constexpr int count = Rule::slots;
  real own[max_hyper];
  for (size_t i = 0; i < max_hyper; ++i) own[i] = hyper[i];
  real* state[count + 1] = {};
  for (int s = 0; s < count; ++s) state[s] = slots[s] + first;
  values += first, gradient += first;
  for_vectors(n, [&](size_t i, auto c) {
    Vec w = Vec::load(values + i, c), slot[count + 1];
    for (int s = 0; s < count; ++s) slot[s] = Vec::load(state[s] + i, c);
    Rule::step(w, Vec::load(gradient + i, c) * own[0], slot, own);
    w.store(values + i, c);
    for (int s = 0; s < count; ++s) slot[s].store(state[s] + i, c);
  });
}

using Kernel = void (*)(const real*, size_t, size_t, real*, const real*, real* const*);
template <class... Rule>
Kernel kernel(RuleList<Rule...>, unsigned rule) {
  static constexpr Kernel kernels[] = {run<Rule>...};
  return kernels[rule];
}

}  // namespace

void CpuEngine::update(unsigned rule, const real* hyper, size_t n, real* values, const real* gradient,
                       real* const* slots) {
  const Kernel step = kernel(Rules{}, rule);
  split(n, lanes, 1 << 16,
        [&](size_t begin, size_t end) { step(hyper, begin, end - begin, values, gradient, slots); });
}

void CpuEngine::update_packed(unsigned rule, const real* hyper, unsigned rows, unsigned cols, real* values,
                              const real* gradient, real* const* slots, real scale, bool transposed,
                              PackedMatrix& p) {
  const Kernel step = kernel(Rules{}, rule);
  const Packing packing(p, this, rows, cols, scale, transposed);
  packing.each_columns(
      values, [&](size_t first, size_t n) { step(hyper, first * rows, n * rows, values, gradient, slots); });
}

}  // namespace dynet::engine::cpu::DYNET_ISA
