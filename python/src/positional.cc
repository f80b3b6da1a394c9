// Puts calls before those of nanobind's functions, which keep their names, signatures and docstrings.
#include "python/src/positional.h"

namespace dynet::python {
namespace {

PyObject* answer(PyObject*, PyObject* const*, size_t, PyObject*) {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

}  // namespace

/// What a function object calls lies behind its head; whether it does is tried out.
VectorCall intercept(nb::handle function, VectorCall call) {
  auto* field = reinterpret_cast<VectorCall*>(reinterpret_cast<char*>(function.ptr()) + sizeof(PyVarObject));
  const VectorCall old = std::exchange(*field, answer);
  const nb::object reply = nb::steal(PyObject_CallNoArgs(function.ptr()));
  const bool answered = reply.ptr() == Py_NotImplemented;
  *field = answered ? call : old;
  if (!reply.is_valid()) PyErr_Clear();
  return old;
}

}  // namespace dynet::python
