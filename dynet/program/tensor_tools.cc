// Loops over tensors outside of any graph.
#include "dynet/program/tensor_tools.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "dynet/device/on_host.h"
#include "dynet/ops/check.h"
#include "dynet/params/init.h"

namespace dynet {

using namespace engine;
namespace {

OnHost<real> numbers_of(const Tensor& t) { return {t.v, t.d.size()}; }
OnHost<const real> read(const Tensor& t) { return {t.v, t.d.size()}; }

void initialise(const Tensor& t, const ParameterInit& init) {
  const OnHost numbers = numbers_of(t);
  Tensor all(t.d, numbers.data());
  init.initialize_params(all);
}

real number_at(const Tensor& t, size_t place) { return OnHost<const real>(t.v + place, 1)[0]; }
void set_number(const Tensor& t, size_t place, real number) { chosen_engine().copy(1, &number, t.v + place); }

size_t checked_place(const char* call, const Tensor& t, int place) {
  if (place < 0 || static_cast<size_t>(place) >= t.d.size())
    bad_index(call, ": there is no place ", place, "; ", t.d, " has ", t.d.size());
  return static_cast<size_t>(place);
}

void check_same_size(const char* call, const Tensor& a, const Tensor& b) {
  if (a.d.size() != b.d.size())
    invalid(call, ": ", a.d, " and ", b.d, "; tensors of as many numbers are needed");
}

/// Calls act(line, first, step, n) for each line along an axis: its number, where it begins, how far it is
/// from one place to the next, and how many places there are.
template <class Act>
void each_line(const Tensor& x, unsigned axis, Act&& act) {
  check_axis(axis, x.d);
  const Axis all = Axis::of(x.d, axis);
  for (size_t line = 0; line < all.lines(); ++line) act(line, all.start(line), all.inner, all.n);
}

/// Fills a tensor of `num` places along the axis from what choose(line's numbers, places) says.
template <class Choose>
IndexTensor places_along(const Tensor& x, unsigned axis, unsigned num, Choose&& choose) {
  check_axis(axis, x.d);
  IndexTensor result(x.d.with(axis, num));
  const Axis to = Axis::of(result.d, axis);
  const OnHost all = read(x);
  std::vector<real> numbers;
  std::vector<long> places;
  each_line(x, axis, [&](size_t line, size_t first, size_t step, size_t n) {
    numbers.resize(n);
    for (size_t i = 0; i < n; ++i) numbers[i] = all[first + i * step];
    choose(numbers, places);
    for (unsigned k = 0; k < num; ++k) result.v[to.start(line) + k * step] = places[k];
  });
  return result;
}

}  // namespace

void TensorTools::constant(const Tensor& t, real c) { std::ranges::fill(numbers_of(t), c); }

void TensorTools::identity(const Tensor& t) { initialise(t, ParameterInitIdentity()); }

void TensorTools::randomize_bernoulli(const Tensor& t, real p, real scale) {
  RandomStream random = next_random();
  for (real& x : numbers_of(t)) x = random.uniform() < p ? scale : 0;
}

void TensorTools::randomize_normal(const Tensor& t, real mean, real stddev) {
  RandomStream random = next_random();
  for (real& x : numbers_of(t)) x = mean + stddev * random.normal();
}

void TensorTools::randomize_uniform(const Tensor& t, real left, real right) {
  initialise(t, ParameterInitUniform(left, right));
}

void TensorTools::randomize_orthonormal(const Tensor& t, real scale) {
  initialise(t, ParameterInitSaxe(scale));
}

void TensorTools::uniform_to_bernoulli(const Tensor& t, real p) {
  for (real& x : numbers_of(t)) x = x < p ? 1 : 0;
}

real TensorTools::access_element(const Tensor& t, int place) {
  return number_at(t, checked_place("access_element", t, place));
}

real TensorTools::access_element(const Tensor& t, const Dim& places) {
  size_t place = 0, step = 1;
  for (unsigned i = 0; i < places.nd; ++i) {
    if (places.d[i] >= t.d[i]) bad_index("access_element: place ", places, " of ", t.d);
    place += places.d[i] * step, step *= t.d[i];
  }
  return number_at(t, place);
}

void TensorTools::set_element(const Tensor& t, int place, real number) {
  set_number(t, checked_place("set_element", t, place), number);
}

void TensorTools::set_elements(const Tensor& t, const std::vector<real>& numbers) {
  if (numbers.size() != t.d.size())
    invalid("set_elements: ", numbers.size(), " numbers for ", t.d, "; ", t.d.size(), " are needed");
  chosen_engine().copy(numbers.size(), numbers.data(), t.v);
}

void TensorTools::copy_element(const Tensor& from, int from_place, const Tensor& to, int to_place) {
  const size_t place = checked_place("copy_element", to, to_place);
  set_number(to, place, number_at(from, checked_place("copy_element", from, from_place)));
}

void TensorTools::copy_elements(const Tensor& to, const Tensor& from) {
  check_same_size("copy_elements", to, from);
  chosen_engine().copy(to.d.size(), from.v, to.v);
}

void TensorTools::accumulate(const Tensor& to, const Tensor& from) {
  check_same_size("accumulate", to, from);
  const OnHost sums = numbers_of(to);
  const OnHost terms = read(from);
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += terms[i];
}

void TensorTools::clip(const Tensor& t, real left, real right) {
  for (real& x : numbers_of(t)) x = std::clamp(x, left, right);
}

void TensorTools::scale(const Tensor& t, real a, real b) {
  for (real& x : numbers_of(t)) x = a * x + b;
}

void TensorTools::logsumexp(const Tensor& x, const Tensor& m, const Tensor& z, unsigned axis) {
  const OnHost numbers = read(x);
  const OnHost top = numbers_of(m), sums = numbers_of(z);
  each_line(x, axis, [&](size_t line, size_t first, size_t step, size_t n) {
    real largest = numbers[first];
    double sum = 0;
    for (size_t i = 1; i < n; ++i)
      if (const real other = numbers[first + i * step]; ranks_above(other, largest)) largest = other;
    for (size_t i = 0; i < n; ++i) {
      const real one = numbers[first + i * step];
      sum += one == largest ? 1 : std::exp(double{one} - double{largest});
    }
    top[line] = largest, sums[line] = static_cast<real>(double{largest} + std::log(sum));
  });
}

IndexTensor TensorTools::argmax(const Tensor& x, unsigned axis, unsigned num) {
  if (num == 0 || num > x.d[axis])
    invalid("argmax: ", num, " places along axis ", axis, " of ", x.d, "; 1 to ", x.d[axis],
            " can be asked for");
  return places_along(x, axis, num, [&](const std::vector<real>& numbers, std::vector<long>& places) {
    places.resize(numbers.size());
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(),
                     [&](long a, long b) { return ranks_above(numbers[a], numbers[b]); });
  });
}

std::pair<Tensor, IndexTensor> TensorTools::topk(const Tensor& x, unsigned axis, unsigned num) {
  thread_local std::vector<real> largest;
  const IndexTensor places = argmax(x, axis, num);
  const Axis to = Axis::of(places.d, axis);
  largest.resize(places.d.size());
  const OnHost numbers = read(x);
  each_line(x, axis, [&](size_t line, size_t first, size_t step, size_t) {
    for (unsigned k = 0; k < num; ++k) {
      const size_t at = to.start(line) + k * step;
      largest[at] = numbers[first + static_cast<size_t>(places.v[at]) * step];
    }
  });
  return {Tensor{places.d, largest.data()}, places};
}

IndexTensor TensorTools::categorical_sample_log_prob(const Tensor& x, unsigned axis, unsigned num) {
  RandomStream random = next_random();
  return places_along(x, axis, num, [&](const std::vector<real>& numbers, std::vector<long>& places) {
    places.clear();
    for (unsigned k = 0; k < num; ++k) {
      // The largest of log p + Gumbel noise is a place with probability p.
      long best = 0;
      real best_score = -std::numeric_limits<real>::infinity();
      for (size_t i = 0; i < numbers.size(); ++i) {
        const real score = numbers[i] - std::log(-std::log(random.uniform()));
        if (ranks_above(score, best_score)) best = static_cast<long>(i), best_score = score;
      }
      places.push_back(best);
    }
  });
}

}  // namespace dynet
