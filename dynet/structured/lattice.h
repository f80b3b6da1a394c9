// Monotone alignments of two sequences: paths through the cells of a matrix, and edits of one into the other.
#pragma once

#include "dynet/structured/inference.h"

namespace dynet::engine::structured {

/// A path from the first cell to the last by steps down, right, or both; each cell on it scores. Parts and
/// items: cell (i, j) at j * rows + i.
struct CellPaths {
  uint32_t rows, columns;

  size_t parts() const { return size_t{rows} * columns; }
  size_t most_edges() const { return 4; }
  size_t items() const { return parts(); }
  uint32_t goal() const { return rows * columns - 1; }

  template <bool backwards>
  void visit(auto f) const {
    const auto none = static_cast<uint32_t>(parts());
    for (uint32_t n = 0; n < rows * columns; ++n) {
      const uint32_t cell = backwards ? rows * columns - 1 - n : n, i = cell % rows, j = cell / rows;
      f(cell, [&](auto g) {
        if (cell == 0) g(Edge{{none, none}, {cell, none}});
        if (i > 0 && j > 0) g(Edge{{cell - rows - 1, none}, {cell, none}});
        if (i > 0) g(Edge{{cell - 1, none}, {cell, none}});
        if (j > 0) g(Edge{{cell - rows, none}, {cell, none}});
      });
    }
  }
  /// A structure is given by its cells.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (const uint32_t cell : given) f(cell);
  }
  size_t told() const { return rows + columns - 1; }
  void tell(const Scored& s, auto put) const {
    for (size_t k = 0; k < s.parts.size(); ++k) put(k, s.parts[s.parts.size() - 1 - k]);
  }
};

/// The ways to make one sequence of the other by matches, deletions and insertions. Parts: match of i with j
/// at j * rows + i, then the deletion of each row, then the insertion of each column. Items: what is done of
/// each, (i, j) at j * (rows + 1) + i.
struct Edits {
  uint32_t rows, columns;

  uint32_t deletions_at() const { return rows * columns; }
  uint32_t insertions_at() const { return deletions_at() + rows; }
  size_t parts() const { return size_t{rows} * columns + rows + columns; }
  size_t most_edges() const { return 4; }
  size_t items() const { return (size_t{rows} + 1) * (columns + size_t{1}); }
  uint32_t goal() const { return static_cast<uint32_t>(items()) - 1; }

  template <bool backwards>
  void visit(auto f) const {
    const auto no_item = static_cast<uint32_t>(items()), no_part = static_cast<uint32_t>(parts());
    for (uint32_t n = 0; n < no_item; ++n) {
      const uint32_t item = backwards ? no_item - 1 - n : n, i = item % (rows + 1), j = item / (rows + 1);
      f(item, [&](auto g) {
        if (item == 0) g(Edge{{no_item, no_item}, {no_part, no_part}});
        if (i > 0 && j > 0) g(Edge{{item - rows - 2, no_item}, {(j - 1) * rows + i - 1, no_part}});
        if (i > 0) g(Edge{{item - 1, no_item}, {deletions_at() + i - 1, no_part}});
        if (j > 0) g(Edge{{item - rows - 1, no_item}, {insertions_at() + j - 1, no_part}});
      });
    }
  }
  /// A structure is given by the edits, as parts.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (const uint32_t part : given) f(part);
  }
  size_t told() const { return rows + columns; }
  void tell(const Scored& s, auto put) const {
    for (size_t k = 0; k < s.parts.size(); ++k) put(k, s.parts[s.parts.size() - 1 - k]);
  }
};

/// How many insertions, deletions and substitutions make b of a, at the least (Levenshtein 1966).
uint32_t edit_distance(std::span<const uint32_t> a, std::span<const uint32_t> b);

}  // namespace dynet::engine::structured
