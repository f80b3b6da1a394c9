// Writes the arguments of cells as keys, and puts other expressions in the place of those given.
#include "python/src/cell_key.h"

namespace dynet::python {
namespace {

/// Containers may hold themselves; Python's limit of recursion ends that.
class Deeper {
 public:
  Deeper() {
    if (Py_EnterRecursiveCall(" while the arguments of a cell are compared")) nb::raise_python_error();
  }
  ~Deeper() { Py_LeaveRecursiveCall(); }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
};

nb::handle method_type() {
  static PyObject* cache;  // for the life of the process
  if (!cache) cache = nb::object(nb::module_::import_("types").attr("MethodType")).release().ptr();
  return cache;
}

nb::object owned(PyObject* o) {
  if (!o) nb::raise_python_error();
  return nb::steal(o);
}

bool is_deque(nb::handle o) {
  static PyObject* type;  // for the life of the process
  if (!type) type = nb::object(nb::module_::import_("collections").attr("deque")).release().ptr();
  const int found = PyObject_IsInstance(o.ptr(), type);
  if (found < 0) nb::raise_python_error();
  return found;
}

/// Those containers in which expressions are arguments: they can be made anew with others.
bool holds_arguments(nb::handle o) {
  return PyList_CheckExact(o.ptr()) || PyTuple_CheckExact(o.ptr()) || PyDict_CheckExact(o.ptr());
}

/// A copy of arguments with other expressions; what holds none is the same object.
class Replacement {
 public:
  explicit Replacement(std::span<const Expression> instead) : instead_(instead) {}

  nb::object of(nb::handle o) {
    if (expression_in(o.ptr())) {
      if (next_ == instead_.size()) failed("the arguments of a cell changed while it was called");
      return nb::steal(new_expression(instead_[next_++]));
    }
    if (!holds_arguments(o)) return nb::borrow(o);
    const Deeper deeper;
    const size_t before = next_;
    nb::object copy = PyDict_Check(o.ptr()) ? nb::object(dict_of(o)) : nb::object(list_of(o));
    if (next_ == before) return nb::borrow(o);
    return PyTuple_Check(o.ptr()) ? nb::object(nb::tuple(copy)) : copy;
  }
  nb::dict dict_of(nb::handle dict) {
    nb::dict copy;
    for (const nb::handle item : nb::object(owned(PyDict_Items(dict.ptr()))))
      copy[item[0]] = of(nb::object(item[1]));
    return copy;
  }
  nb::list list_of(nb::handle items) {
    nb::list copy;
    for (const nb::handle item : owned(PySequence_List(items.ptr()))) copy.append(of(item));
    return copy;
  }

 private:
  std::span<const Expression> instead_;
  size_t next_ = 0;
};

}  // namespace

CellArguments::CellArguments(const std::string& cell, const nb::args& args, const nb::kwargs& options)
    : cell_(cell) {
  key_.reserve(256);
  put(args.size());
  for (const nb::handle arg : args) add(arg, true);
  if (options.size() > 0) add_dict(options, true);
}

std::string CellArguments::batch_sizes() const {
  std::string sizes;
  for (const Expression& e : expressions_) sizes += text(dim_of(e).bd, ' ');
  return sizes;
}

std::vector<Dim> CellArguments::shapes() const {
  std::vector<Dim> shapes;
  for (const Expression& e : expressions_) shapes.push_back(dim_of(e));
  return shapes;
}

nb::object CellArguments::call(const nb::object& function, const nb::args& args, const nb::kwargs& options,
                               std::span<const Expression> instead) {
  Replacement replacement(instead);
  const nb::list given = replacement.list_of(args);
  const nb::dict named = replacement.dict_of(options);
  return function(*given, **named);
}

void CellArguments::add(nb::handle o, bool with_expressions) {
  const Expression* e = expression_in(o.ptr());
  if (e && with_expressions) return add_expression(o, *e);
  if (e && !e->is_parameter()) refuse_place();
  if (o.is_none() || PyBool_Check(o.ptr())) return put('n'), put(o.ptr());
  if (!add_number(o) && !add_container(o, with_expressions) && !add_array(o)) add_named(o);
}

void CellArguments::add_expression(nb::handle o, const Expression& e) {
  const Dim& dim = dim_of(e);
  put('E'), put(batches_.next(dim.bd));
  put(dim.nd);
  for (unsigned i = 0; i < dim.nd; ++i) put(dim.d[i]);
  expressions_.push_back(e);
  objects_.push_back(nb::borrow(o));
}

/// Numbers, texts and other plain values, by their bits: 0.0 is not -0.0.
bool CellArguments::add_number(nb::handle o) {
  PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(o.ptr()));
  const auto is = [&](PyTypeObject& t) { return type == reinterpret_cast<PyObject*>(&t); };
  if (is(PyLong_Type))
    put('i'), add_text(owned(PyNumber_ToBase(o.ptr(), 16)));
  else if (is(PyFloat_Type))
    put('f'), put(PyFloat_AsDouble(o.ptr()));
  else if (is(PyComplex_Type))
    put('c'), put(PyComplex_RealAsDouble(o.ptr())), put(PyComplex_ImagAsDouble(o.ptr()));
  else if (is(PyUnicode_Type))
    put('s'), add_text(o);
  else if (is(PyBytes_Type))
    put('b'), add_bytes(PyBytes_AsString(o.ptr()), nb::len(o));
  else if (is(PyRange_Type) || is(PySlice_Type))
    put(is(PyRange_Type) ? 'r' : 'l'), add(nb::object(o.attr("start")), false),
        add(nb::object(o.attr("stop")), false), add(nb::object(o.attr("step")), false);
  else
    return false;
  return true;
}

/// Lists, tuples, sets, dictionaries and deques, and what is derived from them.
bool CellArguments::add_container(nb::handle o, bool with_expressions) {
  with_expressions &= holds_arguments(o);
  if (PyDict_Check(o.ptr())) {
    put_type('d', o);
    add_dict(o, with_expressions);
    add_attributes(o);
  } else if (PyList_Check(o.ptr()) || PyTuple_Check(o.ptr()) || PyAnySet_Check(o.ptr()) || is_deque(o)) {
    put_type('t', o);
    add_items(o, with_expressions);
    add_attributes(o);
  } else if (o.type().is(method_type())) {
    put('m');  // made anew each time it is asked for
    add_named(nb::object(o.attr("__self__")));
    add_named(nb::object(o.attr("__func__")));
  } else {
    return false;
  }
  return true;
}

/// What objects of derived classes have beside their contents.
void CellArguments::add_attributes(nb::handle o) {
  const auto add_one = [&](const char* name) {
    const nb::object attribute = nb::getattr(o, name, nb::none());
    if (!attribute.is_none()) put('+'), add(attribute, false);
  };
  if (holds_arguments(o)) return;
  if (PyDict_Check(o.ptr())) add_one("default_factory");
  if (PyType_GetFlags(Py_TYPE(o.ptr())) & Py_TPFLAGS_HEAPTYPE) add_one("__dict__");
}

void CellArguments::refuse_place() const {
  invalid(cell_,
          ": an expression lies in an argument where a cell does not look for it; expressions are arguments "
          "by themselves and in lists, tuples and dictionaries, but not in other containers");
}

void CellArguments::add_items(nb::handle items, bool with_expressions) {
  const Deeper deeper;
  const nb::object list = owned(PySequence_List(items.ptr()));  // iterating may change it
  put(nb::len(list));
  for (const nb::handle item : list) add(item, with_expressions);
}

void CellArguments::add_dict(nb::handle dict, bool with_expressions) {
  const Deeper deeper;
  const nb::object list = owned(PyMapping_Items(dict.ptr()));
  put(nb::len(list));
  for (const nb::handle item : list) {
    add(nb::object(item[0]), false);
    add(nb::object(item[1]), with_expressions);
  }
}

/// What has memory to look at, such as arrays: type, shape and contents.
bool CellArguments::add_array(nb::handle o) {
  if (!PyObject_CheckBuffer(o.ptr())) return false;
  put_type('a', o);
  nb::object array = nb::borrow(o);
  const bool is_numpy = nb::hasattr(o, "dtype");
  if (!is_numpy) {
    array = nb::steal(PyMemoryView_FromObject(o.ptr()));
    if (!array.is_valid()) return PyErr_Clear(), false;
  }
  add_text(nb::str(nb::object(array.attr(is_numpy ? "dtype" : "format"))));
  add_attributes(o);
  add(nb::object(array.attr("shape")), false);
  if (is_numpy && nb::cast<bool>(array.attr("dtype").attr("hasobject")))
    add(nb::object(array.attr("tolist")()), false);
  else
    add(nb::object(array.attr("tobytes")()), false);
  return true;
}

void CellArguments::add_bytes(const void* data, size_t size) {
  put(size);
  key_.append(static_cast<const char*>(data), size);
}

void CellArguments::add_text(nb::handle o) {
  const nb::object bytes = owned(PyUnicode_AsEncodedString(o.ptr(), "utf-8", "surrogatepass"));
  add_bytes(PyBytes_AsString(bytes.ptr()), nb::len(bytes));
}

/// An object that stands for itself.
void CellArguments::add_named(nb::handle o) {
  put('o'), put(o.ptr());
  named_.push_back(nb::borrow(o));
}

void CellArguments::put_type(char tag, nb::handle o) {
  put(tag);
  add_named(o.type());
}

}  // namespace dynet::python
