// Random numbers: each is a pure function of the key, the words of its item and its position.
#include "dynet/cpu/engine.h"
#include "dynet/cpu/simd/math.h"

namespace dynet::engine::cpu::DYNET_ISA {
namespace {

constexpr int blocks = 16, chunk = 4 * blocks;

/// Philox 4×32-10 for `blocks` consecutive counters, as numbers in (0, 1); the same words as dynet::Philox.
void uniform_chunk(const uint32_t (&key)[2], uint32_t counter, const uint32_t* words, real (&u)[chunk]) {
  uint32_t c[4][blocks], k0 = key[0], k1 = key[1];
  for (uint32_t i = 0; i < blocks; ++i)
    c[0][i] = counter + i, c[1][i] = words[0], c[2][i] = words[1], c[3][i] = words[2];
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < blocks; ++i) {
      const uint64_t p = uint64_t{0xD2511F53} * c[0][i], q = uint64_t{0xCD9E8D57} * c[2][i];
      c[0][i] = static_cast<uint32_t>(q >> 32) ^ c[1][i] ^ k0;
      c[2][i] = static_cast<uint32_t>(p >> 32) ^ c[3][i] ^ k1;
      c[1][i] = static_cast<uint32_t>(q), c[3][i] = static_cast<uint32_t>(p);
    }
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
  for (int i = 0; i < blocks; ++i)
    for (int j = 0; j < 4; ++j)
      u[4 * i + j] = (static_cast<float>(c[j][i] >> 9) + 0.5f) * (1.0f / 8388608.0f);
}

/// Each pair, half a chunk apart, becomes two independent normal numbers (Box and Muller 1958).
void make_normal(real (&u)[chunk]) {
  constexpr int pairs = chunk / 2;
  for (int i = 0; i < pairs; i += lanes) {
    const Vec radius = sqrt(-2 * log(Vec::load(u + i)));
    const auto [sine, cosine] = sine_cosine(Vec::load(u + pairs + i));
    (radius * cosine).store(u + i);
    (radius * sine).store(u + pairs + i);
  }
}

Vec transform(Distribution distribution, Vec u, real a, real b) {
  switch (distribution) {
    case Distribution::uniform: return a + (b - a) * u;
    case Distribution::normal: return a + b * u;
    case Distribution::bernoulli: return select(u < a, b, 0);
    case Distribution::gumbel: return -log(-log(u));
  }
  return u;
}

}  // namespace

void CpuEngine::random(Distribution distribution, real a, real b, Philox key, size_t count, size_t size,
                       Words words, Items y) {
  for (size_t item = 0; item < count; ++item) {
    const uint32_t* word = words.table[item];
    real* to = y[item];
    for (size_t begin = 0; begin < size; begin += chunk) {
      real u[chunk];
      uniform_chunk(key.key, static_cast<uint32_t>(begin / 4), word, u);
      if (distribution == Distribution::normal) make_normal(u);
      for_vectors(size - begin < chunk ? size - begin : chunk, [&](size_t i, auto n) {
        transform(distribution, Vec::load(u + i), a, b).store(to + begin + i, n);
      });
    }
  }
}

}  // namespace dynet::engine::cpu::DYNET_ISA
