// The elements of a list argument, in memory that belongs to one call.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "dynet/device/arena.h"

namespace dynet::python {

/// A list that is read element by element: a few lie in it, more on the heap. Nothing is shared between
/// calls, so that programs may run, and call again, while it is read.
template <class T>
class Elements {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Elements() {}  // leaves the memory of the few as it is
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  void add(const T& element) { *extend(1) = element; }
  /// Memory for so many more elements, which the caller writes.
  T* extend(size_t count) {
    if (count > capacity_ - size_) grow(count);
    T* const end = data_ + size_;
    size_ += count;
    return end;
  }
  size_t size() const { return size_; }
  std::span<const T> span() const { return {data_, size_}; }

  bool has_truths = false;  // some element was given as True or False

 private:
  static constexpr size_t few = 16, most = PTRDIFF_MAX / sizeof(T);

  void grow(size_t count) {
    const size_t capacity = count < most / 2 ? 2 * (size_ + count) : most;
    std::unique_ptr<std::byte[]> larger;
    try {
      if (capacity < most) larger.reset(new std::byte[capacity * sizeof(T)]);
    } catch (const std::bad_alloc&) {  // told below
    }
    if (!larger) throw out_of_memory(engine::text("out of memory: a list of ", count, " elements was given"));
    std::memcpy(larger.get(), data_, size_ * sizeof(T));
    many_ = std::move(larger);
    data_ = reinterpret_cast<T*>(many_.get());
    capacity_ = capacity;
  }

  alignas(T) std::byte few_[few * sizeof(T)];
  std::unique_ptr<std::byte[]> many_;
  T* data_ = reinterpret_cast<T*>(few_);
  size_t size_ = 0, capacity_ = few;
};

}  // namespace dynet::python
