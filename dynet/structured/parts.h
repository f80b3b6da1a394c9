// What the dynamic programs share: numbers in log space, edges between items, and room that is used again.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "dynet/core/random.h"

namespace dynet::engine::structured {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Two numbers that are computed with side by side, on every machine.
using Pair = double __attribute__((vector_size(16)));
using PairBits = uint64_t __attribute__((vector_size(16)));

inline Pair pair_at(const double* p) {
  Pair x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
inline Pair greater(Pair a, Pair b) { return a > b ? a : b; }

/// e^x within two units in the last place, the same bits on every machine; 0 below -708.
inline Pair exponential(Pair x) {
  constexpr double round_at_one = 6755399441055744.0;  // 1.5 * 2^52: the sum has no room for a fraction
  const Pair least = {-708, -708}, most = {709, 709};
  const Pair low = greater(x, least), inside = low < most ? low : most;
  const Pair scaled = inside * 1.4426950408889634 + round_at_one, n = scaled - round_at_one;
  const Pair r = (inside - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  constexpr double terms[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                              1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1,          1};
  Pair p = {1.0 / 479001600, 1.0 / 479001600};
#pragma GCC unroll 12
  for (const double term : terms) p = p * r + term;
  const auto y =
      reinterpret_cast<Pair>(reinterpret_cast<PairBits>(p) + (reinterpret_cast<PairBits>(scaled) << 52));
  const Pair zero = {0, 0}, infinite = {infinity, infinity};
  const Pair high = x > most ? infinite : y, all = x > least ? high : zero;
  return x == x ? all : x;
}
inline double exponential(double x) { return exponential(Pair{x, x})[0]; }

/// x = factor e^(x - shift), for n numbers.
inline void exponentials(double* x, size_t n, double shift, double factor) {
  size_t i = 0;
  for (; i + 2 <= n; i += 2) {
    const Pair y = factor * exponential(pair_at(x + i) - shift);
    __builtin_memcpy(x + i, &y, sizeof y);
  }
  if (i < n) x[i] = factor * exponential(x[i] - shift);
}

/// The largest of n numbers; what is not a number may be passed over.
inline double largest(const double* x, size_t n) {
  Pair first = {-infinity, -infinity}, second = first;
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    first = greater(pair_at(x + i), first), second = greater(pair_at(x + i + 2), second);
  first = greater(second, first);
  double top = first[0] > first[1] ? first[0] : first[1];
  for (; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

/// The sum of n numbers, always in the same order.
inline double sum_of(const double* x, size_t n) {
  Pair first = {0, 0}, second = first;
  size_t i = 0;
  for (; i + 4 <= n; i += 4) first += pair_at(x + i), second += pair_at(x + i + 2);
  first += second;
  double sum = first[0] + first[1];
  for (; i < n; ++i) sum += x[i];
  return sum;
}

/// The sum of the products of n numbers, always in the same order.
inline double dot(const double* x, const double* y, size_t n) {
  Pair first = {0, 0}, second = first;
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    first += pair_at(x + i) * pair_at(y + i), second += pair_at(x + i + 2) * pair_at(y + i + 2);
  first += second;
  double sum = first[0] + first[1];
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

/// log(e^a + e^b)
inline double log_add(double a, double b) {
  const double top = a > b ? a : b;
  if (top == -infinity) return top;
  return top + std::log1p(std::exp(-std::abs(a - b)));
}

/// One way to build an item: of up to two others, with up to two scored parts. What it lacks is one of the
/// items that are always there, or one of the parts that score 0: the numbers after the last.
struct Edge {
  uint32_t tail[2], part[2];
};

/// Numbers that one call after another uses, kept by each thread.
struct Room {
  std::vector<double> scores, inside, mass, slope, mass_slope, weights, counts, direction;
  std::vector<Edge> edges;

  static Room& here() {
    thread_local Room room;
    return room;
  }
};

/// Random numbers of one structure: a pure function of the key and three words.
class Draws {
 public:
  Draws(Philox key, const uint32_t* words) : key_(key), words_{words[0], words[1], words[2]} {}
  /// In (0, 1), with 52 bits.
  double uniform() {
    const auto w = key_(count_++, words_[0], words_[1], words_[2]);
    return ((w[0] >> 6) * 67108864.0 + (w[1] >> 6) + 0.5) / 4503599627370496.0;
  }

 private:
  Philox key_;
  uint32_t words_[3], count_ = 0;
};

/// A structure and its score.
struct Scored {
  double score = -infinity;
  std::vector<uint32_t> parts;  // in the order in which a reader expects them
};

}  // namespace dynet::engine::structured
