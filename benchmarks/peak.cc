// Prints what the machine can do: multiply-adds in registers and copying of memory, as a line of JSON.
//
// peak THREADS runs everything on so many threads at once and prints their sum.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr int chains = 12;  // independent ones, to hide the latency of an addition
constexpr long rounds = 4'000'000;
constexpr int repetitions = 9;
volatile float sink;

#if defined(__x86_64__)
[[gnu::target("avx512f")]] double multiply_add_512() {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_ps(float(i));
  const __m512 factor = _mm512_set1_ps(1.0000001f), term = _mm512_set1_ps(1e-9f);
  for (long k = 0; k < rounds; ++k)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  for (const __m512& sum : sums) sink = sink + _mm512_cvtss_f32(sum);
  return 2.0 * 16 * chains * rounds;
}

[[gnu::target("avx2,fma")]] double multiply_add_256() {
  __m256 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm256_set1_ps(float(i));
  const __m256 factor = _mm256_set1_ps(1.0000001f), term = _mm256_set1_ps(1e-9f);
  for (long k = 0; k < rounds; ++k)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  for (const __m256& sum : sums) sink = sink + _mm256_cvtss_f32(sum);
  return 2.0 * 8 * chains * rounds;
}
#endif

/// The vectors of any other machine, or of an old one: four numbers wide.
double multiply_add_128() {
  using Four = float __attribute__((vector_size(16)));
  Four sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = Four{float(i), 1, 2, 3};
  for (long k = 0; k < rounds; ++k)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = sums[i] * 1.0000001f + 1e-9f;
  for (const Four& sum : sums) sink = sink + sum[0];
  return 2.0 * 4 * chains * rounds;
}

/// Floating-point operations with the widest vectors there are.
double multiply_add() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return multiply_add_512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_add_256();
#endif
  return multiply_add_128();
}

/// Copies an array; returns the bytes read and written.
double copy(const std::vector<float>& from, std::vector<float>& to) {
  std::copy(from.begin(), from.end(), to.begin());
  sink = sink + to[to.size() / 2];
  return 2.0 * static_cast<double>(from.size() * sizeof(float));
}

/// The best rate of some runs, in units of 1e9 a second.
double best_rate(const std::function<double()>& work) {
  double best = 0;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double amount = work();
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, amount / elapsed.count());
  }
  return best;
}

/// The sum of the rates of all threads.
double on_threads(unsigned threads, const std::function<double()>& measure) {
  std::vector<double> rates(threads);
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) all.emplace_back([&, i] { rates[i] = measure(); });
  double sum = 0;
  for (unsigned i = 0; i < threads; ++i) all[i].join(), sum += rates[i];
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned threads = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  const double operations = on_threads(threads, [] { return best_rate(multiply_add); });
  const double copied = on_threads(threads, [] {
    const std::vector<float> from(1 << 24, 1.0f);
    std::vector<float> to(from.size());
    return best_rate([&] { return copy(from, to); });
  });
  std::printf("{\"threads\": %u, \"operations\": %.1f, \"bytes\": %.1f}\n", threads, operations, copied);
}
