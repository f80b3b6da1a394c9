// Linear chains by products of scaled probabilities.
#include "dynet/structured/chain.h"

#include <algorithm>
#include <cstring>

#include "dynet/structured/scaled.h"

namespace dynet::engine::structured {
namespace {

/// The exponents of the scores of steps, kept until others come: sentences share them.
struct Steps {
  std::vector<double> scores, forward, backward;  // to ← from by columns of from, and transposed
  double top = 0;

  void take(const double* given, size_t n) {
    if (scores.size() == n * n && std::memcmp(scores.data(), given, n * n * sizeof *given) == 0) return;
    scores.assign(given, given + n * n);
    forward.resize(n * n), backward.resize(n * n);
    top = exponentials(given, n * n, forward.data());
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) backward[j * n + i] = forward[i * n + j];
  }
  static Steps& here() {
    thread_local Steps steps;
    return steps;
  }
};

/// The vectors of one sentence.
struct Vectors {
  std::vector<double> emissions, ahead, back, both, steps;
  static Vectors& here() {
    thread_local Vectors v;
    return v;
  }
};

class ScaledChain {
 public:
  ScaledChain(const Chain& p, const double* scores) : p_(p), n_(p.tags), scores_(scores) {
    v_.emissions.resize(n_ * p.words), v_.ahead.resize(n_ * p.words);
    v_.back.resize(n_), v_.both.resize(n_), v_.steps.assign(n_ * n_, 0);
    steps_.take(scores + p.steps_at(), n_);
  }

  /// False where digits would be lost.
  bool run(double* counts, double& sum) {
    return steps_.top > -infinity && go_ahead() && go_back(counts) && (sum = sum_, true);
  }

 private:
  double* ahead(size_t t) { return v_.ahead.data() + t * n_; }
  double* emissions(size_t t) { return v_.emissions.data() + t * n_; }

  bool go_ahead() {
    for (size_t t = 0; t < p_.words; ++t) {
      double *to = ahead(t), *e = emissions(t);
      sum_ += exponentials(scores_ + t * n_, n_, e);
      if (t > 0) {
        multiply(steps_.forward.data(), n_, ahead(t - 1), to);
        sum_ += steps_.top;
      } else if (p_.ends) {
        sum_ += exponentials(scores_ + p_.starts_at(), n_, to);
      } else {
        std::fill_n(to, n_, 1.0);
      }
      for (size_t j = 0; j < n_; ++j) to[j] *= e[j];
      const double scale = scale_to_one(to, n_);
      if (!(scale >= least_scale && scale < infinity)) return false;
      sum_ += std::log(scale);
    }
    return true;
  }

  bool go_back(double* counts) {
    double* back = v_.back.data();
    if (p_.ends)
      sum_ += exponentials(scores_ + p_.ends_at(), n_, back);
    else
      std::fill_n(back, n_, 1.0);
    for (size_t t = p_.words; t-- > 0;) {
      const double total = share(ahead(t), back, counts + t * n_);
      if (!(total >= least_scale && total < infinity)) return false;
      if (t + 1 == p_.words) {
        sum_ += std::log(total);
        if (p_.ends) std::copy_n(counts + t * n_, n_, counts + p_.ends_at());
      }
      if (t == 0) break;
      const double* e = emissions(t);
      double* both = v_.both.data();
      for (size_t j = 0; j < n_; ++j) both[j] = e[j] * back[j];
      multiply(steps_.backward.data(), n_, both, back);
      if (!add_steps(ahead(t - 1), both, back)) return false;
      const double scale = scale_to_one(back, n_);
      if (!(scale >= least_scale && scale < infinity)) return false;
    }
    if (p_.ends) std::copy_n(counts, n_, counts + p_.starts_at());
    double* steps = counts + p_.steps_at();
    for (size_t i = 0; i < n_ * n_; ++i) steps[i] = v_.steps[i] * steps_.forward[i];
    return true;
  }

  /// to = a * b / their sum, which is returned.
  double share(const double* a, const double* b, double* to) const {
    for (size_t j = 0; j < n_; ++j) to[j] = a[j] * b[j];
    const double total = sum_of(to, n_), factor = 1 / total;
    for (size_t j = 0; j < n_; ++j) to[j] *= factor;
    return total;
  }

  bool add_steps(const double* from, const double* to, const double* back) {
    double total = 0;
    for (size_t i = 0; i < n_; ++i) total += from[i] * back[i];
    if (!(total >= least_scale && total < infinity)) return false;
    const double factor = 1 / total;
    for (size_t i = 0; i < n_; ++i) {
      const double f = from[i] * factor;
      double* s = v_.steps.data() + i * n_;
      for (size_t j = 0; j < n_; ++j) s[j] += f * to[j];
    }
    return true;
  }

  const Chain& p_;
  size_t n_;
  const double* scores_;
  Vectors& v_ = Vectors::here();
  Steps& steps_ = Steps::here();
  double sum_ = 0;
};

}  // namespace

double partition(const Chain& p, const double* scores, double* counts) {
  double sum = 0;
  worked(int64_t{8} * p.words * p.tags * p.tags);
  if (ScaledChain(p, scores).run(counts, sum)) return sum;
  return partition<Chain>(p, scores, counts);
}

/// The maxima alone, and then, along the best sequence, where they came from.
Scored best(const Chain& p, const double* scores) {
  const size_t n = p.tags;
  std::vector<double>& top = Vectors::here().ahead;
  top.assign(n * p.words, -infinity);
  const double* steps = scores + p.steps_at();
  worked(int64_t{4} * p.words * p.tags * p.tags);
  for (size_t i = 0; i < p.parts(); ++i)
    if (scores[i] != scores[i]) return {scores[i], {}};
  for (size_t t = 0; t < p.words; ++t) {
    double* to = top.data() + t * n;
    if (t == 0) {
      for (size_t j = 0; j < n; ++j) to[j] = p.ends ? scores[p.starts_at() + j] : 0.0;
    } else {
      for (size_t i = 0; i < n; ++i) {
        const double from = to[i - n];
        const double* step = steps + i * n;
        for (size_t j = 0; j < n; ++j) {
          const double score = from + step[j];
          to[j] = score > to[j] ? score : to[j];
        }
      }
    }
    for (size_t j = 0; j < n; ++j) to[j] += scores[t * n + j];
  }
  double* last = top.data() + n * (p.words - 1);
  size_t tag = 0;
  if (p.ends)
    for (size_t j = 0; j < n; ++j) last[j] += scores[p.ends_at() + j];
  for (size_t j = 1; j < n; ++j)
    if (last[j] > last[tag]) tag = j;
  Scored found{last[tag], {}};
  if (found.score == -infinity) return found;
  found.parts.resize(p.words);
  for (size_t t = p.words; t-- > 0;) {
    found.parts[t] = static_cast<uint32_t>(t * n + tag);
    if (t == 0) break;
    const double* from = top.data() + (t - 1) * n;
    size_t origin = 0;
    double most = -infinity;
    for (size_t i = 0; i < n; ++i)
      if (const double score = from[i] + steps[i * n + tag]; score > most) most = score, origin = i;
    tag = origin;
  }
  return found;
}

}  // namespace dynet::engine::structured
