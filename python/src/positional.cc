// Puts calls before those of nanobind's functions, which keep their names, signatures and docstrings.
#include "python/src/positional.h"

namespace dynet::python {

/// What a function object calls lies behind its head.
VectorCall intercept(nb::handle function, VectorCall call) {
  const VectorCall old = PyVectorcall_Function(function.ptr());
  auto* field = reinterpret_cast<VectorCall*>(reinterpret_cast<char*>(function.ptr()) + sizeof(PyVarObject));
  if (!old || *field != old) return nullptr;
  return std::exchange(*field, call);
}

}  // namespace dynet::python
