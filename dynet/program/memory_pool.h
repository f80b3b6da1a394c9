// Pools of memory that a program fills from its beginning and empties at once, as DyNet 2 had them. The
// library itself uses none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "dynet/core/error.h"

namespace dynet {

/// Where a pool has its memory from.
class MemAllocator {
 public:
  explicit MemAllocator(int alignment) : align(alignment) {}
  virtual ~MemAllocator() = default;
  MemAllocator(const MemAllocator&) = delete;
  MemAllocator& operator=(const MemAllocator&) = delete;

  virtual void* malloc(size_t bytes) = 0;
  virtual void free(void* memory) = 0;
  virtual void zero(void* memory, size_t bytes) { std::memset(memory, 0, bytes); }
  size_t round_up_align(size_t bytes) const {
    const auto unit = static_cast<size_t>(align);
    return (bytes + unit - 1) / unit * unit;
  }

  const int align;  // a power of two
};

class CPUAllocator : public MemAllocator {
 public:
  CPUAllocator() : MemAllocator(32) {}
  void* malloc(size_t bytes) override { return ::operator new(bytes, alignment(), std::nothrow); }
  void free(void* memory) override { ::operator delete(memory, alignment()); }

 private:
  std::align_val_t alignment() const { return std::align_val_t(static_cast<size_t>(align)); }
};

/// Grows by whole units when it is full; what was allocated stays where it is until free().
class AlignedMemoryPool {
 public:
  AlignedMemoryPool(std::string name, size_t capacity, MemAllocator* allocator, size_t unit = size_t{1} << 24)
      : name_(std::move(name)), allocator_(allocator), unit_(std::max<size_t>(unit, 1)) {
    add(capacity);
  }

  void* allocate(size_t bytes) {
    const size_t rounded = allocator_->round_up_align(bytes);
    if (chunks_.empty() || rounded > chunks_.back().capacity - chunks_.back().used)
      add((rounded + unit_ - 1) / unit_ * unit_);
    Chunk& chunk = chunks_.back();
    return chunk.memory.get() + std::exchange(chunk.used, chunk.used + rounded);
  }
  /// Everything; the memory stays, in one piece.
  void free() {
    const size_t all = get_cap();
    if (chunks_.size() > 1) {
      chunks_.clear();
      add(all);
    }
    for (Chunk& chunk : chunks_) chunk.used = 0;
  }
  void zero_allocated_memory() {
    for (Chunk& chunk : chunks_)
      if (chunk.used > 0) allocator_->zero(chunk.memory.get(), chunk.used);
  }
  size_t used() const {
    size_t sum = 0;
    for (const Chunk& chunk : chunks_) sum += chunk.used;
    return sum;
  }
  /// Back to so many bytes, as used() told them before.
  void set_used(size_t bytes) {
    if (bytes > used())
      engine::invalid("set_used: ", bytes, " bytes of the pool ", name_, ", of which ", used(), " are used");
    while (chunks_.size() > 1 && used() - chunks_.back().used >= bytes) chunks_.pop_back();
    chunks_.back().used -= used() - bytes;
  }
  size_t get_cap() const {
    size_t sum = 0;
    for (const Chunk& chunk : chunks_) sum += chunk.capacity;
    return sum;
  }

 private:
  struct Release {
    MemAllocator* allocator;
    void operator()(std::byte* memory) const { allocator->free(memory); }
  };
  struct Chunk {
    std::unique_ptr<std::byte, Release> memory;
    size_t capacity, used;
  };
  void add(size_t bytes) {
    const size_t rounded = allocator_->round_up_align(std::max<size_t>(bytes, 1));
    auto* memory = static_cast<std::byte*>(allocator_->malloc(rounded));
    if (!memory)
      throw out_of_memory(engine::text("out of memory: the pool ", name_, " asked for ", rounded, " bytes"));
    chunks_.push_back({std::unique_ptr<std::byte, Release>(memory, Release{allocator_}), rounded, 0});
  }

  std::string name_;
  MemAllocator* allocator_;
  size_t unit_;
  std::vector<Chunk> chunks_;
};

}  // namespace dynet
