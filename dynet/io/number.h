// Numbers as text files hold them: "+1.00000000e+00", exactly rounded both ways, whatever the locale.
#pragma once

#include <cstddef>

#include "dynet/core/real.h"

namespace dynet::engine {

/// No number takes more characters, the space behind it included.
constexpr size_t max_number_size = 18;

/// Writes a number and a space (16 characters unless it is not finite), and returns the end.
char* write_number(real x, char* to);

/// How many characters write_number will write.
size_t number_size(real x);

/// Reads a number between white space; returns the position after it, or null if there is none.
const char* read_number(const char* from, const char* end, real& x);

}  // namespace dynet::engine
