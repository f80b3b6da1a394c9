// Semi-Markov segments: words are cut into segments of up to a longest length, each with a label.
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// Parts: the segment of label k and length l that begins with word t, at (t * longest + l - 1) * labels + k,
/// then, if there are steps, that to label j from i at i * labels + j. Items, for each word: the sums of what
/// may stand before a segment of each label that begins there; then of segments of each label that end there.
struct Segments {
  uint32_t labels, longest, words;
  bool steps;

  uint32_t part(uint32_t begin, uint32_t length, uint32_t label) const {
    return (begin * longest + length - 1) * labels + label;
  }
  uint32_t steps_at() const { return words * longest * labels; }
  size_t parts() const { return steps_at() + (steps ? labels * labels : 0); }
  size_t most_edges() const { return std::max(labels, longest); }
  size_t items() const { return size_t{2} * labels * words + 1; }
  uint32_t goal() const { return 2 * labels * words; }
  uint32_t before(uint32_t t, uint32_t k) const { return 2 * labels * t + k; }
  uint32_t ended(uint32_t t, uint32_t k) const { return 2 * labels * t + labels + k; }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    const auto finish = [&] {
      f(goal(), [&](auto g) {
        for (uint32_t k = 0; k < labels; ++k) g(Edge{{ended(words - 1, k), no_item}, {no_part, no_part}});
      });
    };
    const auto begin = [&](uint32_t t, uint32_t k) {
      f(before(t, k), [&](auto g) {
        if (t == 0) return g(Edge{{no_item, no_item}, {no_part, no_part}});
        for (uint32_t i = 0; i < labels; ++i)
          g(Edge{{ended(t - 1, i), no_item}, {steps ? steps_at() + i * labels + k : no_part, no_part}});
      });
    };
    const auto end = [&](uint32_t t, uint32_t k) {
      f(ended(t, k), [&](auto g) {
        for (uint32_t l = 1; l <= longest && l <= t + 1; ++l)
          g(Edge{{before(t + 1 - l, k), no_item}, {part(t + 1 - l, l, k), no_part}});
      });
    };
    if (backwards) finish();
    for (uint32_t n = 0; n < words; ++n) {
      const uint32_t t = backwards ? words - 1 - n : n;
      for (uint32_t k = 0; k < labels; ++k) backwards ? end(t, k) : begin(t, k);
      for (uint32_t k = 0; k < labels; ++k) backwards ? begin(t, k) : end(t, k);
    }
    if (!backwards) finish();
  }
  /// A structure is given by length and label of each segment.
  void each_part(std::span<const uint32_t> given, auto f) const {
    uint32_t t = 0;
    for (size_t i = 0; i < given.size(); i += 2) {
      f(part(t, given[i], given[i + 1]));
      if (steps && i > 0) f(steps_at() + given[i - 1] * labels + given[i + 1]);
      t += given[i];
    }
  }
  /// At each word where a segment begins: (length - 1) * labels + label.
  size_t told() const { return words; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t p : s.parts)
      if (p < steps_at()) put(p / (longest * labels), p % (longest * labels));
  }
};

}  // namespace dynet::engine::structured
