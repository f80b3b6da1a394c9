// Sums whose rounding errors stay small, however many terms they have.
//
// Terms are added in short runs, and the sums of runs pairwise. The order is a function of the number of
// terms: it does not depend on the width of vectors, on what runs beside it, or on the number of threads.
#pragma once

#include "dynet/cpu/loop_nest.h"
#include "dynet/cpu/simd/vec.h"
#include "dynet/device/engine.h"

namespace dynet::engine::cpu::DYNET_ISA {

constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// Vectors that are added as one.
template <int Width>
struct Vectors {
  Vec v[Width];

  void clear() {
#pragma GCC unroll 16
    for (Vec& x : v) x = 0;
  }
  Vectors& operator+=(const Vectors& b) {
#pragma GCC unroll 16
    for (int i = 0; i < Width; ++i) v[i] += b.v[i];
    return *this;
  }
};

/// The sums of runs so far, of which there are less than 2^32: two of equal length become one.
template <class T>
class Pairwise {
 public:
  void add(T last) {
    for (size_t n = count_++; n & 1; n >>= 1) last += sums_[--top_];
    sums_[top_++] = last;
  }
  /// The sum of all of them and of the last run.
  T total(T last) const {
    for (size_t i = top_; i > 0;) last += sums_[--i];
    return last;
  }
  bool empty() const { return top_ == 0; }

 private:
  T sums_[32];
  size_t top_ = 0, count_ = 0;
};

/// Σ term(k) over n terms, in runs of one after another.
template <class T, class Term>
T sum_in_runs(size_t n, Term term) {
  Pairwise<T> runs;
  for (size_t k = 0;;) {
    T sum = 0;
    for (const size_t end = smaller(k + terms_in_a_row, n); k < end; ++k) sum += term(k);
    if (k == n) return runs.empty() ? sum : runs.total(sum);
    runs.add(sum);
  }
}

/// The sum over n numbers in memory: number i is added to part i mod Ways, whatever the width of vectors.
/// add(sums, position, lanes in use) adds a vector to the sums; lanes that are not in use must add zero.
template <int Ways = 32, class Add>
real sum_side_by_side(size_t n, Add add) {
  constexpr int width = Ways / lanes;
  constexpr size_t block = Ways * 32;
  using Parts = Vectors<width>;
  Pairwise<Parts> blocks;
  Parts parts;
  for (size_t i = 0;;) {
    parts.clear();
    const size_t end = smaller(i + block, n);
    for (; i + Ways <= end; i += Ways) {
#pragma GCC unroll 16
      for (int p = 0; p < width; ++p) add(parts.v[p], i + p * lanes, Whole{});
    }
#pragma GCC unroll 16
    for (int p = 0; p < width; ++p, i += lanes) {
      if (i + lanes > end) {
        if (i < end) add(parts.v[p], i, static_cast<int>(end - i));
        break;
      }
      add(parts.v[p], i, Whole{});
    }
    if (end == n) break;
    blocks.add(parts);
  }
  if (!blocks.empty()) parts = blocks.total(parts);
#pragma GCC unroll 8
  for (int half = width / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int p = 0; p < half; ++p) parts.v[p] += parts.v[p + half];
  }
  return sum(parts.v[0]);
}

/// y = y (or 0) + Σ row(k), vectors of Width over all rows at once.
template <int Width, class Row, class Count>
inline void add_rows_at(size_t rows, size_t at, Row row, real* y, bool accumulate, Count n) {
  using Sums = Vectors<Width>;
  Pairwise<Sums> runs;
  Sums sums;
#pragma GCC unroll 16
  for (int j = 0; j < Width; ++j) sums.v[j] = accumulate ? Vec::load(y + at + j * lanes, n) : Vec(0);
  for (size_t k = 0;;) {
    for (const size_t end = smaller(k + terms_in_a_row, rows); k < end; ++k) {
      const real* x = row(k) + at;
#pragma GCC unroll 16
      for (int j = 0; j < Width; ++j) sums.v[j] += Vec::load(x + j * lanes, n);
    }
    if (k == rows) break;
    runs.add(sums);
    sums.clear();
  }
  if (!runs.empty()) sums = runs.total(sums);
#pragma GCC unroll 16
  for (int j = 0; j < Width; ++j) sums.v[j].store(y + at + j * lanes, n);
}

/// y = y (or 0) + Σ row(k) over rows of n numbers; y is the first term.
template <class Row>
void add_rows(size_t n, size_t rows, Row row, real* y, bool accumulate = true) {
  constexpr int wide = 4;  // vectors whose sums stay in registers
  size_t i = 0;
  for (; i + wide * lanes <= n; i += wide * lanes) add_rows_at<wide>(rows, i, row, y, accumulate, Whole{});
  for (; i + lanes <= n; i += lanes) add_rows_at<1>(rows, i, row, y, accumulate, Whole{});
  if (i < n) add_rows_at<1>(rows, i, row, y, accumulate, static_cast<int>(n - i));
}

/// Sums of many tensors of one size, run by run, in memory that lasts as long.
class PairwiseTensors {
 public:
  /// Numbers that so many runs take.
  static size_t room(size_t size, size_t runs) {
    size_t tensors = 2;
    for (; runs > 1; runs /= 2) ++tensors;
    return size * tensors;
  }
  PairwiseTensors(size_t size, real* memory) : size_(size), memory_(memory) {}

  /// Where the sum of the next run goes.
  real* next() const { return memory_ + top_ * size_; }
  /// It has been written.
  void add() {
    for (size_t n = count_++; n & 1; n >>= 1) join();
    ++top_;
  }
  /// The sum of all of them.
  real* total() {
    for (--top_; top_ > 0;) join();
    return memory_;
  }

 private:
  void join() {
    const real* from = next();
    real* to = memory_ + --top_ * size_;
    for_vectors(size_,
                [=](size_t i, auto n) { (Vec::load(to + i, n) + Vec::load(from + i, n)).store(to + i, n); });
  }
  size_t size_;
  real* memory_;
  size_t top_ = 0, count_ = 0;
};

/// Walks a nest in which tensor N - 1 is added to, and stands still along the axes that are summed.
template <int N>
class SummingWalk {
 public:
  /// Calls are made for each position of the loops from `lowest` on.
  SummingWalk(const LoopNest<N>& nest, unsigned lowest) : nest_(nest), lowest_(lowest) {}

  /// Numbers of memory that run() needs.
  size_t room() const {
    size_t numbers = 0;
    for (unsigned d = lowest_; d < nest_.nd; ++d)
      if (is_long(nest_.loop[d]))
        numbers += PairwiseTensors::room(extent(d), nest_.loop[d].size / terms_in_a_row + 1);
    return numbers;
  }
  /// Calls f(offsets of the other tensors, where it adds to).
  template <class F>
  void run(real* to, real* memory, F f) const {
    walk(nest_.nd, Offsets{}, to, memory, f);
  }

 private:
  using Loop = typename LoopNest<N>::Loop;
  struct Offsets {
    ptrdiff_t at[N - 1];
  };
  static bool is_long(const Loop& l) { return l.stride[N - 1] == 0 && l.size > terms_in_a_row; }
  /// Numbers from the first to the last that the loops inside loop d add to.
  size_t extent(unsigned d) const {
    size_t numbers = 1;
    for (unsigned i = 0; i < d; ++i)
      numbers += (nest_.loop[i].size - 1) * static_cast<size_t>(nest_.loop[i].stride[N - 1]);
    return numbers;
  }

  template <class F>
  void walk(unsigned above, Offsets from, real* to, real* memory, F& f) const {
    if (above <= lowest_) return f(from.at, to);
    const unsigned d = above - 1;
    const Loop& loop = nest_.loop[d];
    if (!is_long(loop)) return steps(loop.size, d, from, to, memory, f);
    const size_t size = extent(d);
    PairwiseTensors runs(size, memory);
    memory += PairwiseTensors::room(size, loop.size / terms_in_a_row + 1);
    for (size_t left = loop.size; left > 0;) {
      const size_t count = smaller(left, terms_in_a_row);
      real* sums = runs.next();
      for_vectors(size, [=](size_t i, auto n) { Vec(0).store(sums + i, n); });
      steps(count, d, from, sums, memory, f);
      runs.add(), left -= count;
    }
    const real* total = runs.total();
    for_vectors(size,
                [=](size_t i, auto n) { (Vec::load(to + i, n) + Vec::load(total + i, n)).store(to + i, n); });
  }
  /// Steps along loop d, after which `from` is where they end.
  template <class F>
  void steps(size_t count, unsigned d, Offsets& from, real* to, real* memory, F& f) const {
    const Loop& loop = nest_.loop[d];
    for (size_t i = 0; i < count; ++i, to += loop.stride[N - 1]) {
      walk(d, from, to, memory, f);
      for (int k = 0; k < N - 1; ++k) from.at[k] += loop.stride[k];
    }
  }

  const LoopNest<N>& nest_;
  unsigned lowest_;
};

}  // namespace dynet::engine::cpu::DYNET_ISA
