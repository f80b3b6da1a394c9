// How kernels hand an operation its attributes: a local copy, or nothing where it has none.
#pragma once

#include <type_traits>

#include "dynet/cpu/simd/isa.h"

namespace dynet::engine::cpu::DYNET_ISA {

template <class Op>
typename Op::Attrs attributes(const void* p) {
  if constexpr (std::is_empty_v<typename Op::Attrs>)
    return {};
  else
    return *static_cast<const typename Op::Attrs*>(p);
}

/// f(numbers…) or f(numbers…, attributes).
template <class Op, class F, class... V>
auto with_attributes(const typename Op::Attrs& a, F f, V... v) {
  if constexpr (std::is_empty_v<typename Op::Attrs>)
    return f(v...);
  else
    return f(v..., a);
}

}  // namespace dynet::engine::cpu::DYNET_ISA
