// What the tests of the CPU engine share: random tensors that lie together or scattered, and comparisons.
#pragma once

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "dynet/device/engine.h"
#include "dynet/ops/all.h"
#include "tests/cpp/check.h"

namespace test {

using namespace dynet;
using namespace dynet::engine;
using Numbers = std::vector<real>;

constexpr double tolerance = sizeof(real) == 4 ? 2e-5 : 1e-12;
inline std::mt19937 generator(1);

inline unsigned below(unsigned n) { return static_cast<unsigned>(generator() % n); }
inline Numbers numbers(size_t n, double low = -1, double high = 1) {
  Numbers x(n);
  for (real& v : x) v = static_cast<real>(std::uniform_real_distribution<double>(low, high)(generator));
  return x;
}
/// Near in units of the largest number that went into it.
inline bool near(const Numbers& x, const std::vector<double>& right, double size = 1) {
  for (size_t i = 0; i < right.size(); ++i)
    if (!(std::abs(x[i] - right[i]) <= tolerance * (size + std::abs(right[i])))) return false;
  return true;
}

/// Tensors of one shape: one after another, or scattered with gaps in another order, some as parts of others.
struct Tensors {
  Numbers memory;
  std::vector<real*> table, wholes;
  size_t size, offset = below(3);
  Tensors(size_t count, size_t n, bool scattered, double low = -1, double high = 1) : size(n) {
    const size_t step = scattered ? n + 3 : n;
    memory = numbers(count * step + 1, low, high);
    if (!scattered) return;
    for (size_t i = count; i-- > 0;) table.push_back(&memory[i * step + offset]);
  }
  Items items() {
    if (table.empty()) return {memory.data(), nullptr, size};
    wholes.clear();
    for (real* x : table) wholes.push_back(x - offset);
    return Items{nullptr, wholes.data(), 0}.part(offset);
  }
  real& at(size_t item, size_t i) { return (table.empty() ? &memory[item * size] : table[item])[i]; }
};

/// Runs the checks on the engine of every instruction set that this machine has.
template <class Checks>
int for_engines(Checks checks) {
  for (const char* name : {"v2", "v3", "v4", "neon", "plain"}) {
    try {
      checks(cpu_engine(name));
    } catch (const std::invalid_argument&) {
      std::printf("%s: not on this machine\n", name);
    }
  }
  return finish();
}

}  // namespace test
