// How parameters get their first values, and the seed from which all random numbers come.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dynet/core/random.h"
#include "dynet/core/tensor.h"

namespace dynet::engine {

/// The seed of this process; drawn from the system when nobody chose one.
uint32_t random_seed();
/// Chooses the seed, and starts the streams and the numbers of graphs anew.
void reset_random_seed(uint32_t seed);

/// From where on random numbers are drawn: those of parameters and programs from streams, those of graphs by
/// their number.
struct RandomPosition {
  uint32_t seed, streams, graphs;  // how many there were since the seed was chosen
};
RandomPosition random_position();
/// What is drawn from now on is what was drawn from there on.
void set_random_position(const RandomPosition& position);

/// The ids of graphs, in order of their start in any thread.
unsigned next_graph_id();
unsigned newest_graph_id();
/// The id from which graphs are counted when random numbers are drawn.
unsigned graphs_before_seed();

/// The number of a stream nobody had before; its highest bit is set, which graphs leave to these streams.
uint32_t next_random_stream();
inline RandomStream next_random() { return {random_seed(), next_random_stream()}; }

}  // namespace dynet::engine

namespace dynet {

/// Fills a parameter, or a whole lookup table (its rows are the last axis).
struct ParameterInit {
  virtual ~ParameterInit() = default;
  virtual void initialize_params(Tensor& values) const = 0;
};

/// Normal with mean and variance.
struct ParameterInitNormal : ParameterInit {
  explicit ParameterInitNormal(real mean = 0, real variance = 1);
  void initialize_params(Tensor& values) const override;
  real mean, variance;
};

/// Uniform in [-scale, scale] or [left, right].
struct ParameterInitUniform : ParameterInit {
  explicit ParameterInitUniform(real scale) : ParameterInitUniform(-scale, scale) {}
  ParameterInitUniform(real left, real right);
  void initialize_params(Tensor& values) const override;
  real left, right;
};

/// One number everywhere.
struct ParameterInitConst : ParameterInit {
  explicit ParameterInitConst(real number);
  void initialize_params(Tensor& values) const override;
  real number;
};

/// The identity matrix.
struct ParameterInitIdentity : ParameterInit {
  void initialize_params(Tensor& values) const override;
};

/// Uniform with the variance of Glorot and Bengio (2010): ±gain √(3n / Σ sizes) for n sizes.
struct ParameterInitGlorot : ParameterInit {
  /// For a lookup table the number of rows does not count as a size.
  explicit ParameterInitGlorot(bool is_lookup = false, real gain = 1);
  void initialize_params(Tensor& values) const override;
  bool is_lookup;
  real gain;
};

/// A random orthogonal matrix times gain (Saxe et al. 2014).
struct ParameterInitSaxe : ParameterInit {
  explicit ParameterInitSaxe(real gain = 1);
  void initialize_params(Tensor& values) const override;
  real gain;
};

/// Numbers of a text file, separated by white space, column-major.
struct ParameterInitFromFile : ParameterInit {
  explicit ParameterInitFromFile(std::filesystem::path file) : file(std::move(file)) {}
  void initialize_params(Tensor& values) const override;
  std::filesystem::path file;
};

/// The numbers themselves, column-major.
struct ParameterInitFromVector : ParameterInit {
  explicit ParameterInitFromVector(std::vector<real> numbers) : numbers(std::move(numbers)) {}
  void initialize_params(Tensor& values) const override;
  std::vector<real> numbers;
};

}  // namespace dynet
