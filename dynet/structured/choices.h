// Structures that give each column of a matrix one of its rows: dependency trees that need not be
// projective, and assignments.
#pragma once

#include <functional>

#include "dynet/structured/parts.h"

namespace dynet::engine::structured {

/// Trees of words 1 … words with the root 0. Parts: the arc to word d from h at (d - 1) * (words + 1) + h.
struct SpanningTrees {
  uint32_t words;
  bool single_root;

  size_t parts() const { return (size_t{words} + 1) * words; }
  /// The arc from a word to itself.
  bool is_ignored(size_t part) const { return part % (words + size_t{1}) == part / (words + size_t{1}) + 1; }
  /// A structure is given by the head of each word.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (uint32_t d = 0; d < words; ++d) f(d * (words + 1) + given[d]);
  }
  size_t told() const { return words; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t part : s.parts) put(part / (words + 1), part % (words + 1));
  }
};

/// By the matrix-tree theorem (Koo et al. 2007), with sums and quotients alone, so that no digits are lost.
double partition(const SpanningTrees& p, const double* scores, double* counts);
void second_derivative(const SpanningTrees& p, const double* scores, const double* direction, double* slope);
/// By contraction of cycles (Chu and Liu 1965, Edmonds 1967), and by division of what is left (Lawler 1972).
std::vector<Scored> best_of(const SpanningTrees& p, const double* scores, unsigned k);
/// One head after another, each by its probability given those before.
Scored sample(const SpanningTrees& p, const double* scores, Draws draws);

/// Pairs of a row and a column, each in at most one pair, as many as the shorter side has. Parts: row i with
/// column j at j * rows + i.
struct Assignments {
  uint32_t rows, columns;

  size_t parts() const { return size_t{rows} * columns; }
  bool is_ignored(size_t) const { return false; }
  /// A structure is given by the column of each row; a number that is no column: none.
  void each_part(std::span<const uint32_t> given, auto f) const {
    for (uint32_t i = 0; i < rows; ++i)
      if (given[i] < columns) f(given[i] * rows + i);
  }
  size_t told() const { return rows; }
  void tell(const Scored& s, auto put) const {
    for (const uint32_t part : s.parts) put(part % rows, part / rows);
  }
};

/// By shortest augmenting paths (Kuhn 1955, Jonker and Volgenant 1987), and by division (Murty 1968).
std::vector<Scored> best_of(const Assignments& p, const double* scores, unsigned k);
/// The pair of the greatest score, then that of the greatest among those still free, and so on.
Scored greedy(const Assignments& p, const double* scores);

/// The best choice for each column of a matrix of rows × columns; false: there is none.
using Solve = std::function<bool(const double* scores, std::vector<uint32_t>& chosen)>;
/// The k best, by dividing what the best leaves: columns before one keep their choice, and that one may not.
std::vector<Scored> best_choices(const Solve& solve, uint32_t rows, uint32_t columns, const double* scores,
                                 unsigned k);

}  // namespace dynet::engine::structured
