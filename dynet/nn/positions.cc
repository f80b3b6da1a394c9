// Positions as inputs that are added or multiplied.
#include "dynet/nn/positions.h"

#include <cmath>
#include <numeric>

#include "dynet/ops/all.h"

namespace dynet::nn {

using engine::as_matrix;
using engine::invalid;
using engine::with_rows;

namespace {

unsigned even(const char* call, unsigned size) {
  if (size == 0 || size % 2) invalid(call, ": ", size, " rows; an even number is needed");
  return size;
}

/// A matrix {size, n} of f(angle, row) with the angle of each row's wave, of which two rows have one, at the
/// positions of the columns.
Expression waves(const Expression& x, unsigned start, auto wave_of_row, auto f) {
  const unsigned size = x.dim().rows(), n = x.dim().cols();
  std::vector<real> numbers;
  numbers.reserve(size_t{size} * n);
  for (unsigned t = 0; t < n; ++t)
    for (unsigned row = 0; row < size; ++row) {
      const double angle = (double(start) + t) * std::pow(10000.0, -2.0 * wave_of_row(row) / double(size));
      numbers.push_back(static_cast<real>(f(angle, row)));
    }
  return input(engine::graph_of({x}), {size, n}, numbers);
}

}  // namespace

SinusoidalPositions::SinusoidalPositions(unsigned size) : size(even("SinusoidalPositions", size)) {}
Expression SinusoidalPositions::operator()(const Expression& given, unsigned start) const {
  const Expression x = as_matrix(with_rows("SinusoidalPositions", given, size));
  return x + waves(
                 x, start, [](unsigned row) { return row / 2; },
                 [](double angle, unsigned row) { return row % 2 ? std::cos(angle) : std::sin(angle); });
}

LearnedPositions::LearnedPositions(unsigned size, unsigned most, ParameterCollection& model)
    : size(engine::size_above_0("LearnedPositions", "size", size)),
      most(engine::size_above_0("LearnedPositions", "most", most)) {
  table = model.add_subcollection("learned-positions")
              .add_lookup_parameters(most, {size}, ParameterInitNormal(0, real(0.0004)), "table");
}
Expression LearnedPositions::operator()(const Expression& given, unsigned start) const {
  const Expression x = as_matrix(with_rows("LearnedPositions", given, size));
  const unsigned n = x.dim().cols();
  if (start >= most || n > most - start)
    invalid("LearnedPositions: ", n, " positions from ", start, " on; there are ", most, ", from 0 on");
  std::vector<unsigned> positions(n);
  std::iota(positions.begin(), positions.end(), start);
  return x + reshape(lookup(engine::graph_of({x}), table, positions), {size, n});
}

Expression rotary(const Expression& given, unsigned start) {
  const Expression x = as_matrix(given);
  const unsigned size = even("rotary", x.dim().rows()), half = size / 2;
  const auto wave = [half](unsigned row) { return row % half; };
  const Expression turned = concatenate({-pick_range(x, half, size), pick_range(x, 0, half)});
  return cmult(x, waves(x, start, wave, [](double angle, unsigned) { return std::cos(angle); })) +
         cmult(turned, waves(x, start, wave, [](double angle, unsigned) { return std::sin(angle); }));
}

}  // namespace dynet::nn
