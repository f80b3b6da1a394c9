// The Python types of expressions and parameters, written by hand: they are made once per node.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "dynet/graph/graph.h"
#include "dynet/params/lookup.h"

namespace dynet::python {

using namespace engine;

namespace nb = nanobind;

/// A handle of a node, or of a parameter that becomes a node where it is used.
struct ExpressionObject {
  PyObject_HEAD Expression value;
};

/// An Expression that shares a parameter, so that it never dangles and is never stale.
struct ParametersObject {
  ExpressionObject base;
  Parameter parameter;
};
struct LookupObject {
  ExpressionObject base;
  LookupParameter lookup;
};

struct Types {
  PyTypeObject *expression, *parameters, *lookup, *transposed;
};
extern Types types;

/// A new reference; with check_graph() each one is evaluated at once. The expression comes in registers, as
/// copying one that was just written waits for its halves.
PyObject* new_expression(Expression e, PyTypeObject* type);
inline PyObject* new_expression(Expression e) { return new_expression(e, types.expression); }
PyObject* new_parameters(const Parameter& p);
PyObject* new_lookup(const LookupParameter& p);

/// Sizes as Python writes a tuple; those of a table with its rows first.
std::string sizes_text(const Dim& dim, bool is_table = false);

/// Whether the expressions of a graph that was just begun are evaluated as soon as they are made, and whether
/// they are then checked for NaN.
void check_graph(Graph& graph, bool immediate_compute, bool check_validity);
/// Whether expressions of the graph are evaluated as soon as they are made.
bool is_checked(const Graph& graph);

/// Hears that lines of the program are recorded from now on, or no more.
void watch_expressions();

/// What an Expression or a Parameters holds; null for other objects.
inline const Expression* expression_in(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  if (type == types.expression || type == types.parameters || type == types.lookup ||
      type == types.transposed)
    return &reinterpret_cast<ExpressionObject*>(o)->value;
  return nullptr;
}

/// An argument of another type than is needed: Python sees TypeError.
struct type_error : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// Turns the C++ exception being handled into a Python one.
void set_python_error();

/// Whether set_python_error made this error, last of all.
bool was_made_here(PyObject* error);
/// The error that is set begins with what the program wrote: calls around that one let it be.
void leave_as_it_is();
/// The same; it begins with a call, unless it does with that of a function. `instead`: also if it does with
/// that of an operation, which the program has not written.
void begin_with(const char* call, bool instead = false);
/// Sets a Python error.
void raise_error(PyObject* type, const std::string& text);

/// Runs f for a type slot: no exception leaves it.
template <class F>
PyObject* guarded(F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    leave_as_it_is();
    return nullptr;
  }
}

/// The same for one that the program wrote as `call`, where an error begins with no other.
template <class F>
PyObject* guarded(const char* call, F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error();
    begin_with(call);
    return nullptr;
  }
}

/// A result, or the error that is set.
inline PyObject* or_throw(PyObject* result) {
  if (!result) nb::raise_python_error();
  return result;
}

/// Adds a method to one of the types, with signature and docstring.
template <class F, class... Extra>
void def(PyTypeObject* type, const char* name, F&& f, const Extra&... extra) {
  nb::cpp_function_def(std::forward<F>(f), nb::scope(reinterpret_cast<PyObject*>(type)), nb::name(name),
                       nb::is_method(), extra...);
}

/// Says of a class whose objects programs only get how they get them.
template <class T, class... Extra>
void no_constructor(nb::class_<T, Extra...>& type, const char* instead) {
  const auto refuse = [instead](T*, const nb::args&, const nb::kwargs&) {
    throw type_error(text("no object of this class is made by its name; ", instead));
  };
  type.def("__init__", refuse, nb::sig("def __init__(self, *args: object, **kwargs: object) -> None"));
}

/// The slots that all three types share: operators and indexing.
std::vector<PyType_Slot> operator_slots();
/// Those of keys, which are among them.
void add_subscript_slots(std::vector<PyType_Slot>& slots);
/// Rows of a lookup table, as slots.
PyObject* lookup_row(PyObject* table, PyObject* key);
PyObject* lookup_item(PyObject* table, Py_ssize_t row);
Py_ssize_t lookup_length(PyObject* table);

template <class F>
PyType_Slot slot(int id, F* function) {
  return {id, reinterpret_cast<void*>(function)};
}

void bind_types(nb::module_& m);
void bind_expression(nb::module_& m);
void bind_tensor(nb::module_& m);
void bind_ops(nb::module_& m);
void bind_graph(nb::module_& m);
void bind_inputs(nb::module_& m);
void bind_initializers(nb::module_& m);
void bind_parameters(nb::module_& m);
void bind_lookups(nb::module_& m);
/// Those of all expressions that parameters have under the same name as methods of their own.
void bind_shape(nb::module_& m);
void bind_format();
void bind_collection(nb::module_& m);
void bind_model_files(nb::module_& m);
void bind_pair(nb::module_& m);
void bind_trainers(nb::module_& m);
void bind_shards(nb::module_& m);
void bind_builders(nb::module_& m);
void bind_treelstm(nb::module_& m);
void bind_softmax(nb::module_& m);
void bind_pickling(nb::module_& m);
void bind_function(nb::module_& m);
void bind_structured(nb::module_& m);
void bind_cell(nb::module_& m);
void bind_cell_steps(nb::module_& m);
void bind_tasks(nb::module_& m);
/// Profiles, and why nodes run apart.
void bind_inspection(nb::module_& m);

}  // namespace dynet::python
