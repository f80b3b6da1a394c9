// Adding to the tables of shapes and interned signatures.
#include "dynet/graph/signature.h"

#include <algorithm>

namespace dynet::engine {

uint32_t DimTable::intern(const Dim& dim) {
  const auto hash = [](const Dim& d) {
    uint64_t h = d.nd + uint64_t{d.bd} * 8;
    for (unsigned i = 0; i < d.nd; ++i) h = (h ^ d.d[i]) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
  };
  if (2 * (size_ + 1) > slots_.size()) {
    slots_.assign(std::max<size_t>(64, 2 * slots_.size()), 0);
    for (uint32_t id = 0; id < size_; ++id) {
      size_t at = hash((*this)[id]) & (slots_.size() - 1);
      while (slots_[at]) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = id + 1;
    }
  }
  size_t at = hash(dim) & (slots_.size() - 1);
  for (; slots_[at]; at = (at + 1) & (slots_.size() - 1))
    if ((*this)[slots_[at] - 1] == dim) return slots_[at] - 1;
  if (size_ == block * blocks_.size()) blocks_.push_back(std::make_unique<Dim[]>(block));
  blocks_[size_ / block][size_ % block] = dim;
  slots_[at] = ++size_;
  return slots_[at] - 1;
}

void InternTable::add(Key key, Interned interned) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const uint64_t hash = hash_of(key);
  size_t at = hash & mask_;
  while (slots_[at].words) at = (at + 1) & mask_;
  slots_[at] = {hash, static_cast<uint32_t>(words_.size() + 1), interned};
  words_.insert(words_.end(), key.begin(), key.end());
  ++size_;
}

void InternTable::grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(std::max<size_t>(256, 2 * old.size()), Slot{});
  mask_ = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (!slot.words) continue;
    size_t at = slot.hash & mask_;
    while (slots_[at].words) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
}

void InternTable::clear() {
  std::ranges::fill(slots_, Slot{});
  words_.clear();
  size_ = 0;
}

}  // namespace dynet::engine
