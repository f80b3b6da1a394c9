// A vector of numbers as wide as the machine's registers, used like a number.
#pragma once

#include <cstddef>

#include "dynet/cpu/simd/native.h"

namespace dynet::engine::cpu::DYNET_ISA {

/// "All lanes", where the number of lanes is asked for.
struct Whole {
  constexpr operator int() const { return lanes; }
};

/// All bits of a lane are set where it is true.
struct Mask {
  native::Bits m;
  friend Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
  friend Mask operator|(Mask a, Mask b) { return {a.m | b.m}; }
  friend Mask operator&&(Mask a, Mask b) { return {a.m & b.m}; }
  friend Mask operator||(Mask a, Mask b) { return {a.m | b.m}; }
  friend Mask operator!(Mask a) { return {~a.m}; }
};

struct Vec {
  native::Reals v;

  Vec() = default;
  Vec(native::Reals x) : v(x) {}
  Vec(float x) : v(native::all(static_cast<real>(x))) {}
  Vec(double x) : v(native::all(static_cast<real>(x))) {}
  Vec(int x) : v(native::all(static_cast<real>(x))) {}
  Vec(unsigned x) : v(native::all(static_cast<real>(x))) {}

  static Vec load(const real* p) {
    Vec r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static Vec load(const real* p, Whole) { return load(p); }
  /// The first n < lanes numbers; the others are zero.
  static Vec load(const real* p, int n) { return native::load(p, n); }
  void store(real* p) const { __builtin_memcpy(p, &v, sizeof v); }
  void store(real* p, Whole) const { store(p); }
  void stream(real* p) const { native::stream(p, v); }
  void store(real* p, int n) const { native::store(p, n, v); }
  real operator[](int i) const { return v[i]; }

  Vec operator-() const { return -v; }
  Vec operator+() const { return v; }
  friend Vec operator+(Vec a, Vec b) { return a.v + b.v; }
  friend Vec operator-(Vec a, Vec b) { return a.v - b.v; }
  friend Vec operator*(Vec a, Vec b) { return a.v * b.v; }
  friend Vec operator/(Vec a, Vec b) { return a.v / b.v; }
  Vec& operator+=(Vec b) { return v += b.v, *this; }
  Vec& operator-=(Vec b) { return v -= b.v, *this; }
  Vec& operator*=(Vec b) { return v *= b.v, *this; }
  Vec& operator/=(Vec b) { return v /= b.v, *this; }
  friend Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
  friend Mask operator>(Vec a, Vec b) { return {a.v > b.v}; }
  friend Mask operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
  friend Mask operator>=(Vec a, Vec b) { return {a.v >= b.v}; }
  friend Mask operator==(Vec a, Vec b) { return {a.v == b.v}; }
  friend Mask operator!=(Vec a, Vec b) { return {a.v != b.v}; }
};

inline Vec select(Mask m, Vec a, Vec b) { return m.m ? a.v : b.v; }
/// a * b + c, rounded once where the machine can.
inline Vec fma(Vec a, Vec b, Vec c) { return native::fma(a.v, b.v, c.v); }
/// a / b in fewer cycles, where the last bit may be wrong; b is neither 0 nor denormal, a finite where it is
/// not.
inline Vec quotient(Vec a, Vec b) { return native::quotient(a.v, b.v); }
/// The same where b is not infinite either.
inline Vec quotient_inside(Vec a, Vec b) { return native::quotient_inside(a.v, b.v); }
/// b where they are equal, or one of them is not a number.
inline Vec min(Vec a, Vec b) { return native::min(a.v, b.v); }
inline Vec max(Vec a, Vec b) { return native::max(a.v, b.v); }
/// Not a number where one of them is not; b where they are equal.
inline Vec smaller(Vec a, Vec b) { return select(a == a, min(a, b), a); }
inline Vec larger(Vec a, Vec b) { return select(a == a, max(a, b), a); }
inline Vec sqrt(Vec a) { return native::sqrt(a.v); }
inline Vec floor(Vec a) { return native::floor(a.v); }
inline Vec ceil(Vec a) { return native::ceil(a.v); }
inline Vec trunc(Vec a) { return native::trunc(a.v); }

inline Vec from_bits(native::Bits b) { return reinterpret_cast<native::Reals>(b); }
inline native::Bits to_bits(Vec a) { return reinterpret_cast<native::Bits>(a.v); }
inline constexpr native::Bit sign_bit = native::Bit{1} << (8 * sizeof(real) - 2) << 1;

inline Vec abs(Vec a) { return from_bits(to_bits(a) & ~sign_bit); }
/// The magnitude of a with the sign of b.
inline Vec copysign(Vec a, Vec b) { return from_bits((to_bits(a) & ~sign_bit) | (to_bits(b) & sign_bit)); }
inline Vec sign(Vec a) { return select(a > 0, 1, select(a < 0, -1, a)); }

/// The first n lanes, and zeros.
inline Vec first_lanes(Vec a, Whole) { return a; }
inline Vec first_lanes(Vec a, int n) {
  native::Bits lane;
  for (int i = 0; i < lanes; ++i) lane[i] = i;
  return lane < native::Bits{} + n ? a.v : native::Reals{};
}

/// The sum of all lanes, always in the same order.
inline real sum(Vec a) {
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  return a.v[0];
}
/// The largest lane; not a number if one of them is not.
inline real largest(Vec a) {
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) {
      const real x = a.v[i], y = a.v[i + half];
      a.v[i] = x > y || x != x ? x : y;
    }
  return a.v[0];
}

/// Calls f(position, lanes in use) along n numbers: whole vectors, then the rest in one that is padded with
/// zeros, so that a number's bits do not depend on where it stands.
template <class F>
inline void for_vectors(size_t n, F f) {
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) f(i, Whole{});
  if (i < n) f(i, static_cast<int>(n - i));
}

}  // namespace dynet::engine::cpu::DYNET_ISA
