// The bridge to NumPy: whole arrays in and out, column-major, without a loop over Python objects.
#pragma once

#include <vector>

#include "python/src/object.h"

namespace dynet::python {

/// A tensor on its way from Python.
struct Numbers {
  std::vector<size_t> shape;
  std::vector<real> values;  // column-major

  /// All axes as sizes, or the last one as the batch.
  Dim dim(bool batched = false) const;
};

/// An array of any numeric type, or a (nested) list of numbers; TypeError for other objects.
/// With rows_first the first axis becomes the last one, as in lookup tables.
Numbers read_numbers(PyObject* o, bool rows_first = false);
/// As read_numbers, as a list whatever the shape.
inline std::vector<real> read_values(PyObject* o) { return read_numbers(o).values; }
/// Adds the numbers of an integer array; false for objects of other types.
bool read_integers(PyObject* o, std::vector<unsigned>& to);
/// True for a NumPy array.
bool is_array(PyObject* o);

/// A new array of this shape, with a last axis for the batch if there is one.
nb::object array_of(const Dim& dim, const real* values);
/// The same for a table of rows, whose last axis becomes the first.
nb::object rows_of(const Dim& dim, const real* values);
/// A list of floats.
nb::list list_of(const real* values, size_t count);

}  // namespace dynet::python
