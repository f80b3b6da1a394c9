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

/// The kind of a node: its signature (nodes of equal signature may run as one call) and its shape.
struct Kind {
  uint32_t signature, dim_id;
};

/// Finds kinds by key: op, attributes, and a word for each argument; compared in full after the hash matched.
///
/// Two levels share one form: exact keys (shapes with batch sizes) lead to kinds, and keys without batch
/// sizes lead to signature numbers.
class KindTable {
 public:
  struct Key {
    const Op* op;
    const void* attrs;
    const uint64_t* args;
    uint32_t arg_count;
  };
  /// Null if there is none.
  const Kind* find(const Key& key, uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.entry == 0) return nullptr;
      if (slot.hash == hash && equal(entries_[slot.entry - 1], key)) return &entries_[slot.entry - 1].kind;
    }
  }
  void add(const Key& key, uint64_t hash, Kind kind);
  void clear();
  size_t size() const { return entries_.size(); }
  size_t key_words() const { return words_.size(); }

  static uint64_t hash_of(const Key& key) {
    uint64_t h = mix(reinterpret_cast<uintptr_t>(key.op), key.arg_count);
    const auto* attrs = static_cast<const char*>(key.attrs);
    for (uint32_t at = 0; at + 4 <= key.op->attr_size; at += 4) {
      uint32_t word;
      __builtin_memcpy(&word, attrs + at, 4);
      h = mix(h, word);
    }
    for (uint32_t i = 0; i < key.arg_count; ++i) h = mix(h, key.args[i]);
    return h ^ h >> 32;
  }

 private:
  struct Slot {
    uint64_t hash;
    uint32_t entry;  // 1 + position, 0 is empty
  };
  struct Entry {
    const Op* op;
    uint32_t arg_count;
    size_t args, attrs;  // positions in words_
    Kind kind;
  };
  static constexpr uint64_t mix(uint64_t h, uint64_t v) { return (h ^ v) * 0x9E3779B97F4A7C15u + (h >> 31); }
  bool equal(const Entry& e, const Key& k) const {
    if (e.op != k.op || e.arg_count != k.arg_count) return false;
    for (uint32_t i = 0; i < k.arg_count; ++i)
      if (words_[e.args + i] != k.args[i]) return false;
    return k.op->attr_size == 0 || __builtin_memcmp(&words_[e.attrs], k.attrs, k.op->attr_size) == 0;
  }
  void grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<Entry> entries_;
  std::vector<uint64_t> words_;  // the keys
};

}  // namespace dynet
