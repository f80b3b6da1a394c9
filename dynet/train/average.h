// Averages of what is learned over the updates, and swapping them with it.
#pragma once

#include <vector>

#include "dynet/params/collection.h"

namespace dynet {

enum class MovingAverage { None, Cumulative, Exponential };

}  // namespace dynet

namespace dynet::engine {

/// The averages of a trainer's parameters. Those that are added late count as if they had been there with
/// their value from the start.
struct Averages {
  MovingAverage mode = MovingAverage::None;
  double beta = 0;         // of the exponential average: a = beta a + (1 - beta) w
  size_t frequency = 1;    // updates between two counts
  size_t count = 0;        // what was counted so far
  bool swapped = false;    // the parameters hold the averages
  bool has_saved = false;  // and the weights are kept here
  // By position in the collection's lists.
  std::vector<Buffer> parameters = {}, lookups = {}, saved_parameters = {}, saved_lookups = {};

  /// Room for parameters added since the last call.
  void allocate(const ParameterCollection& model);
  /// Counts the values there are.
  void add(const ParameterCollection& model);
  /// The parameters get their averages; std::runtime_error if nothing was counted, or they have them already.
  void swap_in(const ParameterCollection& model, bool save_weights, bool bias_correction);
  /// The parameters get the saved weights back.
  void swap_out(const ParameterCollection& model);
};

}  // namespace dynet::engine
