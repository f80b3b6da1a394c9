// Pictures and tables that the package draws when a program or a notebook asks for them.
#pragma once

#include "python/src/object.h"

namespace dynet::python {

/// A method that is a function of dynet.inspection.
inline auto drawn_by(const char* module, const char* function) {
  return [=](nb::handle self) -> nb::object {
    return nb::module_::import_(text("dynet.inspection.", module).c_str()).attr(function)(self);
  };
}

/// Lets notebooks show the objects of a class.
template <class T, class... Extra>
void show_in_notebooks(nb::class_<T, Extra...>& type) {
  type.def("_repr_html_", drawn_by("notebook", "html"), nb::sig("def _repr_html_(self) -> str"),
           "What a notebook shows where the last line of a cell is such an object.");
}

}  // namespace dynet::python
