// Connectionist temporal classification: paths of labels that, without repeats and blanks, are the target.
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// Parts: label j of frame t at t * labels + j. Items: frame and place among the target's labels with blanks
/// around them.
struct LabelPaths {
  uint32_t labels, frames, blank;
  std::span<const uint32_t> target;

  uint32_t places() const { return 2 * static_cast<uint32_t>(target.size()) + 1; }
  uint32_t label(uint32_t place) const { return place % 2 ? target[place / 2] : blank; }
  /// Whether the blank before a place may be left out.
  bool skips(uint32_t place) const {
    return place % 2 && place > 1 && target[place / 2] != target[place / 2 - 1];
  }
  size_t parts() const { return size_t{labels} * frames; }
  size_t most_edges() const { return 3; }
  size_t items() const { return size_t{frames} * places() + 1; }
  uint32_t goal() const { return frames * places(); }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    const uint32_t width = places();
    const auto finish = [&] {
      f(goal(), [&](auto g) {
        g(Edge{{goal() - 1, no_item}, {no_part, no_part}});
        if (width > 1) g(Edge{{goal() - 2, no_item}, {no_part, no_part}});
      });
    };
    if (backwards) finish();
    for (uint32_t n = 0; n < frames; ++n) {
      const uint32_t t = backwards ? frames - 1 - n : n;
      for (uint32_t s = 0; s < width; ++s) {
        f(t * width + s, [&](auto g) {
          const uint32_t part = t * labels + label(s);
          if (t == 0) {
            if (s < 2) g(Edge{{no_item, no_item}, {part, no_part}});
            return;
          }
          const uint32_t before = (t - 1) * width + s;
          g(Edge{{before, no_item}, {part, no_part}});
          if (s > 0) g(Edge{{before - 1, no_item}, {part, no_part}});
          if (skips(s)) g(Edge{{before - 2, no_item}, {part, no_part}});
        });
      }
    }
    if (!backwards) finish();
  }
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (uint32_t t = 0; t < frames; ++t) f(t * labels + given[t]);
  }
  size_t told() const { return frames; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t part : s.parts) put(part / labels, part % labels);
  }
};

/// As for chains.
double partition(const LabelPaths& p, const double* scores, double* counts);

/// The label sequences of the greatest probability among those that a beam of prefixes keeps, best first
/// (Hannun et al. 2014); width 0: the one of the best path alone.
std::vector<Scored> decode_labels(const double* scores, uint32_t labels, uint32_t frames, uint32_t blank,
                                  uint32_t width, uint32_t count);

}  // namespace dynet::engine::structured
