// Line ends of texts: those of Windows are read as if they were those of Unix.
#pragma once

#include <cstddef>
#include <cstring>

namespace dynet::engine {

/// Takes the carriage returns at the ends of lines out of a text, where it lies; returns the size that is
/// left. What a cut has left of a line's end goes, too.
inline size_t drop_carriage_returns(char* text, size_t size) {
  void* const first = size ? std::memchr(text, '\r', size) : nullptr;
  if (!first) return size;
  char *to = static_cast<char*>(first), *const end = text + size;
  for (const char* from = to; from < end; ++from)
    if (*from != '\r' || (from + 1 < end && from[1] != '\n')) *to++ = *from;
  return static_cast<size_t>(to - text);
}

}  // namespace dynet::engine
