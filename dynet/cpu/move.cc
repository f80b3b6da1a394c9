// Moving and summing numbers between strided places, and the simplest loops over vectors.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/sums.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

using Loop = LoopNest<2>::Loop;

/// to = from, or to += from, along the innermost loop.
template <bool Accumulate>
void copy_inner(const Loop& loop, const real* from, real* to) {
  const auto put = [=](size_t i, auto n, Vec v) {
    (Accumulate ? Vec::load(to + i, n) + v : v).store(to + i, n);
  };
  const ptrdiff_t from_step = loop.stride[0], to_step = loop.stride[1];
  if (from_step == 1 && to_step == 1) {
    for_vectors(loop.size, [=](size_t i, auto n) { put(i, n, Vec::load(from + i, n)); });
  } else if (from_step == 0 && to_step == 1) {
    const Vec v = *from;
    for_vectors(loop.size, [=](size_t i, auto n) { put(i, n, v); });
  } else {
    for (size_t i = 0; i < loop.size; ++i, from += from_step, to += to_step)
      *to = Accumulate ? *to + *from : *from;
  }
}

real sum_of_run(size_t n, const real* x) {
  return sum_side_by_side(n, [=](Vec& sums, size_t i, auto c) { sums += Vec::load(x + i, c); });
}

/// Σ from along the innermost loop.
real sum_inner(const Loop& loop, const real* from) {
  const ptrdiff_t step = loop.stride[0];
  if (step == 1) return sum_of_run(loop.size, from);
  return sum_in_runs<real>(loop.size, [=](size_t i) { return from[static_cast<ptrdiff_t>(i) * step]; });
}

void copy_along(const LoopNest<2>& nest, bool accumulate, const real* from, real* to) {
  const Loop inner = nest.inner();
  nest.run([&](const ptrdiff_t* at) {
    if (accumulate)
      copy_inner<true>(inner, from + at[0], to + at[1]);
    else
      copy_inner<false>(inner, from + at[0], to + at[1]);
  });
}

/// A move that sums: first from `from` into dense sums, then from those to `to`.
struct Reduction {
  LoopNest<2> into_sums, from_sums;
  size_t size = 1;

  explicit Reduction(const Strides& s) {
    for (unsigned d = 0; d < s.nd; ++d) {
      const bool kept = s.to[d] != 0;
      into_sums.add({s.size[d], {s.from[d], kept ? static_cast<ptrdiff_t>(size) : 0}});
      if (kept) from_sums.add({s.size[d], {static_cast<ptrdiff_t>(size), s.to[d]}}), size *= s.size[d];
    }
  }
  /// Numbers of memory that run() needs.
  size_t room() const { return size + SummingWalk<2>(into_sums, loops_at_once()).room(); }
  void run(bool accumulate, const real* from, real* to, real* sums) const {
    for_vectors(size, [=](size_t i, auto n) { Vec(0).store(sums + i, n); });
    const Loop inner = into_sums.inner();
    const unsigned at_once = loops_at_once();
    SummingWalk<2>(into_sums, at_once).run(sums, sums + size, [&](const ptrdiff_t* at, real* sum) {
      const real* x = from + at[0];
      if (inner.stride[1] == 0)
        *sum += sum_inner(inner, x);
      else if (at_once == 1)
        copy_inner<true>(inner, x, sum);
      else
        add_rows(
            inner.size, into_sums.loop[1].size,
            [=, step = into_sums.loop[1].stride[0]](size_t k) {
              return x + static_cast<ptrdiff_t>(k) * step;
            },
            sum);
    });
    copy_along(from_sums, accumulate, sums, to);
  }

 private:
  /// Rows of numbers that lie one after another are summed in one go.
  unsigned loops_at_once() const {
    if (into_sums.nd < 2) return 1;
    const Loop *inner = into_sums.loop, &rows = inner[1];
    return inner->stride[0] == 1 && inner->stride[1] == 1 && rows.stride[1] == 0 ? 2 : 1;
  }
};

}  // namespace

void CpuEngine::move(size_t count, const Strides& s, const Shift& shift, bool accumulate, Items from,
                     Items to) {
  bool sums = false;
  LoopNest<2> nest;
  for (unsigned d = 0; d < s.nd; ++d) {
    sums |= s.to[d] == 0 && s.size[d] > 1;
    if (s.size[d] == 0) return;
    nest.add({s.size[d], {s.from[d], s.to[d]}});
  }
  const bool words = shift.words.table != nullptr;
  if (count > 1 && !sums && !words && !from.table && !to.table && to.step != 0) {
    nest.add({count, {static_cast<ptrdiff_t>(from.step), static_cast<ptrdiff_t>(to.step)}});
    count = 1;
  }
  if (sums && s.nd == 1 && s.from[0] == 1 && !words) {
    for (size_t i = 0; i < count; ++i) {
      const real sum = sum_of_run(s.size[0], from[i] + shift.from_offset);
      real* target = to[i] + shift.to_offset;
      *target = accumulate ? *target + sum : sum;
    }
    return;
  }
  const Reduction reduction(sums ? s : Strides{});
  real* memory = sums ? scratch(Scratch::sums, reduction.room()) : nullptr;
  for (size_t i = 0; i < count; ++i) {
    const size_t word = words ? shift.words.table[i][0] : 0;
    const real* source = from[i] + shift.from_offset + word * shift.from_by;
    real* target = to[i] + shift.to_offset + word * shift.to_by;
    if (sums)
      reduction.run(accumulate, source, target, memory);
    else
      copy_along(nest, accumulate, source, target);
  }
}

void CpuEngine::copy(size_t n, const real* from, real* to) {
  if (n > 0) __builtin_memcpy(to, from, n * sizeof(real));
}

void CpuEngine::fill(size_t n, real value, real* x) {
  const Vec v = value;
  for_vectors(n, [=](size_t i, auto c) { v.store(x + i, c); });
}

void CpuEngine::add_scaled(size_t n, real a, const real* x, real* y) {
  const Vec v = a;
  for_vectors(n, [=](size_t i, auto c) { (Vec::load(y + i, c) + v * Vec::load(x + i, c)).store(y + i, c); });
}

void CpuEngine::sum_lists(const SumLists& lists) {
  const real* const* x = lists.x;
  for (size_t i = 0, first = 0; i < lists.count; first = lists.ends[i++])
    add_rows(
        lists.n, lists.ends[i] - first, [x, first](size_t k) { return x[first + k]; }, lists.y[i],
        lists.accumulate);
}

void CpuEngine::scale(size_t n, real a, real* x) {
  const Vec v = a;
  for_vectors(n, [=](size_t i, auto c) { (v * Vec::load(x + i, c)).store(x + i, c); });
}

double CpuEngine::squared_norm(size_t n, const real* x) {
  constexpr size_t width = 32;
  double part[width] = {};
  for (size_t i = 0; i + width <= n; i += width)
    for (size_t j = 0; j < width; ++j) part[j] += static_cast<double>(x[i + j]) * x[i + j];
  for (size_t i = n / width * width; i < n; ++i) part[i % width] += static_cast<double>(x[i]) * x[i];
  double total = 0;
  for (double p : part) total += p;
  return total;
}

}  // namespace dynet::engine::cpu::DYNET_ISA
