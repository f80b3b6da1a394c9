// CRC-32 by tables, eight bytes a step.
#include "dynet/core/checksum.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace dynet::engine {
namespace {

/// tables[k][byte]: what a byte with k bytes behind it does to the checksum.
constexpr auto tables = [] {
  std::array<std::array<uint32_t, 256>, 8> made{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t c = byte;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    made[0][byte] = c;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t byte = 0; byte < 256; ++byte)
      made[k][byte] = made[0][made[k - 1][byte] & 255] ^ (made[k - 1][byte] >> 8);
  return made;
}();

}  // namespace

void Checksum::add(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  uint32_t c = state_;
  while (text.size() >= 8) {
    // The first four bytes meet the checksum so far, whatever the order of bytes in memory.
    const uint32_t first =
        c ^ (byte(0) | uint32_t{byte(1)} << 8 | uint32_t{byte(2)} << 16 | uint32_t{byte(3)} << 24);
    c = tables[7][first & 255] ^ tables[6][(first >> 8) & 255] ^ tables[5][(first >> 16) & 255] ^
        tables[4][first >> 24] ^ tables[3][byte(4)] ^ tables[2][byte(5)] ^ tables[1][byte(6)] ^
        tables[0][byte(7)];
    text.remove_prefix(8);
  }
  for (size_t i = 0; i < text.size(); ++i) c = tables[0][(c ^ byte(i)) & 255] ^ (c >> 8);
  state_ = c;
}

std::string Checksum::digits() const {
  std::string text(8, '0');
  for (size_t i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[(value() >> (28 - 4 * i)) & 15];
  return text;
}

std::string checksum_of(std::string_view text) {
  Checksum sum;
  sum.add(text);
  return sum.digits();
}

}  // namespace dynet::engine
