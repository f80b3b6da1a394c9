// Checks that many operations share: shapes, axes and indices, each with a text that says what would be
// right.
#pragma once

#include <algorithm>
#include <limits>

#include "dynet/device/arena.h"
#include "dynet/ops/op.h"

namespace dynet::engine {

inline void check_fresh(std::string_view op, const Expression& x) {
  if (x.is_stale()) refuse_stale(op, x);
}

/// The shape of one batch element.
inline Dim sizes_of(std::string_view op, const Expression& x) {
  check_fresh(op, x);
  return dim_of(x).single_batch();
}

/// Throws unless every size and the batch size are positive.
inline const Dim& check_sizes(const Dim& dim) {
  for (unsigned i = 0; i < dim.nd; ++i)
    if (dim.d[i] == 0) invalid("size of axis ", i, " is 0 in ", dim, "; sizes must be positive");
  if (dim.nd == 0) invalid("a shape without sizes; a scalar is {1}");
  if (dim.bd == 0) invalid("the batch size is 0; it must be positive");
  return dim;
}

/// A size as shapes have it; throws where it is more than they can say.
inline unsigned size_of_axis(size_t size) {
  if (size > std::numeric_limits<unsigned>::max())
    throw out_of_memory(text("out of memory: an axis of size ", size));
  return static_cast<unsigned>(size);
}

/// The batch size of a result: that of the arguments, where 1 stretches.
inline unsigned common_batch(Dims xs) {
  unsigned batch = 1;
  for (const Dim& x : xs) {
    if (x.bd != 1 && batch != 1 && x.bd != batch)
      invalid("batch sizes differ: ", batch, " and ", x.bd, "; they must be equal, or 1");
    batch = std::max(batch, x.bd);
  }
  return batch;
}

/// How many axes may be named: a vector is a matrix of one column.
inline unsigned axis_count(const Dim& x) { return std::max(x.nd, 2u); }

inline void check_axis(unsigned axis, const Dim& x) {
  if (axis >= axis_count(x)) invalid("axis ", axis, " of ", x, "; the axes are 0 to ", axis_count(x) - 1);
}

/// One index as a list.
inline Indices only(const unsigned& index) { return std::span<const unsigned>(&index, 1); }

/// Throws unless every index is below `size`; `place` names what is indexed ("axis 0", "the batch").
template <class... Place>
void check_indices(std::string_view op, Indices indices, unsigned size, const Place&... place) {
  for (unsigned i : indices)
    if (i >= size)
      bad_index(op, ": index ", i, " is out of range for ", place..., " of size ", size, "; 0 to ", size - 1,
                " would be right");
}

/// The place that a negative index along an axis names, counted from the end.
inline unsigned place_from_end(std::string_view op, int index, unsigned axis, const Dim& x) {
  const auto back = static_cast<unsigned>(-static_cast<long long>(index));
  if (back > x[axis])
    bad_index(op, ": index ", index, " is out of range for axis ", axis, " of size ", x[axis], "; -", x[axis],
              " to ", x[axis] - 1, " would be right");
  return x[axis] - back;
}

/// The class of x that a number names, a negative one from the end.
inline unsigned class_named(std::string_view op, int number, const Expression& x) {
  return number >= 0 ? static_cast<unsigned>(number) : place_from_end(op, number, 0, shape_of(op, x));
}

/// Throws unless x has the axis and every index is one of its places.
inline void check_places(std::string_view op, Indices indices, unsigned axis, const Dim& x) {
  if (axis >= axis_count(x))
    invalid(op, ": axis ", axis, " of ", x, "; the axes are 0 to ", axis_count(x) - 1);
  check_indices(op, indices, x[axis], "axis ", axis);
}

/// Throws unless x is a column: every size after the first is 1.
inline void check_vector(const Dim& x) {
  if (!x.is_vector()) invalid("a vector is needed; the argument has shape ", x);
}

/// True if a number occurs more than once.
inline bool has_repeats(Indices words) {
  thread_local std::vector<unsigned> room;
  room.assign(words.begin(), words.end());
  std::sort(room.begin(), room.end());
  return std::adjacent_find(room.begin(), room.end()) != room.end();
}

/// The words `times` one after another, in memory that lasts until the next use on this thread.
inline std::span<const unsigned> repeated(Indices words, unsigned times) {
  if (times == 1) return words;
  thread_local std::vector<unsigned> room;
  room.clear();
  for (unsigned i = 0; i < times; ++i) room.insert(room.end(), words.begin(), words.end());
  return room;
}

}  // namespace dynet::engine
