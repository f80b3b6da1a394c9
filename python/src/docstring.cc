// Takes from the texts of operations and classes the indentation that they have in the source.
#include "python/src/docstring.h"

#include <algorithm>
#include <string_view>

namespace dynet::python {

std::string docstring(const char* text) {
  std::string_view rest = text;
  if (!rest.starts_with('\n')) return text;
  rest.remove_prefix(1);
  const size_t indentation = rest.find_first_not_of(' ');
  std::string result;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (!result.empty()) result += '\n';
    if (line.size() > indentation) result += line.substr(indentation);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return result;
}

}  // namespace dynet::python
