// A view of numbers: where they lie and their shape; it never owns them.
#pragma once

#include <vector>

#include "dynet/core/dim.h"
#include "dynet/core/real.h"

namespace dynet {

struct Tensor {
  Dim d;
  real* v = nullptr;
};

/// The number of a tensor with one element.
inline real as_scalar(const Tensor& t) {
  if (t.d.size() != 1) failed("as_scalar: the tensor has shape ", t.d, "; one element is needed");
  return *t.v;
}

/// All numbers, column-major, batch slowest.
inline std::vector<real> as_vector(const Tensor& t) { return {t.v, t.v + t.d.size()}; }

}  // namespace dynet
