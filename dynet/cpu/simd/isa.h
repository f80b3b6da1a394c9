// The instruction set this translation unit is compiled for: a namespace of its own, so that no symbol is
// shared.
//
// The sources of the engine are compiled once per instruction set with -DDYNET_ISA=v2, v3, v4 (the levels
// of x86-64), neon (64-bit ARM) or plain (other machines). Everything they define lives in
// dynet::engine::cpu::DYNET_ISA: the linker then never takes a function that was compiled for a better
// machine than this one.
#pragma once

#include "dynet/core/real.h"

#ifndef DYNET_ISA
#error "compile with -DDYNET_ISA=v2, v3, v4, neon or plain, and the flags that go with it"
#endif

#if defined(__ARM_NEON) && defined(__aarch64__) && !defined(DYNET_PLAIN)
#define DYNET_NEON  // every 64-bit ARM has it: only code for comparison goes without
#endif

namespace dynet::engine::cpu::DYNET_ISA {

#if defined(__AVX512F__)
inline constexpr int register_bytes = 64, register_count = 32;
#elif defined(__AVX2__)
inline constexpr int register_bytes = 32, register_count = 16;
#elif defined(DYNET_NEON)
inline constexpr int register_bytes = 16, register_count = 32;
#else
inline constexpr int register_bytes = 16, register_count = 16;
#endif

/// Numbers in a vector.
inline constexpr int lanes = register_bytes / static_cast<int>(sizeof(real));

#if defined(__AVX2__) && !defined(DYNET_DOUBLE)
inline constexpr bool masked_loads = true;  // a partial load is one instruction
#else
inline constexpr bool masked_loads = false;
#endif

}  // namespace dynet::engine::cpu::DYNET_ISA
