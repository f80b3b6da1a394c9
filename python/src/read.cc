// Reading of Python numbers and lists; the fast paths are those of plain ints, floats and lists.
#include "python/src/read.h"

#include <cmath>
#include <limits>

#include "dynet/ops/check.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

/// The int or float that a number of another type says that it is, or null.
nb::object converted(PyObject* o) {
  if (PyLong_Check(o) || PyFloat_Check(o)) return nb::borrow(o);
  if (expression_in(o) || !PyNumber_Check(o)) return {};
  const bool is_index = PyIndex_Check(o);
  if (!is_index && type_name(o).find("complex") != std::string::npos) return {};
  PyObject* plain = is_index ? PyNumber_Index(o) : PyNumber_Float(o);
  if (!plain) forget_wrong_kind(o);
  return nb::steal(plain);
}

bool has_no_axes(PyObject* o) {
  const nb::object axes = nb::getattr(o, "ndim", nb::none());
  return PyLong_Check(axes.ptr()) && PyLong_AsLong(axes.ptr()) == 0;
}

/// The number in an array without axes, or null. What NumPy itself converts may also be a text.
nb::object number_in(nb::handle array) {
  const nb::object item = array[nb::tuple()];
  if (!item.type().is(array.type())) return converted(item.ptr());
  PyObject* plain = PyNumber_Float(array.ptr());  // other toolkits have no scalars of their own
  if (!plain) forget_wrong_kind(array.ptr());
  return nb::steal(plain);
}

/// A new reference to the int or float that a number of another type stands for, or null.
nb::object plain_number(PyObject* o) {
  const nb::object plain = converted(o);
  return plain.is_valid() || !PyIndex_Check(o) || expression_in(o) || !has_no_axes(o) ? plain : number_in(o);
}

bool read_whole_float(double number, long long& to) {
  if (number != std::floor(number) || std::fabs(number) > 9e15)
    invalid(number, " was given; a whole number is needed");
  to = static_cast<long long>(number);
  return true;
}

[[noreturn]] void wrong_element(const nb::object& o, size_t position, const char* list, const char* needed,
                                const char* hint = "") {
  throw type_error(text("element ", position, " of a list of ", list, " is ", a_kind(o.ptr()), "; ", needed,
                        " is needed", hint));
}

/// What makes an expression of numbers.
const char* hint_for(PyObject* o) {
  double number;
  if (is_array(o) || PyList_Check(o) || PyTuple_Check(o)) return ", as inputTensor makes one of numbers";
  return read_double(o, number) ? ", as scalarInput makes one of a number" : "";
}

/// The list may lose the element while its number is read.
void add(PyObject* o, Elements<unsigned>& to, size_t position) {
  unsigned index;
  const nb::object owner = PyLong_CheckExact(o) ? nb::object() : nb::borrow(o);
  if (owner.is_valid() && is_truth(o)) to.has_truths = true;
  if (!read_unsigned(o, index)) wrong_element(owner, position, "indices", "a whole number");
  to.add(index);
}

void add(PyObject* o, Elements<Expression>& to, size_t position) {
  const Expression* e = expression_in(o);
  if (!e) {
    const nb::object owner = nb::borrow(o);
    wrong_element(owner, position, "expressions", "an Expression", hint_for(o));
  }
  to.add(*e);
}

/// Adds each element of a list or tuple, without an iterator, or of any other iterable.
template <class T>
bool read_list(PyObject* o, Elements<T>& to) {
  const size_t first = to.size();
  if (PyList_CheckExact(o)) {
    for (Py_ssize_t i = 0; i < NB_LIST_GET_SIZE(o); ++i) add(NB_LIST_GET_ITEM(o, i), to, to.size() - first);
    return true;
  }
  if (PyTuple_CheckExact(o)) {
    for (Py_ssize_t i = 0; i < NB_TUPLE_GET_SIZE(o); ++i) add(NB_TUPLE_GET_ITEM(o, i), to, to.size() - first);
    return true;
  }
  return for_each(o, [&](PyObject* item) { add(item, to, to.size() - first); });
}

}  // namespace

void check_device(std::string_view device) {
  if (!device.empty() && device != "CPU")
    failed("Invalid device name: device is ", device, "; \"CPU\" is the only one");
}

std::vector<nb::object> items_of(nb::handle spec, size_t count) {
  std::vector<nb::object> items;
  // Files choose what it is: a range may have more items than there is memory.
  const auto size = nb::cast<size_t>(nb::module_::import_("operator").attr("length_hint")(spec, count));
  if (size != count) invalid("spec has ", size, " items; ", count, " are needed");
  if (!for_each(spec.ptr(), [&](PyObject* item) { items.push_back(nb::borrow(item)); }))
    throw type_error(text("spec is ", a_kind(spec.ptr()), "; a tuple is needed").c_str());
  if (items.size() != count) invalid("spec has ", items.size(), " items; ", count, " are needed");
  return items;
}

std::string type_name(PyObject* o) {
  return nb::borrow<nb::str>(nb::handle(o).type().attr("__name__")).c_str();
}

std::string a_kind(PyObject* o) {
  if (o == Py_None) return "None";
  const std::string name = type_name(o);
  return (std::string_view("aeiouAEIOU").find(name[0]) != std::string_view::npos ? "an " : "a ") + name;
}

/// Arrays and tensors say in their own ways that they are not one number.
void forget_wrong_kind(PyObject* o) {
  const bool is_collection = PySequence_Check(o) || PyMapping_Check(o);
  if (!PyErr_ExceptionMatches(is_collection ? PyExc_Exception : PyExc_TypeError)) nb::raise_python_error();
  PyErr_Clear();
}

bool read_truth(PyObject* o) {
  const int truth = PyObject_IsTrue(o);
  if (truth < 0) {
    if (!is_array(o)) nb::raise_python_error();
    PyErr_Clear();
    throw std::invalid_argument("an array of several numbers was given; True or False is needed");
  }
  return truth > 0;
}

bool read_whole(PyObject* o, long long& to) {
  if (PyLong_Check(o)) {
    int overflow = 0;
    to = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow)
      invalid("a whole number of more than 64 bits was given; one from ",
              std::numeric_limits<long long>::min(), " to ", std::numeric_limits<long long>::max(),
              " is needed");
    return true;
  }
  if (PyFloat_Check(o)) return read_whole_float(PyFloat_AsDouble(o), to);
  const nb::object plain = plain_number(o);
  return plain.is_valid() && read_whole(plain.ptr(), to);
}

bool read_unsigned(PyObject* o, unsigned& to) {
  long long number;
  if (!read_whole(o, number)) return false;
  if (number < 0) invalid(number, " was given; a whole number from 0 on is needed");
  if (number > std::numeric_limits<unsigned>::max())
    invalid(number, " was given; a whole number of at most ", std::numeric_limits<unsigned>::max(),
            " is needed");
  to = static_cast<unsigned>(number);
  return true;
}

bool read_signed(PyObject* o, int& to) {
  long long number;
  if (!read_whole(o, number)) return false;
  to = static_cast<int>(number);
  if (to != number)
    invalid(number, " was given; a whole number from ", std::numeric_limits<int>::min(), " to ",
            std::numeric_limits<int>::max(), " is needed");
  return true;
}

bool read_double(PyObject* o, double& to) {
  if (PyFloat_Check(o)) {
    to = PyFloat_AsDouble(o);
    return true;
  }
  if (PyLong_Check(o)) {
    const double number = PyLong_AsDouble(o);
    if (number == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      invalid("a whole number of more than 1000 bits was given; a smaller number is needed");
    }
    to = number;
    return true;
  }
  const nb::object plain = plain_number(o);
  return plain.is_valid() && read_double(plain.ptr(), to);
}

bool read_path(PyObject* o, std::filesystem::path& to) {
  if (!PyUnicode_Check(o) && !PyBytes_Check(o) &&
      !PyObject_HasAttrString((PyObject*)Py_TYPE(o), "__fspath__"))
    return false;
  const nb::object name = nb::steal(PyOS_FSPath(o));
  if (!name.is_valid()) nb::raise_python_error();
  PyObject* bytes =
      PyUnicode_Check(name.ptr()) ? PyUnicode_EncodeFSDefault(name.ptr()) : name.inc_ref().ptr();
  if (!bytes) nb::raise_python_error();
  const nb::object owner = nb::steal(bytes);
  const std::string_view text(PyBytes_AsString(bytes), static_cast<size_t>(PyBytes_Size(bytes)));
  if (text.find('\0') != text.npos)
    invalid("the name of a file, ", nb::repr(name).c_str(), ", has a null character; names have none");
  to = text;
  return true;
}

bool read_indices(PyObject* o, Elements<unsigned>& to) {
  if (PyList_CheckExact(o) || PyTuple_CheckExact(o)) return read_list(o, to);
  if (expression_in(o)) return false;
  return read_integers(o, to) || read_list(o, to);
}

bool read_places(PyObject* o, Elements<unsigned>& to) {
  const bool is_list = read_indices(o, to);
  if (to.has_truths) refuse_truths();
  return is_list;
}

bool read_expressions(PyObject* o, Elements<Expression>& to) {
  // An expression itself can be iterated over, but where a list is needed that is a mistake.
  return !expression_in(o) && read_list(o, to);
}

bool read_sequence(PyObject* o, Elements<Expression>& to) {
  const Expression* x = expression_in(o);
  if (!x) return read_list(o, to);
  static_cast<void>(sizes_of("initial_state", *x));  // refuses a stale one
  const nb::object rows = nb::steal(PySequence_List(o));
  return rows.is_valid() ? read_list(rows.ptr(), to) : throw nb::python_error();
}

bool read_dim(PyObject* o, Dim& to) {
  to = {};
  const auto add = [&](PyObject* item) {
    if (to.nd == Dim::max_dims) invalid("a shape has more than ", Dim::max_dims, " sizes; fewer are needed");
    unsigned size;
    if (!read_unsigned(item, size))
      throw type_error(text("a size of a shape is ", a_kind(item), "; a whole number is needed").c_str());
    to.d[to.nd++] = size;
  };
  if (PyTuple_Check(o)) {
    for (Py_ssize_t i = 0; i < NB_TUPLE_GET_SIZE(o); ++i) add(NB_TUPLE_GET_ITEM(o, i));
    return true;
  }
  unsigned size;
  if (PyLong_Check(o) || PyFloat_Check(o)) return read_unsigned(o, size) && (to = Dim{size}, true);
  if (expression_in(o) || PyUnicode_Check(o)) return false;
  if (PySequence_Check(o) && !plain_number(o).is_valid()) return for_each(o, add);
  return read_unsigned(o, size) && (to = Dim{size}, true);
}

}  // namespace dynet::python
