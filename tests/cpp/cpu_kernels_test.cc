// The CPU engine's softmax, random numbers, cells and updates against plain loops in double.
#include "dynet/train/rules.h"
#include "tests/cpp/cpu_support.h"

using namespace test;

namespace {

void check_softmax(Engine& e) {
  for (int round = 0; round < 30; ++round) {
    const Axis axis{1 + below(3), 1 + below(70), round % 2 ? 1 : 1 + below(20)};
    const size_t lines = axis.outer * axis.inner, size = lines * axis.n;
    Tensors x(2, size, true, -5, 5), s(2, 2 * lines, false), sums(2, lines, false), y(2, size, true),
        log_y(2, size, false), dy(2, size, true);
    Tensors dx(2, size, false, 0, 0), d_log(2, size, true, 0, 0), top(2, lines, true),
        run(2, size, true, 0, 0);
    x.at(0, 0) = -INFINITY;
    if (size == 1) x.at(0, 0) = 1;
    e.log_sum_exp(2, axis, x.items(), s.items(), sums.items());
    e.softmax(2, axis, x.items(), y.items());
    e.log_softmax(2, axis, x.items(), log_y.items());
    e.softmax_backward(2, axis, y.items(), dy.items(), dx.items());
    e.log_softmax_backward(2, axis, log_y.items(), dy.items(), d_log.items());
    e.extremum(1, 2, axis, x.items(), top.items());
    e.cumulative_sum(2, axis, true, true, dy.items(), run.items());
    bool right = true;
    const auto equal = [&](double a, double b) { right &= a == b || std::abs(a - b) < 10 * tolerance; };
    for (size_t i = 0; i < 2; ++i) {
      for (size_t line = 0; line < lines; ++line) {
        const auto at = [&](size_t j) {
          return (line / axis.inner * axis.n + j) * axis.inner + line % axis.inner;
        };
        double sum = 0, dot = 0, plain = 0, most = -INFINITY;
        for (size_t j = 0; j < axis.n; ++j) {
          sum += std::exp(double{x.at(i, at(j))}), most = std::max(most, double{x.at(i, at(j))});
          dot += y.at(i, at(j)) * dy.at(i, at(j)), plain += dy.at(i, at(j));
        }
        if (sum == 0) continue;
        equal(sums.at(i, line), std::log(sum)), equal(top.at(i, line), most);
        double later = 0;
        for (size_t j = axis.n; j-- > 0;) {
          const double p = std::exp(double{x.at(i, at(j))}) / sum, d = dy.at(i, at(j));
          later += d;
          equal(y.at(i, at(j)), p), equal(log_y.at(i, at(j)), std::log(p));
          equal(dx.at(i, at(j)), p * (d - dot)), equal(d_log.at(i, at(j)), d - p * plain);
          equal(run.at(i, at(j)), later);
        }
      }
    }
    check(right, text("softmax ", axis.outer, " ", axis.n, " ", axis.inner));
  }
}

/// A line of nothing but -inf has no shares, or none that is known.
void check_empty_softmax(Engine& e) {
  for (const Axis& axis : {Axis{2, 3, 1}, {1, 40, 1}, {1, 5, 20}}) {
    const size_t size = axis.lines() * axis.n;
    Numbers x(size, -INFINITY), y(size), dy(size, real(3)), dx(size, real(1));
    e.softmax(1, axis, {x.data()}, {y.data()}, true);
    e.softmax_backward(1, axis, {y.data()}, {dy.data()}, {dx.data()});
    check(y == Numbers(size, 0) && dx == Numbers(size, 1), "softmax of lines that are empty");
    e.softmax(1, axis, {x.data()}, {y.data()});
    check(std::isnan(y[0]) && std::isnan(y[size - 1]), "softmax of lines that should not be empty");
  }
}

void check_standardize(Engine& e) {
  for (int round = 0; round < 40; ++round) {
    const Axis axis{1 + below(3), 1 + below(150), round % 2 ? 1 : 1 + below(20)};
    const bool centered = round % 3 != 0;
    const size_t lines = axis.outer * axis.inner, size = lines * axis.n;
    Tensors x(2, size, true, 90, 110), s(2, lines, false), y(2, size, true), dy(2, size, true, -1, 1),
        dx(2, size, false, 1, 1);
    e.standardize(centered, real(0.5), 2, axis, x.items(), s.items(), y.items());
    e.standardize_backward(centered, 2, axis, y.items(), s.items(), dy.items(), dx.items());
    bool right = true;
    const auto equal = [&](double a, double b) { right &= std::abs(a - b) < 100 * tolerance; };
    const auto n = static_cast<double>(axis.n);
    for (size_t i = 0; i < 2; ++i) {
      for (size_t line = 0; line < lines; ++line) {
        const auto at = [&](size_t j) { return axis.start(line) + j * axis.inner; };
        double mean = 0, square = 0, slope = 0, along = 0;
        for (size_t j = 0; j < axis.n; ++j) mean += centered ? x.at(i, at(j)) / n : 0;
        for (size_t j = 0; j < axis.n; ++j) square += std::pow(x.at(i, at(j)) - mean, 2) / n;
        const double deviation = std::sqrt(square + 0.5);
        const auto value = [&](size_t j) { return (x.at(i, at(j)) - mean) / deviation; };
        for (size_t j = 0; j < axis.n; ++j) {
          slope += centered ? dy.at(i, at(j)) / n : 0;
          along += value(j) * dy.at(i, at(j)) / n;
        }
        for (size_t j = 0; j < axis.n; ++j) {
          equal(y.at(i, at(j)), value(j));
          equal(dx.at(i, at(j)), 1 + (dy.at(i, at(j)) - slope - value(j) * along) / deviation);
        }
      }
    }
    check(right, text("standardize ", axis.outer, " ", axis.n, " ", axis.inner, centered ? " centered" : ""));
  }
}

/// Softmax and its relatives know distances to the largest number alone, however large it is.
void check_large_logits(Engine& e) {
  for (const Axis& axis : {Axis{1, 1, 1}, {2, 15, 1}, {1, 16, 1}, {3, 17, 1}, {1, 100, 1}, {2, 9, 21}}) {
    const size_t size = axis.lines() * axis.n;
    Numbers x[2] = {Numbers(size), Numbers(size)}, p[2] = {x[0], x[0]}, log_p[2] = {x[0], x[0]};
    Numbers s(2 * axis.lines()), sums[2] = {Numbers(axis.lines()), Numbers(axis.lines())},
                                 d[2] = {x[0], x[0]};
    for (size_t i = 0; i < size; ++i) x[0][i] = real(below(9)), x[1][i] = x[0][i] + real(8388608);
    for (int i = 0; i < 2; ++i) {
      e.softmax(1, axis, {x[i].data()}, {p[i].data()});
      e.log_softmax(1, axis, {x[i].data()}, {log_p[i].data()});
      e.log_sum_exp(1, axis, {x[i].data()}, {s.data()}, {sums[i].data()});
      e.log_sum_exp_backward(1, axis, {x[i].data()}, {s.data()}, {sums[0].data()}, {d[i].data()});
    }
    const std::string shape = text(axis.outer, "x", axis.n, "x", axis.inner);
    check(p[0] == p[1] && log_p[0] == log_p[1] && d[0] == d[1], "large logits: softmax " + shape);
    for (size_t i = 0; i < axis.lines(); ++i)
      check(std::abs(sums[0][i] + 8388608 - sums[1][i]) <= 1, "large logits: log_sum_exp " + shape);
  }
}

/// What is not a number is the extreme of its line, wherever it stands.
void check_extremum_of_nan(Engine& e) {
  for (const Axis& axis : {Axis{1, 1, 1}, {1, 15, 1}, {1, 16, 1}, {1, 100, 1}, {1, 9, 21}}) {
    const size_t size = axis.lines() * axis.n;
    for (size_t place = 0; place < size; ++place) {
      Numbers x = numbers(size), y(axis.lines()), dy(axis.lines(), 1), dx(size);
      x[place] = NAN;
      for (int sign : {1, -1}) {
        e.extremum(sign, 1, axis, {x.data()}, {y.data()});
        std::fill(dx.begin(), dx.end(), real(0));
        e.extremum_backward(1, axis, {x.data()}, {y.data()}, {dy.data()}, {dx.data()});
        size_t nans = 0;
        for (real v : y) nans += v != v;
        check(nans == 1 && y[place % axis.inner] != y[place % axis.inner],
              text("extremum of NaN at ", place));
        check(dx[place] == 1, text("gradient of NaN at ", place));
      }
    }
  }
}

void check_random(Engine& e) {
  const Philox key{{5, 6}};
  uint32_t word[3] = {7, 8, 9};
  const uint32_t* words[1] = {word};
  Numbers u(1000), normal(100000), part(17);
  e.random(Distribution::uniform, 0, 1, key, 1, u.size(), {words}, {u.data()});
  bool right = true;
  for (uint32_t i = 0; i < u.size(); ++i) right &= u[i] == unit_interval(key(i / 4, 7, 8, 9)[i % 4]);
  check(right, "random: uniform");
  e.random(Distribution::normal, 0, 1, key, 1, normal.size(), {words}, {normal.data()});
  e.random(Distribution::normal, 0, 1, key, 1, part.size(), {words}, {part.data()});
  check(std::equal(part.begin(), part.end(), normal.begin()), "random: a prefix");
  double mean = 0, square = 0;
  for (real v : normal) mean += v / normal.size(), square += v * v / normal.size();
  check(std::abs(mean) < 0.02 && std::abs(square - 1) < 0.02, "random: normal");
  right = true;
  for (uint32_t i = 0; i < 960; ++i) {  // pairs lie 32 apart in blocks of 64
    if (i % 64 >= 32) continue;
    const double radius = std::sqrt(-2 * std::log(double{u[i]})), angle = 2 * M_PI * double{u[i + 32]};
    right &= std::abs(normal[i] - radius * std::cos(angle)) < 2e-6;
    right &= std::abs(normal[i + 32] - radius * std::sin(angle)) < 2e-6;
  }
  check(right, "random: normal numbers from pairs of uniform ones");
}

void check_lstm(Engine& e) {
  const size_t h = 21;
  const auto loss = [&](Numbers gates, Numbers c, Numbers* d_gates, Numbers* d_c) {
    Numbers y(2 * h), dy(2 * h);
    double sum = 0;
    for (size_t i = 0; i < 2 * h; ++i) dy[i] = real(0.1) * real(i % 7 + 1);
    e.lstm_cell(1, h, 1, {gates.data()}, {c.data()}, {y.data()});
    for (size_t i = 0; i < 2 * h; ++i) sum += double{dy[i]} * y[i];
    if (d_gates) {
      e.lstm_cell_backward(1, h, {gates.data()}, {c.data()}, {y.data()}, {dy.data()}, {d_c->data()});
      *d_gates = gates;
    }
    return sum;
  };
  Numbers gates = numbers(4 * h), c = numbers(h), d_gates(4 * h), d_c(h);
  loss(gates, c, &d_gates, &d_c);
  const double step = sizeof(real) == 4 ? 1e-2 : 1e-5;
  for (size_t i = 0; i < 5 * h; ++i) {
    Numbers g[2] = {gates, gates}, state[2] = {c, c};
    for (int s = 0; s < 2; ++s) (i < 4 * h ? g[s][i] : state[s][i - 4 * h]) += real(s ? step : -step);
    const double slope =
        (loss(g[1], state[1], nullptr, nullptr) - loss(g[0], state[0], nullptr, nullptr)) / step / 2;
    check(std::abs(slope - (i < 4 * h ? d_gates[i] : d_c[i - 4 * h])) < (sizeof(real) == 4 ? 1e-3 : 1e-8),
          text("lstm_cell gradient ", i));
  }
}

void check_update(Engine& e) {
  const size_t n = 37;
  Numbers w = numbers(n), g = numbers(n), m(n), v(n);
  const Numbers before = w, slope = g;
  const real hyper[max_hyper] = {real(0.5),  real(0.1),  real(0.9), real(0.1),
                                 real(0.99), real(0.01), real(1e-8)};
  real* slots[] = {m.data(), v.data()};
  e.update(6, hyper, n, w.data(), g.data(), slots);
  for (size_t i = 0; i < n; ++i) {
    double x = before[i], s[2] = {0, 0};
    Adam::step(x, double{slope[i]} * hyper[0], s, hyper);
    check(std::abs(x - w[i]) < tolerance && std::abs(s[0] - m[i]) < tolerance, "update: Adam");
    check(g[i] == slope[i], "update leaves the gradient to its owner");
  }
}

/// An update that packs changes the same numbers, and leaves the panels that packing afterwards makes.
void check_update_packed(Engine& e) {
  for (const auto& [rows, cols] : {std::pair{1u, 40u}, {50u, 1u}, {37u, 21u}, {2100u, 35u}, {300u, 150u}}) {
    const size_t n = size_t{rows} * cols;
    const real hyper[max_hyper] = {1, real(0.1), real(0.9), real(0.1), real(0.99), real(0.01), real(1e-8)};
    Numbers w[2] = {numbers(n)}, g[2] = {numbers(n)}, m[2] = {numbers(n)}, v[2] = {numbers(n, 0, 1)};
    w[1] = w[0], g[1] = g[0], m[1] = m[0], v[1] = v[0];
    real* slots[2][2] = {{m[0].data(), v[0].data()}, {m[1].data(), v[1].data()}};
    PackedMatrix panels[2];
    e.update(6, hyper, n, w[0].data(), g[0].data(), slots[0]);
    e.pack(w[0].data(), rows, cols, real(0.5), true, panels[0]);
    e.update_packed(6, hyper, rows, cols, w[1].data(), g[1].data(), slots[1], real(0.5), true, panels[1]);
    const std::string shape = text(rows, "x", cols);
    check(w[0] == w[1] && g[0] == g[1] && m[0] == m[1] && v[0] == v[1], "update_packed: numbers " + shape);
    Numbers x = numbers(rows), y[2] = {Numbers(cols), Numbers(cols)}, back[2] = {Numbers(n), Numbers(n)};
    for (int i = 0; i < 2; ++i) {
      e.unpack(panels[i], back[i].data());
      e.product({rows, cols, 1, true, 1, {}, &panels[i], {x.data()}, {y[i].data()}, {}});
    }
    check(back[0] == back[1] && y[0] == y[1], "update_packed: panels " + shape);
    check(back[1][n - 1] == w[1][n - 1] * real(0.5), "update_packed: scale " + shape);
  }
}

/// Sums have the same bits on every instruction set, whatever the width of its vectors.
void check_sums(Engine& e) {
  std::mt19937 same_numbers(7);
  static std::vector<Numbers> first;
  std::vector<Numbers> found;
  for (const size_t n : {1, 8, 15, 16, 17, 33, 64, 65, 100, 511, 513, 1000, 1025, 4097, 100000}) {
    Numbers x(3 * n);
    for (real& v : x) v = static_cast<real>(same_numbers() % 4096) / 1000 - 1;
    Strides along, across, columns;
    along.axis(static_cast<unsigned>(n), 1, 0);
    across.axis(3, 1, 1), across.axis(static_cast<unsigned>(n), 3, 0);
    columns.axis(static_cast<unsigned>(n), 1, 0), columns.axis(3, static_cast<ptrdiff_t>(n), 1);
    Numbers y(9), running(3 * n);
    e.move(3, along, {}, false, {x.data(), nullptr, n}, {y.data(), nullptr, 1});
    e.move(1, across, {}, false, {x.data()}, {y.data() + 3});
    e.move(1, columns, {}, false, {x.data()}, {y.data() + 6});
    check(y[0] == y[6] && y[2] == y[8], text("sums over ", n, ": lines of one tensor or of three"));
    std::vector<const real*> rows;
    for (size_t k = 0; k < n; ++k) rows.push_back(x.data() + 3 * k);
    Numbers added(3);
    add_each(e, 3, n, rows.data(), added.data());
    check(std::equal(added.begin(), added.end(), y.begin() + 3), text("sums over ", n, ": rows and tensors"));
    e.cumulative_sum(1, {3, n, 1}, false, false, {x.data()}, {running.data()});
    found.push_back(y), found.push_back(running);
  }
  if (first.empty()) first = found;
  check(first == found, "instruction sets sum in one order");
}

/// A great depth is summed in the same order by all forms of a matrix.
void check_deep_products(Engine& e) {
  for (const auto& [depth, columns] : {std::pair{5003u, 40u}, {4097u, 7u}, {6144u, 1u}}) {
    const unsigned m = depth, k = 37, n = columns;
    Numbers a = numbers(size_t{m} * k), x = numbers(size_t{m} * n), y[3];
    PackedMatrix panels;
    e.pack(a.data(), m, k, 1, false, panels);
    for (int form = 0; form < 3; ++form) {
      y[form].resize(size_t{k} * n);
      if (form == 1) e.pack_transposed(panels);
      Product p{.m = m,
                .k = k,
                .n = n,
                .transposed = true,
                .count = 1,
                .a = {a.data()},
                .x = {x.data()},
                .y = {y[form].data()},
                .init = {}};
      if (form < 2) p.packed = &panels;
      e.product(p);
    }
    check(y[0] == y[1] && y[0] == y[2], text("products of depth ", depth, ": forms of a matrix"));
  }
}

}  // namespace

int main() {
  return for_engines([](Engine& e) {
    check_softmax(e);
    check_empty_softmax(e);
    check_standardize(e);
    check_large_logits(e);
    check_extremum_of_nan(e);
    check_random(e);
    check_lstm(e);
    check_update(e);
    check_update_packed(e);
    check_sums(e);
    check_deep_products(e);
  });
}
