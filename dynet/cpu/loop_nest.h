// A nest of loops over the axes of several tensors at once, with as few and as long loops as possible.
#pragma once

#include <cstddef>

#include "dynet/cpu/simd/isa.h"

namespace dynet::engine::cpu::DYNET_ISA {

/// N tensors walked together; axis 0 is the innermost. Axes of size 1 vanish, and neighbours merge.
template <int N>
struct LoopNest {
  static constexpr unsigned most = 10;
  struct Loop {
    size_t size;
    ptrdiff_t stride[N];
  };
  unsigned nd = 0;
  Loop loop[most];

  void add(const Loop& next) {
    if (next.size == 1) return;
    if (nd > 0) {
      Loop& last = loop[nd - 1];
      bool merges = true;
      for (int k = 0; k < N; ++k)
        merges &= next.stride[k] == static_cast<ptrdiff_t>(last.size) * last.stride[k];
      if (merges) {
        last.size *= next.size;
        return;
      }
    }
    loop[nd++] = next;
  }
  /// The innermost loop; a single step where there is none.
  Loop inner() const {
    if (nd > 0) return loop[0];
    Loop one{1, {}};
    for (int k = 0; k < N; ++k) one.stride[k] = 1;
    return one;
  }

  /// Calls f(offsets) for every position of the loops around the innermost.
  template <class F>
  void run(F f) const {
    ptrdiff_t at[N] = {};
    size_t index[most] = {};
    for (;;) {
      f(at);
      unsigned d = 1;
      for (; d < nd; ++d) {
        for (int k = 0; k < N; ++k) at[k] += loop[d].stride[k];
        if (++index[d] < loop[d].size) break;
        for (int k = 0; k < N; ++k) at[k] -= static_cast<ptrdiff_t>(loop[d].size) * loop[d].stride[k];
        index[d] = 0;
      }
      if (d >= nd) return;
    }
  }
};

}  // namespace dynet::engine::cpu::DYNET_ISA
