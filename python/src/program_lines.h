// The lines of Python programs that make nodes, while somebody wants to know them.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

namespace dynet::python {

/// The traceback.FrameSummary of a number that place_in_program() gave; None for 0.
nanobind::object program_line(uint32_t place);

}  // namespace dynet::python
