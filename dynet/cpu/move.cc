// Moving and summing numbers between strided places, and the simplest loops over vectors.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/nest.h"
#include "dynet/cpu/scratch.h"
#include "dynet/cpu/simd/vec.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

using Loop = Nest<2>::Loop;

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

/// to += Σ from along the innermost loop, which leaves `to` where it is.
void sum_inner(const Loop& loop, const real* from, real* to) {
  if (loop.stride[0] == 1) {
    Vec total = 0;
    for_vectors(loop.size, [&](size_t i, auto n) { total += Vec::load(from + i, n); });
    *to += sum(total);
  } else {
    real total = 0;
    for (size_t i = 0; i < loop.size; ++i, from += loop.stride[0]) total += *from;
    *to += total;
  }
}

void copy(const Nest<2>& nest, bool accumulate, const real* from, real* to) {
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
  Nest<2> into_sums, from_sums;
  size_t size = 1;

  explicit Reduction(const Strides& s) {
    for (unsigned d = 0; d < s.nd; ++d) {
      const bool kept = s.to[d] != 0;
      into_sums.add({s.size[d], {s.from[d], kept ? static_cast<ptrdiff_t>(size) : 0}});
      if (kept) from_sums.add({s.size[d], {static_cast<ptrdiff_t>(size), s.to[d]}}), size *= s.size[d];
    }
  }
  void run(bool accumulate, const real* from, real* to, real* sums) const {
    for_vectors(size, [=](size_t i, auto n) { Vec(0).store(sums + i, n); });
    const Loop inner = into_sums.inner();
    into_sums.run([&](const ptrdiff_t* at) {
      if (inner.stride[1] == 0)
        sum_inner(inner, from + at[0], sums + at[1]);
      else
        copy_inner<true>(inner, from + at[0], sums + at[1]);
    });
    copy(from_sums, accumulate, sums, to);
  }
};

}  // namespace

void CpuEngine::move(size_t count, const Strides& s, const Shift& shift, bool accumulate, Items from,
                     Items to) {
  bool sums = false;
  Nest<2> nest;
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
  const Reduction reduction(sums ? s : Strides{});
  real* memory = sums ? scratch(Scratch::sums, reduction.size) : nullptr;
  for (size_t i = 0; i < count; ++i) {
    const size_t word = words ? shift.words.table[i][0] : 0;
    const real* source = from[i] + shift.from_offset + word * shift.from_by;
    real* target = to[i] + shift.to_offset + word * shift.to_by;
    if (sums)
      reduction.run(accumulate, source, target, memory);
    else
      copy(nest, accumulate, source, target);
  }
}

void CpuEngine::fill(size_t n, real value, real* x) {
  const Vec v = value;
  for_vectors(n, [=](size_t i, auto c) { v.store(x + i, c); });
}

void CpuEngine::add_scaled(size_t n, real a, const real* x, real* y) {
  const Vec v = a;
  for_vectors(n, [=](size_t i, auto c) { (Vec::load(y + i, c) + v * Vec::load(x + i, c)).store(y + i, c); });
}

void CpuEngine::add_each(size_t n, size_t count, const real* const* x, real* y) {
  constexpr int width = 4;  // sums that are held in registers over all tensors
  size_t i = 0;
  for (; i + width * lanes <= n; i += width * lanes) {
    Vec sum[width];
    for (int j = 0; j < width; ++j) sum[j] = Vec::load(y + i + j * lanes);
    for (size_t k = 0; k < count; ++k)
      for (int j = 0; j < width; ++j) sum[j] += Vec::load(x[k] + i + j * lanes);
    for (int j = 0; j < width; ++j) sum[j].store(y + i + j * lanes);
  }
  for_vectors(n - i, [=](size_t at, auto c) {
    Vec sum = Vec::load(y + i + at, c);
    for (size_t k = 0; k < count; ++k) sum += Vec::load(x[k] + i + at, c);
    sum.store(y + i + at, c);
  });
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
