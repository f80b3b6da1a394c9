// A test program's three words: check, check_throws, and finish with the closing line.
#pragma once

#include <cstdio>
#include <exception>
#include <source_location>
#include <string>

namespace test {

inline int passed = 0, failed = 0;

inline void check(bool ok, const std::string& what,
                  const std::source_location& at = std::source_location::current()) {
  ++(ok ? passed : failed);
  if (!ok) std::printf("%s:%u: %s\n", at.file_name(), static_cast<unsigned>(at.line()), what.c_str());
}

/// The call must throw E with a text that holds `part`.
template <class E, class Call>
void check_throws(const std::string& part, Call&& call,
                  const std::source_location& at = std::source_location::current()) {
  try {
    call();
    check(false, "nothing was thrown; expected: " + part, at);
  } catch (const E& error) {
    check(std::string(error.what()).find(part) != std::string::npos,
          "the text is \"" + std::string(error.what()) + "\"; expected in it: " + part, at);
  }
}

/// A program that checked nothing has failed.
inline int finish() {
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0 || passed == 0;
}

}  // namespace test
