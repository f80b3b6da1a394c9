// Numbers to text and back, by tables where that is exact and by the standard library where it is not.
#include "dynet/io/number.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace dynet::engine {
namespace {

__extension__ typedef unsigned __int128 Wide;

/// 10^q ≈ mantissa × 2^exponent, with the highest bit of the mantissa set.
struct Power {
  uint64_t mantissa;
  int exponent;
};

constexpr int lowest_power = -31, highest_power = 54;

/// Made with 120 bits, so that the 64 that are kept are exact but for the last.
constexpr auto make_powers() {
  std::array<Power, highest_power - lowest_power + 1> powers{};
  constexpr Wide top = Wide{1} << 120;
  const auto keep = [&](int q, Wide m, int e) {
    powers[q - lowest_power] = {static_cast<uint64_t>(m >> 57), e + 57};
  };
  Wide m = top;
  int e = -120;
  for (int q = 0; q <= highest_power; ++q) {
    keep(q, m, e);
    for (m *= 10; m >= 2 * top; ++e) m >>= 1;
  }
  m = top, e = -120;
  for (int q = 0; q >= lowest_power; --q) {
    keep(q, m, e);
    for (m = (m << 4) / 10, e -= 4; m >= 2 * top; ++e) m >>= 1;
  }
  return powers;
}
constexpr auto powers = make_powers();

/// The first nine digits of a number, rounded, and its decimal exponent.
struct Digits {
  uint32_t digits;
  int exponent;
};

/// False when the rest of the number is so near to a half that 64 bits don't decide.
bool round_digits(uint64_t mantissa, int exponent, int decimal, Digits& d) {
  const Power& p = powers[8 - decimal - lowest_power];
  const auto product = static_cast<uint64_t>((Wide{mantissa} * p.mantissa) >> 64);
  const int shift = -(exponent + p.exponent + 64);
  const uint64_t half = uint64_t{1} << (shift - 1), rest = product & (2 * half - 1);
  constexpr uint64_t doubt = 4;
  if (rest + doubt >= half && rest <= half + doubt) return false;
  d = {static_cast<uint32_t>(product >> shift) + (rest > half), decimal};
  return true;
}

bool nine_digits(float x, Digits& d) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const int field = static_cast<int>(bits >> 23);
  uint64_t mantissa = bits & 0x7fffff;
  if (field) mantissa |= 0x800000;
  const int left = std::countl_zero(mantissa), exponent = std::max(field, 1) - 150 - left;
  mantissa <<= left;
  // 1233 / 4096 is a little less than log10(2): the estimate is right or one too small.
  const int decimal = ((exponent + 63) * 1233) >> 12;
  if (!round_digits(mantissa, exponent, decimal, d)) return false;
  return d.digits < 1000000000 || round_digits(mantissa, exponent, decimal + 1, d);
}

char* write_digits(const Digits& d, bool negative, char* to) {
  uint32_t rest = d.digits;
  to[0] = negative ? '-' : '+';
  for (int i = 10; i > 2; --i, rest /= 10) to[i] = static_cast<char>('0' + rest % 10);
  to[1] = static_cast<char>('0' + rest);
  to[2] = '.';
  const unsigned size = static_cast<unsigned>(std::abs(d.exponent));
  to[11] = 'e';
  to[12] = d.exponent < 0 ? '-' : '+';
  to[13] = static_cast<char>('0' + size / 10);
  to[14] = static_cast<char>('0' + size % 10);
  to[15] = ' ';
  return to + 16;
}

/// Any number, by the standard library.
char* write_slowly(real x, char* to) {
  *to++ = std::signbit(x) ? '-' : '+';
  to = std::to_chars(to, to + max_number_size, std::abs(x), std::chars_format::scientific, 8).ptr;
  *to++ = ' ';
  return to;
}

constexpr double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// digits × 10^decimal where doubles compute it exactly rounded; false where they might not.
bool scale_exactly(uint64_t digits, int decimal, real& x) {
  if (digits >> 53 || decimal < -22 || decimal > 22) return false;
  const double d =
      decimal < 0 ? double(digits) / exact_powers[-decimal] : double(digits) * exact_powers[decimal];
  if constexpr (std::is_same_v<real, float>) {
    // Rounding a second time, to float, is right unless the double lies on a half.
    const auto rest = std::bit_cast<uint64_t>(d) & 0x1fffffff;
    if (rest == 0x10000000 || (d < 1e-30 && digits != 0)) return false;
  }
  x = static_cast<real>(d);
  return true;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// A number in the form that write_number gives it; false when it is another, or must be read slowly.
bool read_layout(const char* from, const char* end, real& x) {
  if (end - from < 16 || from[2] != '.' || from[11] != 'e' || !is_space(from[15])) return false;
  if ((from[0] != '+' && from[0] != '-') || (from[12] != '+' && from[12] != '-')) return false;
  const auto digit = [&](int i) { return static_cast<unsigned char>(from[i] - '0'); };
  bool all = true;
  uint64_t digits = 0;
  for (int i : {1, 3, 4, 5, 6, 7, 8, 9, 10}) all &= digit(i) < 10, digits = 10 * digits + digit(i);
  all &= digit(13) < 10 && digit(14) < 10;
  const int size = 10 * digit(13) + digit(14);
  if (!all || !scale_exactly(digits, (from[12] == '-' ? -size : size) - 8, x)) return false;
  if (from[0] == '-') x = -x;
  return true;
}

}  // namespace

char* write_number(real x, char* to) {
  if (x == 0) return write_digits({0, 0}, std::signbit(x), to);
  if constexpr (std::is_same_v<real, float>) {
    Digits d;
    if (std::isfinite(x) && nine_digits(std::abs(x), d)) return write_digits(d, std::signbit(x), to);
  }
  return write_slowly(x, to);
}

size_t number_size(real x) {
  if (!std::isfinite(x)) return 5;
  if constexpr (std::is_same_v<real, float>) return 16;
  char text[max_number_size + 8];
  return static_cast<size_t>(write_number(x, text) - text);
}

const char* read_number(const char* from, const char* end, real& x) {
  while (from != end && is_space(*from)) ++from;
  if (read_layout(from, end, x)) return from + 15;
  const bool signed_twice = end - from > 1 && *from == '+' && from[1] == '-';
  if (from != end && *from == '+') ++from;
  const auto [rest, error] = std::from_chars(from, end, x);
  if (error == std::errc::result_out_of_range) {
    // What is too small for a float is zero; what is too large is no number.
    double wide;
    if (std::from_chars(from, end, wide).ec != std::errc() || std::abs(wide) > 1) return nullptr;
    x = static_cast<real>(wide);
  } else if (error != std::errc() || signed_twice) {
    return nullptr;
  }
  return rest == end || is_space(*rest) ? rest : nullptr;
}

}  // namespace dynet::engine
