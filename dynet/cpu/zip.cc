// z = f(x, y) with broadcasting, for every operation in ZipOps.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/simd/attributes.h"
#include "dynet/cpu/simd/math.h"
#include "dynet/cpu/sums.h"
#include "dynet/cpu/threads.h"
#include "dynet/ops/all.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

/// Adds the axes of y with the strides of x0, x1 and y; a size of 1 that is stretched has stride 0.
template <int N>
void add_axes(LoopNest<N>& nest, const Dim& y, const Dim& x0, const Dim& x1, const int (&role)[N]) {
  const Dim* dims[3] = {&x0, &x1, &y};
  ptrdiff_t stride[3] = {1, 1, 1};
  for (unsigned d = 0; d <= y.nd; ++d) {
    const size_t size = d < y.nd ? y[d] : y.bd;
    typename LoopNest<N>::Loop loop{size, {}};
    for (int k = 0; k < 3; ++k) {
      const size_t own = d < y.nd ? (*dims[k])[d] : dims[k]->bd;
      for (int n = 0; n < N; ++n)
        if (role[n] == k) loop.stride[n] = own == 1 ? 0 : stride[k];
      stride[k] *= static_cast<ptrdiff_t>(own);
    }
    nest.add(loop);
  }
}

/// All items can be walked as one more axis, and the sides don't both stand still along it.
bool dense(Items x0, size_t size0, Items x1, size_t size1) {
  const bool regular0 = x0.packed(size0) || x0.is_broadcast(),
             regular1 = x1.packed(size1) || x1.is_broadcast();
  return regular0 && regular1 && !(x0.is_broadcast() && x1.is_broadcast());
}

/// A whole run of a side, or one number of it repeated.
template <bool Repeat>
struct Side {
  const real* p;
  Vec one;
  explicit Side(const real* at) : p(at), one(Repeat ? Vec(*at) : Vec(0)) {}
  template <class Count>
  Vec load(size_t i, Count n) const {
    if constexpr (Repeat) return one;
    return Vec::load(p + i, n);
  }
};

/// Calls f with the two sides' ways of reading, which the innermost strides decide.
template <class F>
void with_sides(ptrdiff_t stride0, ptrdiff_t stride1, const real* x0, const real* x1, F f) {
  if (stride0 && stride1)
    f(Side<false>(x0), Side<false>(x1));
  else if (stride0)
    f(Side<false>(x0), Side<true>(x1));
  else
    f(Side<true>(x0), Side<false>(x1));
}

template <class Op>
void forward(const void* attrs, const LoopNest<3>& nest, const real* x0, const real* x1, real* y) {
  const auto a = attributes<Op>(attrs);
  const auto inner = nest.inner();
  nest.run([&](const ptrdiff_t* at) {
    real* to = y + at[2];
    with_sides(inner.stride[0], inner.stride[1], x0 + at[0], x1 + at[1], [&](auto s0, auto s1) {
      for_vectors(inner.size, [&](size_t i, auto n) {
        with_attributes<Op>(
            a, [](auto... v) { return Op::value(v...); }, s0.load(i, n), s1.load(i, n))
            .store(to + i, n);
      });
    });
  });
}

template <class Op, int S>
Vec slope(const auto& a, Vec x0, Vec x1, Vec y) {
  if constexpr (S == 0)
    return with_attributes<Op>(a, [](auto... v) { return Vec(Op::slope0(v...)); }, x0, x1, y);
  else
    return with_attributes<Op>(a, [](auto... v) { return Vec(Op::slope1(v...)); }, x0, x1, y);
}

struct Pass {
  const real *x0, *x1, *y, *dy;
  real* dx;
  real* memory;  // for long sums
  bool accumulate;
};

/// dx += slope * dy, or 0 + slope * dy; where dx stands still along the innermost axis, the lanes are summed
/// first.
template <class Op, int S>
void backward(const void* attrs, const LoopNest<5>& nest, const Pass& p) {
  const auto a = attributes<Op>(attrs);
  const auto inner = nest.inner();
  SummingWalk<5>(nest, 1).run(p.dx, p.memory, [&](const ptrdiff_t* at, real* dx) {
    const real *y = p.y + at[2], *dy = p.dy + at[3];
    with_sides(inner.stride[0], inner.stride[1], p.x0 + at[0], p.x1 + at[1], [&](auto s0, auto s1) {
      const auto contribution = [&](size_t i, auto n) {
        return slope<Op, S>(a, s0.load(i, n), s1.load(i, n), Vec::load(y + i, n)) * Vec::load(dy + i, n);
      };
      if (inner.stride[4]) {
        for_vectors(inner.size, [&](size_t i, auto n) {
          const Vec before = p.accumulate ? Vec::load(dx + i, n) : Vec(0);
          (before + contribution(i, n)).store(dx + i, n);
        });
      } else {
        *dx += sum_side_by_side(
            inner.size, [&](Vec& sums, size_t i, auto n) { sums += first_lanes(contribution(i, n), n); });
      }
    });
  });
}

struct Kernels {
  void (*forward)(const void*, const LoopNest<3>&, const real*, const real*, real*);
  void (*backward[2])(const void*, const LoopNest<5>&, const Pass&);
};
template <class... Op>
const Kernels& table(Ops<Op...>, unsigned f) {
  static constexpr Kernels kernels[] = {{forward<Op>, {backward<Op, 0>, backward<Op, 1>}}...};
  return kernels[f];
}

}  // namespace

void CpuEngine::zip(unsigned f, const void* attrs, size_t count, const Dim& y_dim, const Dim& x0_dim,
                    const Dim& x1_dim, Items x0, Items x1, Items y) {
  const auto kernel = table(ZipOps{}, f).forward;
  LoopNest<3> nest;
  add_axes(nest, y_dim, x0_dim, x1_dim, {0, 1, 2});
  if (dense(x0, x0_dim.size(), x1, x1_dim.size()) && y.packed(y_dim.size())) {
    nest.add(
        {count,
         {static_cast<ptrdiff_t>(x0.step), static_cast<ptrdiff_t>(x1.step), static_cast<ptrdiff_t>(y.step)}});
    count = 1;
  }
  for (size_t i = 0; i < count; ++i) kernel(attrs, nest, x0[i], x1[i], y[i]);
}

void CpuEngine::zip_backward(unsigned f, unsigned side, const void* attrs, size_t count, const Dim& y_dim,
                             const Dim& x0_dim, const Dim& x1_dim, Items x0, Items x1, Items y, Items dy,
                             Items dx, bool accumulate) {
  const auto kernel = table(ZipOps{}, f).backward[side];
  const size_t size = (side ? x1_dim : x0_dim).size();
  LoopNest<5> nest;
  add_axes(nest, y_dim, x0_dim, x1_dim, {0, 1, 2, 2, side ? 1 : 0});
  const bool sums = size != y_dim.size();
  if (!sums && dense(x0, x0_dim.size(), x1, x1_dim.size()) && y.packed(size) && dy.packed(size) &&
      dx.packed(size)) {
    nest.add(
        {count,
         {static_cast<ptrdiff_t>(x0.step), static_cast<ptrdiff_t>(x1.step), static_cast<ptrdiff_t>(y.step),
          static_cast<ptrdiff_t>(dy.step), static_cast<ptrdiff_t>(dx.step)}});
    count = 1;
  }
  real* total = sums ? scratch(Scratch::sums, size + SummingWalk<5>(nest, 1).room()) : nullptr;
  for (size_t i = 0; i < count; ++i) {
    if (sums) fill(size, 0, total);
    kernel(
        attrs, nest,
        {x0[i], x1[i], y[i], dy[i], sums ? total : dx[i], sums ? total + size : nullptr, sums || accumulate});
    if (sums && !accumulate) fill(size, 0, dx[i]);
    if (sums) add_scaled(size, 1, total, dx[i]);
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
