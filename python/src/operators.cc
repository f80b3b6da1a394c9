// The operators of expressions and their indexing, as slots of the type.
#include "dynet/ops/all.h"
#include "python/src/read.h"

namespace dynet::python {
namespace {

PyObject* not_implemented() {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

PyObject* refuse(const char* message) {
  PyErr_SetString(PyExc_NotImplementedError, message);
  return nullptr;
}

/// An operator between two expressions, or an expression and a number on either side.
template <class Both, class Right, class Left>
PyObject* binary(PyObject* a, PyObject* b, Both both, Right number_right, Left number_left) {
  return guarded([&]() -> PyObject* {
    const Expression *x = expression_in(a), *y = expression_in(b);
    if (x && y) return new_expression(both(*x, *y));
    real number;
    if (x && read_real(b, number)) return new_expression(number_right(*x, number));
    if (y && read_real(a, number)) return new_expression(number_left(number, *y));
    return not_implemented();
  });
}

PyObject* add(PyObject* a, PyObject* b) {
  const auto plus = [](const auto& x, const auto& y) { return x + y; };
  return binary(a, b, plus, plus, plus);
}
PyObject* subtract(PyObject* a, PyObject* b) {
  const auto minus = [](const auto& x, const auto& y) { return x - y; };
  return binary(a, b, minus, minus, minus);
}
PyObject* multiply(PyObject* a, PyObject* b) {
  const auto times = [](const auto& x, const auto& y) { return x * y; };
  return binary(a, b, times, times, times);
}
PyObject* negative(PyObject* a) {
  return guarded([&] { return new_expression(-*expression_in(a)); });
}

PyObject* divide(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    const Expression* x = expression_in(a);
    real number;
    if (!x)
      return read_real(a, number) ? refuse("a number divided by an Expression: use cdiv") : not_implemented();
    if (expression_in(b)) return refuse("an Expression divided by an Expression: use cdiv");
    return read_real(b, number) ? new_expression(*x / number) : not_implemented();
  });
}

/// Trailing sizes of 1 go, whatever the exponent, as they do where it is an expression.
Expression to_the_power(const Expression& x, real exponent) {
  const Dim dim = sizes_of("pow", x), short_dim = dim.truncate();
  return pow(dim == short_dim ? x : reshape(x, short_dim), exponent);
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  return guarded([&]() -> PyObject* {
    const Expression *x = expression_in(a), *y = expression_in(b);
    real number;
    if (modulus != Py_None) return not_implemented();
    if (x && y) return new_expression(pow(*x, *y));
    if (x) return read_real(b, number) ? new_expression(to_the_power(*x, number)) : not_implemented();
    return read_real(a, number) ? refuse("a number to the power of an Expression: use exp(log(number) * x)")
                                : not_implemented();
  });
}

Expression pick_row(const Expression& x, long long index) {
  const long long size = sizes_of("pick", x)[0];
  if (index < -size || index >= size)
    bad_index("index ", index, " of an axis of size ", size, "; ", -size, " to ", size - 1,
              " would be right");
  return Pick::call(x, static_cast<unsigned>(index < 0 ? index + size : index), 0);
}

/// Ranges of the leading axes; one more than there are axes is that of the batch.
struct Ranges {
  unsigned count = 0;
  unsigned step[Dim::max_dims + 1], from[Dim::max_dims + 1], to[Dim::max_dims + 1];
  bool single[Dim::max_dims + 1];  // given as an index: the axis disappears

  void add(PyObject* key, const Dim& dim) {
    if (count > dim.nd) bad_index("more slices than the ", dim.nd, " axes of ", dim, " and the batch");
    const unsigned size = count < dim.nd ? dim.d[count] : dim.bd;
    Py_ssize_t start, stop, stride = 1;
    single[count] = !PySlice_Check(key);
    if (single[count]) {
      start = index_of(key, size);
      stop = start + 1;
    } else {
      if (PySlice_Unpack(key, &start, &stop, &stride) < 0) nb::raise_python_error();
      if (stride <= 0) bad_index("a slice with step ", stride, "; a positive step is needed");
      if (PySlice_AdjustIndices(size, &start, &stop, stride) == 0)
        bad_index("slice ", start, ":", stop, " of an axis of size ", size, " is empty");
    }
    step[count] = static_cast<unsigned>(stride);
    from[count] = static_cast<unsigned>(start);
    to[count++] = static_cast<unsigned>(stop);
  }
  Expression of(const Expression& x, const Dim& dim) const {
    const auto list = [&](const unsigned* all) { return Indices(std::span(all, count)); };
    const unsigned axes = std::min(count, dim.nd);
    Expression part = StridedSelect::call(x, list(step), list(from), list(to));
    for (unsigned axis = axes; axis-- > 0;)
      if (single[axis]) part = Pick::call(part, 0, axis);
    return part;
  }

 private:
  static Py_ssize_t index_of(PyObject* key, long long size) {
    long long index;
    if (!PyIndex_Check(key) || !read_whole(key, index))
      throw type_error(
          text("an index is a ", type_name(key), "; a whole number or a slice is needed").c_str());
    if (index < -size || index >= size)
      bad_index("index ", index, " of an axis of size ", size, "; ", -size, " to ", size - 1,
                " would be right");
    return static_cast<Py_ssize_t>(index < 0 ? index + size : index);
  }
};

PyObject* subscript(PyObject* o, PyObject* key) {
  return guarded([&] {
    const Expression& x = *expression_in(o);
    long long index;
    if (PyIndex_Check(key) && read_whole(key, index)) return new_expression(pick_row(x, index));
    Dim dim = sizes_of("strided_select", x);
    if (PyTuple_Check(key) && NB_TUPLE_GET_SIZE(key) > dim.nd) dim = shape_of("strided_select", x);
    Ranges ranges;
    if (PyTuple_Check(key)) {
      for (Py_ssize_t i = 0; i < NB_TUPLE_GET_SIZE(key); ++i) ranges.add(NB_TUPLE_GET_ITEM(key, i), dim);
    } else {
      ranges.add(key, dim);
    }
    return new_expression(ranges.of(x, dim));
  });
}

/// Makes expressions iterable.
PyObject* item(PyObject* o, Py_ssize_t index) {
  return guarded([&] { return new_expression(pick_row(*expression_in(o), index)); });
}

}  // namespace

std::vector<PyType_Slot> operator_slots() {
  return {slot(Py_nb_add, add),
          slot(Py_nb_subtract, subtract),
          slot(Py_nb_multiply, multiply),
          slot(Py_nb_true_divide, divide),
          slot(Py_nb_power, power),
          slot(Py_nb_negative, negative),
          slot(Py_mp_subscript, subscript),
          slot(Py_sq_item, item)};
}

}  // namespace dynet::python
