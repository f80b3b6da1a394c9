// The initialisers, and the state of the random streams.
#include "dynet/params/init.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <iterator>
#include <locale>
#include <random>

namespace dynet {

using namespace engine;
namespace {

struct RandomState {
  std::atomic<uint32_t> seed, streams{0}, graphs{0}, graphs_before{0};
};

RandomState& random_state() {
  static RandomState state{std::random_device{}()};
  return state;
}

void fill_uniform(const Tensor& t, real left, real right) {
  RandomStream random = next_random();
  const size_t n = t.d.size();
  for (size_t i = 0; i < n; ++i) t.v[i] = left + (right - left) * random.uniform();
}

void check_gain(const char* what, real gain) {
  if (!std::isfinite(gain))
    throw std::domain_error(text("the gain of a ", what, " is ", gain, "; it must be a finite number"));
}

void check_square(const Dim& d, const char* what) {
  if (d.nd != 2 || d.d[0] != d.d[1])
    failed("a tensor that is not a square matrix was to be set to ", what, ": its shape is ", d,
           "; it must be {n,n}");
}

void check_count(size_t given, const Dim& d, const std::string& source) {
  if (given != d.size())
    failed(source, given, " numbers were given for a parameter of shape ", d, ", which has ", d.size());
}

double dot(const double* x, const double* y, size_t n) {
  double sum[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t k = 0; k < 4; ++k) sum[k] += x[i + k] * y[i + k];
  for (; i < n; ++i) sum[0] += x[i] * y[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/// Makes `count` random columns of n numbers orthonormal (Gram-Schmidt; twice, which is enough).
void orthonormalise(std::vector<double>& a, size_t n, size_t count) {
  for (size_t j = 0; j < count; ++j) {
    double* column = a.data() + j * n;
    for (int pass = 0; pass < 2; ++pass)
      for (size_t i = 0; i < j; ++i) {
        const double* earlier = a.data() + i * n;
        const double share = dot(earlier, column, n);
        for (size_t k = 0; k < n; ++k) column[k] -= share * earlier[k];
      }
    const double length = std::sqrt(dot(column, column, n));
    for (size_t k = 0; k < n; ++k) column[k] /= length;
  }
}

}  // namespace

uint32_t engine::random_seed() { return random_state().seed; }

void engine::reset_random_seed(uint32_t seed) {
  random_state().seed = seed;
  random_state().streams = 0;
  random_state().graphs_before = newest_graph_id();
}

RandomPosition engine::random_position() {
  const RandomState& state = random_state();
  return {state.seed, state.streams, state.graphs - state.graphs_before};
}

void engine::set_random_position(const RandomPosition& position) {
  RandomState& state = random_state();
  state.seed = position.seed;
  state.streams = position.streams;
  state.graphs_before = state.graphs - position.graphs;
}

unsigned engine::next_graph_id() { return ++random_state().graphs; }
unsigned engine::newest_graph_id() { return random_state().graphs; }
unsigned engine::graphs_before_seed() { return random_state().graphs_before; }

uint32_t engine::next_random_stream() { return 0x80000000u | random_state().streams++; }

ParameterInitNormal::ParameterInitNormal(real mean, real variance) : mean(mean), variance(variance) {
  if (!(variance >= 0 && std::isfinite(variance) && std::isfinite(mean)))
    throw std::domain_error(text("Variance of the normal distribution is ", variance, " and its mean ", mean,
                                 "; the variance must be at least 0, and both must be finite"));
}

void ParameterInitNormal::initialize_params(Tensor& values) const {
  RandomStream random = next_random();
  const real deviation = std::sqrt(variance);
  const size_t n = values.d.size();
  for (size_t i = 0; i < n; ++i) values.v[i] = mean + deviation * random.normal();
}

ParameterInitUniform::ParameterInitUniform(real left, real right) : left(left), right(right) {
  if (left == right)
    throw std::domain_error("Scale of the uniform distribution cannot be 0 in ParameterInitUniform");
  if (!std::isfinite(right - left))
    throw std::domain_error(
        text("the bounds of a uniform distribution are ", left, " and ", right, "; they must be finite"));
}

void ParameterInitUniform::initialize_params(Tensor& values) const { fill_uniform(values, left, right); }

ParameterInitConst::ParameterInitConst(real number) : number(number) {
  if (!std::isfinite(number))
    throw std::domain_error(
        text("the number of a constant initialiser is ", number, "; it must be a finite number"));
}

void ParameterInitConst::initialize_params(Tensor& values) const {
  std::fill_n(values.v, values.d.size(), number);
}

void ParameterInitIdentity::initialize_params(Tensor& values) const {
  check_square(values.d, "identity");
  const size_t n = values.d[0];
  for (size_t i = 0; i < n * n; ++i) values.v[i] = i % (n + 1) == 0;
}

ParameterInitGlorot::ParameterInitGlorot(bool is_lookup, real gain) : is_lookup(is_lookup), gain(gain) {
  check_gain("Glorot initialiser", gain);
}

void ParameterInitGlorot::initialize_params(Tensor& values) const {
  const Dim& d = values.d;
  const unsigned n = d.nd - (is_lookup ? 1 : 0);
  double sum = 0;
  for (unsigned i = 0; i < n; ++i) sum += d.d[i];
  // A convolution filter {height, width, in, out} has fans of height·width·in and height·width·out.
  double square = n == 4 ? 6.0 / (double(d.d[0]) * d.d[1] * (double(d.d[2]) + d.d[3])) : 3.0 * n / sum;
  if (n == 0) square = 3;
  const real scale = static_cast<real>(gain * std::sqrt(square));
  fill_uniform(values, -scale, scale);
}

ParameterInitSaxe::ParameterInitSaxe(real gain) : gain(gain) { check_gain("Saxe initialiser", gain); }

void ParameterInitSaxe::initialize_params(Tensor& values) const {
  check_square(values.d, "an orthogonal matrix");
  const size_t n = values.d[0];
  RandomStream random = next_random();
  std::vector<double> a(n * n);
  for (double& x : a) x = random.normal();
  orthonormalise(a, n, n);
  for (size_t i = 0; i < n * n; ++i) values.v[i] = static_cast<real>(gain * a[i]);
}

ParameterInitOrthogonal::ParameterInitOrthogonal(real gain) : gain(gain) {
  check_gain("orthogonal initialiser", gain);
}

void ParameterInitOrthogonal::initialize_params(Tensor& values) const {
  const size_t size = values.d.size(), rows = values.d.nd == 0 ? 1 : values.d[0], columns = size / rows;
  const size_t n = std::max(rows, columns), count = std::min(rows, columns);
  RandomStream random = next_random();
  std::vector<double> a(size);
  for (double& x : a) x = random.normal();
  orthonormalise(a, n, count);
  for (size_t j = 0; j < columns; ++j)
    for (size_t i = 0; i < rows; ++i)
      values.v[i + j * rows] = static_cast<real>(gain * (columns <= rows ? a[i + j * n] : a[j + i * n]));
}

ParameterInitTruncatedNormal::ParameterInitTruncatedNormal(real mean, real std, real bound)
    : mean(mean), std(std), bound(bound) {
  if (!(std >= 0 && std::isfinite(std) && std::isfinite(mean) && bound >= real(0.1)))
    throw std::domain_error(text("a truncated normal distribution with mean ", mean, ", standard deviation ",
                                 std, " and bound ", bound,
                                 "; a finite mean, a finite deviation from 0 on and a bound from 0.1 on are "
                                 "needed"));
}

void ParameterInitTruncatedNormal::initialize_params(Tensor& values) const {
  RandomStream random = next_random();
  const size_t n = values.d.size();
  for (size_t i = 0; i < n; ++i) {
    real drawn = random.normal();
    while (std::abs(drawn) > bound) drawn = random.normal();
    values.v[i] = mean + std * drawn;
  }
}

ParameterInitKaiming::ParameterInitKaiming(real gain, bool uniform, bool fan_out)
    : gain(gain), uniform(uniform), fan_out(fan_out) {
  check_gain("Kaiming initialiser", gain);
}

void ParameterInitKaiming::initialize_params(Tensor& values) const {
  const Dim& d = values.d;
  // The inputs of each output, and its outputs of each input.
  const double size = double(d.size());
  double in = d.nd < 2 ? 1 : size / d[0], out = d.nd < 1 ? 1 : d[0];
  if (d.nd == 4) in = size / d[3], out = size / d[2];
  const double deviation = gain / std::sqrt(fan_out ? out : in);
  if (uniform) {
    const real scale = static_cast<real>(deviation * std::sqrt(3.0));
    fill_uniform(values, -scale, scale);
  } else {
    ParameterInitNormal(0, static_cast<real>(deviation * deviation)).initialize_params(values);
  }
}

void ParameterInitFromFile::initialize_params(Tensor& values) const {
  std::ifstream in(file);
  if (!in) failed("Could not read parameter values from ", file.string());
  in.imbue(std::locale::classic());
  const std::vector<real> numbers{std::istream_iterator<real>(in), {}};
  if (!in.eof()) failed("in the file ", file.string(), " number ", numbers.size() + 1, " could not be read");
  check_count(numbers.size(), values.d, "from the file " + file.string() + ' ');
  std::copy(numbers.begin(), numbers.end(), values.v);
}

void ParameterInitFromVector::initialize_params(Tensor& values) const {
  check_count(numbers.size(), values.d, "");
  std::copy(numbers.begin(), numbers.end(), values.v);
}

}  // namespace dynet
