// A linear chain: a tag for each word, with scores of tags, of steps from tag to tag, and of both ends.
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// Parts: tag j of word t at t * tags + j, then the step to j from i at i * tags + j, then, if there are
/// ends, each tag at the start and each at the end.
struct Chain {
  uint32_t tags, words;
  bool ends;

  uint32_t steps_at() const { return tags * words; }
  uint32_t starts_at() const { return steps_at() + tags * tags; }
  uint32_t ends_at() const { return starts_at() + tags; }
  size_t parts() const { return starts_at() + (ends ? 2 * tags : 0); }
  size_t most_edges() const { return tags; }
  size_t items() const { return size_t{tags} * words + 1; }
  uint32_t goal() const { return tags * words; }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    const auto finish = [&] {
      f(goal(), [&](auto g) {
        for (uint32_t j = 0; j < tags; ++j)
          g(Edge{{(words - 1) * tags + j, no_item}, {ends ? ends_at() + j : no_part, no_part}});
      });
    };
    if (backwards) finish();
    for (uint32_t n = 0; n < words; ++n) {
      const uint32_t t = backwards ? words - 1 - n : n;
      for (uint32_t j = 0; j < tags; ++j) {
        const uint32_t here = t * tags + j;
        f(here, [&](auto g) {
          if (t == 0) return g(Edge{{no_item, no_item}, {here, ends ? starts_at() + j : no_part}});
          for (uint32_t i = 0; i < tags; ++i)
            g(Edge{{(t - 1) * tags + i, no_item}, {here, steps_at() + i * tags + j}});
        });
      }
    }
    if (!backwards) finish();
  }

  /// Calls f(part) for each part of a sequence of tags.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (uint32_t t = 0; t < words; ++t) {
      f(t * tags + given[t]);
      if (t > 0) f(steps_at() + given[t - 1] * tags + given[t]);
    }
    if (ends) f(starts_at() + given[0]), f(ends_at() + given[words - 1]);
  }
  /// What a reader is told of a structure: its tags.
  size_t told() const { return words; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t part : s.parts)
      if (part < steps_at()) put(part / tags, part % tags);
  }
};

/// The same as the general forms above, in a fraction of the time: probabilities that are scaled word by word
/// instead of logarithms. Where these would lose digits, they say so, and the general form is taken.
double partition(const Chain& p, const double* scores, double* counts);
Scored best(const Chain& p, const double* scores);

}  // namespace dynet::engine::structured
