// Which nodes may run as one call: those whose signatures are equal, compared in full.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dynet/graph/node.h"

namespace dynet {

/// Numbers the signatures of one graph, from 0 in order of first use.
///
/// A signature is: the op, its attributes, the shapes of result and arguments (with batch sizes only
/// where the op mixes batch elements), and which parameters are its matrix arguments.
class SignatureTable {
 public:
  /// Forgets all signatures; the memory is kept.
  void clear();
  /// The number of the signature of a node that follows `nodes`; `args` is the graph's pool of arguments.
  uint32_t intern(const Node& node, std::span<const Node> nodes, std::span<const uint32_t> args);
  /// Forgets signatures that only nodes from number `nodes` on have.
  void revert(uint32_t nodes);
  uint32_t size() const { return static_cast<uint32_t>(examples_.size()); }

 private:
  struct Slot {
    uint64_t hash;
    uint32_t signature;
    uint32_t round;  // slots of other rounds are empty
  };
  void grow();
  void refill();

  std::vector<Slot> slots_;
  std::vector<uint32_t> examples_;  // the first node of each signature
  std::vector<uint64_t> hashes_;
  uint32_t round_ = 0;
};

}  // namespace dynet
