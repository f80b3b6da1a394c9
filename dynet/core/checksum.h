// The checksum of files: CRC-32 as zlib computes it, which sees every change within 32 bits in a row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dynet::engine {

/// Takes a text in parts.
class Checksum {
 public:
  void add(std::string_view text);
  uint32_t value() const { return ~state_; }
  /// Eight hexadecimal digits, as files hold it.
  std::string digits() const;

 private:
  uint32_t state_ = 0xffffffff;
};

/// The digits for a whole text.
std::string checksum_of(std::string_view text);

}  // namespace dynet::engine
