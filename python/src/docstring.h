// Texts of the source as Python shows them.
#pragma once

#include <string>

namespace dynet::python {

/// The text without its first line end and without the indentation that it has in the source.
std::string docstring(const char* text);

}  // namespace dynet::python
