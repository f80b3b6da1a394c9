// Counter-based random numbers (Philox 4×32-10, Salmon et al. 2011): a pure function of key and counter.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace dynet::engine {

struct Philox {
  uint32_t key[2];

  /// Four independent 32-bit words for this counter.
  constexpr std::array<uint32_t, 4> operator()(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) const {
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p = uint64_t{0xD2511F53} * c0, q = uint64_t{0xCD9E8D57} * c2;
      const uint32_t n0 = static_cast<uint32_t>(q >> 32) ^ c1 ^ k0;
      const uint32_t n2 = static_cast<uint32_t>(p >> 32) ^ c3 ^ k1;
      c1 = static_cast<uint32_t>(q), c3 = static_cast<uint32_t>(p), c0 = n0, c2 = n2;
      k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    return {c0, c1, c2, c3};
  }
};

/// A word as a number in (0, 1); 23 bits, so that neither end is reached in float.
constexpr float unit_interval(uint32_t word) {
  return (static_cast<float>(word >> 9) + 0.5f) * (1.0f / 8388608.0f);
}

/// A stream of numbers for initialisers, drawn one after another from one key.
class RandomStream {
 public:
  RandomStream(uint32_t seed, uint32_t stream) : philox_{{seed, stream}} {}

  uint32_t word() {
    if (left_ == 0) {
      words_ = philox_(static_cast<uint32_t>(count_), static_cast<uint32_t>(count_ >> 32), 0, 0);
      ++count_;
      left_ = 4;
    }
    return words_[--left_];
  }
  float uniform() { return unit_interval(word()); }
  float normal() {
    const float radius = std::sqrt(-2.0f * std::log(uniform()));
    return radius * std::cos(6.28318530717958647692f * uniform());
  }

 private:
  Philox philox_;
  std::array<uint32_t, 4> words_{};
  uint64_t count_ = 0;
  int left_ = 0;
};

}  // namespace dynet::engine
