// Times products of a packed matrix with scattered columns, and those of BLAS libraries with the columns
// gathered, as lines of JSON; gemm.py --cpp runs it.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "dynet/dynet.h"

namespace {

using namespace dynet;
using namespace dynet::engine;

constexpr unsigned row_counts[] = {32, 64, 100, 128, 200, 256, 512, 800, 1024, 2048, 4000, 10000};
constexpr unsigned depths[] = {32, 64, 100, 128, 200, 256, 512, 1024};
constexpr unsigned all_columns[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
constexpr double operations_per_sample = 1e8;
constexpr int samples = 5;

/// cblas_sgemm of one library, whose integers have 32 or 64 bits.
struct Library {
  template <class Integer>
  using Gemm = void (*)(int, int, int, Integer, Integer, Integer, float, const float*, Integer, const float*,
                        Integer, float, float*, Integer);
  std::string name;
  Gemm<int> narrow = nullptr;
  Gemm<int64_t> wide = nullptr;

  /// From "name=path"; without either function where it cannot be loaded.
  explicit Library(const std::string& text) : name(text.substr(0, text.find('='))) {
    void* library = dlopen(text.substr(text.find('=') + 1).c_str(), RTLD_NOW);
    if (!library) std::fprintf(stderr, "%s\n", dlerror());
    if (!library) return;
    narrow = reinterpret_cast<Gemm<int>>(dlsym(library, "cblas_sgemm"));
    wide = reinterpret_cast<Gemm<int64_t>>(dlsym(library, "scipy_cblas_sgemm64_"));
  }
  /// y = a x for column-major matrices.
  void multiply(unsigned rows, unsigned depth, unsigned columns, const float* a, const float* x,
                float* y) const {
    constexpr int column_major = 102, plain = 111;
    if (wide)
      wide(column_major, plain, plain, rows, columns, depth, 1, a, rows, x, depth, 0, y, rows);
    else
      narrow(column_major, plain, plain, static_cast<int>(rows), static_cast<int>(columns),
             static_cast<int>(depth), 1, a, static_cast<int>(rows), x, static_cast<int>(depth), 0, y,
             static_cast<int>(rows));
  }
};

/// The operands of a product: columns lie apart and in no order.
struct Operands {
  unsigned rows, depth, columns;
  std::vector<float> a, memory, x, y;
  std::vector<float*> from, to;
  PackedMatrix packed;

  Operands(unsigned r, unsigned d, unsigned c)
      : rows(r), depth(d), columns(c), a(size_t{r} * d), x(size_t{d} * c), y(size_t{r} * c) {
    for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 17) / 16 - 0.5f;
    const size_t apart = r + d + 48;
    memory.assign(c * apart, 0.25f);
    for (unsigned i = 0; i < c; ++i) {
      from.push_back(&memory[(c - 1 - i) * apart]);
      to.push_back(from.back() + d + 16);
    }
    cpu_engine().pack(a.data(), r, d, 1, false, packed);
  }
  void ours() {
    cpu_engine().product({.m = rows,
                          .k = depth,
                          .n = 1,
                          .count = columns,
                          .a = {},
                          .packed = &packed,
                          .x = {nullptr, from.data(), 0},
                          .y = {nullptr, to.data(), 0},
                          .init = {}});
  }
  void with(const Library& library) {
    for (unsigned i = 0; i < columns; ++i) std::copy_n(from[i], depth, &x[size_t{i} * depth]);
    library.multiply(rows, depth, columns, a.data(), x.data(), y.data());
  }
};

/// Billions of operations per second, the median of some samples.
template <class Action>
double rate(double operations, Action act) {
  const auto count = static_cast<int>(operations_per_sample / operations) + 1;
  std::vector<double> rates;
  for (int sample = 0; sample <= samples; ++sample) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) act();
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - start;
    if (sample > 0) rates.push_back(count * operations / passed.count());
  }
  std::nth_element(rates.begin(), rates.begin() + samples / 2, rates.end());
  return rates[samples / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Library> libraries;
  for (int i = 1; i < argc; ++i) libraries.emplace_back(argv[i]);
  std::erase_if(libraries, [](const Library& l) { return !l.narrow && !l.wide; });
  for (unsigned rows : row_counts) {
    for (unsigned depth : depths) {
      for (unsigned columns : all_columns) {
        Operands o(rows, depth, columns);
        const double operations = 2.0 * rows * depth * columns;
        std::printf("{\"rows\": %u, \"depth\": %u, \"columns\": %u, \"dynet\": %.2f", rows, depth, columns,
                    rate(operations, [&] { o.ours(); }));
        for (const Library& l : libraries)
          std::printf(", \"%s\": %.2f", l.name.c_str(), rate(operations, [&] { o.with(l); }));
        std::puts("}");
      }
    }
  }
}
