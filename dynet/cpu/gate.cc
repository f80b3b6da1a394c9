// Products of activated items: each activation has its value kept for the backward pass.
#include "dynet/ops/gate.h"

#include "dynet/cpu/engine.h"
#include "dynet/cpu/simd/math.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

template <class F>
constexpr bool is_kept = !std::is_same_v<F, Unchanged>;

/// The value of f(x); kept where it says something new.
template <class F>
Vec activated(const real* x, real* kept, size_t i, auto n) {
  const Vec y = F::value(Vec::load(x + i, n));
  if constexpr (is_kept<F>) y.store(kept + i, n);
  return y;
}

template <class F0, class F1>
void forward(const Gated& g) {
  for (size_t item = 0; item < g.count; ++item) {
    const real *x0 = g.x[0][item], *x1 = g.x[1][item], *term = g.term.is_none() ? nullptr : g.term[item];
    real* const kept0 = is_kept<F0> || is_kept<F1> ? g.saved[item] : nullptr;
    real* const kept1 = kept0 + (is_kept<F0> ? g.size : 0);
    real* const y = g.y[item];
    for_vectors(g.size, [=](size_t i, auto n) {
      const Vec product = activated<F0>(x0, kept0, i, n) * activated<F1>(x1, kept1, i, n);
      (term ? Vec::load(term + i, n) + product : product).store(y + i, n);
    });
  }
}

/// The two steps round as those of a product and of an activation would.
template <class F0, class F1, unsigned side>
void backward(const Gated& g) {
  using F = std::conditional_t<side, F1, F0>;
  using Other = std::conditional_t<side, F0, F1>;
  for (size_t item = 0; item < g.count; ++item) {
    const real* const kept0 = is_kept<F0> || is_kept<F1> ? g.saved[item] : nullptr;
    const real* const kept1 = kept0 + (is_kept<F0> ? g.size : 0);
    const real* const value = is_kept<F> ? (side ? kept1 : kept0) : g.x[side][item];
    const real* const other = is_kept<Other> ? (side ? kept0 : kept1) : g.x[1 - side][item];
    const real* const dy = g.dy[item];
    real* const dx = g.dx[item];
    for_vectors(g.size, [=, accumulate = g.accumulate](size_t i, auto n) {
      const Vec y = Vec::load(value + i, n);
      const Vec dvalue = Vec::load(other + i, n) * Vec::load(dy + i, n);
      const Vec before = accumulate ? Vec::load(dx + i, n) : Vec(0);
      (before + F::slope(y, y) * dvalue).store(dx + i, n);
    });
  }
}

using Kernel = void (*)(const Gated&);
struct Kernels {
  Kernel forward, backward[2];
};

template <class F0, class... F1>
constexpr auto row = std::array{Kernels{forward<F0, F1>, {backward<F0, F1, 0>, backward<F0, F1, 1>}}...};

template <class... F>
const Kernels& table(Ops<F...>, const Gated& g) {
  static constexpr std::array kernels = {row<F, F...>...};
  return kernels[g.f[0]][g.f[1]];
}

}  // namespace

void CpuEngine::gate(const Gated& g) { table(Activations{}, g).forward(g); }
void CpuEngine::gate_backward(unsigned side, const Gated& g) { table(Activations{}, g).backward[side](g); }

}  // namespace dynet::engine::cpu::DYNET_ISA
