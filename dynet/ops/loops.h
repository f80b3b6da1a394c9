// Shorthands for engine calls that many operations make: copies, sums, and lists of tensors as items.
#pragma once

#include "dynet/ops/op.h"

namespace dynet::engine {

/// The loop over n numbers that lie one after another on both sides.
inline Strides run_of(size_t n) {
  Strides s;
  s.axis(static_cast<unsigned>(n), 1, 1);
  return s;
}

/// The loop over blocks of n numbers, with a distance between blocks on each side.
inline Strides blocks_of(size_t n, size_t blocks, size_t from_distance, size_t to_distance) {
  Strides s = run_of(n);
  if (blocks > 1)
    s.axis(static_cast<unsigned>(blocks), static_cast<ptrdiff_t>(from_distance),
           static_cast<ptrdiff_t>(to_distance));
  return s;
}

/// to = Σ from, over n numbers of each item.
inline void sum_run(Engine& e, size_t count, size_t n, Items from, Items to) {
  Strides s;
  s.axis(static_cast<unsigned>(n), 1, 0);
  e.move(count, s, {}, false, from, to);
}

/// Each item's single number, n times.
inline void spread(Engine& e, size_t count, size_t n, bool accumulate, Items from, Items to) {
  Strides s;
  s.axis(static_cast<unsigned>(n), 0, 1);
  e.move(count, s, {}, accumulate, from, to);
}

/// Item i alone.
inline Items single(const Items& items, size_t i) { return {items[i], nullptr, 0}; }

inline void fill_items(Engine& e, size_t count, size_t size, real value, Items y) {
  if (y.packed(size)) return e.fill(count * size, value, y.base);
  for (size_t i = 0; i < count; ++i) e.fill(size, value, y[i]);
}

/// Tensors anywhere in memory as the items of one call; full after `capacity`.
struct ItemList {
  static constexpr unsigned capacity = 64;
  real* table[capacity];
  unsigned count = 0;

  void add(real* x) { table[count++] = x; }
  bool full() const { return count == capacity; }
  Items items() const { return {nullptr, table, 0}; }
};

}  // namespace dynet::engine
