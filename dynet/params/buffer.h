// The memory of what is learned: numbers that start at zero and never change their address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dynet/core/real.h"
#include "dynet/device/arena.h"

namespace dynet {

/// A fixed count of numbers, 64-byte aligned. Readable padding follows the last one.
class Buffer {
 public:
  static constexpr size_t alignment = 64;

  Buffer() = default;
  explicit Buffer(size_t size) : size_(size) {
    const size_t bytes = size * sizeof(real) + 2 * alignment;
    // calloc leaves the pages of large tables untouched until they are used.
    if (size <= SIZE_MAX / sizeof(real) / 2) memory_.reset(static_cast<std::byte*>(std::calloc(bytes, 1)));
    if (!memory_) throw out_of_memory(text("out of memory: ", size, " numbers were asked for"));
    const auto address = reinterpret_cast<uintptr_t>(memory_.get());
    numbers_ = reinterpret_cast<real*>((address + alignment - 1) & ~uintptr_t{alignment - 1});
  }

  real* data() { return numbers_; }
  const real* data() const { return numbers_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  real& operator[](size_t i) { return numbers_[i]; }
  real operator[](size_t i) const { return numbers_[i]; }
  real* begin() { return numbers_; }
  real* end() { return numbers_ + size_; }
  const real* begin() const { return numbers_; }
  const real* end() const { return numbers_ + size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  real* numbers_ = nullptr;
  size_t size_ = 0;
};

}  // namespace dynet
