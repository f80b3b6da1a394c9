// The memory of what is learned: values, which never change their address, and gradients, which begin at
// zero.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "dynet/core/error.h"
#include "dynet/core/real.h"
#include "dynet/device/engine.h"

namespace dynet::engine {

/// Whether buffers made from now on are shared with processes that are forked later.
inline std::atomic<bool>& sharing_new_buffers() {
  static std::atomic<bool> sharing{false};
  return sharing;
}
inline void share_new_buffers(bool share) { sharing_new_buffers() = share; }

/// A fixed count of numbers, 64-byte aligned, where the engine that is chosen has its own. Readable padding
/// follows the last one.
class Buffer {
 public:
  static constexpr size_t alignment = 64;

  Buffer() = default;
  explicit Buffer(size_t size) : size_(size) {
    const size_t bytes = size * sizeof(real) + 2 * alignment;
    if (size <= SIZE_MAX / sizeof(real) / 2) memory_ = allocate(bytes);
    if (!memory_) throw out_of_memory(text("out of memory: ", size, " numbers were asked for"));
    const auto address = reinterpret_cast<uintptr_t>(memory_.get());
    numbers_ = reinterpret_cast<real*>((address + alignment - 1) & ~uintptr_t{alignment - 1});
  }

  /// Zeros behind the numbers, which move, until there are as many as this.
  void grow(size_t size) {
    if (size <= size_) return;
    Buffer larger(size);
    chosen_engine().copy(size_, numbers_, larger.numbers_);
    *this = std::move(larger);
  }

  real* data() { return numbers_; }
  const real* data() const { return numbers_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Of an engine that leaves its numbers to the host.
  real& operator[](size_t i) { return numbers_[i]; }
  real operator[](size_t i) const { return numbers_[i]; }
  real* begin() { return numbers_; }
  real* end() { return numbers_ + size_; }
  const real* begin() const { return numbers_; }
  const real* end() const { return numbers_ + size_; }

  // Of any engine.
  real get(size_t i) const {
    real number;
    chosen_engine().copy(1, numbers_ + i, &number);
    return number;
  }
  void set(size_t i, real number) { chosen_engine().copy(1, &number, numbers_ + i); }
  void fill(real number) { chosen_engine().fill(size_, number, numbers_); }

 private:
  struct Free {
    size_t bytes;
    Memory* memory;  // of an engine; null: the host's
    bool mapped;     // or calloc's
    void operator()(std::byte* p) const {
      if (memory)
        memory->release(p, bytes);
      else if (mapped)
        munmap(p, bytes);
      else
        std::free(p);
    }
  };
  using Owner = std::unique_ptr<std::byte, Free>;
  /// Zeros; neither way touches the pages of large tables before they are used.
  static Owner allocate(size_t bytes) {
    if (Memory* const memory = chosen_engine().memory())
      return Owner(memory->allocate(bytes), {bytes, memory, false});
    if (!sharing_new_buffers())
      return Owner(static_cast<std::byte*>(std::calloc(bytes, 1)), {bytes, nullptr, false});
    void* shared = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return Owner(shared == MAP_FAILED ? nullptr : static_cast<std::byte*>(shared), {bytes, nullptr, true});
  }

  Owner memory_{nullptr, {}};
  real* numbers_ = nullptr;
  size_t size_ = 0;
};

/// The gradient of what is learned. Clearing it writes nothing: the zeros are written when somebody reads the
/// numbers or adds to them, and not at all where the next contribution is written over them. Where others
/// look at the numbers, these are cleared at once, and stay where they are.
class Gradient {
 public:
  explicit Gradient(size_t size) : numbers_(size) {}
  explicit Gradient(Buffer numbers) : numbers_(std::move(numbers)) {}

  const Buffer& numbers() const {
    if (std::exchange(zeros_due_, false)) numbers_.fill(0);
    return numbers_;
  }
  Buffer& numbers() { return const_cast<Buffer&>(std::as_const(*this).numbers()); }
  operator const Buffer&() const { return numbers(); }
  real* data() { return numbers().data(); }
  size_t size() const { return numbers_.size(); }
  real* begin() { return data(); }
  real* end() { return data() + size(); }
  real& operator[](size_t i) { return numbers()[i]; }

  void clear() {
    if (is_shown_) return numbers().fill(0);
    zeros_due_ = true;
  }
  bool is_clear() const { return zeros_due_; }
  /// Room for numbers that will all be written.
  real* overwrite() {
    zeros_due_ = false;
    return numbers_.data();
  }
  /// The numbers, at which others than the engine look from now on, or which they write.
  real* show() {
    is_shown_ = true;
    return data();
  }
  bool is_shown() const { return is_shown_; }
  /// Puts zeros in place of the numbers and gives these.
  Buffer replace(Buffer zeros) { return std::exchange(numbers(), std::move(zeros)); }

 private:
  mutable Buffer numbers_;
  mutable bool zeros_due_ = false;
  bool is_shown_ = false;
};

}  // namespace dynet::engine
