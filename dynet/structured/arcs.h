// Projective dependency trees (Eisner 1996).
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// Trees of words 1 … words with the root 0. Parts: the arc to word d from h at (d - 1) * (words + 1) + h.
/// Items: five for each span of words: both its halves together, an arc from its first word to its last and
/// the other way, all that its first word has to its right, all that its last has to its left.
struct Arcs {
  uint32_t words;
  bool single_root;

  enum Kind : uint32_t { joint, right_arc, left_arc, right, left };

  uint32_t arc(uint32_t head, uint32_t dependent) const { return (dependent - 1) * (words + 1) + head; }
  /// Those that reach to the right lie side by side by where they begin, the others by where they end.
  uint32_t item(Kind kind, uint32_t i, uint32_t j) const {
    const uint32_t n = words + 1, place = kind == left || kind == left_arc ? j * n + i : i * n + j;
    return kind * n * n + place;
  }
  size_t parts() const { return (size_t{words} + 1) * words; }
  size_t most_edges() const { return words + 1; }
  size_t items() const { return size_t{5} * (words + 1) * (words + 1) + 1; }
  uint32_t goal() const { return static_cast<uint32_t>(items()) - 1; }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    const uint32_t first = single_root ? 1 : 0;
    if (backwards) finish(f);
    for (uint32_t n = 0; n + first <= words; ++n) {
      const uint32_t w = backwards ? words - first - n : n;
      for (uint32_t i = first; i + w <= words; ++i) {
        const uint32_t j = i + w;
        const auto single = [&](auto g) { g(Edge{{no_item, no_item}, {no_part, no_part}}); };
        if (w == 0) {
          f(item(right, i, i), single), f(item(left, i, i), single);
          continue;
        }
        if (backwards) sides(f, i, j, no_part);
        if (!backwards) halves(f, i, j, no_part);
        const auto arc_of = [&](uint32_t h, uint32_t d) {
          return [=, this](auto g) {
            if (d > 0) g(Edge{{item(joint, i, j), no_item}, {arc(h, d), no_part}});
          };
        };
        f(item(right_arc, i, j), arc_of(i, j)), f(item(left_arc, i, j), arc_of(j, i));
        if (backwards) halves(f, i, j, no_part);
        if (!backwards) sides(f, i, j, no_part);
      }
    }
    if (!backwards) finish(f);
  }
  /// A structure is given by the head of each word.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (uint32_t d = 1; d <= words; ++d) f(arc(given[d - 1], d));
  }
  size_t told() const { return words; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t part : s.parts) put(part / (words + 1), part % (words + 1));
  }

 private:
  void halves(auto f, uint32_t i, uint32_t j, uint32_t no_part) const {
    f(item(joint, i, j), [&](auto g) {
      for (uint32_t k = i; k < j; ++k) g(Edge{{item(right, i, k), item(left, k + 1, j)}, {no_part, no_part}});
    });
  }
  void sides(auto f, uint32_t i, uint32_t j, uint32_t no_part) const {
    f(item(right, i, j), [&](auto g) {
      for (uint32_t k = i + 1; k <= j; ++k)
        g(Edge{{item(right_arc, i, k), item(right, k, j)}, {no_part, no_part}});
    });
    f(item(left, i, j), [&](auto g) {
      for (uint32_t k = i; k < j; ++k) g(Edge{{item(left, i, k), item(left_arc, k, j)}, {no_part, no_part}});
    });
  }
  void finish(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    f(goal(), [&](auto g) {
      if (!single_root) return g(Edge{{item(right, 0, words), no_item}, {no_part, no_part}});
      for (uint32_t r = 1; r <= words; ++r)
        g(Edge{{item(left, 1, r), item(right, r, words)}, {arc(0, r), no_part}});
    });
  }
};

}  // namespace dynet::engine::structured
