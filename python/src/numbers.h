// The bridge to NumPy: whole arrays in and out, column-major, without a loop over Python objects.
#pragma once

#include <algorithm>
#include <vector>

#include "python/src/elements.h"
#include "python/src/object.h"

namespace dynet::python {

/// What signatures say of arguments and results that nanobind cannot know.
struct ArrayType {};
struct ArrayLikeType {};
struct ValueType {};
using Array = nb::typed<nb::object, ArrayType>;
using Value = nb::typed<nb::object, ValueType>;
using ArrayLike = nb::typed<nb::handle, ArrayLikeType>;
using Floats = nb::typed<nb::list, double>;
using Shape = nb::typed<nb::tuple, int, nb::ellipsis>;

/// A tensor on its way from Python.
struct Numbers {
  std::vector<size_t> shape;
  std::vector<real> values;  // column-major

  /// All axes as sizes, or the last one as the batch.
  Dim dim(bool batched = false) const;
  /// Whether they are in one row, or one column.
  bool are_a_list() const {
    return std::ranges::count_if(shape, [](size_t n) { return n != 1; }) <= 1;
  }
  /// The numbers of a tensor of this shape: a list, column-major, or an array of the same shape. In others as
  /// many lie elsewhere: std::invalid_argument, which begins with `call`.
  std::vector<real> of(const Dim& dim, const char* call) &&;
};

/// An array of any numeric type, or a (nested) list of numbers; TypeError for other objects.
/// With rows_first the first axis becomes the last one, as in lookup tables.
Numbers read_numbers(PyObject* o, bool rows_first = false);
/// Adds the numbers of an integer array; false for objects of other types, TypeError for several axes.
bool read_integers(PyObject* o, Elements<unsigned>& to);
/// True for a truth of Python or NumPy, which is also a number.
bool is_truth(PyObject* o);
/// TypeError for a list or array of truths where places are chosen: it would count as the places 0 and 1.
[[noreturn]] void refuse_truths();
/// TypeError for an array of numpy.ma that masks something: what lies there is no number that was meant.
void refuse_masked(PyObject* o);
/// True for a NumPy array.
bool is_array(PyObject* o);
/// True for a NumPy array but one without axes, which is a number.
bool is_array_with_axes(PyObject* o);

/// A new array, row-major as other libraries expect, whose numbers are still to be written. It has this
/// shape, with a last axis for the batch if there is one or if it is `batched`.
class NewArray {
 public:
  explicit NewArray(const Dim& dim, bool batched = false) : NewArray(dim, batched, no_rows) {}
  /// The array of a table, whose first axis are rows of this shape.
  static NewArray of_rows(const Dim& row, size_t rows) { return NewArray(row, false, rows); }
  /// Writes the engine's numbers, or those of a row, which lie column-major.
  void write(const real* numbers, size_t row = 0) const;

  Array array;

 private:
  static constexpr size_t no_rows = ~size_t{0};

  NewArray(const Dim& dim, bool batched, size_t rows);

  Dim dim_;
  real* numbers_ = nullptr;
};
/// A new array with these numbers, which lie column-major.
Array array_of(const Dim& dim, const real* values, bool batched = false);
/// A list of floats.
Floats list_of(const real* values, size_t count);

}  // namespace dynet::python

namespace nanobind::detail {

template <>
struct type_caster<dynet::python::ArrayType> {
  static constexpr auto Name = const_name("numpy.typing.NDArray[numpy.floating]");
};
template <>
struct type_caster<dynet::python::ArrayLikeType> {
  static constexpr auto Name = const_name("numpy.typing.ArrayLike");
};
template <>
struct type_caster<dynet::python::ValueType> {
  static constexpr auto Name = const_name("float | list[float] | numpy.typing.NDArray[numpy.floating]");
};

}  // namespace nanobind::detail
