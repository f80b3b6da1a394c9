// Label paths by scaled probabilities, and their decoding.
#include "dynet/structured/ctc.h"

#include <algorithm>
#include <map>

#include "dynet/structured/scaled.h"

namespace dynet::engine::structured {
namespace {

struct Vectors {
  std::vector<double> emissions, ahead, back, next, skips, exponents, chosen;
  static Vectors& here() {
    thread_local Vectors v;
    return v;
  }
};

/// Vectors of all places have two zeros before them and two after them.
class ScaledPaths {
 public:
  ScaledPaths(const LabelPaths& p, const double* scores)
      : p_(p), n_(p.places()), width_(p.places() + 4), scores_(scores) {
    v_.emissions.resize(n_ * p.frames), v_.ahead.assign(width_ * (p.frames + size_t{1}), 0);
    v_.back.assign(width_, 0), v_.next.assign(width_, 0), v_.skips.assign(width_, 0);
    v_.chosen.resize(p.target.size() + 1), v_.exponents.resize(p.target.size() + 1);
    for (uint32_t s = 0; s < n_; ++s) v_.skips[s + 2] = p.skips(s) ? 1 : 0;
  }
  bool run(double* counts, double& sum) { return go_ahead() && go_back(counts) && (sum = sum_, true); }

 private:
  double* ahead(size_t t) { return v_.ahead.data() + t * width_ + 2; }
  double* emissions(size_t t) { return v_.emissions.data() + t * n_; }

  void take_emissions(size_t t) {
    const size_t m = p_.target.size();
    for (size_t i = 0; i < m; ++i) v_.chosen[i] = scores_[t * p_.labels + p_.target[i]];
    v_.chosen[m] = scores_[t * p_.labels + p_.blank];
    sum_ += exponentials(v_.chosen.data(), m + 1, v_.exponents.data());
    double* e = emissions(t);
    for (size_t i = 0; i < m; ++i) e[2 * i] = v_.exponents[m], e[2 * i + 1] = v_.exponents[i];
    e[2 * m] = v_.exponents[m];
  }
  bool go_ahead() {
    const double* skips = v_.skips.data() + 2;
    for (size_t t = 0; t < p_.frames; ++t) {
      take_emissions(t);
      double* to = ahead(t);
      const double* e = emissions(t);
      if (t == 0) {
        for (size_t s = 0; s < n_ && s < 2; ++s) to[s] = e[s];
      } else {
        const double* from = ahead(t - 1);
        for (ptrdiff_t s = 0; s < static_cast<ptrdiff_t>(n_); ++s)
          to[s] = (from[s] + from[s - 1] + skips[s] * from[s - 2]) * e[s];
      }
      const double scale = scale_to_one(to, n_);
      if (!(scale >= least_scale && scale < infinity)) return false;
      sum_ += std::log(scale);
    }
    return true;
  }
  bool go_back(double* counts) {
    double *back = v_.back.data() + 2, *next = v_.next.data() + 2;
    const double* skips = v_.skips.data() + 2;
    back[n_ - 1] = 1;
    if (n_ > 1) back[n_ - 2] = 1;
    std::fill_n(counts, p_.parts(), 0.0);
    for (size_t t = p_.frames; t-- > 0;) {
      const double* a = ahead(t);
      for (size_t s = 0; s < n_; ++s) next[s] = a[s] * back[s];
      const double total = sum_of(next, n_), factor = 1 / total;
      if (!(total >= least_scale && total < infinity)) return false;
      if (t + 1 == p_.frames) sum_ += std::log(total);
      double* to = counts + t * p_.labels;
      for (uint32_t s = 0; s < n_; ++s) to[p_.label(s)] += next[s] * factor;
      if (t == 0) break;
      const double* e = emissions(t);
      for (size_t s = 0; s < n_; ++s) next[s] = back[s] * e[s];
      for (size_t s = 0; s < n_; ++s) back[s] = next[s] + next[s + 1] + skips[s + 2] * next[s + 2];
      const double scale = scale_to_one(back, n_);
      if (!(scale >= least_scale && scale < infinity)) return false;
    }
    return true;
  }

  const LabelPaths& p_;
  size_t n_, width_;
  const double* scores_;
  Vectors& v_ = Vectors::here();
  double sum_ = 0;
};

/// The log of the probabilities of the paths that give a prefix, by whether they end in a blank.
struct Prefix {
  double blank = -infinity, label = -infinity;
  double both() const { return log_add(blank, label); }
};
using Prefixes = std::map<std::vector<uint32_t>, Prefix>;

/// All that the prefixes become with one more frame.
Prefixes longer(const Prefixes& from, const double* frame, uint32_t labels, uint32_t blank) {
  Prefixes to;
  for (const auto& [prefix, p] : from) {
    Prefix& same = to[prefix];
    same.blank = log_add(same.blank, p.both() + frame[blank]);
    if (!prefix.empty()) same.label = log_add(same.label, p.label + frame[prefix.back()]);
    for (uint32_t j = 0; j < labels; ++j) {
      if (j == blank || frame[j] == -infinity) continue;
      std::vector<uint32_t> extended = prefix;
      extended.push_back(j);
      Prefix& next = to[extended];
      const bool repeats = !prefix.empty() && prefix.back() == j;
      next.label = log_add(next.label, (repeats ? p.blank : p.both()) + frame[j]);
    }
    worked(int64_t{200} * labels);
  }
  return to;
}

std::vector<std::pair<double, const std::vector<uint32_t>*>> ranked(const Prefixes& all) {
  std::vector<std::pair<double, const std::vector<uint32_t>*>> order;
  for (const auto& [prefix, p] : all)
    if (p.both() > -infinity) order.push_back({p.both(), &prefix});
  std::stable_sort(order.begin(), order.end(), [](auto& a, auto& b) { return a.first > b.first; });
  return order;
}

Scored best_path(const double* scores, uint32_t labels, uint32_t frames, uint32_t blank) {
  Scored found{0, {}};
  uint32_t before = blank;
  for (uint32_t t = 0; t < frames; ++t) {
    const double* frame = scores + size_t{t} * labels;
    const auto j = static_cast<uint32_t>(std::max_element(frame, frame + labels) - frame);
    found.score += frame[j];
    if (j != blank && j != before) found.parts.push_back(j);
    before = j;
  }
  return found;
}

}  // namespace

double partition(const LabelPaths& p, const double* scores, double* counts) {
  double sum = 0;
  worked(int64_t{16} * p.frames * p.places());
  if (ScaledPaths(p, scores).run(counts, sum)) return sum;
  return partition<LabelPaths>(p, scores, counts);
}

std::vector<Scored> decode_labels(const double* scores, uint32_t labels, uint32_t frames, uint32_t blank,
                                  uint32_t width, uint32_t count) {
  if (width == 0) return {best_path(scores, labels, frames, blank)};
  Prefixes beam{{{}, {0, -infinity}}};
  for (uint32_t t = 0; t < frames; ++t) {
    const Prefixes all = longer(beam, scores + size_t{t} * labels, labels, blank);
    beam.clear();
    for (const auto& [score, prefix] : ranked(all)) {
      if (beam.size() == width) break;
      beam.emplace(*prefix, all.at(*prefix));
    }
  }
  std::vector<Scored> found;
  for (const auto& [score, prefix] : ranked(beam))
    if (found.size() < count) found.push_back({score, *prefix});
  return found;
}

}  // namespace dynet::engine::structured
