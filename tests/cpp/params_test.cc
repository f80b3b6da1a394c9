// Collections and their names, handles, initialisers, and who owns what.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "dynet/params/collection.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;

namespace {

void names() {
  ParameterCollection m;
  check(m.get_fullname() == "/", "root");
  check(m.add_parameters({2}).get_fullname() == "/_0", "unnamed");
  check(m.add_parameters({2}, "a").get_fullname() == "/a", "named");
  check(m.add_parameters({2}, "a").get_fullname() == "/a_1", "named twice");
  check(m.add_lookup_parameters(3, {2}, "a").get_fullname() == "/a_2", "lookups share the counter");
  check(m.add_lookup_parameters(3, {2}).get_fullname() == "/_1", "unnamed lookup");
  ParameterCollection foo = m.add_subcollection("foo"), again = m.add_subcollection("foo");
  check(foo.get_fullname() == "/foo/" && again.get_fullname() == "/foo_1/", "sub-collections");
  check(m.add_subcollection().get_fullname() == "/_0/", "sub-collections have their own counter");
  check(foo.add_subcollection("a").add_parameters({1}).get_fullname() == "/foo/a/_0", "nested");
  const size_t before = m.size();
  for (const char* bad : {"a/b", "a\nb"}) {
    check_throws<std::runtime_error>("could not include '/'", [&] { m.add_parameters({2}, bad); });
    check_throws<std::runtime_error>("could not include '/'", [&] { m.add_subcollection(bad); });
  }
  check(m.size() == before, "a refused name leaves the collection as it was");
}

/// Names that look like those of repeats do not become those of two parameters.
void names_with_underscores() {
  ParameterCollection m;
  const auto add = [&](const char* name) { return m.add_parameters({2}, name).get_fullname(); };
  check(add("W_1") == "/W_1" && add("W") == "/W", "as they are");
  check(add("W") == "/W_2" && add("W") == "/W_3", "a repeat passes over a name that was given");
  check(add("W_2") == "/W_2_1" && add("W_1") == "/W_1_1", "a name that a repeat has got is a repeat");
  check(add("_0") == "/_0" && add("") == "/_1", "the names of those without one, too");
  check(m.add_subcollection("my_part").get_fullname() == "/my_part/", "of collections");
}

void lists_and_ownership() {
  Parameter survivor;
  ParameterCollection sub;
  {
    ParameterCollection m;
    m.set_weight_decay_lambda(real(0.25));
    Parameter first = m.add_parameters({2, 3});
    sub = m.add_subcollection("sub");
    survivor = sub.add_parameters({4}, "p");
    LookupParameter table = sub.add_lookup_parameters(5, {2});
    check(m.parameters_list().size() == 2 && m.parameters_list()[1] == survivor.p, "ancestors list it");
    check(sub.parameters_list().size() == 1 && sub.lookup_parameters_list().size() == 1, "own list");
    check(m.parameter_count() == 20 && sub.parameter_count() == 14 && m.size() == 3, "counts");
    first.set_updated(false);
    check(m.updated_parameter_count() == 14 && !m.is_updated_param(first), "updated count");
    check(sub.get_weight_decay_lambda() == real(0.25), "weight decay is inherited");
    check(m.add_subcollection("other", 0).get_weight_decay_lambda() == 0, "or given");
    survivor.p->decay(real(0.5));
    check(survivor.current_weight_decay() == real(0.5), "the decay of each");
    check(m.get_parameter_storage("/sub/p") == survivor.p, "by name");
    check(m.get_lookup_parameter_storage(table.get_fullname()) == table.p, "lookup by name");
    check_throws<std::runtime_error>("/nobody", [&] { m.get_parameter_storage("/nobody"); });
  }
  survivor.set_value({1, 2, 3, 4});
  check(survivor.values()->v[3] == 4 && survivor.current_weight_decay() == 1, "parameters survive");
  check(sub.add_parameters({1}).get_fullname() == "/sub/_1", "a sub-collection survives its parent");
  check_throws<std::domain_error>("lambda", [&] { sub.set_weight_decay_lambda(1); });
}

void handles() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2, 2}, ParameterInitConst(3)), same = p;
  check(p == same && p && !Parameter(), "handles share");
  check(p.dim() == Dim{2, 2} && p.values()->v[3] == 3, "constant");
  const uint64_t version = p.p->version;
  p.set_value({1, -2, 3, -4});
  check(p.p->version != version && same.values()->v[1] == -2, "set_value");
  check_throws<std::invalid_argument>("3 numbers for /_0 of shape {2,2}", [&] { p.set_value({1, 2, 3}); });
  p.scale(2);
  p.clip_inplace(-5, 4);
  check(as_vector(*p.values()) == std::vector<real>{2, -4, 4, -5}, "scale and clip");
  p.gradients()->v[0] = 2;
  p.scale_gradient(real(0.5));
  check(p.p->gradient[0] == 1, "scale_gradient");
  p.zero();
  check(p.p->gradient[0] == 0 && p.p->values[3] == 0, "zero");
  check_throws<std::invalid_argument>("empty", [] { Parameter().dim(); });

  LookupParameter l = m.add_lookup_parameters(3, {2, 2});
  check(l.dim() == Dim{2, 2} && l.p->dim == Dim{2, 2, 3} && l.rows() == 3 && l.p->row_size() == 4, "table");
  l.initialize(1, {1, 2, 3, 4});
  check(l.values()->at(1).v[3] == 4 && l.p->all_values[7] == 4, "initialize");
  check_throws<std::out_of_range>("it has 3 rows", [&] { l.initialize(3, {1, 2, 3, 4}); });
  check_throws<std::invalid_argument>("of shape {2,2}", [&] { l.initialize(0, {1, 2, 3}); });
  l.p->row_gradient(2)[1] = 4;
  check(l.gradients()->at(2).v[1] == 4 && l.p->touched == std::vector<uint32_t>{2} && l.p->nonzero,
        "row gradient");
  m.reset_gradient();
  check(l.p->gradient[9] == 0 && l.p->touched.empty() && !l.p->nonzero, "reset_gradient");
  l.p->all_touched = true;
  l.p->gradient[0] = 1;
  l.p->clear_gradient();
  check(l.p->gradient[0] == 0 && !l.p->all_touched, "whole gradient");
}

/// Clearing writes nothing, which no reader may see.
void cleared_gradient() {
  ParameterCollection m;
  Parameter p = m.add_parameters({3});
  const real* numbers = p.gradients()->v;
  p.p->gradient[1] = 5;
  m.reset_gradient();
  check(p.p->gradient.is_clear() && p.gradients()->v == numbers && numbers[1] == 0, "zeros when asked for");
  check(!p.p->gradient.is_clear(), "and then they are there");
  p.p->clear_gradient();
  std::fill_n(p.p->gradient.overwrite(), 3, real(2));
  check(m.gradient_l2_norm() == std::sqrt(12.0), "numbers written over it count");
  p.p->clear_gradient();
  check(m.gradient_l2_norm() == 0, "zeros that are due have no norm");
}

void shapes() {
  ParameterCollection m;
  check_throws<std::invalid_argument>("no batch", [&] { m.add_parameters(Dim({2}, 3)); });
  check_throws<std::invalid_argument>("0 rows", [&] { m.add_lookup_parameters(0, {2}); });
  check_throws<out_of_memory>("more numbers",
                              [&] { m.add_parameters({4000000000u, 4000000000u, 4000000000u}); });
  check_throws<std::invalid_argument>("at most 6",
                                      [&] { m.add_lookup_parameters(2, {1, 1, 1, 1, 1, 1, 1}); });
  check(m.size() == 0, "refused shapes leave the collection as it was");
  Parameter p = m.add_parameters({3});
  check(reinterpret_cast<uintptr_t>(p.p->values.data()) % 64 == 0, "aligned");
  const real* address = p.p->values.data();
  for (int i = 0; i < 1000; ++i) m.add_parameters({3});
  check(p.p->values.data() == address, "values keep their address");
}

struct Moments {
  double mean = 0, variance = 0, largest = 0;
};

Moments moments(const StoredTensor& x) {
  Moments m;
  for (real v : x) m.mean += v, m.largest = std::max<double>(m.largest, std::abs(v));
  m.mean /= static_cast<double>(x.size());
  for (real v : x) m.variance += (v - m.mean) * (v - m.mean);
  m.variance /= static_cast<double>(x.size());
  return m;
}

void random_initialisers() {
  ParameterCollection m;
  const auto uniform = [&](const StoredTensor& values, double bound, const char* what) {
    const Moments s = moments(values);
    check(s.largest <= bound * 1.00001 && s.largest > 0.97 * bound &&
              std::abs(s.variance - bound * bound / 3) < 0.08 * bound * bound,
          what);
  };
  uniform(m.add_parameters({200, 300}).p->values, std::sqrt(6.0 / 500), "Glorot of a matrix");
  uniform(m.add_parameters({3000}).p->values, std::sqrt(3.0 / 3000), "Glorot of a vector");
  uniform(m.add_parameters({3, 3, 16, 32}).p->values, std::sqrt(6.0 / (9 * 48)), "Glorot of a filter");
  uniform(m.add_parameters({20, 30}, ParameterInitGlorot(false, 2)).p->values, 2 * std::sqrt(6.0 / 50),
          "gain");
  uniform(m.add_lookup_parameters(500, {60}).p->all_values, std::sqrt(3.0 / 60), "Glorot of rows");
  uniform(m.add_lookup_parameters(500, {60}, ParameterInitGlorot()).p->all_values, std::sqrt(6.0 / 560),
          "Glorot of a table");
  uniform(m.add_parameters({1000}, real(0.5)).p->values, 0.5, "scale");
  const Moments between = moments(m.add_parameters({5000}, ParameterInitUniform(1, 3)).p->values);
  check(std::abs(between.mean - 2) < 0.05 && between.largest <= 3, "uniform between two bounds");
  const Moments normal = moments(m.add_parameters({100, 100}, ParameterInitNormal(1, 4)).p->values);
  check(std::abs(normal.mean - 1) < 0.1 && std::abs(normal.variance - 4) < 0.3, "normal");
  check_throws<std::domain_error>("cannot be 0", [] { ParameterInitUniform(0); });
  check_throws<std::domain_error>("Variance", [] { ParameterInitNormal(0, -1); });
  check_throws<std::domain_error>("constant", [] { ParameterInitConst(std::nanf("")); });

  constexpr unsigned n = 60;
  const StoredTensor q = m.add_parameters({n, n}, ParameterInitSaxe(2)).p->values;
  double worst = 0;
  for (unsigned i = 0; i < n; ++i)
    for (unsigned j = 0; j < n; ++j) {
      const double dot = std::inner_product(q.data() + i * n, q.data() + (i + 1) * n, q.data() + j * n, 0.0);
      worst = std::max(worst, std::abs(dot - (i == j ? 4 : 0)));
    }
  check(worst < 1e-5, "Saxe is orthogonal");
  check_throws<std::runtime_error>("not a square matrix",
                                   [&] { m.add_parameters({2, 3}, ParameterInitSaxe()); });
}

void given_initialisers() {
  ParameterCollection m;
  const std::vector<real> numbers{1, 2, 3, 4, 5, 6};
  const auto values = [&](const Dim& dim, const ParameterInit& init) {
    return as_vector(*m.add_parameters(dim, init).values());
  };
  check(values({2, 3}, ParameterInitFromVector(numbers)) == numbers, "vector");
  check(values({2, 2}, ParameterInitIdentity()) == std::vector<real>{1, 0, 0, 1}, "identity");
  const auto file = std::filesystem::temp_directory_path() / "dynet_params_test.txt";
  std::ofstream(file) << "1 2.0\n3e0\t4 5 6\n";
  check(values({2, 3}, ParameterInitFromFile(file)) == numbers, "file");
  check_throws<std::runtime_error>("6 numbers were given", [&] { values({2}, ParameterInitFromFile(file)); });
  std::ofstream(file) << "1 2 x 4";
  check_throws<std::runtime_error>("number 3", [&] { values({4}, ParameterInitFromFile(file)); });
  std::filesystem::remove(file);
  check_throws<std::runtime_error>("Could not read", [&] { values({2}, ParameterInitFromFile(file)); });
  check_throws<std::runtime_error>("6 numbers", [&] { values({2}, ParameterInitFromVector(numbers)); });
  check_throws<std::runtime_error>("square", [&] { values({2, 3}, ParameterInitIdentity()); });
  check_throws<std::runtime_error>("square", [&] { values({4}, ParameterInitIdentity()); });
}

void seeds() {
  const auto draw = [](uint32_t seed) {
    reset_random_seed(seed);
    ParameterCollection m;
    std::vector<real> all = as_vector(*m.add_parameters({50}).values());
    for (real x : m.add_parameters({50}).p->values) all.push_back(x);
    return all;
  };
  const auto first = draw(7);
  check(first == draw(7), "the same seed gives the same bits");
  check(first != draw(8), "another seed gives others");
  check(std::vector(first.begin(), first.begin() + 50) != std::vector(first.begin() + 50, first.end()),
        "each parameter has its own stream");
  check(draw(0) == draw(0) && draw(0) != draw(7), "0 is a seed as any other");
}

}  // namespace

int main() {
  names();
  names_with_underscores();
  lists_and_ownership();
  handles();
  cleared_gradient();
  shapes();
  random_initialisers();
  given_initialisers();
  seeds();
  return test::finish();
}
