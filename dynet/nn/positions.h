// Positions of the columns of a sequence: sines, learned vectors, rotations.
#pragma once

#include "dynet/nn/layers.h"

namespace dynet::nn {

/// Adds sines and cosines of position t to column t: row 2i gets sin(t / 10000^(2i / size)), row 2i + 1 the
/// cosine of the same. `size` is even. (Vaswani et al. 2017)
class SinusoidalPositions {
 public:
  explicit SinusoidalPositions(unsigned size);
  /// x {size, n} with positions start, start + 1, … added.
  Expression operator()(const Expression& x, unsigned start = 0) const;

  unsigned size;
};

/// Adds a learned vector for position t to column t. Parameter: table {most, size}, normally distributed with
/// deviation 0.02 at first; `most` is the length of the longest sequence. (Devlin et al. 2019)
class LearnedPositions {
 public:
  LearnedPositions(unsigned size, unsigned most, ParameterCollection& model);
  /// x {size, n} with positions start, start + 1, … added.
  Expression operator()(const Expression& x, unsigned start = 0) const;

  unsigned size, most;
  LookupParameter table;
};

/// x {size, n} with column t turned by position start + t: rows i and i + size / 2, as a point in the plane,
/// by (start + t) / 10000^(2i / size). `size` is even. (Su et al. 2021)
Expression rotary(const Expression& x, unsigned start = 0);

}  // namespace dynet::nn
