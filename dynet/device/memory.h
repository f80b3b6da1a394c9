// Memory that an engine has for its numbers where the host cannot touch them.
#pragma once

#include <cstddef>

namespace dynet::engine {

class Memory {
 public:
  virtual ~Memory() = default;
  /// Zeros, 64-byte aligned; null if there is no room.
  virtual std::byte* allocate(size_t bytes) = 0;
  virtual void release(std::byte* memory, size_t bytes) = 0;
};

}  // namespace dynet::engine
