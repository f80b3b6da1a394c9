// Plain data in a row that grows at its end: elements are written in place and counted afterwards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace dynet::engine {

/// A vector whose new elements are not built elsewhere and copied in: that copy would wait for their halves.
template <class T>
class Pool {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  uint32_t size() const { return size_; }
  const T* data() const { return memory_.data(); }
  const T& operator[](size_t i) const { return memory_[i]; }

  T& at(size_t i) { return memory_[i]; }

  /// Room for more elements at the end; valid until the next call.
  T* room(size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
    return memory_.data() + size_;
  }
  /// Counts elements that were written into room(). What comes after them is often in the cache of another
  /// core, where the last graph was run, and takes long to come back for writing.
  void extend(size_t count) {
    size_ += static_cast<uint32_t>(count);
    __builtin_prefetch(reinterpret_cast<const char*>(memory_.data() + size_) + ahead, 1);
  }
  void shrink(uint32_t size) { size_ = size; }

 private:
  static constexpr size_t ahead = 512;  // bytes

  /// Apart, so that it takes no registers of those who have room.
  [[gnu::cold, gnu::noinline]] void grow(size_t count) {
    memory_.resize(std::max(2 * memory_.size(), size_ + count));
    capacity_ = static_cast<uint32_t>(memory_.size());
  }

  std::vector<T> memory_;
  uint32_t size_ = 0, capacity_ = 0;
};

}  // namespace dynet::engine
