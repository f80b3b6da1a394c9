// The type objects of Expression, Parameters and LookupParameters: how they are made, freed and printed.
#include "python/src/object.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "dynet/device/arena.h"
#include "dynet/run/describe.h"
#include "python/src/docs/expression.h"
#include "python/src/docs/input.h"
#include "python/src/docs/lookup.h"
#include "python/src/docs/parameters.h"
#include "python/src/evaluate.h"
#include "python/src/program_lines.h"

namespace dynet::python {

Types types;

namespace {

/// Freed expressions, to be used again: a graph's worth of them comes and goes with every example.
class FreeList {
 public:
  ExpressionObject* take() {
    if (!first_) return static_cast<ExpressionObject*>(PyObject_Malloc(sizeof(ExpressionObject)));
    void* const memory = first_;
    first_ = first_->next;
    --count_;
    return static_cast<ExpressionObject*>(memory);
  }
  void give_back(void* memory) {
    if (count_ == capacity) return PyObject_Free(memory);
    first_ = new (memory) Freed{first_};
    ++count_;
  }

 private:
  struct Freed {
    Freed* next;
  };
  static constexpr size_t capacity = 1 << 16;
  Freed* first_ = nullptr;
  size_t count_ = 0;
};
FreeList free_list;

/// A graph whose expressions are evaluated as soon as they are made.
struct Checked {
  GraphHandle graph;
  unsigned number;
  bool validity;

  bool is(const Graph* other) const { return graph.get_or_null() == other && other->number() == number; }
};
std::vector<Checked> checked;
bool any_watched = false;  // some graph is checked, or lines are recorded

}  // namespace

bool is_checked(const Graph& graph) {
  return std::ranges::any_of(checked, [&](const Checked& c) { return c.is(&graph); });
}

namespace {

void evaluate_if_checked(const Expression& e) {
  const auto found = std::ranges::find_if(checked, [&](const Checked& c) { return c.is(e.pg); });
  if (found == checked.end()) return;
  Graph& graph = *e.pg;
  const auto check = [&graph, validity = found->validity](unsigned node) {
    with_value(graph.expression(node), false, [&](const Tensor& value) {
      if (validity && !value.is_valid())
        failed("NaN or Inf detected in ", graph[node].written().name, ", node ", node, ", ",
               describe(graph, node));
    });
  };
  // Nobody else looks at parameters, which are no nodes before they are arguments.
  for (const uint32_t arg : graph.args(graph[e.i]))
    if (found->validity && graph[arg].op == &parameter_op) check(arg);
  check(e.i);
}

/// Takes a copy, so that a new expression stays in registers until it is in its object.
void watch(Expression e) {
  if (e.is_parameter() || !e.pg) return;
  if (line_record && (*e.pg).is_current(e)) note_line(*e.pg);
  evaluate_if_checked(e);
}

void free_expression(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  in_use.add(reinterpret_cast<ExpressionObject*>(o)->value, size_t(-1));
  free_list.give_back(o);
  Py_DECREF(type);
}

template <class Object>
void free_parameter(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  reinterpret_cast<Object*>(o)->~Object();
  PyObject_Free(o);
  Py_DECREF(type);
}

/// A Parameters or LookupParameters, whose `member` shares the parameter.
template <class Object, class Handle>
PyObject* new_shared(PyTypeObject* type, Handle Object::* member, const Handle& handle) {
  void* memory = PyObject_Malloc(sizeof(Object));
  if (!memory) throw std::bad_alloc();
  auto* o = static_cast<Object*>(memory);
  o->base.value = Expression::of_parameter(&handle.get_storage(), true);
  new (&(o->*member)) Handle(handle);
  return PyObject_Init(reinterpret_cast<PyObject*>(o), type);
}

/// Handles of one parameter are equal, wherever they come from.
PyObject* compare_parameters(PyObject* a, PyObject* b, int operation) {
  if ((operation != Py_EQ && operation != Py_NE) || Py_TYPE(a) != Py_TYPE(b)) Py_RETURN_NOTIMPLEMENTED;
  const bool same = expression_in(a)->storage() == expression_in(b)->storage();
  return PyBool_FromLong(same == (operation == Py_EQ));
}

Py_hash_t hash_of_parameter(PyObject* o) {
  return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(expression_in(o)->storage()) >> 4);
}

/// What str() gives, as in DyNet 2.
std::string short_text(PyObject* o) {
  const Expression& e = *expression_in(o);
  if (e.is_parameter())
    return text(Py_TYPE(o) == types.lookup ? "LookupParameter " : "Parameter ", e.storage()->name);
  if (e.pg && !e.is_stale()) return text("expression ", e.i, '/', (*e.pg).number());
  // What was made after going back carries a stamp, and its graph, whose number it would be, may be gone.
  const bool is_stamp = e.graph_id > std::numeric_limits<unsigned>::max() / 2;
  return text("expression ", e.i, '/', is_stamp ? "?" : text(e.graph_id));
}

}  // namespace

std::string sizes_text(const Dim& dim, bool is_table) {
  std::string sizes = is_table && dim.nd ? text(dim.d[dim.nd - 1], ", ") : "";
  for (unsigned i = 0; i < dim.nd - (is_table ? 1 : 0); ++i) sizes += text(dim.d[i], ", ");
  if (dim.nd > 0) sizes.resize(sizes.size() - (dim.nd > 1 ? 2 : 1));  // the comma stays behind a single size
  return '(' + sizes + ')';
}

namespace {

PyObject* python_text(const std::string& text) {
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
}

PyObject* string_of(PyObject* o) {
  return guarded([&] { return python_text(short_text(o)); });
}

/// What it is: shape, and for a node the operation, for a parameter whether it is at rest.
PyObject* description_of(PyObject* o) {
  return guarded([&] {
    const Expression& e = *expression_in(o);
    std::string all = short_text(o);
    if (e.is_parameter()) {
      all += " of shape " + sizes_text(e.storage()->dim, Py_TYPE(o) == types.lookup);
      if (!e.storage()->updated) all += ", which trainers leave as it is";
    } else if (!e.pg || e.is_stale()) {
      all += ", which is stale";
    } else {
      const Dim& dim = e.dim();
      all += text(" of shape ", sizes_text(dim));
      if (dim.bd > 1) all += text(", a batch of ", dim.bd);
      all += text(": ", (*e.pg)[e.i].written().name);
    }
    return python_text(all);
  });
}

/// Lets a type say, when it is called, where its objects come from.
void no_instances(PyTypeObject* type, const char* instead) {
  nb::cpp_function_def(
      [instead](nb::handle, const nb::args&, const nb::kwargs&) -> nb::object {
        throw type_error(text("no object of this class is made by its name; ", instead));
      },
      nb::scope(reinterpret_cast<PyObject*>(type)), nb::name("__new__"),
      nb::sig("def __new__(cls, *args: object, **kwargs: object) -> typing.Self"));
}

/// A type of this module; programs can derive from those that are not final.
PyTypeObject* make_type(nb::module_& m, const char* name, size_t size, PyType_Slot* slots, PyTypeObject* base,
                        bool is_final = false) {
  // Before Python 3.12 the type keeps this pointer.
  const auto* full_name = new std::string(std::string(nb::str(m.attr("__name__")).c_str()) + "." + name);
  const unsigned flags = Py_TPFLAGS_DEFAULT | (is_final ? 0u : Py_TPFLAGS_BASETYPE);
  PyType_Spec spec{full_name->c_str(), static_cast<int>(size), 0, flags, slots};
  PyObject* type = PyType_FromSpecWithBases(&spec, reinterpret_cast<PyObject*>(base));
  if (!type) nb::raise_python_error();
  m.attr(name) = nb::handle(type);
  return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace

PyObject* new_expression(Expression e, PyTypeObject* type) {
  if (any_watched) [[unlikely]]
    watch(e);
  ExpressionObject* o = free_list.take();
  if (!o) throw std::bad_alloc();
  o->value = e;
  in_use.add(e, 1);
  return PyObject_Init(reinterpret_cast<PyObject*>(o), type);
}

PyObject* new_parameters(const Parameter& p) {
  return new_shared(types.parameters, &ParametersObject::parameter, p);
}
PyObject* new_lookup(const LookupParameter& p) { return new_shared(types.lookup, &LookupObject::lookup, p); }

void check_graph(Graph& graph, bool immediate_compute, bool check_validity) {
  std::erase_if(checked, [&](const Checked& c) {
    const Graph* other = c.graph.get_or_null();
    return !other || other == &graph;
  });
  graph.check_validity = immediate_compute && check_validity;
  if (immediate_compute) checked.push_back({GraphHandle(graph), graph.id(), check_validity});
  watch_expressions();
}

void watch_expressions() { any_watched = line_record || !checked.empty(); }

namespace {

thread_local const PyObject* raised = nullptr;  // the error that was made last; it may be gone

/// Texts may quote file names and files, which need not be UTF-8.
void raise(PyObject* type, const char* text) {
  PyObject* error = PyObject_CallFunction(
      type, "N", PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(std::strlen(text)), "replace"));
  if (!error) return;
  PyErr_SetObject(type, error);
  raised = error;
  Py_DECREF(error);
}
void raise(PyObject* type, const std::exception& e) { raise(type, e.what()); }

}  // namespace

void set_python_error() {
  try {
    throw;
  } catch (nb::python_error& e) {
    e.restore();
  } catch (const nb::builtin_exception& e) {
    raise(e.type() == nb::exception_type::type_error    ? PyExc_TypeError
          : e.type() == nb::exception_type::index_error ? PyExc_IndexError
                                                        : PyExc_ValueError,
          e);
  } catch (const type_error& e) {
    raise(PyExc_TypeError, e);
  } catch (const out_of_memory& e) {
    raise(PyExc_MemoryError, e);
  } catch (const std::bad_alloc&) {
    raise(PyExc_MemoryError, "out of memory");
  } catch (const std::length_error&) {
    raise(PyExc_MemoryError, "out of memory: more was asked for than any machine has");
  } catch (const std::bad_cast&) {
    raise(PyExc_TypeError, "an object of another class, or one whose __init__ has not run, was given");
  } catch (const std::out_of_range& e) {
    raise(PyExc_IndexError, e);
  } catch (const std::logic_error& e) {
    raise(PyExc_ValueError, e);
  } catch (const std::exception& e) {
    raise(PyExc_RuntimeError, e);
  }
}

bool was_made_here(PyObject* error) { return error == raised; }
void leave_as_it_is() { raised = nullptr; }

void raise_error(PyObject* type, const std::string& text) { raise(type, text.c_str()); }

void bind_types(nb::module_& m) {
  const std::vector<PyType_Slot> shared = operator_slots();
  const auto with = [&](std::initializer_list<PyType_Slot> own) {
    std::vector<PyType_Slot> slots = shared;
    slots.insert(slots.end(), own);
    slots.push_back({0, nullptr});
    return slots;
  };
  auto slots = with({slot(Py_tp_dealloc, free_expression),
                     slot(Py_tp_repr, description_of),
                     slot(Py_tp_str, string_of),
                     {Py_tp_doc, const_cast<char*>(docs::expression::type)}});
  types.expression = make_type(m, "Expression", sizeof(ExpressionObject), slots.data(), nullptr);

  slots = {slot(Py_tp_dealloc, free_expression),
           {Py_tp_doc, const_cast<char*>(docs::input::transposed)},
           {0, nullptr}};
  types.transposed =
      make_type(m, "inputTensorTranspose", sizeof(ExpressionObject), slots.data(), types.expression, true);

  slots = with({slot(Py_tp_dealloc, free_parameter<ParametersObject>),
                slot(Py_tp_repr, description_of),
                slot(Py_tp_str, string_of),
                slot(Py_tp_richcompare, compare_parameters),
                slot(Py_tp_hash, hash_of_parameter),
                {Py_tp_doc, const_cast<char*>(docs::parameters::type)}});
  types.parameters = make_type(m, "Parameters", sizeof(ParametersObject), slots.data(), types.expression);

  slots = with({slot(Py_tp_dealloc, free_parameter<LookupObject>),
                slot(Py_tp_repr, description_of),
                slot(Py_tp_str, string_of),
                slot(Py_tp_richcompare, compare_parameters),
                slot(Py_tp_hash, hash_of_parameter),
                slot(Py_mp_subscript, lookup_row),
                slot(Py_sq_item, lookup_item),
                slot(Py_mp_length, lookup_length),
                {Py_tp_doc, const_cast<char*>(docs::lookup::type)}});
  types.lookup = make_type(m, "LookupParameters", sizeof(LookupObject), slots.data(), types.expression);
  no_instances(types.expression, "operations give one, inputTensor one of numbers");
  no_instances(types.parameters, "a collection's add_parameters gives one");
  no_instances(types.lookup, "a collection's add_lookup_parameters gives one");
}

}  // namespace dynet::python
