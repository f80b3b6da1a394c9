// Sums over dependency trees by the elimination of words: in logs, where probabilities would lose digits.
#include <algorithm>

#include "dynet/core/watch.h"
#include "dynet/structured/elimination.h"

namespace dynet::engine::structured {
namespace {

/// A number and its slope along some direction.
struct Dual {
  double value = 0, slope = 0;
};
double value(double x) { return x; }
double value(const Dual& x) { return x.value; }
Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
/// e^(a - b), 0 where a is -inf.
double ratio(double a, double b) { return a == -infinity ? 0 : exponential(a - b); }
Dual ratio(Dual a, Dual b) {
  const double r = ratio(a.value, b.value);
  return {r, r == 0 ? 0 : r * (a.slope - b.slope)};
}
double sum_of(double a, double b) { return log_add(a, b); }
Dual sum_of(Dual a, Dual b) {
  if (a.value == -infinity) return b;
  if (b.value == -infinity) return a;
  const Dual top{log_add(a.value, b.value), 0};
  return {top.value, ratio(a.value, top.value) * a.slope + ratio(b.value, top.value) * b.slope};
}
template <class T>
T nothing() {
  return T{-infinity};
}

/// Words are taken out one after another; who hung on one of them then hangs on the heads it may have, or on
/// the root. The logs of all weights before each step are kept, and adjoints go the same way back.
///
/// With a single root the sum is what is left to the first order where the weights of all arcs from the root
/// go to zero together: but for the last word, no word counts the root among its heads.
template <class T>
class Elimination {
 public:
  Elimination(const SpanningTrees& p, std::vector<T> weights)
      : n_(p.words), width_(p.words + size_t{1}), single_(p.single_root), w_(std::move(weights)) {
    for (size_t d = 0; d < n_; ++d) at(w_, d, d + 1) = nothing<T>(), active_.push_back(d);
  }

  /// False: there is no tree.
  bool run() {
    while (active_.size() > (single_ ? 1u : 0u)) {
      size_t pivot = active_.size();
      T total = nothing<T>();
      for (size_t k = 0; k < active_.size() && pivot == active_.size(); ++k) {
        total = heads_of(active_[k]);
        if (value(total) != -infinity) pivot = k;
      }
      if (pivot == active_.size()) return false;
      take_out(pivot, total);
    }
    if (!single_) return true;
    last_ = active_[0];
    sum_ = sum_ + at(w_, last_, 0);
    return value(at(w_, last_, 0)) > -infinity;
  }
  T sum() const { return sum_; }

  /// The derivative of the sum by the log of each weight.
  std::vector<T> adjoints() {
    std::vector<T> m(w_.size(), T{0});
    if (single_) at(m, last_, 0) = T{1};
    for (size_t s = steps_.size(); s-- > 0;)
      put_back(steps_[s], s + 1 < steps_.size() ? steps_[s + 1].before : w_, m);
    return m;
  }

 private:
  struct Step {
    size_t word;
    std::vector<size_t> rest;
    T total;
    std::vector<T> before;
  };

  T& at(std::vector<T>& v, size_t d, size_t h) { return v[d * width_ + h]; }

  T heads_of(size_t k) {
    T total = single_ ? nothing<T>() : at(w_, k, 0);
    for (const size_t h : active_)
      if (h != k) total = sum_of(total, at(w_, k, h + 1));
    return total;
  }
  /// Calls f(h) for the places of the heads that words may still have, the root's too.
  void each_head(const Step& s, size_t d, auto f) {
    f(size_t{0});
    for (const size_t h : s.rest)
      if (h != d) f(h + 1);
  }
  void take_out(size_t pivot, T total) {
    const size_t k = active_[pivot];
    active_.erase(active_.begin() + static_cast<ptrdiff_t>(pivot));
    steps_.push_back({k, active_, total, w_});
    sum_ = sum_ + total;
    const Step& s = steps_.back();
    for (const size_t d : s.rest) {
      if (value(at(w_, d, k + 1)) == -infinity) continue;
      const T share = at(w_, d, k + 1) - total;
      each_head(s, d, [&](size_t h) {
        if (value(at(w_, k, h)) > -infinity) at(w_, d, h) = sum_of(at(w_, d, h), share + at(w_, k, h));
      });
    }
    worked(static_cast<int64_t>(40 * s.rest.size() * s.rest.size()));
  }
  void put_back(Step& s, std::vector<T>& after, std::vector<T>& m) {
    const size_t k = s.word;
    T own{1};
    for (const size_t d : s.rest) {
      if (value(at(s.before, d, k + 1)) == -infinity) continue;
      const T share = at(s.before, d, k + 1) - s.total;
      each_head(s, d, [&](size_t h) {
        const T moved = at(m, d, h);
        if ((value(moved) == 0 && value(at(after, d, h)) == -infinity) ||
            value(at(s.before, k, h)) == -infinity)
          return;
        const T more = moved * ratio(share + at(s.before, k, h), at(after, d, h));
        at(m, d, h) = moved * ratio(at(s.before, d, h), at(after, d, h));
        at(m, d, k + 1) = at(m, d, k + 1) + more, at(m, k, h) = at(m, k, h) + more, own = own - more;
      });
    }
    for (const size_t h : s.rest)
      at(m, k, h + 1) = at(m, k, h + 1) + own * ratio(at(s.before, k, h + 1), s.total);
    if (!single_) at(m, k, 0) = at(m, k, 0) + own * ratio(at(s.before, k, 0), s.total);
  }

  size_t n_, width_;
  bool single_;
  std::vector<T> w_;
  std::vector<size_t> active_;
  std::vector<Step> steps_;
  size_t last_ = 0;
  T sum_{0};
};

}  // namespace

double partition(const SpanningTrees& p, const double* scores, double* counts) {
  double sum = 0;
  worked(int64_t{2} * p.words * p.words * p.words);
  if (eliminate_words(p, scores, counts, sum)) return sum;
  std::fill_n(counts, p.parts(), 0.0);
  std::vector<double> weights(scores, scores + p.parts());
  for (size_t i = 0; i < p.parts(); ++i) {
    if (p.is_ignored(i)) weights[i] = -infinity;
    if (weights[i] != weights[i]) return weights[i];
  }
  Elimination<double> e(p, std::move(weights));
  if (!e.run()) return -infinity;
  const std::vector<double> m = e.adjoints();
  std::copy(m.begin(), m.end(), counts);
  return e.sum();
}

void second_derivative(const SpanningTrees& p, const double* scores, const double* direction, double* slope) {
  std::vector<Dual> weights(p.parts());
  for (size_t i = 0; i < p.parts(); ++i) {
    const bool forbidden = p.is_ignored(i) || scores[i] == -infinity;
    weights[i] = forbidden ? Dual{-infinity, 0} : Dual{scores[i], direction[i]};
  }
  std::fill_n(slope, p.parts(), 0.0);
  Elimination<Dual> e(p, std::move(weights));
  if (!e.run()) return;
  const std::vector<Dual> m = e.adjoints();
  for (size_t i = 0; i < p.parts(); ++i) slope[i] = m[i].slope;
}

Scored sample(const SpanningTrees& p, const double* scores, Draws draws) {
  const size_t width = p.words + size_t{1};
  std::vector<double> left(scores, scores + p.parts()), counts(p.parts());
  Scored drawn{0, {}};
  for (size_t d = 0; d < p.words; ++d) {
    const double sum = partition(p, left.data(), counts.data());
    if (!(sum > -infinity)) return {sum, {}};
    double rest = draws.uniform();
    size_t head = width;
    for (size_t h = 0; h < width; ++h) {
      if (!(counts[d * width + h] > 0)) continue;
      head = h;
      if ((rest -= counts[d * width + h]) < 0) break;
    }
    for (size_t h = 0; h < width; ++h)
      if (h != head) left[d * width + h] = -infinity;
    drawn.parts.push_back(static_cast<uint32_t>(d * width + head));
    drawn.score += scores[d * width + head];
  }
  return drawn;
}

}  // namespace dynet::engine::structured
