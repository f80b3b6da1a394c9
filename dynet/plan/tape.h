// The tape: the merged calls of a graph in the order in which they ran.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dynet::engine {

/// One merged call, of nodes that lie one after another in the tape.
struct TapeEntry {
  uint32_t first = 0, count = 0;
  uint32_t section = 0;  // calls of one section and of several workers ran side by side
  uint32_t worker = 0;   // 0: alone
  uint32_t shared = 0;   // bit i: argument i is one parameter for all, as in Step
};

struct Tape {
  std::vector<TapeEntry> entries;
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> entry_of;  // by node; valid for those on the tape
  bool is_parallel = false;        // some calls ran side by side

  size_t size() const { return entries.size(); }
  std::span<const uint32_t> nodes_of(const TapeEntry& entry) const {
    return std::span(nodes).subspan(entry.first, entry.count);
  }
  std::span<const uint32_t> nodes_of(uint32_t entry) const { return nodes_of(entries[entry]); }
  void clear() { entries.clear(), nodes.clear(), is_parallel = false; }
};

}  // namespace dynet::engine
