// Kernels in an instruction set's own words have the bits of those in plain C++, where both round alike.
//
// Built with -DDYNET_PLAIN_TOO=ON: on ARM, and on x86-64 without fused products, every number must be the
// same.
#include <cstring>
#include <functional>

#include "dynet/train/rules.h"
#include "tests/cpp/cpu_support.h"
#include "tests/cpp/train_support.h"

using namespace test;

namespace {

#if defined(__aarch64__)
constexpr const char* own_name = "neon";
#else
constexpr const char* own_name = "v2";
#endif
Engine& own() { return cpu_engine(own_name); }
Engine& plain() { return cpu_engine("plain"); }

using Kernel = std::function<void(Engine&, Numbers& y)>;

/// What a kernel has written on each of the engines; one NaN is as good as another.
void compare(const std::string& what, size_t size, const Kernel& run) {
  Numbers first = numbers(size), second = first;
  run(own(), first), run(plain(), second);
  size_t other = 0;
  for (size_t i = 0; i < size; ++i)
    other += std::memcmp(&first[i], &second[i], sizeof(real)) != 0 &&
             !(std::isnan(first[i]) && std::isnan(second[i]));
  check(other == 0, text(what, ": ", other, " of ", size, " numbers have other bits"));
}

/// Numbers of every magnitude and both signs, and those that are none.
Numbers of_all_kinds(size_t n) {
  constexpr real special[] = {0, real(-0.), 1, -1, real(0.5), real(-2.5), INFINITY, -INFINITY, NAN};
  Numbers x = numbers(n, -4, 4);
  for (size_t i = 0; i < n; i += 3) x[i] *= static_cast<real>(std::pow(10., int(below(70)) - 40));
  for (size_t i = 1; i < n; i += 7) x[i] = special[below(9)];
  return x;
}

template <class Op>
void compare_map() {
  constexpr size_t n = 1003;
  const typename Op::Attrs attrs{};
  const unsigned f = map_position<Op>();
  const std::string name(Op::name);
  Numbers x = of_all_kinds(n), dy = numbers(n), value(n);
  compare(name, n, [&](Engine& e, Numbers& y) { e.map(f, &attrs, 1, n, {x.data()}, {y.data()}); });
  plain().map(f, &attrs, 1, n, {x.data()}, {value.data()});
  for (const bool accumulate : {false, true})
    compare(name + "'s gradient", n, [&](Engine& e, Numbers& dx) {
      e.map_backward(f, &attrs, 1, n, {x.data()}, {value.data()}, {dy.data()}, {dx.data()}, accumulate);
    });
}

template <class Op>
void compare_zip() {
  constexpr unsigned n = 1003;
  const typename Op::Attrs attrs{};
  const unsigned f = zip_position<Op>();
  const std::string name = text("pair ", f);
  const Dim whole{n}, one{1};
  Numbers a = of_all_kinds(n), b = of_all_kinds(n), dy = numbers(n), value(n);
  for (const Dim& dim : {whole, one}) {
    const auto run = [&](Engine& e, Numbers& y) {
      e.zip(f, &attrs, 1, whole, whole, dim, {a.data()}, {b.data()}, {y.data()});
    };
    compare(name, n, run), run(plain(), value);
    for (const unsigned side : {0u, 1u})
      compare(name + "'s gradient", side ? dim.size() : n, [&](Engine& e, Numbers& dx) {
        e.zip_backward(f, side, &attrs, 1, whole, whole, dim, {a.data()}, {b.data()}, {value.data()},
                       {dy.data()}, {dx.data()}, true);
      });
  }
}

template <class... Op>
void compare_maps(Ops<Op...>) {
  (compare_map<Op>(), ...);
}
template <class... Op>
void compare_zips(Ops<Op...>) {
  (compare_zip<Op>(), ...);
}

/// Products of every height of a panel and width of a tile, packed or not, and the sums of outer products.
void compare_products() {
  for (int round = 0; round < 200; ++round) {
    const unsigned m = 1 + below(90), k = 1 + below(round % 20 ? 60 : 6000), n = 1 + below(30);
    Numbers a = numbers(m * k), x = numbers(size_t{k} * n), back = numbers(size_t{m} * n),
            init = numbers(n * m);
    const std::string shape = text("a product of ", m, "x", k, " and ", n, " columns");
    const bool packed = below(2), turned = below(2), both = below(2);
    compare(shape, size_t{turned ? k : m} * n, [&](Engine& e, Numbers& y) {
      PackedMatrix panels;
      if (packed) e.pack(a.data(), m, k, 1, both, panels);
      Product p{};
      p.m = m, p.k = k, p.n = n, p.transposed = turned, p.count = 1;
      p.a = {a.data()}, p.x = {turned ? back.data() : x.data()}, p.y = {y.data()};
      if (packed) p.packed = &panels;
      if (!turned) p.init = {init.data()};
      e.product(p);
    });
    std::vector<const real*> rows(n), columns(n);
    for (unsigned i = 0; i < n; ++i) rows[i] = &back[size_t{i} * m], columns[i] = &x[size_t{i} * k];
    compare("outer products: " + shape, size_t{m} * k, [&](Engine& e, Numbers& g) {
      e.outer_sum({m, k, n, rows.data(), columns.data(), g.data(), round % 2 == 0});
    });
  }
}

void compare_lines() {
  for (int round = 0; round < 60; ++round) {
    const Axis axis{1 + below(3), 1 + below(300), round % 2 ? 1 : 1 + below(20)};
    const size_t size = axis.lines() * axis.n;
    Numbers x = numbers(size, -30, 30), dy = numbers(size), s(2 * axis.lines());
    const std::string shape = text(" of ", axis.outer, "x", axis.n, "x", axis.inner);
    const auto both = [&](const char* name, size_t n, const Kernel& run) { compare(name + shape, n, run); };
    both("softmax", size, [&](Engine& e, Numbers& y) { e.softmax(1, axis, {x.data()}, {y.data()}); });
    both("log_softmax", size, [&](Engine& e, Numbers& y) { e.log_softmax(1, axis, {x.data()}, {y.data()}); });
    both("softmax's gradient", size,
         [&](Engine& e, Numbers& dx) { e.softmax_backward(1, axis, {x.data()}, {dy.data()}, {dx.data()}); });
    both("log_sum_exp", axis.lines(),
         [&](Engine& e, Numbers& y) { e.log_sum_exp(1, axis, {x.data()}, {s.data()}, {y.data()}); });
    both("standardize", size, [&](Engine& e, Numbers& y) {
      e.standardize(round % 3 != 0, real(1e-5), 1, axis, {x.data()}, {s.data()}, {y.data()});
    });
    both("standardize's gradient", size, [&](Engine& e, Numbers& dx) {
      Numbers y(size);
      e.standardize(round % 3 != 0, real(1e-5), 1, axis, {x.data()}, {s.data()}, {y.data()});
      e.standardize_backward(round % 3 != 0, 1, axis, {y.data()}, {s.data()}, {dy.data()}, {dx.data()});
    });
    both("extremum", axis.lines(),
         [&](Engine& e, Numbers& y) { e.extremum(1, 1, axis, {x.data()}, {y.data()}); });
    both("cumulative sum", size,
         [&](Engine& e, Numbers& y) { e.cumulative_sum(1, axis, true, true, {x.data()}, {y.data()}); });
    both("norm", 1, [&](Engine& e, Numbers& y) { y[0] = real(e.squared_norm(size, x.data())); });
  }
}

void compare_random() {
  uint32_t word[3] = {7, 8, 9};
  const uint32_t* words[1] = {word};
  for (const auto kind :
       {Distribution::uniform, Distribution::normal, Distribution::bernoulli, Distribution::gumbel})
    compare(text("random numbers ", int(kind)), 1003, [&](Engine& e, Numbers& y) {
      e.random(kind, real(0.25), real(0.75), Philox{{5, 6}}, 1, y.size(), {words}, {y.data()});
    });
}

}  // namespace

int main() {
  compare_maps(MapOps{});
  compare_zips(ZipOps{});
  compare_products();
  compare_lines();
  compare_random();
  for (const char* task : {"tagger", "tagger_char", "treelstm", "rnnlm", "rnnlm_bulk"}) {
    choose_engine(own());
    const Bits bits = train(task);
    choose_engine(plain());
    check(bits == train(task), text(task, " learns other bits"));
  }
  return finish();
}
