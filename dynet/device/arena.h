// Bump memory that keeps its blocks: after a warm-up, resetting and filling it again touches no heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "dynet/core/error.h"
#include "dynet/device/memory.h"

namespace dynet::engine {

class Arena {
 public:
  static constexpr size_t alignment = 64;
  /// Numbers lie in the memory of the engine that is chosen when a round begins.
  enum Content : bool { anything, numbers };

  explicit Arena(Content content = anything) : content_(content) {}

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
    const uintptr_t at = (next_ + align - 1) & ~(uintptr_t{align} - 1);
    if (at + bytes > end_) [[unlikely]]
      return next_block(bytes);
    next_ = at + bytes;
    return reinterpret_cast<std::byte*>(at);
  }
  /// How much was taken.
  struct Position {
    size_t block;
    uintptr_t next;
  };
  Position position() const { return {block_, next_}; }
  /// Forgets what was taken since then, in the same round.
  void go_back(const Position& to);
  /// Forgets what was taken; several blocks become one, so that the next round fits in it.
  void reset();
  size_t capacity() const {
    size_t total = 0;
    for (const Block& b : blocks_) total += b.size;
    return total;
  }

 private:
  static constexpr size_t huge_page = size_t{1} << 21;

  struct Free {
    size_t align;
    Memory* memory;  // null: the host's
    size_t size;
    void operator()(std::byte* p) const {
      memory ? memory->release(p, size) : ::operator delete(p, std::align_val_t{align});
    }
  };
  struct Block {
    std::unique_ptr<std::byte, Free> bytes;
    size_t size;
  };

  /// Where new blocks lie; null: in the host's memory.
  Memory* memory() const;
  std::byte* next_block(size_t bytes);
  void add_block(size_t bytes);
  void enter(size_t block);

  Content content_;
  std::vector<Block> blocks_;
  size_t block_ = 0;
  uintptr_t next_ = 1, end_ = 0;  // the rest of the block; before there is one, not even nothing fits
};

}  // namespace dynet::engine
