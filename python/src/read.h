// Python objects read as numbers, sizes and lists, whatever NumPy or plain Python made them.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "python/src/elements.h"
#include "python/src/object.h"

namespace dynet::python {

// All of these may run the program's code, which may change, free or evaluate anything: what they read is
// copied, and who calls them looks up graphs, nodes, rows and lengths afterwards, and takes locks afterwards.

/// A whole number: an int, a NumPy integer, or a float without a fraction; false for other objects.
bool read_whole(PyObject* o, long long& to);
/// A whole number that is not negative and fits; std::invalid_argument if it is not.
bool read_unsigned(PyObject* o, unsigned& to);
/// One that fits an int; std::invalid_argument if it does not.
bool read_signed(PyObject* o, int& to);
/// A number of Python or NumPy; false for other objects.
bool read_double(PyObject* o, double& to);
inline bool read_real(PyObject* o, real& to) {
  double number;
  return read_double(o, number) && (to = static_cast<real>(number), true);
}
/// As Python's bool().
bool read_truth(PyObject* o);

/// Adds the numbers of a list, range, generator or integer array; false if it is none of these.
bool read_indices(PyObject* o, Elements<unsigned>& to);
/// The same of places that are chosen; TypeError for truths, as a mask is no list of places.
bool read_places(PyObject* o, Elements<unsigned>& to);
/// Adds the expressions of a list, tuple or any other iterable; false if it is none of these.
bool read_expressions(PyObject* o, Elements<Expression>& to);
/// The same of a sequence, which an expression is, too: that of its rows.
bool read_sequence(PyObject* o, Elements<Expression>& to);
/// A size, or a tuple or list of sizes; false for other objects.
bool read_dim(PyObject* o, Dim& to);

/// A text, bytes or an object with __fspath__, as Python's open takes it; false for other objects.
bool read_path(PyObject* o, std::filesystem::path& to);

/// Forgets an error that only says that an object is not of the kind that was tried; throws any other one.
void forget_wrong_kind(PyObject* o);

/// Runs f on each element of an iterable; false if the object is none.
template <class F>
bool for_each(PyObject* o, F&& f) {
  if (expression_in(o)) return false;  // whose elements would be nodes
  PyObject* iterator = PyObject_GetIter(o);
  if (!iterator) return forget_wrong_kind(o), false;
  const nb::object owner = nb::steal(iterator);
  while (PyObject* item = PyIter_Next(iterator)) f(nb::steal(item).ptr());
  if (PyErr_Occurred()) nb::raise_python_error();
  return true;
}

/// std::runtime_error for every device but the CPU.
void check_device(std::string_view device);

/// The items of what `spec` of a builder was, which has `count`.
std::vector<nb::object> items_of(nb::handle spec, size_t count);

/// The name of an object's type, for error texts.
std::string type_name(PyObject* o);
/// What kind of object it is, with an article: "an int"; "None" is one by itself.
std::string a_kind(PyObject* o);

}  // namespace dynet::python
