// Words are taken out one after another, as a triangular factorisation takes out rows and columns, but
// without differences; the way back gives the derivatives.
//
// All loops add rows of eight numbers, scaled, to each other, and none sums along a row but once a word. They
// are compiled for several vector widths: the order of all sums is the same in each, and so are the bits.
#include "dynet/structured/elimination.h"

#include <algorithm>

namespace dynet::engine::structured {
namespace {

constexpr size_t lanes = 8;
using Quad = double __attribute__((vector_size(32)));
using QuadBits = uint64_t __attribute__((vector_size(32)));

/// Words of sentences whose arrays a thread keeps for the next one.
constexpr size_t most_kept = 200;

/// Sums of weights; the squares of smaller ones would be lost.
constexpr double least = 1e-40;

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12 && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define DYNET_WIDTHS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DYNET_WIDTHS
#endif

[[gnu::always_inline]] inline void load(const double* p, Quad& x) { __builtin_memcpy(&x, p, sizeof x); }
[[gnu::always_inline]] inline void store(const Quad& x, double* p) { __builtin_memcpy(p, &x, sizeof x); }

/// Eight numbers in two registers: compilers take a vector that is wider than these to pieces.
struct Lanes {
  Quad low{}, high{};
};
[[gnu::always_inline]] inline void load(const double* p, Lanes& x) { load(p, x.low), load(p + 4, x.high); }
[[gnu::always_inline]] inline void store(const Lanes& x, double* p) { store(x.low, p), store(x.high, p + 4); }
[[gnu::always_inline]] inline void add(const Lanes& x, Lanes& to) { to.low += x.low, to.high += x.high; }
[[gnu::always_inline]] inline void scale(double by, Lanes& x) { x.low *= by, x.high *= by; }
[[gnu::always_inline]] inline void add_scaled(double by, const double* p, Lanes& to) {
  Lanes x;
  load(p, x);
  to.low += by * x.low, to.high += by * x.high;
}

/// As exponential() of a pair, with the same bits.
[[gnu::always_inline]] inline void to_exponentials(double* at) {
  Quad x;
  load(at, x);
  constexpr double round_at_one = 6755399441055744.0;
  const Quad least_x = Quad{} - 708.0, most = Quad{} + 709.0;
  const Quad low = x > least_x ? x : least_x, inside = low < most ? low : most;
  const Quad scaled = inside * 1.4426950408889634 + round_at_one, n = scaled - round_at_one;
  const Quad r = (inside - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  constexpr double terms[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                              1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1,          1};
  Quad p = Quad{} + 1.0 / 479001600;
#pragma GCC unroll 12
  for (const double term : terms) p = p * r + term;
  const auto y =
      reinterpret_cast<Quad>(reinterpret_cast<QuadBits>(p) + (reinterpret_cast<QuadBits>(scaled) << 52));
  const Quad high = x > most ? Quad{} + infinity : y, all = x > least_x ? high : Quad{};
  store(x == x ? all : x, at);
}

/// sum += Σ factors[j · step] · row j, of the eight numbers of each row at `rows`.
[[gnu::always_inline]] inline void add_rows(const double* rows, size_t width, const double* factors,
                                            size_t step, size_t count, Lanes& sum) {
  Lanes other;
  size_t j = 0;
  for (; j + 2 <= count; j += 2) {
    add_scaled(factors[j * step], rows + j * width, sum);
    add_scaled(factors[(j + 1) * step], rows + (j + 1) * width, other);
  }
  if (j < count) add_scaled(factors[j * step], rows + j * width, sum);
  add(other, sum);
}

[[gnu::always_inline]] inline double total_of(const Lanes& x) {
  const Quad sum = x.low + x.high;
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/// Square arrays of whole rows of lanes. Words and heads are 0 … n - 1, the root as a head is n.
struct Arrays {
  std::vector<double> weights, transposed;  // by word and head, by head and word
  std::vector<double> upper;                // by word: what its heads had when it was taken out
  std::vector<double> shares;               // by the word that was taken out and those that hung on it
  std::vector<double> slopes, slopes_transposed;
  std::vector<double> factors;  // 1 / the sum of the heads of each word

  static Arrays& here() {
    thread_local Arrays arrays;
    return arrays;
  }
};

class Elimination {
 public:
  Elimination(const SpanningTrees& p) : n_(p.words), single_(p.single_root) {
    width_ = (n_ + lanes) / lanes * lanes;
    for (auto* each : {&a_.weights, &a_.transposed, &a_.upper, &a_.shares, &a_.slopes, &a_.slopes_transposed})
      each->assign(width_ * width_, 0);
    a_.factors.resize(n_);
  }

  ~Elimination() {
    if (n_ > most_kept) a_ = {};
  }

  /// Weights over the largest one of each word; their logs make up the sum.
  [[gnu::always_inline]] double take(const double* scores) {
    double sum = 0;
    for (size_t d = 0; d < n_; ++d) {
      const double* from = scores + d * (n_ + 1);
      double* to = at(a_.weights, d);
      std::copy_n(from + 1, n_, to);
      to[d] = -infinity, to[n_] = from[0];
      std::fill(to + n_ + 1, to + width_, -infinity);
      const double top = largest(to, n_ + 1);
      for (size_t h = 0; h < width_; ++h) to[h] -= top;
      for (size_t h = 0; h < width_; h += 4) to_exponentials(to + h);
      for (size_t h = 0; h < n_; ++h) at(a_.transposed, h)[d] = to[h];
      sum += top;
    }
    return sum;
  }

  /// What the heads of word k have when the words before it are taken out; the sum of them.
  [[gnu::always_inline]] double finish_row(size_t k) {
    double* row = at(a_.upper, k);
    for (size_t b = first_block(k); b < width_; b += lanes) {
      Lanes sum;
      load(at(a_.weights, k) + b, sum);
      add_rows(a_.upper.data() + b, width_, a_.shares.data() + k, width_, k, sum);
      store(sum, row + b);
    }
    clear_up_to(k, row);
    const double root = row[n_];
    if (single_) row[n_] = 0;
    Lanes total;
    for (size_t b = first_block(k); b < width_; b += lanes) {
      Lanes sum;
      load(row + b, sum);
      add(sum, total);
    }
    row[n_] = root;
    return total_of(total);
  }
  /// How much of what hung on word k goes to each of its heads, for each word after it.
  [[gnu::always_inline]] void finish_shares(size_t k) {
    for (size_t b = first_block(k); b < width_; b += lanes) {
      Lanes sum;
      load(at(a_.transposed, k) + b, sum);
      add_rows(a_.shares.data() + b, width_, a_.upper.data() + k, width_, k, sum);
      scale(a_.factors[k], sum);
      store(sum, at(a_.shares, k) + b);
    }
    clear_up_to(k, at(a_.shares, k));
  }

  /// False where digits would be lost.
  [[gnu::always_inline]] bool go_ahead(double& sum) {
    for (size_t k = 0; k < last(); ++k) {
      const double total = finish_row(k);
      if (!(total >= least && total < infinity)) return false;
      a_.factors[k] = 1 / total, sum += std::log(total);
      finish_shares(k);
    }
    if (!single_) return true;
    finish_row(n_ - 1);
    const double root = at(a_.upper, n_ - 1)[n_];
    if (!(root >= least && root < infinity)) return false;
    sum += std::log(root);
    at(a_.slopes, n_ - 1)[n_] = at(a_.slopes_transposed, n_)[n_ - 1] = 1 / root;
    return true;
  }

  /// The derivatives of the sum by the weights as they were before word k was taken out, from those after.
  [[gnu::always_inline]] void go_back(size_t k) {
    const size_t first = k + 1, count = n_ - k;
    const double by = a_.factors[k], *heads = at(a_.upper, k), *shares = at(a_.shares, k);
    Lanes moved;
    double *column = at(a_.slopes_transposed, k), *row = at(a_.slopes, k);
    for (size_t b = first_block(k); b < width_; b += lanes) {
      Lanes sum, share;
      add_rows(at(a_.slopes_transposed, first) + b, width_, heads + first, 1, count, sum);
      load(shares + b, share);
      moved.low += share.low * sum.low, moved.high += share.high * sum.high;
      scale(by, sum);
      store(sum, column + b);
    }
    clear_up_to(k, column);
    const double more = (1 - total_of(moved)) * by;
    for (size_t b = first_block(k); b < width_; b += lanes) {
      Lanes sum;
      add_rows(at(a_.slopes, first) + b, width_, shares + first, 1, count - 1, sum);
      store(sum, row + b);
    }
    clear_up_to(k, row);
    for (size_t h = first; h < n_; ++h) row[h] += more;
    if (!single_) row[n_] += more;
    std::fill(row + n_ + 1, row + width_, 0);
    for (size_t d = first; d < n_; ++d) at(a_.slopes, d)[k] = column[d];
    for (size_t h = first; h <= n_; ++h) at(a_.slopes_transposed, h)[k] = row[h];
  }

  [[gnu::always_inline]] void tell(double* counts) {
    for (size_t k = last(); k-- > 0;) go_back(k);
    for (size_t d = 0; d < n_; ++d) {
      const double *weights = at(a_.weights, d), *slopes = at(a_.slopes, d);
      double* to = counts + d * (n_ + 1);
      for (size_t h = 0; h < n_; ++h) to[h + 1] = probability(weights[h] * slopes[h]);
      to[0] = probability(weights[n_] * slopes[n_]);
    }
  }

 private:
  /// The block of a row in which the first word after word k lies, and zeros before that word.
  static size_t first_block(size_t k) { return (k + 1) / lanes * lanes; }
  static void clear_up_to(size_t k, double* row) { std::fill(row + first_block(k), row + k + 1, 0); }
  double* at(std::vector<double>& array, size_t row) { return array.data() + row * width_; }
  size_t last() const { return single_ ? n_ - 1 : n_; }
  static double probability(double x) { return x > 0 ? x : x == x ? 0 : x; }

  size_t n_, width_;
  bool single_;
  Arrays& a_ = Arrays::here();
};

DYNET_WIDTHS bool eliminate(const SpanningTrees& p, const double* scores, double* counts, double& sum) {
  Elimination e(p);
  sum = e.take(scores);
  if (!e.go_ahead(sum)) return false;
  e.tell(counts);
  return true;
}

}  // namespace

bool eliminate_words(const SpanningTrees& p, const double* scores, double* counts, double& sum) {
  return eliminate(p, scores, counts, sum);
}

}  // namespace dynet::engine::structured
