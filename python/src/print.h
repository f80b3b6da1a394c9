// Printing as Python prints, so that notebooks and tests see it.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

namespace dynet::python {

/// Writes to sys.stdout or sys.stderr; nowhere where a process has none, as a daemon.
inline void print(const char* stream, const std::string& text) {
  const nanobind::object to = nanobind::getattr(nanobind::module_::import_("sys"), stream, nanobind::none());
  if (!to.is_none()) to.attr("write")(text.c_str());
}

}  // namespace dynet::python
