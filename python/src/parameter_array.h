// An array for the numbers of a parameter or a table.
#pragma once

#include <utility>

#include "python/src/numbers.h"

namespace dynet::python {

/// A new array in the shape of a parameter, of a table with its rows first. It is made before its numbers are
/// asked for: no program runs while these are read.
class ParameterArray {
 public:
  explicit ParameterArray(const Storage& s) : ParameterArray(s.dim, s.is_lookup) {}
  ParameterArray(const Dim& dim, bool is_table)
      : dim_(dim), rows_(is_table ? dim.d[dim.nd - 1] : 1), to_(made(dim, is_table)) {}

  /// Writes all rows; at(first, size) says where the numbers lie until it is asked for others.
  void write(auto&& at) const {
    const size_t size = dim_.size() / rows_;
    for (size_t i = 0; i < rows_; ++i) to_.write(at(i * size, size), i);
  }
  const Array& array() const { return to_.array; }

 private:
  static NewArray made(Dim dim, bool is_table) {
    if (!is_table) return NewArray(dim);
    const size_t rows = std::exchange(dim.d[--dim.nd], 0u);
    return NewArray::of_rows(dim, rows);
  }

  Dim dim_;
  size_t rows_;
  NewArray to_;
};

}  // namespace dynet::python
