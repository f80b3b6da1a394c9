// y = f(x), elementwise, for every operation in MapOps.
#include "dynet/core/watch.h"
#include "dynet/cpu/engine.h"
#include "dynet/cpu/simd/attributes.h"
#include "dynet/cpu/simd/math.h"
#include "dynet/cpu/threads.h"
#include "dynet/ops/all.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

struct Along {
  size_t count, size;
  Items x, y, dy, dx;
  bool accumulate;
};
template <class Op>
void forward(const void* attrs, const Along& c) {
  const auto a = attributes<Op>(attrs);
  for (size_t item = 0; item < c.count; ++item) {
    const real* x = c.x[item];
    real* y = c.y[item];
    for_vectors(c.size, [=](size_t i, auto n) {
      const Vec r = with_attributes<Op>(a, [](auto... v) { return Op::value(v...); }, Vec::load(x + i, n));
      r.store(y + i, n);
    });
  }
}

template <class Op>
void backward(const void* attrs, const Along& c) {
  const auto a = attributes<Op>(attrs);
  for (size_t item = 0; item < c.count; ++item) {
    const real *x = c.x[item], *y = c.y[item], *dy = c.dy[item];
    real* dx = c.dx[item];
    for_vectors(c.size, [=, accumulate = c.accumulate](size_t i, auto n) {
      const Vec slope = with_attributes<Op>(
          a, [](auto... v) { return Op::slope(v...); }, Vec::load(x + i, n), Vec::load(y + i, n));
      const Vec before = accumulate ? Vec::load(dx + i, n) : Vec(0);
      (before + slope * Vec::load(dy + i, n)).store(dx + i, n);
    });
  }
}

struct Kernels {
  void (*forward)(const void* attrs, const Along&);
  void (*backward)(const void* attrs, const Along&);
};
template <class... Op>
const Kernels& table(Ops<Op...>, unsigned f) {
  static constexpr Kernels kernels[] = {{forward<Op>, backward<Op>}...};
  return kernels[f];
}

}  // namespace

void CpuEngine::map(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y) {
  const auto kernel = table(MapOps{}, f).forward;
  if (!x.packed(size) || !y.packed(size)) return kernel(attrs, {count, size, x, y, {}, {}, false});
  constexpr size_t at_once = size_t{1} << 20;
  split(count * size, lanes, 1 << 16, [&](size_t begin, size_t end) {
    for (; begin + at_once < end; begin += at_once) {
      kernel(attrs, {1, at_once, {x.base + begin}, {y.base + begin}, {}, {}, false});
      worked(8 * at_once);
    }
    kernel(attrs, {1, end - begin, {x.base + begin}, {y.base + begin}, {}, {}, false});
  });
}

void CpuEngine::map_backward(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y,
                             Items dy, Items dx, bool accumulate) {
  const auto kernel = table(MapOps{}, f).backward;
  if (x.packed(size) && y.packed(size) && dy.packed(size) && dx.packed(size)) size *= count, count = 1;
  kernel(attrs, {count, size, x, y, dy, dx, accumulate});
}

}  // namespace dynet::engine::cpu::DYNET_ISA
