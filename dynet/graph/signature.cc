// Interning of signatures: an open-addressing table that is emptied by starting a new round.
#include "dynet/graph/signature.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dynet {
namespace {

constexpr uint64_t mix(uint64_t h, uint64_t v) {
  h ^= v;
  h *= 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

uint64_t mix_dim(uint64_t h, const Dim& d, bool with_batch) {
  h = mix(h, d.nd | uint64_t{with_batch ? d.bd : 1} << 32);
  for (unsigned i = 0; i < d.nd; i += 2) h = mix(h, d.d[i] | uint64_t{i + 1 < d.nd ? d.d[i + 1] : 0} << 32);
  return h;
}

bool equal_dims(const Dim& a, const Dim& b, bool with_batch) {
  if (a.nd != b.nd || (with_batch && a.bd != b.bd)) return false;
  return std::equal(a.d, a.d + a.nd, b.d);
}

/// A matrix argument that is a parameter is shared by all items of a call: its identity counts.
bool by_identity(const Op& op, unsigned i, const Node& arg) {
  return op.has_matrix && arg.op->leaf && op.is_matrix(i);
}

uint64_t hash_of(const Node& node, std::span<const Node> nodes, std::span<const uint32_t> args) {
  const Op& op = *node.op;
  const bool with_batch = op.batching == Batching::nodes;
  uint64_t h = mix(std::bit_cast<uintptr_t>(&op), args.size());
  for (uint32_t at = 0; at + 4 <= op.attr_size; at += 4) {
    uint32_t word;
    std::memcpy(&word, node.payload + at, 4);
    h = mix(h, word);
  }
  for (unsigned i = 0; i < args.size(); ++i) {
    const Node& arg = nodes[args[i]];
    h = by_identity(op, i, arg) ? mix(h, ~uint64_t{args[i]}) : mix_dim(h, arg.dim, with_batch);
  }
  return mix_dim(h, node.dim, with_batch);
}

bool equal(const Node& a, const Node& b, std::span<const Node> nodes, std::span<const uint32_t> a_args,
           std::span<const uint32_t> b_args) {
  const Op& op = *a.op;
  const bool with_batch = op.batching == Batching::nodes;
  if (&op != b.op || a_args.size() != b_args.size() || !equal_dims(a.dim, b.dim, with_batch)) return false;
  if (op.attr_size && std::memcmp(a.payload, b.payload, op.attr_size) != 0) return false;
  for (unsigned i = 0; i < a_args.size(); ++i) {
    if (a_args[i] == b_args[i]) continue;
    const Node &x = nodes[a_args[i]], &y = nodes[b_args[i]];
    if (by_identity(op, i, x) || by_identity(op, i, y)) return false;
    if (!equal_dims(x.dim, y.dim, with_batch)) return false;
  }
  return true;
}

}  // namespace

void SignatureTable::clear() {
  ++round_;
  examples_.clear();
  hashes_.clear();
  if (slots_.empty()) slots_.resize(256, Slot{0, 0, 0}), round_ = 1;
}

uint32_t SignatureTable::intern(const Node& node, std::span<const Node> nodes, std::span<const uint32_t> args) {
  const std::span<const uint32_t> own = args.subspan(node.args, node.arg_count);
  const uint64_t hash = hash_of(node, nodes, own);
  size_t at = hash & (slots_.size() - 1);
  for (; slots_[at].round == round_; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash != hash) continue;
    const Node& example = nodes[examples_[slots_[at].signature]];
    if (equal(node, example, nodes, own, args.subspan(example.args, example.arg_count)))
      return slots_[at].signature;
  }
  const uint32_t signature = size();
  slots_[at] = {hash, signature, round_};
  examples_.push_back(static_cast<uint32_t>(nodes.size()));
  hashes_.push_back(hash);
  if (2 * examples_.size() > slots_.size()) grow();
  return signature;
}

void SignatureTable::revert(uint32_t nodes) {
  if (examples_.empty() || examples_.back() < nodes) return;
  while (!examples_.empty() && examples_.back() >= nodes) examples_.pop_back(), hashes_.pop_back();
  ++round_;
  refill();
}

void SignatureTable::grow() {
  slots_.assign(2 * slots_.size(), Slot{0, 0, 0});
  round_ = 1;
  refill();
}

void SignatureTable::refill() {
  for (uint32_t s = 0; s < size(); ++s) {
    size_t at = hashes_[s] & (slots_.size() - 1);
    while (slots_[at].round == round_) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {hashes_[s], s, round_};
  }
}

}  // namespace dynet
