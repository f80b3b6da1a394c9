// Reading and writing of NumPy arrays through the buffer protocol.
#include "python/src/numbers.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>

#include "dynet/device/on_host.h"
#include "python/src/layout.h"
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

nb::handle generic() {
  static PyObject* cache;
  return numpy("generic", cache);
}

bool is_of_type(PyObject* o, nb::handle type) {
  return PyObject_TypeCheck(o, reinterpret_cast<PyTypeObject*>(type.ptr()));
}

/// A view of an object's memory, if it has one that holds numbers: texts have none, and NumPy says of its own
/// scalars, as dates, what they hold. No program runs while one is read.
class View {
 public:
  explicit View(PyObject* o, int flags = PyBUF_STRIDES | PyBUF_FORMAT) {
    if (!PyObject_CheckBuffer(o) || PyBytes_Check(o) || PyByteArray_Check(o) || is_of_type(o, generic()))
      return;
    refuse_masked(o);
    open_ = PyObject_GetBuffer(o, &buffer_, flags) == 0;
    if (!open_) {
      if (!PyErr_ExceptionMatches(PyExc_Exception)) nb::raise_python_error();
      PyErr_Clear();  // NumPy is asked
    } else if (!read_layout()) {
      PyBuffer_Release(&buffer_);
      open_ = false;
    }
  }
  ~View() {
    if (open_) PyBuffer_Release(&buffer_);
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  explicit operator bool() const { return open_; }
  const Py_buffer* operator->() const { return &buffer_; }
  std::span<const Py_ssize_t> shape() const { return {shape_, axes_}; }
  std::span<const Py_ssize_t> strides() const { return {strides_, axes_}; }
  /// How many elements it has; out_of_memory where nothing could hold them.
  size_t count() const {
    if (std::ranges::count(shape(), 0)) return 0;
    size_t count = 1, left = PTRDIFF_MAX / sizeof(real);
    for (const Py_ssize_t n : shape()) count *= static_cast<size_t>(n), left /= static_cast<size_t>(n);
    if (left == 0) throw out_of_memory("out of memory: an array of more than 2 to the power of 60 elements");
    return count;
  }
  bool holds_truths() const { return buffer_.format && std::string_view(buffer_.format).ends_with('?'); }
  /// Makes the first axis the last one.
  void rotate() {
    if (axes_ < 2) return;
    std::rotate(shape_, shape_ + 1, shape_ + axes_);
    std::rotate(strides_, strides_ + 1, strides_ + axes_);
  }

 private:
  static constexpr size_t most_axes = AxisLoops::most;

  /// Copies shape and strides, which the exporter shares; those that it leaves out are of rows without gaps.
  bool read_layout() {
    axes_ = static_cast<size_t>(std::max(0, buffer_.ndim));
    if (axes_ > most_axes || buffer_.itemsize <= 0 || buffer_.suboffsets) return false;
    if (axes_ > 1 && !buffer_.shape) return false;
    Py_ssize_t stride = buffer_.itemsize;
    for (size_t i = axes_; i-- > 0;) {
      shape_[i] = buffer_.shape ? buffer_.shape[i] : buffer_.len / buffer_.itemsize;
      strides_[i] = buffer_.strides ? buffer_.strides[i] : stride;
      stride *= std::max<Py_ssize_t>(1, shape_[i]);
    }
    return true;
  }

  Py_buffer buffer_;
  Py_ssize_t shape_[most_axes], strides_[most_axes];
  size_t axes_ = 0;
  bool open_ = false;
};

/// Writes the elements of a view, column-major, each converted by `convert`.
template <class From, class To, class Convert>
void copy_elements(const View& from, To* to, Convert convert) {
  AxisLoops loops;
  ptrdiff_t step = 1;
  for (size_t i = 0; i < from.shape().size(); ++i) {
    loops.add({static_cast<size_t>(from.shape()[i]), from.strides()[i], step});
    step *= from.shape()[i];
  }
  copy_along<From>(loops, static_cast<const char*>(from->buf), to, convert);
}

/// Calls f with a null pointer of the element type of a view; false if it is none that C++ knows.
template <class F>
bool with_element_type(const View& view, F&& f) {
  const char* format = view->format ? view->format : "B";
  if (*format == '@' || *format == '=' || *format == (std::endian::native == std::endian::little ? '<' : '>'))
    ++format;
  if (format[0] == 0 || format[1] != 0) return false;
  const bool is_signed = std::strchr("bhilqn", *format), is_unsigned = std::strchr("BHILQN?", *format);
  switch (view->itemsize) {
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

/// Memory for the numbers of an array.
void resize(std::vector<real>& values, size_t count) {
  try {
    values.resize(count);
  } catch (const std::bad_alloc&) {
    throw out_of_memory(text("out of memory: an array of ", count, " numbers was given"));
  }
}

/// Reads an object that has a buffer of a known type; with rows_first its first axis becomes the last one.
bool read_buffer(PyObject* o, bool rows_first, Numbers& to) {
  View view(o);
  if (!view) return false;
  if (rows_first) view.rotate();
  to.shape.assign(view.shape().begin(), view.shape().end());
  return with_element_type(view, [&]<class T>(T*) {
    resize(to.values, view.count());
    copy_elements<T>(view, to.values.data(), [](T x) { return static_cast<real>(x); });
    return true;
  });
}

/// A list of numbers without lists in it; false if there is something else in it.
bool read_flat(PyObject* o, Numbers& to) {
  const bool is_list = PyList_Check(o);
  if (!is_list && !PyTuple_Check(o)) return false;
  const Py_ssize_t n = is_list ? NB_LIST_GET_SIZE(o) : NB_TUPLE_GET_SIZE(o);
  to.shape = {static_cast<size_t>(n)};
  resize(to.values, static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = is_list ? NB_LIST_GET_ITEM(o, i) : NB_TUPLE_GET_ITEM(o, i);
    real& number = to.values[static_cast<size_t>(i)];
    if (PyFloat_Check(item))
      number = static_cast<real>(PyFloat_AsDouble(item));
    else if (expression_in(item))
      throw type_error("a list of expressions was given; a list of numbers is needed");
    else if (!PyLong_Check(item) || !read_real(item, number))
      return false;
  }
  return true;
}

/// What NumPy can make an array of: anything that offers one, and other iterables as lists.
nb::object whole_array(PyObject* o) {
  if (expression_in(o)) throw type_error("an Expression was given; numbers are needed: use its npvalue()");
  const bool is_sequence = PyList_Check(o) || PyTuple_Check(o);
  if (is_sequence) for_each(o, refuse_masked);
  if (is_sequence || is_array(o) || PyObject_HasAttrString(o, "__array__")) return nb::borrow(o);
  if (PyObject_HasAttrString(o, "__dlpack__"))
    return nb::object(nb::module_::import_("numpy").attr("from_dlpack")(nb::handle(o)));
  nb::list list;
  const bool has_no_numbers = PyUnicode_Check(o) || PyBytes_Check(o) || PyByteArray_Check(o);
  const bool has_no_order = PyDict_Check(o) || PyAnySet_Check(o);
  if (has_no_numbers || has_no_order || !for_each(o, [&](PyObject* item) { list.append(nb::handle(item)); }))
    throw type_error(text(a_kind(o), " was given; an array or a list of numbers is needed"));
  return list;
}

/// NumPy's array of it; what NumPy says of lists that are no array is said as other errors are.
nb::object array_from(const nb::object& o) {
  PyObject* array = PyObject_CallFunctionObjArgs(asarray().ptr(), o.ptr(), nullptr);
  if (!array) {
    const bool is_list = PyList_Check(o.ptr()) || PyTuple_Check(o.ptr());
    if (!is_list || !PyErr_ExceptionMatches(PyExc_ValueError)) nb::raise_python_error();
    PyErr_Clear();
    invalid("a list whose parts differ in length or depth was given; all rows of an array are equally long");
  }
  return nb::steal(array);
}

/// The array itself if it holds real numbers; NumPy would also read texts, None and complex numbers as such.
nb::object real_array(const nb::object& array) {
  const nb::object type = array.attr("dtype");
  const char kind = *nb::str(type.attr("kind")).c_str();
  if (std::strchr("biuf", kind)) return array;
  if (kind != 'O')
    throw type_error(
        text("an array of type ", nb::str(type).c_str(), " was given; real numbers are needed").c_str());
  real number;
  const auto check = [&](PyObject* item) {
    if (!read_real(item, number))
      throw type_error(text(a_kind(item), " among numbers was given; a number is needed"));
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

std::vector<real> Numbers::of(const Dim& dim, const char* call) && {
  std::vector<size_t> own(dim.d, dim.d + dim.nd);
  own.push_back(dim.bd);
  const auto without_ones = [](std::vector<size_t> sizes) {
    std::erase(sizes, size_t{1});
    return sizes;
  };
  if (!are_a_list() && values.size() == dim.size() && without_ones(shape) != without_ones(own))
    invalid(call, ": an array of shape ", this->dim(), " for a tensor of shape ", dim,
            "; an array of that shape, or one list, column-major, is needed");
  return std::move(values);
}

Numbers read_numbers(PyObject* o, bool rows_first) {
  Numbers numbers;
  if (read_flat(o, numbers) || read_buffer(o, rows_first, numbers)) return numbers;
  const nb::object array = asarray()(real_array(array_from(whole_array(o))), type_code);
  if (!read_buffer(array.ptr(), rows_first, numbers))
    throw type_error("an array that holds no numbers was given");
  return numbers;
}

void refuse_masked(PyObject* o) {
  if (reinterpret_cast<PyObject*>(Py_TYPE(o)) == ndarray().ptr() || !is_array(o)) return;
  static PyObject* cache;
  const nb::handle masked = numpy("ma", cache);
  if (is_of_type(o, masked.attr("MaskedArray")) && nb::cast<bool>(masked.attr("is_masked")(nb::handle(o))))
    throw type_error(
        "a masked array was given, some of whose places have no number; numbers are needed in all of them: "
        "its filled(0) has 0 there");
}

bool is_truth(PyObject* o) {
  static PyObject* cache;
  return PyBool_Check(o) || is_of_type(o, numpy("bool_", cache));
}

void refuse_truths() {
  throw type_error(
      "a list of truths was given; a list of whole numbers is needed: numpy.flatnonzero(mask) has the places "
      "at which a mask is true, and x[mask] what lies there");
}

bool is_array(PyObject* o) { return is_of_type(o, ndarray()); }
bool is_array_with_axes(PyObject* o) {
  return is_array(o) && nb::cast<size_t>(nb::handle(o).attr("ndim")) > 0;
}

bool read_integers(PyObject* o, Elements<unsigned>& to) {
  View view(o);
  if (!view) return false;
  to.has_truths |= view.holds_truths();
  if (std::ranges::count_if(view.shape(), [](Py_ssize_t n) { return n != 1; }) > 1)
    throw type_error(text("an array of indices with ", view.shape().size(),
                          " axes was given; a list of whole numbers, with one axis, is needed"));
  return with_element_type(view, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T>) {
      copy_elements<T>(view, to.extend(view.count()), [](T x) {
        if (std::cmp_less(x, 0) || std::cmp_greater(x, std::numeric_limits<unsigned>::max()))
          invalid("an index of ", +x, "; indices are whole numbers from 0 on");
        return static_cast<unsigned>(x);
      });
      return true;
    }
    return false;
  });
}

NewArray::NewArray(const Dim& dim, bool batched, size_t rows) : dim_(dim) {
  nb::list shape;
  if (rows != no_rows) shape.append(rows);
  for (unsigned i = 0; i < dim.nd; ++i) shape.append(dim.d[i]);
  if (dim.bd > 1 || batched) shape.append(dim.bd);
  array = empty()(shape, type_code);
  View view(array.ptr(), PyBUF_WRITABLE | PyBUF_STRIDES);
  if (!view) failed("NumPy gave an array that cannot be written");
  numbers_ = static_cast<real*>(view->buf);
}

void NewArray::write(const real* numbers, size_t row) const {
  const OnHost from(numbers, dim_.size());
  real* const to = numbers_ + row * dim_.size();
  AxisLoops loops;
  size_t inside = 1;
  const auto axis = [&](size_t n) {
    const size_t after = n ? dim_.size() / (inside * n) : 1;
    loops.add({n, static_cast<ptrdiff_t>(inside * sizeof(real)), static_cast<ptrdiff_t>(after)});
    inside *= n;
  };
  for (unsigned i = 0; i < dim_.nd; ++i) axis(dim_.d[i]);
  axis(dim_.bd);
  if (loops.all().size() < 2) return std::copy_n(from.data(), dim_.size(), to), void();
  copy_along<real>(loops, reinterpret_cast<const char*>(from.data()), to, [](real x) { return x; });
}

Array array_of(const Dim& dim, const real* values, bool batched) {
  const NewArray to(dim, batched);
  to.write(values);
  return to.array;
}

Floats list_of(const real* values, size_t count) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(count));
  if (!list) nb::raise_python_error();
  const OnHost numbers(values, count);
  for (size_t i = 0; i < count; ++i)
    NB_LIST_SET_ITEM(list, static_cast<Py_ssize_t>(i), PyFloat_FromDouble(numbers[i]));
  return nb::steal<Floats>(list);
}

}  // namespace dynet::python
