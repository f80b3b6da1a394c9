// Functions of vectors, found by the number type where an operation writes exp(x) or tanh(x).
//
// In float the frequent ones are polynomials (at most 2.5 units in the last place; coefficients by a minimax
// fit); the rare ones, and all of them in double, go lane by lane through the C library.
#pragma once

#include "dynet/cpu/simd/lanes.h"

namespace dynet::engine::cpu::DYNET_ISA {

struct SineCosine {
  Vec sine, cosine;
};

#ifdef DYNET_DOUBLE

/// Of an angle in turns.
inline SineCosine sine_cosine(Vec turns) {
  const Vec angle = turns * 6.283185307179586477;
  return {sin(angle), cos(angle)};
}
inline Vec exp(Vec x) {
  return by_lane([](real a) { return __builtin_exp(a); }, x);
}
inline Vec expm1(Vec x) {
  return by_lane([](real a) { return __builtin_expm1(a); }, x);
}
inline Vec log(Vec x) {
  return by_lane([](real a) { return __builtin_log(a); }, x);
}
inline Vec log1p(Vec x) {
  return by_lane([](real a) { return __builtin_log1p(a); }, x);
}
inline Vec tanh(Vec x) {
  return by_lane([](real a) { return __builtin_tanh(a); }, x);
}
inline Vec erf(Vec x) {
  return by_lane([](real a) { return __builtin_erf(a); }, x);
}
inline Vec logistic(Vec x) { return 1 / (1 + exp(-x)); }

#else

/// c[0] + c[1] x + …, highest power first in the evaluation.
template <int N>
inline Vec polynomial(Vec x, const float (&c)[N]) {
  Vec r = c[N - 1];
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; --i) r = fma(r, x, c[i]);
  return r;
}

/// x = n ln 2 + r with |r| <= ln 2 / 2; `scaled` holds n in its lowest bits.
struct ExpParts {
  Vec n, r, scaled;
};
inline ExpParts split_exp(Vec x) {
  constexpr float round_at_one = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  const Vec scaled = fma(x, 1.44269504f, round_at_one);
  const Vec n = scaled - round_at_one;
  return {n, fma(n, 2.12194440e-4f, fma(n, -0.693359375f, x)), scaled};
}
/// a * 2^n for 0.5 < a < 2 and a result that is not denormal.
inline Vec times_power(Vec a, Vec scaled) { return from_bits(to_bits(a) + (to_bits(scaled) << 23)); }

/// (e^r - 1) of the parts.
inline Vec expm1_of_rest(Vec r) {
  const Vec q = polynomial(r, {0.5f, 1.666653752e-01f, 4.166626558e-02f, 8.367239498e-03f, 1.394758467e-03f});
  return fma(r * r, q, r);
}

inline Vec exp(Vec x) {
  const auto [n, r, scaled] = split_exp(min(89.0f, max(-88.0f, x)));
  const Vec y = times_power(expm1_of_rest(r) + 1, scaled);
  const Vec high = select(x > 88.7228394f, __builtin_inff(), y);
  return select(x < -87.3364f, 0, select(x == x, high, x));
}
/// exp for |x| <= 87, or not a number.
inline Vec exp_inside(Vec x) {
  const auto [n, r, scaled] = split_exp(x);
  const Vec power = times_power(1, scaled);
  return fma(power, expm1_of_rest(r), power);
}

/// expm1 for |x| <= 87, or not a number.
inline Vec expm1_inside(Vec x) {
  const auto [n, r, scaled] = split_exp(x);
  const Vec power = times_power(1, scaled);
  return fma(power, expm1_of_rest(r), power - 1);
}
inline Vec expm1(Vec x) {
  const auto [n, r, scaled] = split_exp(min(89.0f, max(-17.5f, x)));
  const Vec half = times_power(0.5f, scaled);  // 2^(n-1), as 2^n may overflow
  const Vec y = 2 * fma(half, expm1_of_rest(r), half - 0.5f);
  return select(x > 88.7228394f, __builtin_inff(), select(x == x, y, x));
}

/// log(2^e * (1 + f)) for f from sqrt(1/2) - 1 to sqrt(2) - 1.
inline Vec log_of_parts(Vec e, Vec f) {
  const Vec p = polynomial(
      f, {3.333331048e-01f, -2.499998659e-01f, 2.000222653e-01f, -1.666924953e-01f, 1.421865523e-01f,
          -1.238436997e-01f, 1.187301651e-01f, -1.178969592e-01f, 6.915146858e-02f});
  const Vec small = fma(e, -2.12194440e-4f, f * f * fma(f, p, -0.5f));
  return fma(e, 0.693359375f, small + f);
}
/// The exponent that leaves a mantissa from sqrt(1/2) to sqrt(2), times 2^23.
inline native::Bits exponent_bits(Vec x) {
  constexpr int32_t root = 0x3f3504f3;  // the bits of sqrt(1/2)
  return (to_bits(x) - root) & (int32_t{-1} << 23);
}
inline Vec to_number(native::Bits b) { return __builtin_convertvector(b, native::Reals); }

/// The values of log at x for which it is not a plain number.
inline Vec log_edges(Vec x, Vec y) {
  y = select(x < __builtin_inff(), y, x);
  y = select(x == 0, -__builtin_inff(), y);
  return select(x < 0, __builtin_nanf(""), y);
}

inline Vec log(Vec x) {
  const Mask denormal = x < 1.17549435e-38f;
  const Vec big = select(denormal, x * 8388608.0f, x);
  const native::Bits e = exponent_bits(big);
  const Vec exponent = to_number(e >> 23) - select(denormal, 23, 0);
  return log_edges(x, log_of_parts(exponent, from_bits(to_bits(big) - e) - 1));
}

inline Vec log1p(Vec x) {
  const Vec u = x + 1;
  const Vec lost = select(x < 1, x - (u - 1), 1 - (u - x));
  const native::Bits e = exponent_bits(u);
  const Vec scaled_loss = lost * from_bits(native::Bits{} + 0x3f800000 - e);
  const Vec y = log_of_parts(to_number(e >> 23), (from_bits(to_bits(u) - e) - 1) + scaled_loss);
  return select(abs(x) < 1e-10f, x, log_edges(u, y));
}

inline Vec tanh(Vec x) {
  const Vec e = expm1_inside(min(18.5f, 2 * abs(x)));
  return copysign(quotient_inside(e, e + 2), x);
}

/// Of an angle from 0 to 1 turn. What is left of it beside quarters of a turn is known exactly.
inline SineCosine sine_cosine(Vec turns) {
  constexpr float round_at_one = 12582912.0f;
  const Vec quarters = fma(turns, 4, round_at_one) - round_at_one;
  const Vec x = fma(quarters, -0.25f, turns) * 6.28318531f, square = x * x;
  const Vec s =
      fma(x * square, polynomial(square, {-1.6666654611e-01f, 8.3321608736e-03f, -1.9515295891e-04f}), x);
  const Vec c =
      fma(square * square, polynomial(square, {4.166664568e-02f, -1.388731625e-03f, 2.443315712e-05f}),
          fma(square, -0.5f, 1));
  const Mask swapped = abs(quarters - 2) == 1;
  const Vec sine = select(swapped, c, s), cosine = select(swapped, s, c);
  return {select(abs(quarters - 2.5f) < 1, -sine, sine), select(abs(quarters - 1.5f) < 1, -cosine, cosine)};
}

inline Vec erf(Vec x) {
  const Vec a = min(4.0f, abs(x)), s = a * a;
  const Vec near = polynomial(s, {1.128379107e+00f, -3.761253357e-01f, 1.128223017e-01f, -2.678195760e-02f,
                                  5.016228650e-03f, -6.111293915e-04f});
  const Vec far = polynomial(a, {-1.774955017e-04f, -1.127749562e+00f, -6.370597482e-01f, -1.040373519e-01f,
                                 2.227708511e-02f, -3.055606736e-03f, 1.971816528e-04f});
  return copysign(select(a < 0.9f, a * near, 1 - exp_inside(far)), x);
}

inline Vec logistic(Vec x) {
  const Vec y = quotient_inside(1, 1 + exp_inside(min(87.0f, max(-87.0f, -x))));
  return select(x < -87.0f, 0, y);
}

#endif

/// Halves away from zero, as in C.
inline Vec round(Vec x) {
  const Vec whole = trunc(x);
  return select(abs(x - whole) >= real(0.5), whole + copysign(1, x), whole);
}

}  // namespace dynet::engine::cpu::DYNET_ISA
