// What an arena seldom does: making blocks, going to the next one, and starting anew.
#include "dynet/device/arena.h"

#include <sys/mman.h>

#include <algorithm>

#include "dynet/device/engine.h"

namespace dynet::engine {

Memory* Arena::memory() const { return content_ == numbers ? chosen_engine().memory() : nullptr; }

void Arena::reset() {
  if (!blocks_.empty() && blocks_[0].bytes.get_deleter().memory != memory()) *this = Arena(content_);
  if (blocks_.size() > 1) {
    const size_t total = capacity();
    *this = Arena(content_);
    add_block(total);
  }
  if (!blocks_.empty()) enter(0);
}

void Arena::go_back(const Position& to) {
  if (blocks_.empty()) return;
  enter(to.block);
  if (to.next > 1) next_ = to.next;
}

std::byte* Arena::next_block(size_t bytes) {
  if (!blocks_.empty()) ++block_;
  while (block_ < blocks_.size() && blocks_[block_].size < bytes) ++block_;
  if (block_ >= blocks_.size()) {
    const size_t grown = blocks_.empty() ? 0 : 2 * blocks_.back().size;
    add_block(std::max({bytes, grown, size_t{1} << 16}));
    block_ = blocks_.size() - 1;
  }
  enter(block_);
  next_ += bytes;
  return blocks_[block_].bytes.get();
}

void Arena::add_block(size_t bytes) {
  const size_t align = bytes < 2 * huge_page ? alignment : huge_page;
  const size_t size = (bytes + align - 1) & ~(align - 1);
  Memory* const from = memory();
  void* const p = from ? from->allocate(size) : ::operator new(size, std::align_val_t{align}, std::nothrow);
  if (!p) throw out_of_memory(text("out of memory: ", size, " bytes were asked for"));
  // Addresses all over a large block are found faster on huge pages; where there are none, nothing changes.
#ifdef MADV_HUGEPAGE
  if (align == huge_page && !from) madvise(p, size, MADV_HUGEPAGE);
#endif
  blocks_.push_back(
      {std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(p), {align, from, size}), size});
}

void Arena::enter(size_t block) {
  block_ = block;
  next_ = reinterpret_cast<uintptr_t>(blocks_[block].bytes.get());
  end_ = next_ + blocks_[block].size;
}

}  // namespace dynet::engine
