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

struct ParameterInitNormal : ParameterInit {
  static constexpr auto doc = R"(
      Draws each number from a normal distribution with the given mean (0) and variance (1): the second
      argument is σ², not σ. ValueError unless the variance is finite and 0 or more.

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((100, 100), init=dy.NormalInitializer(mean=5, var=0.01))
      >>> print(w.as_array().mean().round(1), w.as_array().std().round(1))
      5.0 0.1)";
  explicit ParameterInitNormal(real mean = 0, real variance = 1);
  void initialize_params(Tensor& values) const override;
  real mean, variance;
};

struct ParameterInitUniform : ParameterInit {
  static constexpr auto doc = R"(
      Draws each number evenly between -scale and scale (in C++ also from left to right); the variance is
      scale² / 3. ValueError for a scale of 0 or one that is not finite.

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((100, 100), init=dy.UniformInitializer(0.5))
      >>> bool(abs(w.as_array()).max() <= 0.5)
      True)";
  explicit ParameterInitUniform(real scale) : ParameterInitUniform(-scale, scale) {}
  ParameterInitUniform(real left, real right);
  void initialize_params(Tensor& values) const override;
  real left, right;
};

struct ParameterInitConst : ParameterInit {
  static constexpr auto doc = R"(
      Gives every number the value c, as the plain number does: add_parameters(dim, init=0) is the usual way
      to start a bias. ValueError unless it is finite.

      >>> m = dy.ParameterCollection()
      >>> print(m.add_parameters(3, init=dy.ConstInitializer(0.5)).as_array())
      [0.5 0.5 0.5])";
  explicit ParameterInitConst(real number);
  void initialize_params(Tensor& values) const override;
  real number;
};

struct ParameterInitIdentity : ParameterInit {
  static constexpr auto doc = R"(
      The identity matrix, for a square matrix (n, n); RuntimeError for another shape. A recurrent matrix
      that starts with it passes its state on unchanged (Le, Jaitly and Hinton 2015).

      >>> m = dy.ParameterCollection()
      >>> print(m.add_parameters((2, 2), init=dy.IdentityInitializer()).as_array())
      [[1. 0.]
       [0. 1.]])";
  void initialize_params(Tensor& values) const override;
};

struct ParameterInitGlorot : ParameterInit {
  static constexpr auto doc = R"(
      Draws each number evenly between -s and s with s = gain √(3n / Σ sizes) for a shape of n sizes: for a
      matrix (r, c) gain √(6 / (r + c)), by which signals keep their variance forwards and backwards. For a
      filter (h, w, in, out) of a convolution it is gain √(6 / (h w (in + out))). With is_lookup the number
      of rows does not count. The default of add_parameters; gain is 1. (Glorot and Bengio 2010)

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((100, 50), init=dy.GlorotInitializer())
      >>> bool(abs(w.as_array()).max() <= (6 / 150) ** 0.5)
      True)";
  /// For a lookup table the number of rows does not count as a size.
  explicit ParameterInitGlorot(bool is_lookup = false, real gain = 1);
  void initialize_params(Tensor& values) const override;
  bool is_lookup;
  real gain;
};

struct ParameterInitSaxe : ParameterInit {
  static constexpr auto doc = R"(
      A random orthogonal matrix (n, n) times a scale, 1 by default: WᵀW = scale² I, so that products with
      it keep lengths through many layers. Made by orthonormalising normally distributed columns.
      RuntimeError for another shape. (Saxe, McClelland and Ganguli 2014)

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((5, 5), init=dy.SaxeInitializer()).as_array()
      >>> print((w.T @ w).round(4).diagonal())
      [1. 1. 1. 1. 1.])";
  explicit ParameterInitSaxe(real gain = 1);
  void initialize_params(Tensor& values) const override;
  real gain;
};

struct ParameterInitOrthogonal : ParameterInit {
  static constexpr auto doc = R"(
      A random matrix (r, c) whose rows or columns, whichever are fewer, are orthonormal, times gain (1):
      WWᵀ = gain² I for r ≤ c, else WᵀW = gain² I. Other shapes are taken as a matrix of the first size
      and all others, such as (n, k m) for (n, k, m). Square matrices are SaxeInitializer's too. ValueError
      for a gain that is not finite. (Saxe, McClelland and Ganguli 2014)

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((2, 5), init=dy.OrthogonalInitializer()).as_array()
      >>> print(abs(w @ w.T).round(4))
      [[1. 0.]
       [0. 1.]])";
  explicit ParameterInitOrthogonal(real gain = 1);
  void initialize_params(Tensor& values) const override;
  real gain;
};

struct ParameterInitTruncatedNormal : ParameterInit {
  static constexpr auto doc = R"(
      Draws each number from a normal distribution with the given mean (0) and standard deviation std (1),
      anew until it is within `bound` (2) deviations of the mean. What is drawn deviates less than std: 0.88
      std for a bound of 2. ValueError unless mean is finite, std finite and 0 or more, and bound at
      least 0.1.

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((100, 100), init=dy.TruncatedNormalInitializer(std=0.02))
      >>> print(bool(abs(w.as_array()).max() <= 0.04), w.as_array().std().round(3))
      True 0.018)";
  explicit ParameterInitTruncatedNormal(real mean = 0, real std = 1, real bound = 2);
  void initialize_params(Tensor& values) const override;
  real mean, std, bound;
};

struct ParameterInitKaiming : ParameterInit {
  static constexpr auto doc = R"(
      Numbers by which rectified layers keep the variance of what passes through: normally distributed with
      standard deviation gain / √fan, or, with uniform, evenly between ±gain √(3 / fan). fan is the number
      of inputs of each output, c for a matrix (r, c) and h w in for a filter (h, w, in, out), or, with
      fan_out, that of outputs, r or h w out. gain is √2 by default, for rectifiers; 1 serves linear layers,
      √(2 / (1 + a²)) leaky ones of slope a. The name "he" of add_parameters is DyNet 2's, of another
      deviation. ValueError for a gain that is not finite. (He et al. 2015)

      >>> m = dy.ParameterCollection()
      >>> w = m.add_parameters((100, 200), init=dy.KaimingInitializer())
      >>> print(w.as_array().std().round(1))
      0.1)";
  explicit ParameterInitKaiming(real gain = real(1.4142135623730951), bool uniform = false,
                                bool fan_out = false);
  void initialize_params(Tensor& values) const override;
  real gain;
  bool uniform, fan_out;
};

struct ParameterInitFromFile : ParameterInit {
  static constexpr auto doc = R"(
      The numbers of a text file, separated by white space, column-major: those of the first column first.
      The file is read when the parameter is added. RuntimeError where it cannot be read or holds another
      count of numbers.

      >>> with open("numbers.txt", "w") as file: _ = file.write("1 2 3 4")
      >>> m = dy.ParameterCollection()
      >>> print(m.add_parameters((2, 2), init=dy.FromFileInitializer("numbers.txt")).as_array())
      [[1. 3.]
       [2. 4.]])";
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
