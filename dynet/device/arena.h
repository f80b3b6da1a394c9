// Bump memory that keeps its blocks: after a warm-up, resetting and filling it again touches no heap.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "dynet/core/error.h"

namespace dynet {

/// Memory that ran out: says how much was asked.
struct out_of_memory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace dynet

namespace dynet::engine {

class Arena {
 public:
  static constexpr size_t alignment = 64;

  /// Uninitialised room for count objects, 64-byte aligned; addresses stay valid until reset().
  template <class T>
  T* take(size_t count) {
    return reinterpret_cast<T*>(take_bytes(count * sizeof(T), alignment));
  }
  /// Like take(), packed to the alignment of T: for many small things.
  template <class T>
  T* take_small(size_t count) {
    return reinterpret_cast<T*>(take_bytes(count * sizeof(T), alignof(T)));
  }
  /// Bytes at this alignment (a power of two, at most 64).
  std::byte* take_bytes(size_t bytes, size_t align) {
    const size_t at = (used_ + align - 1) & ~(align - 1);
    if (block_ < blocks_.size() && at + bytes <= blocks_[block_].size) {
      used_ = at + bytes;
      return blocks_[block_].bytes.get() + at;
    }
    return next_block(bytes);
  }
  /// Forgets what was taken; several blocks become one, so that the next round fits in it.
  void reset() {
    if (blocks_.size() > 1) {
      size_t total = 0;
      for (const Block& b : blocks_) total += b.size;
      blocks_.clear();
      add_block(total);
    }
    block_ = 0;
    used_ = 0;
  }
  size_t capacity() const {
    size_t total = 0;
    for (const Block& b : blocks_) total += b.size;
    return total;
  }

 private:
  static constexpr size_t huge_page = size_t{1} << 21;

  struct Free {
    size_t align;
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{align}); }
  };
  struct Block {
    std::unique_ptr<std::byte, Free> bytes;
    size_t size;
  };

  std::byte* next_block(size_t bytes) {
    if (!blocks_.empty()) ++block_;
    while (block_ < blocks_.size() && blocks_[block_].size < bytes) ++block_;
    if (block_ >= blocks_.size()) {
      const size_t grown = blocks_.empty() ? 0 : 2 * blocks_.back().size;
      add_block(std::max({bytes, grown, size_t{1} << 16}));
      block_ = blocks_.size() - 1;
    }
    used_ = bytes;
    return blocks_[block_].bytes.get();
  }
  void add_block(size_t bytes) {
    const size_t align = bytes < 2 * huge_page ? alignment : huge_page;
    const size_t size = (bytes + align - 1) & ~(align - 1);
    void* p = ::operator new(size, std::align_val_t{align}, std::nothrow);
    if (!p) throw out_of_memory(text("out of memory: ", size, " bytes were asked for"));
    // Addresses all over a large block are found faster on huge pages; where there are none, nothing changes.
    if (align == huge_page) madvise(p, size, MADV_HUGEPAGE);
    blocks_.push_back({std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(p), {align}), size});
  }

  std::vector<Block> blocks_;
  size_t block_ = 0, used_ = 0;
};

}  // namespace dynet::engine
