// What is known of a node from its op, attributes and argument shapes: computed once, then looked up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "dynet/graph/node.h"

namespace dynet::engine {

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
  size_t size = 0, saved_size = 0, workspace_size = 0;  // numbers
  size_t view_offset = 0;
  size_t multiply_adds = 0;  // of products with the matrices
  // Bit i: argument i is a matrix that is multiplied from the left; its gradient may be the node's as it is,
  // batch sizes aside. Bit 31 stands for all from 31 on, which are asked one by one.
  uint32_t matrices = 0, identity = 0;

  bool is_matrix(const Node& node, unsigned i) const {
    return i < 31 ? matrices >> i & 1 : matrices >> 31 && node.op->is_matrix(node.payload, i);
  }
  bool is_identity(unsigned i) const {
    return i < 31 ? identity >> i & 1 : identity >> 31 && x_dims[i].same_sizes(dim);
  }
};

/// Makes a number of words: a sum of products, as none of them has to wait for another.
class Hash {
 public:
  void add(uint64_t word) {
    sum_ += (word ^ word >> 32) * factor_;
    factor_ += 0xD6E8FEB86659FD92u;
  }
  uint64_t number() const { return sum_ ^ sum_ >> 32; }

 private:
  uint64_t sum_ = 0, factor_ = 0x9E3779B97F4A7C15u;
};

/// What is interned of a node: its signature (nodes of equal signature may run as one call) and its shape.
struct Interned {
  uint32_t signature, dim_id;
};

/// A key: an op with its attributes and a word for each argument; equal keys are equal words.
///
/// The first word names the op and the number of arguments, and so says how to read those that follow. In a
/// long list of arguments equal words in a row are written once, with their count.
class KeyBuilder {
 public:
  /// Words that a key may need.
  static size_t room(const Op& op, size_t arg_count) {
    return 1 + (op.key_size + 7) / 8 + (arg_count > few ? 2 * arg_count : arg_count);
  }
  KeyBuilder(uint64_t* room, const Op& op, size_t arg_count, const void* attrs)
      : first_(room), to_(room), counts_(arg_count > few) {
    put(reinterpret_cast<uintptr_t>(&op) ^ uint64_t{arg_count} << 48);
    distinct_ = *first_;
    for (uint32_t at = 0; at < op.key_size; at += 8) {
      const uint64_t word = word_of(static_cast<const std::byte*>(attrs) + at, op.key_size - at);
      distinct_ += word;
      put(word);
    }
  }
  void argument(uint64_t word) {
    if (!counts_) return put(word);
    if (run_ && word != last_) end_run();
    last_ = word;
    ++run_;
  }
  /// The same for a word that tells signatures of one op apart, and is known before the arguments' shapes
  /// are.
  void matrix_argument(uint64_t word) {
    distinct_ += word;
    argument(word);
  }
  std::span<const uint64_t> finish() {
    if (run_) end_run();
    return {first_, to_};
  }
  /// A number that depends on the op, its attributes and its matrices alone.
  uint64_t distinct() const { return distinct_ * 0x9E3779B97F4A7C15u; }

 private:
  static constexpr size_t few = 8;

  /// The next word of attributes of which so many bytes are left. Most have whole or half words, read at
  /// once.
  static uint64_t word_of(const std::byte* from, uint32_t left) {
    if (left >= 8) return bytes_at(from, 8);
    if (left == 4) return bytes_at(from, 4);
    return bytes_at(from, left);
  }
  static uint64_t bytes_at(const std::byte* from, size_t count) {
    uint64_t word = 0;
    std::memcpy(&word, from, count);
    return word;
  }
  void put(uint64_t word) { *to_++ = word; }
  void end_run() {
    put(last_), put(run_);
    run_ = 0;
  }

  uint64_t *first_, *to_;
  uint64_t last_ = 0, run_ = 0, distinct_;
  bool counts_;
};

/// Finds interned signatures by key. Two levels share one form: exact keys (shapes with batch sizes) lead to
/// interned signatures, and keys without batch sizes lead to signature numbers.
class InternTable {
 public:
  using Key = std::span<const uint64_t>;

  /// Null if there is none.
  const Interned* find(Key key) const {
    if (slots_.empty()) return nullptr;
    const uint64_t hash = hash_of(key);
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.words == 0) return nullptr;
      if (slot.hash == hash && equal(slot.words - 1, key)) return &slot.interned;
    }
  }
  void add(Key key, Interned interned);
  void clear();
  size_t size() const { return size_; }
  size_t key_words() const { return words_.size(); }

 private:
  struct Slot {
    uint64_t hash;
    uint32_t words;  // 1 + position of the key in words_, 0 is empty
    Interned interned;
  };
  static uint64_t hash_of(Key key) {
    Hash hash;
    for (const uint64_t word : key) hash.add(word);
    return hash.number();
  }
  /// No key is the beginning of another one, so that a difference comes before the end of either.
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

/// The last interned signatures seen, in places that depend on the op, its attributes and its matrices alone:
/// that what was guessed is right is only compared, so that a node need not wait for the shapes of its
/// arguments, which may just have been made.
class SignatureCache {
 public:
  static constexpr size_t most_words = 6;  // longer keys are not kept

  /// Null if the last one seen there is another one.
  const Interned* find(KeyBuilder& writer) const {
    const Entry& entry = entries_[place(writer)];
    const InternTable::Key key = writer.finish();
    for (size_t i = 0; i < key.size(); ++i)
      if (entry.words[i] != key[i]) return nullptr;
    return &entry.interned;
  }
  void set(KeyBuilder& writer, Interned interned) {
    const InternTable::Key key = writer.finish();
    if (key.size() > most_words) return;
    Entry& entry = entries_[place(writer)];
    std::ranges::copy(key, entry.words);
    entry.interned = interned;
  }
  void clear() { *this = {}; }

 private:
  struct Entry {
    uint64_t words[most_words];
    Interned interned;
  };
  static size_t place(const KeyBuilder& writer) { return writer.distinct() >> 56; }

  Entry entries_[256] = {};
};

}  // namespace dynet::engine
