// Comparing gradients with differences of values.
#pragma once

#include <iosfwd>

#include "dynet/graph/expression.h"
#include "dynet/params/collection.h"

namespace dynet {

/// Whether the gradients of a number with respect to all parameters, and to those rows of lookup tables that
/// it uses, are its central differences over ±0.005, up to 1 % and what rounding explains. Where large values
/// cancel, so that rounding would explain too much, the differences are those over up to ±1.28, where the
/// loss is about a straight line so far. The graph is evaluated again for each of their numbers, so it must
/// not be random. Afterwards all gradients are zero.
///
/// Writes what is wrong with verbosity 1, every comparison with 2 and nothing with 0, to std::cerr unless
/// told otherwise. std::invalid_argument if the expression is not a single number.
bool check_grad(ParameterCollection& model, const Expression& loss, int verbosity = 1);
bool check_grad(ParameterCollection& model, const Expression& loss, int verbosity, std::ostream& out);

}  // namespace dynet
