// What is known of a node from its op, attributes and argument shapes: computed once, then looked up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dynet/graph/node.h"

namespace dynet {

/// Numbers shapes (with batch sizes) from 0.
class DimTable {
 public:
  uint32_t intern(const Dim& dim);
  const Dim& operator[](uint32_t id) const { return blocks_[id / block][id % block]; }
  void clear() { size_ = 0, slots_.clear(); }

 private:
  static constexpr uint32_t block = 256;
  std::vector<std::unique_ptr<Dim[]>> blocks_;  // shapes keep their address
  uint32_t size_ = 0;
  std::vector<uint32_t> slots_;  // open addressing: 1 + id
};

/// What calls of one signature have in common: shapes and sizes of one item.
struct Item {
  Dims x_dims;
  Dim dim;
  size_t size, aux_size, d_aux_size;  // numbers
  size_t view_offset;
};

/// The kind of a node: its signature (nodes of equal signature may run as one call) and its shape.
struct Kind {
  uint32_t signature, dim_id;
};

/// Finds kinds by key: an op with a word for each argument and its attributes; equal keys are equal words.
///
/// Two levels share one form: exact keys (shapes with batch sizes) lead to kinds, and keys without batch
/// sizes lead to signature numbers.
class KindTable {
 public:
  /// The first word names the op and the number of arguments, and so says how many words follow.
  using Key = std::span<const uint64_t>;

  static uint64_t first_word(const Op& op, uint64_t arg_count) {
    return reinterpret_cast<uintptr_t>(&op) ^ arg_count << 48;
  }
  /// A sum of products, as none of them has to wait for another.
  static uint64_t hash_of(Key key) {
    uint64_t sum = 0, factor = 0x9E3779B97F4A7C15u;
    for (const uint64_t word : key) {
      sum += (word ^ word >> 32) * factor;
      factor += 0xD6E8FEB86659FD92u;
    }
    return sum ^ sum >> 32;
  }
  /// Null if there is none.
  const Kind* find(Key key, uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.words == 0) return nullptr;
      if (slot.hash == hash && equal(slot.words - 1, key)) return &slot.kind;
    }
  }
  void add(Key key, uint64_t hash, Kind kind);
  void clear();
  size_t size() const { return size_; }
  size_t key_words() const { return words_.size(); }

 private:
  struct Slot {
    uint64_t hash;
    uint32_t words;  // 1 + position of the key in words_, 0 is empty
    Kind kind;
  };
  bool equal(size_t at, Key key) const {
    const uint64_t* words = words_.data() + at;
    for (size_t i = 0; i < key.size(); ++i)
      if (words[i] != key[i]) return false;
    return true;
  }
  void grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0, size_ = 0;
  std::vector<uint64_t> words_;  // the keys
};

}  // namespace dynet
