// The operators of expressions and their conversion to numbers, as slots of the type.
#include <cmath>

#include "dynet/ops/all.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using Operator = PyObject* (*)(PyObject*, PyObject*);

PyObject* not_implemented() {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

/// A list, a tuple, or a tensor of NumPy or another toolkit: what inputTensor makes an expression of. Types
/// with operators of their own for all else, as those of pandas, get their turn.
bool is_operand(PyObject* o) {
  return PyList_Check(o) || PyTuple_Check(o) || PyObject_HasAttrString(o, "__dlpack__");
}

bool holds_objects(PyObject* o) {
  return is_array(o) && *nb::str(nb::handle(o).attr("dtype").attr("kind")).c_str() == 'O';
}

/// The object as an array without axes, so that NumPy applies an operator to it and to each element.
nb::object in_array(PyObject* o) {
  nb::object array = nb::module_::import_("numpy").attr("empty")(nb::tuple(), "O");
  array[nb::tuple()] = nb::handle(o);
  return array;
}

/// An operator between an expression and what is neither an expression nor a number.
template <class Both>
[[gnu::noinline]] PyObject* with_operand(const char* call, PyObject* a, PyObject* b, Both both, Operator op) {
  const bool is_left = expression_in(a);
  PyObject* const other = is_left ? b : a;
  if (!is_operand(other)) return not_implemented();
  if (holds_objects(other)) {
    const nb::object own = in_array(is_left ? a : b);
    return all_or_nothing([&] { return or_throw(is_left ? op(own.ptr(), b) : op(a, own.ptr())); },
                          *expression_in(is_left ? a : b));
  }
  const Numbers numbers = read_numbers(other);
  const Expression& x = *expression_in(is_left ? a : b);
  check_fresh(call, x);
  Graph& graph = x.is_parameter() ? current_graph() : *x.pg;
  return new_expression(all_or_nothing(
      [&] {
        const Expression y = Input::make(graph, numbers.dim(), numbers.values);
        return is_left ? both(x, y) : both(y, x);
      },
      x));
}

/// What an operator makes of one expression; errors name it, not the operation that it is.
template <class F>
PyObject* unary(const char* call, F&& f) noexcept {
  try {
    return new_expression(f());
  } catch (...) {
    set_python_error();
    begin_with(call, true);
    return nullptr;
  }
}

/// An operator between two expressions, or an expression and a number on either side.
template <class Both, class Right, class Left>
PyObject* binary(const char* call, PyObject* a, PyObject* b, Operator op, Both both, Right number_right,
                 Left number_left) {
  return guarded(call, [&]() -> PyObject* {
    const Expression *x = expression_in(a), *y = expression_in(b);
    if (x && y) return new_expression(both(*x, *y));
    real number;
    if (x && read_real(b, number)) return unary(call, [&] { return number_right(*x, number); });
    if (y && read_real(a, number)) return unary(call, [&] { return number_left(number, *y); });
    return with_operand(call, a, b, both, op);
  });
}

PyObject* add(PyObject* a, PyObject* b) {
  const auto plus = [](const auto& x, const auto& y) { return x + y; };
  return binary("x + y", a, b, PyNumber_Add, plus, plus, plus);
}
PyObject* subtract(PyObject* a, PyObject* b) {
  const auto minus = [](const auto& x, const auto& y) { return x - y; };
  return binary("x - y", a, b, PyNumber_Subtract, minus, minus, minus);
}
PyObject* multiply(PyObject* a, PyObject* b) {
  const auto times = [](const auto& x, const auto& y) { return x * y; };
  return binary("x * y", a, b, PyNumber_Multiply, times, times, times);
}
PyObject* divide(PyObject* a, PyObject* b) {
  const auto over = [](const auto& x, const auto& y) { return x / y; };
  return binary("x / y", a, b, PyNumber_TrueDivide, over, over, over);
}

/// A product of matrices; a number is none.
PyObject* matrix_multiply(PyObject* a, PyObject* b) {
  return guarded("x @ y", [&]() -> PyObject* {
    const Expression *x = expression_in(a), *y = expression_in(b);
    if (x && y) return new_expression(*x * *y);
    const auto times = [](const auto& left, const auto& right) { return left * right; };
    return with_operand("x @ y", a, b, times, PyNumber_Multiply);  // of each in an array of objects
  });
}

/// Trailing sizes of 1 go, whatever the exponent, as they do where it is an expression.
Expression to_the_power(const Expression& x, real exponent) {
  const Dim dim = sizes_of("pow", x), short_dim = dim.truncate();
  return pow(dim == short_dim ? x : reshape(x, short_dim), exponent);
}

Expression power_of(real base, const Expression& exponent) {
  if (!(base > 0)) invalid("pow: ", base, " to the power of an expression; the base must be greater than 0");
  return exp(exponent * std::log(base));
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) return not_implemented();
  const auto again = [](PyObject* x, PyObject* y) { return PyNumber_Power(x, y, Py_None); };
  return binary(
      "x ** y", a, b, again, [](const Expression& x, const Expression& y) { return pow(x, y); }, to_the_power,
      power_of);
}

PyObject* negative(PyObject* o) {
  return unary("-x", [&] { return -*expression_in(o); });
}
PyObject* absolute(PyObject* o) {
  return guarded([&] { return new_expression(abs(*expression_in(o))); });
}
PyObject* positive(PyObject* o) {
  Py_INCREF(o);
  return o;
}

/// Not that of the length: `x or y` asks for no shape.
int truth(PyObject*) { return 1; }

real number_of(const Expression& e, const char* call) {
  return with_value(e, false, [call](const Tensor& t) {
    if (t.d.size() != 1)
      throw type_error(text(call, ": the expression has shape ", t.d,
                            "; one number is needed; npvalue() is an array of all of them"));
    return as_scalar(t);
  });
}
PyObject* as_float(PyObject* o) {
  return guarded("float", [&] { return PyFloat_FromDouble(number_of(*expression_in(o), "float")); });
}
PyObject* as_int(PyObject* o) {
  return guarded("int", [&] { return PyLong_FromDouble(number_of(*expression_in(o), "int")); });
}

}  // namespace

std::vector<PyType_Slot> operator_slots() {
  std::vector<PyType_Slot> slots = {slot(Py_nb_add, add),
                                    slot(Py_nb_subtract, subtract),
                                    slot(Py_nb_multiply, multiply),
                                    slot(Py_nb_matrix_multiply, matrix_multiply),
                                    slot(Py_nb_true_divide, divide),
                                    slot(Py_nb_power, power),
                                    slot(Py_nb_negative, negative),
                                    slot(Py_nb_positive, positive),
                                    slot(Py_nb_absolute, absolute),
                                    slot(Py_nb_bool, truth),
                                    slot(Py_nb_float, as_float),
                                    slot(Py_nb_int, as_int)};
  add_subscript_slots(slots);
  return slots;
}

void bind_format() {
  def(
      types.expression, "__format__",
      [](nb::handle self, std::string_view spec) -> nb::str {
        if (spec.empty()) return nb::str(self);
        const nb::float_ number(number_of(*expression_in(self.ptr()), "format"));
        return nb::steal<nb::str>(PyObject_Format(number.ptr(), nb::str(spec.data(), spec.size()).ptr()));
      },
      nb::arg("spec"), "One number as text, as format() writes a float: f\"{loss:.3f}\".");
}

}  // namespace dynet::python
