// Puts calls before those of nanobind's functions, which keep their names, signatures and docstrings.
#include "python/src/positional.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

namespace dynet::python {
namespace {

PyObject* answer(PyObject*, PyObject* const*, size_t, PyObject*) {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

VectorCall& call_of(nb::handle function) {
  return *reinterpret_cast<VectorCall*>(reinterpret_cast<char*>(function.ptr()) + sizeof(PyVarObject));
}

// nanobind has a few calls, each for functions of one form; each gets one of ours that goes before it.
constexpr size_t most_forms = 16;
VectorCall forms[most_forms];

template <size_t form>
PyObject* call_of_form(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
  return named(function, args, forms[form](function, args, flags, names));
}
template <size_t... form>
VectorCall call_before(VectorCall call, std::index_sequence<form...>) {
  constexpr VectorCall ours[] = {call_of_form<form>...};
  for (const VectorCall known : ours)
    if (call == known) return call;
  for (size_t i = 0; i < most_forms; ++i) {
    if (!forms[i]) forms[i] = call;
    if (forms[i] == call) return ours[i];
  }
  return call;
}

/// The calls that were put before nanobind's, which name errors themselves.
std::vector<VectorCall>& intercepted() {
  static auto& all = *new std::vector<VectorCall>;
  return all;
}

void name_errors_of(nb::handle o) {
  const std::string type = nb::str(o.type().attr("__name__")).c_str();
  if (type != "nb_func" && type != "nb_method") return;
  VectorCall& call = call_of(o);
  if (std::ranges::find(intercepted(), call) == intercepted().end())
    call = call_before(call, std::make_index_sequence<most_forms>());
}

/// Whether a text begins with the name of a function or class, as in "pick: ".
bool names_a_call(std::string_view text) {
  const auto is_in_name = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; };
  const auto end = std::ranges::find_if_not(text, is_in_name);
  return end != text.begin() && end != text.end() && *end == ':';
}

/// What a program writes to call a function.
std::string name_of(nb::handle function, nb::handle self) {
  const std::string name = nb::str(function.attr("__name__")).c_str();
  if (name == "__new__") return nb::str(self.attr("__name__")).c_str();
  return name == "__init__" || name == "__call__" ? type_name(self.ptr()) : name;
}

}  // namespace

void name_error(PyObject* function, PyObject* const* args) {
  guarded([&]() -> PyObject* {
    nb::python_error error;  // takes the one that is set
    bool is_of_arguments = false;
    for (PyObject* type : {PyExc_ValueError, PyExc_TypeError, PyExc_IndexError, PyExc_MemoryError})
      is_of_arguments |= error.matches(type);
    if (was_made_here(error.value().ptr()) && is_of_arguments) {
      const std::string old = nb::str(error.value()).c_str();
      const std::string name = name_of(function, args ? args[0] : nullptr);
      if (!names_a_call(old) && !old.starts_with(name)) {
        raise_error(error.type().ptr(), name + ": " + old);
        return nullptr;
      }
    }
    error.restore();
    return nullptr;
  });
}

void name_errors(const nb::module_& m) {
  for (const nb::handle o : nb::list(nb::dict(m.attr("__dict__")).values())) {
    name_errors_of(o);
    if (!PyType_Check(o.ptr())) continue;
    for (const nb::handle member : nb::list(o.attr("__dict__").attr("values")())) name_errors_of(member);
  }
}

/// What a function object calls lies behind its head; whether it does is tried out.
VectorCall intercept(nb::handle function, VectorCall call) {
  VectorCall& field = call_of(function);
  const VectorCall old = std::exchange(field, answer);
  const nb::object reply = nb::steal(PyObject_CallNoArgs(function.ptr()));
  const bool answered = reply.ptr() == Py_NotImplemented;
  field = answered ? call : old;
  intercepted().push_back(call);
  if (!reply.is_valid()) PyErr_Clear();
  return old;
}

}  // namespace dynet::python
