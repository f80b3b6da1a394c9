// Whether what is given is a structure of its kind.
#pragma once

#include "dynet/ops/structured.h"
#include "dynet/structured/all.h"

namespace dynet::engine {

/// Throws, beginning with `call`, unless what is given is a structure of the program.
void check_given(std::string_view call, const structured::Chain& p, Indices given);
void check_given(std::string_view call, const structured::Segments& p, Indices given);
void check_given(std::string_view call, const structured::LabelPaths& p, Indices given);
void check_given(std::string_view call, const structured::CellPaths& p, Indices given);
void check_given(std::string_view call, const structured::Edits& p, Indices given);
void check_given(std::string_view call, const structured::Brackets& p, Indices given);
void check_given(std::string_view call, const structured::Arcs& p, Indices given);
void check_given(std::string_view call, const structured::SpanningTrees& p, Indices given);
void check_given(std::string_view call, const structured::Assignments& p, Indices given);

}  // namespace dynet::engine
