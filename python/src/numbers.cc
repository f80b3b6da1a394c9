// Reading and writing of NumPy arrays through the buffer protocol.
#include "python/src/numbers.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "python/src/read.h"

namespace dynet::python {
namespace {

/// numpy.NAME, looked up once; kept for the life of the process.
nb::handle numpy(const char* name, PyObject*& cache) {
  if (!cache) cache = nb::object(nb::module_::import_("numpy").attr(name)).release().ptr();
  return cache;
}
nb::handle ndarray() {
  static PyObject* cache;
  return numpy("ndarray", cache);
}
nb::handle asarray() {
  static PyObject* cache;
  return numpy("asarray", cache);
}
nb::handle empty() {
  static PyObject* cache;
  return numpy("empty", cache);
}
constexpr const char* type_code = sizeof(real) == 8 ? "f8" : "f4";

/// A view of an object's memory, if it has one.
class View {
 public:
  explicit View(PyObject* o, int flags = PyBUF_STRIDES | PyBUF_FORMAT) {
    if (!PyObject_CheckBuffer(o) || PyBytes_Check(o) || PyByteArray_Check(o)) return;
    open_ = PyObject_GetBuffer(o, &buffer_, flags) == 0;
    if (!open_) PyErr_Clear();
  }
  ~View() {
    if (open_) PyBuffer_Release(&buffer_);
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  explicit operator bool() const { return open_; }
  Py_buffer* operator->() { return &buffer_; }
  Py_buffer& operator*() { return buffer_; }

 private:
  Py_buffer buffer_;
  bool open_ = false;
};

/// Writes the elements of a view, column-major, each converted by `convert`.
template <class From, class To, class Convert>
void copy_elements(const Py_buffer& from, To* to, Convert convert) {
  const int nd = from.ndim;
  const Py_ssize_t inner = nd ? from.shape[0] : 1, step = nd ? from.strides[0] : 0;
  Py_ssize_t at[64] = {};  // the largest number of axes a buffer may have
  for (int i = 0; i < nd; ++i)
    if (from.shape[i] == 0) return;
  for (const char* column = static_cast<const char*>(from.buf);;) {
    for (Py_ssize_t i = 0; i < inner; ++i) {
      From element;
      std::memcpy(&element, column + i * step, sizeof element);
      *to++ = convert(element);
    }
    int axis = 1;
    for (; axis < nd; ++axis) {
      column += from.strides[axis];
      if (++at[axis] < from.shape[axis]) break;
      column -= at[axis] * from.strides[axis];
      at[axis] = 0;
    }
    if (axis >= nd) return;
  }
}

/// Calls f with a null pointer of the element type of a view; false if it is none that C++ knows.
template <class F>
bool with_element_type(const Py_buffer& view, F&& f) {
  const char* format = view.format ? view.format : "B";
  if (*format == '@' || *format == '=') ++format;
  if (format[0] == 0 || format[1] != 0) return false;
  const bool is_signed = std::strchr("bhilqn", *format), is_unsigned = std::strchr("BHILQN?", *format);
  switch (view.itemsize) {
    case 1: return is_signed ? f((int8_t*)nullptr) : is_unsigned && f((uint8_t*)nullptr);
    case 2: return is_signed ? f((int16_t*)nullptr) : is_unsigned && f((uint16_t*)nullptr);
    case 4:
      if (*format == 'f') return f((float*)nullptr);
      return is_signed ? f((int32_t*)nullptr) : is_unsigned && f((uint32_t*)nullptr);
    case 8:
      if (*format == 'd') return f((double*)nullptr);
      return is_signed ? f((int64_t*)nullptr) : is_unsigned && f((uint64_t*)nullptr);
    default: return false;
  }
}

bool read_view(Py_buffer& view, Numbers& to) {
  to.shape.assign(view.shape, view.shape + view.ndim);
  size_t count = 1;
  for (const size_t n : to.shape) count *= n;
  to.values.resize(count);
  return with_element_type(view, [&]<class T>(T*) {
    copy_elements<T>(view, to.values.data(), [](T x) { return static_cast<real>(x); });
    return true;
  });
}

/// Reads an object that has a buffer of a known type. Rotating shape and strides moves the first axis.
bool read_buffer(PyObject* o, bool rows_first, Numbers& to) {
  View view(o);
  if (!view) return false;
  if (rows_first && view->ndim > 1) {
    std::rotate(view->shape, view->shape + 1, view->shape + view->ndim);
    std::rotate(view->strides, view->strides + 1, view->strides + view->ndim);
  }
  const bool known = read_view(*view, to);
  if (rows_first && view->ndim > 1) {
    std::rotate(view->shape, view->shape + view->ndim - 1, view->shape + view->ndim);
    std::rotate(view->strides, view->strides + view->ndim - 1, view->strides + view->ndim);
  }
  return known;
}

/// A list of numbers without lists in it; false if there is something else in it.
bool read_flat(PyObject* o, Numbers& to) {
  const bool is_list = PyList_Check(o);
  if (!is_list && !PyTuple_Check(o)) return false;
  const Py_ssize_t n = is_list ? NB_LIST_GET_SIZE(o) : NB_TUPLE_GET_SIZE(o);
  to.shape = {static_cast<size_t>(n)};
  to.values.resize(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = is_list ? NB_LIST_GET_ITEM(o, i) : NB_TUPLE_GET_ITEM(o, i);
    real& number = to.values[static_cast<size_t>(i)];
    if (PyFloat_Check(item))
      number = static_cast<real>(PyFloat_AsDouble(item));
    else if (expression_in(item))
      throw nb::type_error("a list of expressions was given; a list of numbers is needed");
    else if (!PyLong_Check(item) || !read_real(item, number))
      return false;
  }
  return true;
}

/// What NumPy can make an array of: anything that offers one, and other iterables as lists.
nb::object whole_array(PyObject* o) {
  if (expression_in(o))
    throw nb::type_error("an Expression was given; numbers are needed: use its npvalue()");
  if (is_array(o) || PyList_Check(o) || PyTuple_Check(o) || PyObject_HasAttrString(o, "__array__"))
    return nb::borrow(o);
  if (PyObject_HasAttrString(o, "__dlpack__"))
    return nb::object(nb::module_::import_("numpy").attr("from_dlpack")(nb::handle(o)));
  nb::list list;
  const bool has_no_numbers = PyUnicode_Check(o) || PyBytes_Check(o) || PyByteArray_Check(o);
  const bool has_no_order = PyDict_Check(o) || PyAnySet_Check(o);
  if (has_no_numbers || has_no_order || !for_each(o, [&](PyObject* item) { list.append(nb::handle(item)); }))
    throw nb::type_error(
        text("a ", type_name(o), " was given; an array or a list of numbers is needed").c_str());
  return list;
}

/// The array itself if it holds real numbers; NumPy would also read texts, None and complex numbers as such.
nb::object real_array(const nb::object& array) {
  const nb::object type = array.attr("dtype");
  const char kind = *nb::str(type.attr("kind")).c_str();
  if (std::strchr("biuf", kind)) return array;
  if (kind != 'O')
    throw nb::type_error(
        text("an array of type ", nb::str(type).c_str(), " was given; real numbers are needed").c_str());
  real number;
  const auto check = [&](PyObject* item) {
    if (!read_real(item, number))
      throw nb::type_error(
          text("a ", type_name(item), " among numbers was given; a number is needed").c_str());
  };
  for_each(nb::object(array.attr("flat")).ptr(), check);
  return array;
}

}  // namespace

Dim Numbers::dim(bool batched) const {
  const size_t nd = shape.size() - (batched ? 1 : 0);
  if (batched && shape.empty()) invalid("a number alone has no batch axis; an array with one is needed");
  if (nd > Dim::max_dims) invalid("an array with ", nd, " axes; at most ", Dim::max_dims, " are possible");
  for (const size_t n : shape)
    if (n == 0 || n > std::numeric_limits<unsigned>::max())
      invalid("an array with an axis of size ", n, "; every size must be at least 1");
  Dim dim(shape.data(), nd, batched ? static_cast<unsigned>(shape.back()) : 1);
  if (dim.nd == 0) dim.d[dim.nd++] = 1;
  return dim;
}

Numbers read_numbers(PyObject* o, bool rows_first) {
  Numbers numbers;
  if (read_flat(o, numbers) || read_buffer(o, rows_first, numbers)) return numbers;
  const nb::object array = asarray()(real_array(asarray()(whole_array(o))), type_code);
  if (!read_buffer(array.ptr(), rows_first, numbers))
    throw nb::type_error("an array that holds no numbers was given");
  return numbers;
}

bool is_array(PyObject* o) { return PyObject_IsInstance(o, ndarray().ptr()) == 1; }

bool read_integers(PyObject* o, std::vector<unsigned>& to) {
  View view(o);
  if (!view) return false;
  size_t count = 1;
  for (int i = 0; i < view->ndim; ++i) count *= static_cast<size_t>(view->shape[i]);
  return with_element_type(*view, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T>) {
      const size_t before = to.size();
      to.resize(before + count);
      copy_elements<T>(*view, to.data() + before, [](T x) {
        if (std::cmp_less(x, 0) || std::cmp_greater(x, std::numeric_limits<unsigned>::max()))
          invalid("an index of ", +x, "; indices are whole numbers from 0 on");
        return static_cast<unsigned>(x);
      });
      return true;
    }
    return false;
  });
}

Array array_of(const Dim& dim, const real* values) {
  nb::list shape;
  for (unsigned i = 0; i < dim.nd; ++i) shape.append(dim.d[i]);
  if (dim.bd > 1) shape.append(dim.bd);
  nb::object array = empty()(shape, type_code, "F");
  View view(array.ptr(), PyBUF_WRITABLE | PyBUF_STRIDES);
  if (!view) failed("NumPy gave an array that cannot be written");
  std::memcpy(view->buf, values, dim.size() * sizeof(real));
  return array;
}

Array rows_of(const Dim& dim, const real* values) {
  return nb::object(array_of(dim, values).attr("transpose")([&] {
    nb::list axes;
    for (unsigned i = 0; i < dim.nd; ++i) axes.append(i == 0 ? dim.nd - 1 : i - 1);
    return axes;
  }()));
}

Floats list_of(const real* values, size_t count) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(count));
  if (!list) nb::raise_python_error();
  for (size_t i = 0; i < count; ++i)
    NB_LIST_SET_ITEM(list, static_cast<Py_ssize_t>(i), PyFloat_FromDouble(values[i]));
  return nb::steal<Floats>(list);
}

}  // namespace dynet::python
