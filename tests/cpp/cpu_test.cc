// The CPU engine's products, elementwise kernels and moves against plain loops in double.
#include <algorithm>

#include "tests/cpp/cpu_support.h"

using namespace test;

namespace {

void check_product(Engine& e, bool transposed, bool packed) {
  const bool deep = below(10) == 0;  // deeper than what is summed at once
  const unsigned m = 1 + below(deep && transposed ? 2000 : 150),
                 k = 1 + below(deep && !transposed ? 2000 : 90);
  const unsigned n = 1 + below(3), count = 1 + below(20);
  const unsigned rows = transposed ? k : m, depth = transposed ? m : k;
  const bool own = !packed && below(2), scattered = below(2), column = below(2), bias = below(2);
  Tensors a(own ? count : 1, size_t{m} * k, false), x(count, size_t{depth} * n, scattered);
  Tensors y(count, size_t{rows} * n, scattered), init(count, size_t{rows} * (column ? 1 : n), scattered);
  PackedMatrix panels;
  if (packed) e.pack(a.memory.data(), m, k, 1, below(2), panels);
  if (packed && below(3) == 0) e.pack_transposed(panels);
  Items matrices = a.items();
  if (!own) matrices.step = 0;
  Product p{m,
            k,
            n,
            transposed,
            count,
            matrices,
            packed ? &panels : nullptr,
            x.items(),
            y.items(),
            bias ? init.items() : Items{},
            column};
  e.product(p);
  bool right = true, same = true;
  for (unsigned i = 0; i < count; ++i) {
    Numbers alone(size_t{rows} * n);
    const Items one_init = bias ? Items{init.items()[i], nullptr, 0} : Items{};
    e.product(
        {m, k, n, transposed, 1, {matrices[i]}, nullptr, {x.items()[i]}, {alone.data()}, one_init, column});
    for (unsigned c = 0; c < n; ++c) {
      for (unsigned r = 0; r < rows; ++r) {
        double sum = bias ? init.at(i, column ? r : c * rows + r) : 0;
        for (unsigned d = 0; d < depth; ++d)
          sum += double{matrices[i][transposed ? d + r * m : r + d * m]} * x.at(i, c * depth + d);
        right &= std::abs(y.at(i, c * rows + r) - sum) <= tolerance * (deep ? 100 : 8);
        same &= y.at(i, c * rows + r) == alone[c * rows + r];
      }
    }
  }
  const std::string shape =
      text(m, "x", k, "x", n, " count ", count, transposed ? " transposed" : "", packed);
  check(right, "product " + shape);
  check(same, "product alone differs " + shape);
  if (packed) {
    Numbers back(size_t{m} * k);
    e.unpack(panels, back.data());
    check(back == Numbers(a.memory.begin(), a.memory.end() - 1), "unpack " + shape);
  }
}

void check_outer(Engine& e) {
  const unsigned m = 1 + below(150), k = 1 + below(60), count = below(8) ? 1 + below(70) : 1 + below(1000);
  Tensors dy(count, m, true), x(count, k, true);
  Numbers g = numbers(size_t{m} * k);
  std::vector<double> right(g.begin(), g.end());
  for (unsigned c = 0; c < count; ++c)
    for (unsigned j = 0; j < k; ++j)
      for (unsigned i = 0; i < m; ++i) right[i + size_t{j} * m] += double{dy.at(c, i)} * x.at(c, j);
  e.outer_sum({m, k, count, dy.table.data(), x.table.data(), g.data(), true});
  check(near(g, right, 30), text("outer_sum ", m, "x", k, " of ", count));
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
    Tensors x(count, size, true, 0.1, 0.9), y(count, size, false), dy(count, size, true),
        dx(count, size, true);
    const Numbers before = dx.memory;
    e.map(f, attributes, count, size, x.items(), y.items());
    e.map_backward(f, attributes, count, size, x.items(), y.items(), dy.items(), dx.items(), true);
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < size; ++j) {
        real one, d = before[&dx.at(i, j) - dx.memory.data()], alone = d, added = 0;
        e.map(f, attributes, 1, 1, {&x.at(i, j)}, {&one});
        e.map_backward(f, attributes, 1, 1, {&x.at(i, j)}, {&one}, {&dy.at(i, j)}, {&d}, true);
        e.map_backward(f, attributes, 1, 1, {&x.at(i, j)}, {&one}, {&dy.at(i, j)}, {&alone}, false);
        e.map_backward(f, attributes, 1, 1, {&x.at(i, j)}, {&one}, {&dy.at(i, j)}, {&added}, true);
        check(same(alone, added) && std::signbit(alone) == std::signbit(added),
              text("map ", f, " overwrites with another number than it adds to zero"));
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
      Tensors right = dx, alone = dx, added = dx;
      const bool same_place = !scattered;
      if (same_place) std::ranges::fill(added.memory, real(0));
      if (scattered)
        for (size_t i = 0; i < count; ++i)
          right.table[i] = right.memory.data() + (dx.table[i] - dx.memory.data());
      e.zip_backward(f, side, nullptr, count, dims[2], dims[0], dims[1], x0.items(), x1.items(), y.items(),
                     dy.items(), dx.items(), true);
      for (Tensors* to : {&alone, &added})
        if (same_place)
          e.zip_backward(f, side, nullptr, count, dims[2], dims[0], dims[1], x0.items(), x1.items(),
                         y.items(), dy.items(), to->items(), to == &added);
      alone.memory.back() = added.memory.back();
      check(!same_place || alone.memory == added.memory, "zip overwrites with other numbers than it adds");
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

/// Two items may add into one and the same place.
void check_shared_target(Engine& e) {
  const unsigned m = 40, k = 30;
  Numbers a = numbers(m * k), x = numbers(2 * m), dx = numbers(k), one_by_one = dx;
  real* x_table[] = {x.data(), x.data() + m};
  real* both[] = {dx.data(), dx.data()};
  e.product({m, k, 1, true, 2, {a.data()}, nullptr, {nullptr, x_table}, {nullptr, both}, {nullptr, both}});
  for (real* column : x_table)
    e.product({m, k, 1, true, 1, {a.data()}, nullptr, {column}, {one_by_one.data()}, {one_by_one.data()}});
  check(dx == one_by_one, "product: a shared target");
}

/// Work wide enough for several threads has the same bits on any number of them.
void check_threads(Engine& e) {
  const unsigned m = 300, k = 200, n = 30;
  Numbers a = numbers(m * k), x = numbers(k * n), y[2] = {Numbers(m * n), Numbers(m * n)};
  for (int i = 0; i < 2; ++i) {
    e.set_most_threads(1 + i);
    for (int repeat = 0; repeat < 200; ++repeat)
      e.product({m, k, n, false, 1, {a.data()}, nullptr, {x.data()}, {y[i].data()}, {}});
  }
  Tensors dy(n, m, true), columns(n, k, true);
  Numbers g[2] = {a, a};
  for (unsigned i = 0; i < 2; ++i) {
    e.set_most_threads(1 + i);
    e.outer_sum({m, k, n, dy.table.data(), columns.table.data(), g[i].data(), true});
  }
  const size_t lines = 60, size = 3000;
  Numbers logits = numbers(lines * size), sums[2] = {Numbers(2 * lines), Numbers(2 * lines)};
  Numbers slopes[2] = {logits, logits}, losses[2] = {Numbers(lines), Numbers(lines)}, ones(lines, 1);
  std::vector<uint32_t> right(lines, 7);
  std::vector<const uint32_t*> words;
  for (const uint32_t& word : right) words.push_back(&word);
  for (unsigned i = 0; i < 2; ++i) {
    e.set_most_threads(1 + i);
    const Items x{logits.data(), nullptr, size}, s{sums[i].data(), nullptr, 2};
    e.negative_log_softmax(lines, size, {words.data()}, x, s, {losses[i].data(), nullptr, 1});
    e.negative_log_softmax_backward(lines, size, {words.data()}, x, s, {ones.data(), nullptr, 1},
                                    {slopes[i].data(), nullptr, size});
  }
  e.set_most_threads(1);
  check(losses[0] == losses[1] && sums[0] == sums[1] && slopes[0] == slopes[1], "threads change a softmax");
  check(y[0] == y[1], "threads change a product");
  check(g[0] == g[1], "threads change a sum of outer products");
}

}  // namespace

int main() {
  return for_engines([](Engine& e) {
    for (int i = 0; i < 150; ++i) check_product(e, i & 1, i & 2);
    for (int i = 0; i < 40; ++i) check_outer(e);
    check_shared_target(e);
    check_maps(e);
    check_function(e, map_position<Exp>(), std::exp, -80, 80);
    check_function(e, map_position<Log>(), std::log, 1e-3, 100);
    check_function(e, map_position<Tanh>(), std::tanh, -9, 9);
    check_function(e, map_position<Erf>(), std::erf, -4, 4);
    check_zips(e);
    check_move(e);
    check_threads(e);
  });
}
