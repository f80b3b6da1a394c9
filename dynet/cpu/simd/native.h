// What the compiler's vector types cannot say: fused multiply-add, roots, roundings and partial loads.
//
// Floats use the instructions; doubles, and machines with others than those of x86 and ARM, go lane by lane.
#pragma once

#include <cstdint>

#include "dynet/cpu/simd/isa.h"

#if defined(__SSE4_1__) && !defined(DYNET_DOUBLE)
#include <immintrin.h>
#elif defined(DYNET_NEON) && !defined(DYNET_DOUBLE)
#include <arm_neon.h>
#endif

namespace dynet::engine::cpu::DYNET_ISA::native {

typedef real Reals __attribute__((vector_size(register_bytes)));

// The bits of a real as a signed integer.
template <int Size>
struct BitsOf {
  using type = int32_t;
};
template <>
struct BitsOf<8> {
  using type = int64_t;
};
using Bit = BitsOf<sizeof(real)>::type;
typedef Bit Bits __attribute__((vector_size(register_bytes)));

inline Reals all(real x) { return x - Reals{}; }

#if defined(__AVX512F__) && !defined(DYNET_DOUBLE)

// Masked forms, as gcc 12 warns of uninitialised variables inside the others.
inline __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Reals fma(Reals a, Reals b, Reals c) { return _mm512_fmadd_ps(a, b, c); }
inline Reals sqrt(Reals a) { return _mm512_maskz_sqrt_ps(first(lanes), a); }
inline Reals floor(Reals a) {
  return _mm512_maskz_roundscale_ps(first(lanes), a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
inline Reals ceil(Reals a) {
  return _mm512_maskz_roundscale_ps(first(lanes), a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
inline Reals trunc(Reals a) {
  return _mm512_maskz_roundscale_ps(first(lanes), a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
inline Reals min(Reals a, Reals b) { return _mm512_maskz_min_ps(first(lanes), a, b); }
inline Reals max(Reals a, Reals b) { return _mm512_maskz_max_ps(first(lanes), a, b); }
/// a / b but for the last bit, without the slow division, and 0 outside of a mask; b is neither 0, denormal
/// nor huge where the mask is set.
inline Reals quotient(Reals a, Reals b, __mmask16 inside) {
  const Reals near = _mm512_maskz_rcp14_ps(first(lanes), b), r = fma(near, fma(-b, near, all(1)), near),
              q = a * r;
  return _mm512_maskz_fmadd_ps(inside, fma(-b, q, a), r, q);
}
inline Reals quotient_inside(Reals a, Reals b) { return quotient(a, b, first(lanes)); }
/// The terms of a quotient by infinity are not numbers.
inline Reals quotient(Reals a, Reals b) {
  return quotient(a, b, _mm512_cmp_ps_mask(b, all(__builtin_inff()), _CMP_NEQ_UQ));
}
inline Reals load(const real* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void store(real* p, int n, Reals a) { _mm512_mask_storeu_ps(p, first(n), a); }
/// Past the cache, to an aligned address; seen by others after end_stream().
inline void stream(real* p, Reals a) { _mm512_stream_ps(p, a); }
inline void end_stream() { _mm_sfence(); }

#elif defined(__AVX2__) && !defined(DYNET_DOUBLE)

inline __m256i first(int n) {
  static constexpr int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones + 8 - n));
}
inline Reals fma(Reals a, Reals b, Reals c) { return _mm256_fmadd_ps(a, b, c); }
inline Reals sqrt(Reals a) { return _mm256_sqrt_ps(a); }
inline Reals floor(Reals a) { return _mm256_floor_ps(a); }
inline Reals ceil(Reals a) { return _mm256_ceil_ps(a); }
inline Reals trunc(Reals a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
inline Reals min(Reals a, Reals b) { return _mm256_min_ps(a, b); }
inline Reals max(Reals a, Reals b) { return _mm256_max_ps(a, b); }
inline Reals load(const real* p, int n) { return _mm256_maskload_ps(p, first(n)); }
inline void store(real* p, int n, Reals a) { _mm256_maskstore_ps(p, first(n), a); }
inline void stream(real* p, Reals a) { _mm256_stream_ps(p, a); }
inline void end_stream() { _mm_sfence(); }

inline Reals quotient_inside(Reals a, Reals b) { return a / b; }
inline Reals quotient(Reals a, Reals b) { return a / b; }

#elif defined(DYNET_NEON) && !defined(DYNET_DOUBLE)

inline Reals fma(Reals a, Reals b, Reals c) { return vfmaq_f32(c, a, b); }
inline Reals sqrt(Reals a) { return vsqrtq_f32(a); }
inline Reals floor(Reals a) { return vrndmq_f32(a); }
inline Reals ceil(Reals a) { return vrndpq_f32(a); }
inline Reals trunc(Reals a) { return vrndq_f32(a); }
/// The instructions for them prefer what is not a number, wherever it stands.
inline Reals min(Reals a, Reals b) { return a < b ? a : b; }
inline Reals max(Reals a, Reals b) { return a > b ? a : b; }
inline Reals load(const real* p, int n) {
  if (n == lanes) return vld1q_f32(p);
  const float32x2_t none = vdup_n_f32(0);
  if (n == 1) return vcombine_f32(vld1_lane_f32(p, none, 0), none);
  return vcombine_f32(vld1_f32(p), n == 3 ? vld1_lane_f32(p + 2, none, 0) : none);
}
inline void store(real* p, int n, Reals a) {
  if (n == lanes) return vst1q_f32(p, a);
  if (n & 2) vst1_f32(p, vget_low_f32(a));
  if (n == 1) vst1q_lane_f32(p, a, 0);
  if (n == 3) vst1q_lane_f32(p + 2, a, 2);
}
inline void stream(real* p, Reals a) { vst1q_f32(p, a); }
inline void end_stream() {}

inline Reals quotient_inside(Reals a, Reals b) { return a / b; }
inline Reals quotient(Reals a, Reals b) { return a / b; }

#else

inline Reals load(const real* p, int n) {
  real lane[lanes] = {};
  for (int i = 0; i < n; ++i) lane[i] = p[i];
  Reals a;
  __builtin_memcpy(&a, lane, sizeof a);
  return a;
}
inline void store(real* p, int n, Reals a) {
  for (int i = 0; i < n; ++i) p[i] = a[i];
}
inline void stream(real* p, Reals a) { __builtin_memcpy(p, &a, sizeof a); }
inline void end_stream() {}

#if defined(__SSE4_1__) && !defined(DYNET_DOUBLE)

inline Reals fma(Reals a, Reals b, Reals c) { return a * b + c; }
inline Reals sqrt(Reals a) { return _mm_sqrt_ps(a); }
inline Reals floor(Reals a) { return _mm_floor_ps(a); }
inline Reals ceil(Reals a) { return _mm_ceil_ps(a); }
inline Reals trunc(Reals a) { return _mm_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
inline Reals min(Reals a, Reals b) { return _mm_min_ps(a, b); }
inline Reals max(Reals a, Reals b) { return _mm_max_ps(a, b); }

#else

inline Reals fma(Reals a, Reals b, Reals c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  Reals r;
  for (int i = 0; i < lanes; ++i)
    r[i] = sizeof(real) == 4 ? real(__builtin_fmaf(a[i], b[i], c[i])) : real(__builtin_fma(a[i], b[i], c[i]));
  return r;
#else
  return a * b + c;
#endif
}
inline Reals sqrt(Reals a) {
  for (int i = 0; i < lanes; ++i)
    a[i] = sizeof(real) == 4 ? real(__builtin_sqrtf(a[i])) : real(__builtin_sqrt(a[i]));
  return a;
}
inline Reals floor(Reals a) {
  for (int i = 0; i < lanes; ++i) a[i] = real(__builtin_floor(a[i]));
  return a;
}
inline Reals ceil(Reals a) {
  for (int i = 0; i < lanes; ++i) a[i] = real(__builtin_ceil(a[i]));
  return a;
}
inline Reals trunc(Reals a) {
  for (int i = 0; i < lanes; ++i) a[i] = real(__builtin_trunc(a[i]));
  return a;
}
inline Reals min(Reals a, Reals b) { return a < b ? a : b; }
inline Reals max(Reals a, Reals b) { return a > b ? a : b; }

#endif

inline Reals quotient_inside(Reals a, Reals b) { return a / b; }
inline Reals quotient(Reals a, Reals b) { return a / b; }

#endif

}  // namespace dynet::engine::cpu::DYNET_ISA::native
