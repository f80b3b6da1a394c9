// The rare functions of vectors: one lane after another through the C library.
#pragma once

#include <math.h>

#include "dynet/cpu/simd/vec.h"

#ifdef __APPLE__  // its headers hide what its library has
extern "C" double lgamma_r(double, int*);
extern "C" float lgammaf_r(float, int*);
#endif

namespace dynet::engine::cpu::DYNET_ISA {

template <class F, class... V>
inline Vec by_lane(F f, V... x) {
  Vec r;
  for (int i = 0; i < lanes; ++i) r.v[i] = static_cast<real>(f(x.v[i]...));
  return r;
}

namespace lane {

/// The logarithmic derivative of the gamma function: recurrence up to 10, then the asymptotic series.
inline double digamma(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (x <= 0) {
    if (x == 0) return -__builtin_copysign(__builtin_inf(), x);
    if (x == __builtin_floor(x)) return __builtin_nan("");
    return digamma(1 - x) - pi / __builtin_tan(pi * x);
  }
  double below = 0;
  for (; x < 10; x += 1) below += 1 / x;
  const double s = 1 / (x * x);
  const double series =
      s * (1. / 12 - s * (1. / 120 - s * (1. / 252 - s * (1. / 240 - s * (1. / 132 - s * (691. / 32760))))));
  return __builtin_log(x) - 0.5 / x - series - below;
}

#ifdef DYNET_DOUBLE
inline double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
#else
inline float lgamma(float x) {
  int sign;
  return ::lgammaf_r(x, &sign);
}
#endif

}  // namespace lane

inline Vec digamma(Vec x) {
  return by_lane([](real a) { return lane::digamma(a); }, x);
}
inline Vec lgamma(Vec x) {
  return by_lane([](real a) { return lane::lgamma(a); }, x);
}

#ifdef DYNET_DOUBLE
inline Vec sin(Vec x) {
  return by_lane([](real a) { return __builtin_sin(a); }, x);
}
inline Vec cos(Vec x) {
  return by_lane([](real a) { return __builtin_cos(a); }, x);
}
inline Vec tan(Vec x) {
  return by_lane([](real a) { return __builtin_tan(a); }, x);
}
inline Vec asin(Vec x) {
  return by_lane([](real a) { return __builtin_asin(a); }, x);
}
inline Vec acos(Vec x) {
  return by_lane([](real a) { return __builtin_acos(a); }, x);
}
inline Vec atan(Vec x) {
  return by_lane([](real a) { return __builtin_atan(a); }, x);
}
inline Vec sinh(Vec x) {
  return by_lane([](real a) { return __builtin_sinh(a); }, x);
}
inline Vec cosh(Vec x) {
  return by_lane([](real a) { return __builtin_cosh(a); }, x);
}
inline Vec asinh(Vec x) {
  return by_lane([](real a) { return __builtin_asinh(a); }, x);
}
inline Vec acosh(Vec x) {
  return by_lane([](real a) { return __builtin_acosh(a); }, x);
}
inline Vec atanh(Vec x) {
  return by_lane([](real a) { return __builtin_atanh(a); }, x);
}
inline Vec pow(Vec x, Vec y) {
  return by_lane([](real a, real b) { return __builtin_pow(a, b); }, x, y);
}
#else
inline Vec sin(Vec x) {
  return by_lane([](real a) { return __builtin_sinf(a); }, x);
}
inline Vec cos(Vec x) {
  return by_lane([](real a) { return __builtin_cosf(a); }, x);
}
inline Vec tan(Vec x) {
  return by_lane([](real a) { return __builtin_tanf(a); }, x);
}
inline Vec asin(Vec x) {
  return by_lane([](real a) { return __builtin_asinf(a); }, x);
}
inline Vec acos(Vec x) {
  return by_lane([](real a) { return __builtin_acosf(a); }, x);
}
inline Vec atan(Vec x) {
  return by_lane([](real a) { return __builtin_atanf(a); }, x);
}
inline Vec sinh(Vec x) {
  return by_lane([](real a) { return __builtin_sinhf(a); }, x);
}
inline Vec cosh(Vec x) {
  return by_lane([](real a) { return __builtin_coshf(a); }, x);
}
inline Vec asinh(Vec x) {
  return by_lane([](real a) { return __builtin_asinhf(a); }, x);
}
inline Vec acosh(Vec x) {
  return by_lane([](real a) { return __builtin_acoshf(a); }, x);
}
inline Vec atanh(Vec x) {
  return by_lane([](real a) { return __builtin_atanhf(a); }, x);
}
inline Vec pow(Vec x, Vec y) {
  return by_lane([](real a, real b) { return __builtin_powf(a, b); }, x, y);
}
#endif

}  // namespace dynet::engine::cpu::DYNET_ISA
