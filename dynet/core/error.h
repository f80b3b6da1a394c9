// Error texts of one form: what is wrong, what was given, what would be right.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace dynet::engine {

/// The arguments written one after another.
template <class... T>
std::string text(const T&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Bad argument of a caller: Python sees ValueError.
template <class... T>
[[noreturn]] void invalid(const T&... parts) {
  throw std::invalid_argument(text(parts...));
}

/// Index outside its range: Python sees IndexError.
template <class... T>
[[noreturn]] void bad_index(const T&... parts) {
  throw std::out_of_range(text(parts...));
}

/// A condition that only shows while running: Python sees RuntimeError.
template <class... T>
[[noreturn]] void failed(const T&... parts) {
  throw std::runtime_error(text(parts...));
}

}  // namespace dynet::engine
