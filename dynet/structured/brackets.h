// Binary trees over words, with a label for each span (Cocke, Kasami and Younger).
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// Parts: the span from word i to word j with label k at (k * words + j) * words + i. Items: three for each
/// span, how it is split, and twice the span with its label.
struct Brackets {
  uint32_t words, labels;

  uint32_t part(uint32_t i, uint32_t j, uint32_t k) const { return (k * words + j) * words + i; }
  size_t parts() const { return size_t{words} * words * labels; }
  size_t most_edges() const { return std::max(words, labels); }
  size_t items() const { return size_t{3} * words * words; }
  uint32_t goal() const { return from(0, words - 1); }
  /// What lies side by side is read side by side: spans by where they begin, and again by where they end.
  uint32_t from(uint32_t i, uint32_t j) const { return i * words + j; }
  uint32_t until(uint32_t i, uint32_t j) const { return words * words + j * words + i; }
  uint32_t split(uint32_t i, uint32_t j) const { return 2 * words * words + i * words + j; }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    for (uint32_t n = 0; n < words; ++n) {
      const uint32_t w = backwards ? words - 1 - n : n;
      for (uint32_t i = 0; i + w < words; ++i) {
        const uint32_t j = i + w;
        const auto splits = [&](auto g) {
          if (w == 0) g(Edge{{no_item, no_item}, {no_part, no_part}});
          for (uint32_t k = i; k < j; ++k) g(Edge{{from(i, k), until(k + 1, j)}, {no_part, no_part}});
        };
        const auto labelled = [&](auto g) {
          for (uint32_t k = 0; k < labels; ++k) g(Edge{{split(i, j), no_item}, {part(i, j, k), no_part}});
        };
        const auto copy = [&](auto g) { g(Edge{{from(i, j), no_item}, {no_part, no_part}}); };
        if (backwards) f(until(i, j), copy), f(from(i, j), labelled), f(split(i, j), splits);
        if (!backwards) f(split(i, j), splits), f(from(i, j), labelled), f(until(i, j), copy);
      }
    }
  }
  /// A structure is given by its spans, as parts.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (const uint32_t p : given) f(p);
  }
  size_t told() const { return 2 * size_t{words} - 1; }
  void tell(const Scored& s, auto put) const {
    for (size_t k = 0; k < s.parts.size(); ++k) put(k, s.parts[k]);
  }
};

}  // namespace dynet::engine::structured
