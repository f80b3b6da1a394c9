// Error texts of one form: what is wrong, what was given, what would be right.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace dynet {

/// Memory that ran out: says how much was asked.
struct out_of_memory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace dynet

namespace dynet::engine {

/// The arguments written one after another.
template <class... T>
std::string text(const T&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// These take their parts as copies: a variable that is referred to has to lie in memory where nothing is
// wrong, too.

/// Bad argument of a caller: Python sees ValueError.
template <class... T>
[[noreturn, gnu::cold, gnu::noinline]] void invalid(T... parts) {
  throw std::invalid_argument(text(parts...));
}

/// Index outside its range: Python sees IndexError.
template <class... T>
[[noreturn, gnu::cold, gnu::noinline]] void bad_index(T... parts) {
  throw std::out_of_range(text(parts...));
}

/// A condition that only shows while running: Python sees RuntimeError.
template <class... T>
[[noreturn, gnu::cold, gnu::noinline]] void failed(T... parts) {
  throw std::runtime_error(text(parts...));
}

}  // namespace dynet::engine
