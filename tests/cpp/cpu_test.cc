// The CPU engine against plain loops in double, for every instruction set of this machine.
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "dynet/device/engine.h"
#include "dynet/ops/all.h"
#include "dynet/train/rules.h"

using namespace dynet;
using Numbers = std::vector<real>;

namespace {

constexpr double tolerance = sizeof(real) == 4 ? 2e-5 : 1e-12;
int failures = 0;
std::mt19937 generator(1);

void check(bool right, const std::string& what) {
  if (!right) ++failures, std::printf("FAILED: %s\n", what.c_str());
}
unsigned below(unsigned n) { return generator() % n; }
Numbers numbers(size_t n, double low = -1, double high = 1) {
  Numbers x(n);
  for (real& v : x) v = static_cast<real>(std::uniform_real_distribution<double>(low, high)(generator));
  return x;
}
/// Near in units of the largest number that went into it.
bool near(const Numbers& x, const std::vector<double>& right, double size = 1) {
  for (size_t i = 0; i < right.size(); ++i)
    if (!(std::abs(x[i] - right[i]) <= tolerance * (size + std::abs(right[i])))) return false;
  return true;
}

/// Tensors of one shape: one after another, or scattered with gaps in another order.
struct Tensors {
  Numbers memory;
  std::vector<real*> table;
  size_t size;
  Tensors(size_t count, size_t n, bool scattered, double low = -1, double high = 1) : size(n) {
    const size_t step = scattered ? n + 3 : n;
    memory = numbers(count * step + 1, low, high);
    for (size_t i = 0; i < count; ++i) table.push_back(&memory[(scattered ? count - 1 - i : i) * step]);
    if (!scattered) table.clear(), table.shrink_to_fit();
  }
  Items items() { return table.empty() ? Items{memory.data(), nullptr, size} : Items{nullptr, table.data(), 0}; }
  real& at(size_t item, size_t i) { return items()[item][i]; }
};

void check_product(Engine& e, bool transposed, bool packed) {
  const unsigned m = 1 + below(150), k = 1 + below(90), n = 1 + below(3), count = 1 + below(20);
  const unsigned rows = transposed ? k : m, depth = transposed ? m : k;
  const bool own = !packed && below(2), scattered = below(2), column = below(2), bias = below(2);
  Tensors a(own ? count : 1, size_t{m} * k, false), x(count, size_t{depth} * n, scattered);
  Tensors y(count, size_t{rows} * n, scattered), init(count, size_t{rows} * (column ? 1 : n), scattered);
  PackedMatrix panels;
  if (packed) e.pack(a.memory.data(), m, k, 1, below(2), panels);
  Items matrices = a.items();
  if (!own) matrices.step = 0;
  Product p{m, k, n, transposed, count, matrices, packed ? &panels : nullptr, x.items(), y.items(),
            bias ? init.items() : Items{}, column};
  e.product(p);
  bool right = true, same = true;
  for (unsigned i = 0; i < count; ++i) {
    Numbers alone(size_t{rows} * n);
    const Items one_init = bias ? Items{init.items()[i], nullptr, 0} : Items{};
    e.product({m, k, n, transposed, 1, {matrices[i]}, nullptr, {x.items()[i]}, {alone.data()}, one_init, column});
    for (unsigned c = 0; c < n; ++c) {
      for (unsigned r = 0; r < rows; ++r) {
        double sum = bias ? init.at(i, column ? r : c * rows + r) : 0;
        for (unsigned d = 0; d < depth; ++d)
          sum += double{matrices[i][transposed ? d + r * m : r + d * m]} * x.at(i, c * depth + d);
        right &= std::abs(y.at(i, c * rows + r) - sum) <= tolerance * 8;
        same &= y.at(i, c * rows + r) == alone[c * rows + r];
      }
    }
  }
  const std::string shape = text(m, "x", k, "x", n, " count ", count, transposed ? " transposed" : "", packed);
  check(right, "product " + shape);
  check(same, "product alone differs " + shape);
  if (packed) {
    Numbers back(size_t{m} * k);
    e.unpack(panels, back.data());
    check(back == Numbers(a.memory.begin(), a.memory.end() - 1), "unpack " + shape);
  }
}

void check_outer(Engine& e) {
  const unsigned m = 1 + below(150), k = 1 + below(60), count = 1 + below(70);
  Tensors dy(count, m, true), x(count, k, true);
  Numbers g = numbers(size_t{m} * k);
  std::vector<double> right(g.begin(), g.end());
  for (unsigned c = 0; c < count; ++c)
    for (unsigned j = 0; j < k; ++j)
      for (unsigned i = 0; i < m; ++i) right[i + size_t{j} * m] += double{dy.at(c, i)} * x.at(c, j);
  e.outer_sum({m, k, count, dy.table.data(), x.table.data(), g.data()});
  check(near(g, right, 8), text("outer_sum ", m, "x", k, " of ", count));
}

template <class... Op>
constexpr unsigned length(Ops<Op...>) {
  return sizeof...(Op);
}

/// Every map, together and number by number: the bits depend on nothing around a number.
void check_maps(Engine& e) {
  const auto same = [](real a, real b) { return a == b || (a != a && b != b); };
  for (unsigned f = 0; f < length(MapOps{}); ++f) {
    const real attributes[8] = {real(0.5), real(0.25), real(0.5), real(0.5), 0, 0, 0, 0};
    const size_t size = 1 + below(70), count = 1 + below(4);
    Tensors x(count, size, true, 0.1, 0.9), y(count, size, false), dy(count, size, true), dx(count, size, true);
    const Numbers before = dx.memory;
    e.map(f, attributes, count, size, x.items(), y.items());
    e.map_backward(f, attributes, count, size, x.items(), y.items(), dy.items(), dx.items());
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < size; ++j) {
        real one, d = before[&dx.at(i, j) - dx.memory.data()];
        e.map(f, attributes, 1, 1, {&x.at(i, j)}, {&one});
        e.map_backward(f, attributes, 1, 1, {&x.at(i, j)}, {&one}, {&dy.at(i, j)}, {&d});
        check(same(one, y.at(i, j)) && same(d, dx.at(i, j)), text("map ", f, " depends on the position"));
      }
    }
  }
}

void check_function(Engine& e, unsigned f, double (*right)(double), double low, double high) {
  const size_t n = 20001;
  Numbers x = numbers(n, low, high), y(n);
  e.map(f, nullptr, 1, n, {x.data()}, {y.data()});
  double worst = 0;
  for (size_t i = 0; i < n; ++i) {
    const double value = right(x[i]);
    const double unit = std::ldexp(1, std::ilogb(value) - (sizeof(real) == 4 ? 23 : 52));
    worst = std::max(worst, std::abs(y[i] - value) / unit);
  }
  check(worst <= 2.5 + 0.5, text("function ", f, " is wrong by ", worst, " units"));
}

void check_zips(Engine& e) {
  const unsigned f = zip_position<Multiply>();
  for (int round = 0; round < 60; ++round) {
    Dim dims[3] = {{1}, {1}, {1}};
    const unsigned axes = 1 + below(4), count = 1 + below(3);
    for (unsigned d = 0; d < axes; ++d) {
      const unsigned n = 1 + below(d ? 4 : 40), kind = below(3);
      dims[0] = dims[0].with(d, kind == 1 ? 1 : n), dims[1] = dims[1].with(d, kind == 2 ? 1 : n);
      dims[2] = dims[2].with(d, n);
    }
    const bool scattered = below(2);
    Tensors x0(count, dims[0].size(), scattered), x1(count, dims[1].size(), scattered);
    Tensors y(count, dims[2].size(), scattered), dy(count, dims[2].size(), scattered);
    e.zip(f, nullptr, count, dims[2], dims[0], dims[1], x0.items(), x1.items(), y.items());
    for (unsigned side = 0; side < 2; ++side) {
      Tensors dx(count, dims[side].size(), scattered);
      Tensors right = dx;
      if (scattered)
        for (size_t i = 0; i < count; ++i) right.table[i] = right.memory.data() + (dx.table[i] - dx.memory.data());
      e.zip_backward(f, side, nullptr, count, dims[2], dims[0], dims[1], x0.items(), x1.items(), y.items(),
                     dy.items(), dx.items());
      bool good = true;
      for (size_t i = 0; i < count; ++i) {
        for (size_t j = 0; j < dims[2].size(); ++j) {
          size_t at[2] = {0, 0}, step[2] = {1, 1}, rest = j;
          for (unsigned d = 0; d < axes; ++d) {
            for (int s = 0; s < 2; ++s) {
              if (dims[s][d] > 1) at[s] += rest % dims[2][d] * step[s];
              step[s] *= dims[s][d];
            }
            rest /= dims[2][d];
          }
          good &= y.at(i, j) == x0.at(i, at[0]) * x1.at(i, at[1]);
          right.at(i, at[side]) += dy.at(i, j) * (side ? x0.at(i, at[0]) : x1.at(i, at[1]));
        }
        for (size_t j = 0; j < dims[side].size(); ++j)
          good &= std::abs(right.at(i, j) - dx.at(i, j)) < 50 * tolerance;
      }
      check(good, text("zip ", dims[0], " ", dims[1], " side ", side));
    }
  }
}

void check_move(Engine& e) {
  for (int round = 0; round < 60; ++round) {
    const unsigned n[3] = {1 + below(40), 1 + below(5), 1 + below(4)}, total = n[0] * n[1] * n[2];
    const bool accumulate = below(2);
    unsigned order[3] = {0, 1, 2};
    std::shuffle(order, order + 3, generator);
    Strides s;
    ptrdiff_t from_stride[3] = {1, n[0], n[0] * n[1]}, to_stride = 1;
    for (unsigned d : order) {
      const bool kept = below(3) != 0;
      s.axis(n[d], from_stride[d], kept ? to_stride : 0);
      if (kept) to_stride *= n[d];
    }
    Tensors from(2, total + 5, true), to(2, static_cast<size_t>(to_stride) + 5, true);
    uint32_t word = 2;
    const uint32_t* words[2] = {&word, &word};
    const Shift shift{1, 0, 1, 1, {words}};
    std::vector<double> right[2];
    for (size_t i = 0; i < 2; ++i) {
      for (size_t j = 0; j < to.size; ++j) right[i].push_back(to.at(i, j));
      for (ptrdiff_t j = 0; j < to_stride && !accumulate; ++j) right[i][j + 2] = 0;
      for (unsigned a = 0; a < s.size[0]; ++a)
        for (unsigned b = 0; b < s.size[1]; ++b)
          for (unsigned c = 0; c < s.size[2]; ++c)
            right[i][2 + a * s.to[0] + b * s.to[1] + c * s.to[2]] +=
                from.at(i, 3 + a * s.from[0] + b * s.from[1] + c * s.from[2]);
    }
    e.move(2, s, shift, accumulate, from.items(), to.items());
    for (size_t i = 0; i < 2; ++i)
      check(near(Numbers(to.items()[i], to.items()[i] + to.size), right[i], 10), text("move ", round));
  }
}

void check_softmax(Engine& e) {
  for (int round = 0; round < 30; ++round) {
    const Axis axis{1 + below(3), 1 + below(70), round % 2 ? 1 : 1 + below(20)};
    const size_t lines = axis.outer * axis.inner, size = lines * axis.n;
    Tensors x(2, size, true, -5, 5), s(2, lines, false), y(2, size, true), log_y(2, size, false), dy(2, size, true);
    Tensors dx(2, size, false, 0, 0), d_log(2, size, true, 0, 0), top(2, lines, true), run(2, size, true, 0, 0);
    x.at(0, 0) = -INFINITY;
    if (size == 1) x.at(0, 0) = 1;
    e.log_sum_exp(2, axis, x.items(), s.items());
    e.exp_minus(2, axis, x.items(), s.items(), y.items());
    e.minus(2, axis, x.items(), s.items(), log_y.items());
    e.softmax_backward(2, axis, y.items(), dy.items(), dx.items());
    e.log_softmax_backward(2, axis, log_y.items(), dy.items(), d_log.items());
    e.extremum(1, 2, axis, x.items(), top.items());
    e.cumulative_sum(2, axis, true, true, dy.items(), run.items());
    bool right = true;
    const auto equal = [&](double a, double b) { right &= a == b || std::abs(a - b) < 10 * tolerance; };
    for (size_t i = 0; i < 2; ++i) {
      for (size_t line = 0; line < lines; ++line) {
        const auto at = [&](size_t j) { return (line / axis.inner * axis.n + j) * axis.inner + line % axis.inner; };
        double sum = 0, dot = 0, plain = 0, most = -INFINITY;
        for (size_t j = 0; j < axis.n; ++j) {
          sum += std::exp(double{x.at(i, at(j))}), most = std::max(most, double{x.at(i, at(j))});
          dot += y.at(i, at(j)) * dy.at(i, at(j)), plain += dy.at(i, at(j));
        }
        if (sum == 0) continue;
        equal(s.at(i, line), std::log(sum)), equal(top.at(i, line), most);
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

void check_random(Engine& e) {
  const Philox key{{5, 6}};
  uint32_t word[2] = {7, 8};
  const uint32_t* words[1] = {word};
  Numbers u(1000), normal(100000), part(17);
  e.random(Distribution::uniform, 0, 1, key, 1, u.size(), {words}, {u.data()});
  bool right = true;
  for (uint32_t i = 0; i < u.size(); ++i) right &= u[i] == unit_interval(key(i / 4, 7, 8, 0)[i % 4]);
  check(right, "random: uniform");
  e.random(Distribution::normal, 0, 1, key, 1, normal.size(), {words}, {normal.data()});
  e.random(Distribution::normal, 0, 1, key, 1, part.size(), {words}, {part.data()});
  check(std::equal(part.begin(), part.end(), normal.begin()), "random: a prefix");
  double mean = 0, square = 0;
  for (real v : normal) mean += v / normal.size(), square += v * v / normal.size();
  check(std::abs(mean) < 0.02 && std::abs(square - 1) < 0.02, "random: normal");
}

void check_lstm(Engine& e) {
  const size_t h = 21;
  const auto loss = [&](Numbers gates, Numbers c, Numbers* d_gates, Numbers* d_c) {
    Numbers y(2 * h), dy(2 * h);
    double sum = 0;
    for (size_t i = 0; i < 2 * h; ++i) dy[i] = real(0.1) * real(i % 7 + 1);
    e.lstm_cell(1, h, 1, {gates.data()}, {c.data()}, {y.data()});
    for (size_t i = 0; i < 2 * h; ++i) sum += double{dy[i]} * y[i];
    if (d_gates)
      e.lstm_cell_backward(1, h, {gates.data()}, {c.data()}, {y.data()}, {dy.data()}, {d_gates->data()},
                           {d_c->data()});
    return sum;
  };
  Numbers gates = numbers(4 * h), c = numbers(h), d_gates(4 * h), d_c(h);
  loss(gates, c, &d_gates, &d_c);
  const double step = sizeof(real) == 4 ? 1e-2 : 1e-5;
  for (size_t i = 0; i < 5 * h; ++i) {
    Numbers g[2] = {gates, gates}, state[2] = {c, c};
    for (int s = 0; s < 2; ++s) (i < 4 * h ? g[s][i] : state[s][i - 4 * h]) += real(s ? step : -step);
    const double slope = (loss(g[1], state[1], nullptr, nullptr) - loss(g[0], state[0], nullptr, nullptr)) / step / 2;
    check(std::abs(slope - (i < 4 * h ? d_gates[i] : d_c[i - 4 * h])) < (sizeof(real) == 4 ? 1e-3 : 1e-8),
          text("lstm_cell gradient ", i));
  }
}

void check_update(Engine& e) {
  const size_t n = 37;
  Numbers w = numbers(n), g = numbers(n), m(n), v(n);
  const Numbers before = w;
  const real hyper[max_hyper] = {real(0.5), real(0.1), real(0.9), real(0.1), real(0.99), real(0.01), real(1e-8)};
  real* slots[] = {m.data(), v.data()};
  e.update(6, hyper, n, w.data(), g.data(), slots);
  for (size_t i = 0; i < n; ++i) {
    double x = before[i], s[2] = {0, 0};
    Adam::step(x, double{g[i]} * hyper[0], s, hyper);
    check(std::abs(x - w[i]) < tolerance && std::abs(s[0] - m[i]) < tolerance, "update: Adam");
  }
}

void check_engine(Engine& e) {
  for (int i = 0; i < 150; ++i) check_product(e, i & 1, i & 2);
  for (int i = 0; i < 40; ++i) check_outer(e);
  check_maps(e);
  check_function(e, map_position<Exp>(), std::exp, -80, 80);
  check_function(e, map_position<Log>(), std::log, 1e-3, 100);
  check_function(e, map_position<Tanh>(), std::tanh, -9, 9);
  check_function(e, map_position<Erf>(), std::erf, -4, 4);
  check_zips(e);
  check_move(e);
  check_softmax(e);
  check_random(e);
  check_lstm(e);
  check_update(e);
}

/// A product wide enough for several threads has the same bits on any number of them.
void check_threads(Engine& e) {
  const unsigned m = 300, k = 200, n = 30;
  Numbers a = numbers(m * k), x = numbers(k * n), y[2] = {Numbers(m * n), Numbers(m * n)};
  for (int i = 0; i < 2; ++i) {
    e.set_threads(1 + i);
    for (int repeat = 0; repeat < 200; ++repeat)
      e.product({m, k, n, false, 1, {a.data()}, nullptr, {x.data()}, {y[i].data()}, {}});
  }
  e.set_threads(1);
  check(y[0] == y[1], "threads change a product");
}

}  // namespace

int main() {
  for (const char* name : {"v2", "v3", "v4", "plain"}) {
    try {
      Engine& e = cpu_engine(name);
      check_engine(e);
      check_threads(e);
      std::printf("%s: checked\n", e.name());
    } catch (const std::invalid_argument&) {
      std::printf("%s: not on this machine\n", name);
    }
  }
  return failures != 0;
}
