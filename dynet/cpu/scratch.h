// Memory that kernels reuse: it grows to the largest need of each thread and stays.
#pragma once

#include <cstddef>

#include "dynet/device/engine.h"

namespace dynet::engine::cpu {

enum class Scratch { panel, sums };

/// At least n numbers of this thread, aligned to a cache line; valid until the same use is asked for again.
real* scratch(Scratch use, size_t n);

/// The panels of a packed matrix, aligned, with room for n numbers; their content is lost if they must grow.
real* forward_panels(PackedMatrix& p, size_t n);
real* transposed_panels(PackedMatrix& p, size_t n);
/// The same panels to read.
const real* forward_panels(const PackedMatrix& p);
const real* transposed_panels(const PackedMatrix& p);

}  // namespace dynet::engine::cpu
