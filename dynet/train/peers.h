// What the processes of one training need of each other to add gradients: the two calls of a transport.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace dynet::engine {

using Bytes = std::vector<std::byte>;

/// The processes of one training, numbered from 0 on, as seen by one of them. All call the same functions, in
/// the same order.
class Peers {
 public:
  Peers(unsigned rank, unsigned count) : rank(rank), count(count) {}
  virtual ~Peers() = default;
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Sends bytes to a peer, which calls this too, and fills those that come from it.
  virtual void exchange(unsigned peer, std::span<const std::byte> send, std::span<std::byte> receive) = 0;
  /// What each process gave, by its number.
  virtual std::vector<Bytes> gather(std::span<const std::byte> own) = 0;

  const unsigned rank, count;
};

/// Calls exchange(peer) for each other process, so that two that belong together call it at a time.
template <class F>
void each_peer(const Peers& peers, F exchange) {
  for (unsigned round = 0; round < peers.count; ++round) {
    const unsigned peer = (round + peers.count - peers.rank) % peers.count;
    if (peer != peers.rank) exchange(peer);
  }
}

/// The numbers [first, second) of n that a process adds for all.
inline std::pair<size_t, size_t> part_of(size_t n, unsigned peer, unsigned count) {
  return {n * peer / count, n * (peer + 1) / count};
}

/// Consecutive shards whose sum is at hand.
struct ShardRange {
  uint32_t first, count;
  bool operator==(const ShardRange&) const = default;
};

/// Whether a sum may be added to the one that is left of it: both are halves of one aligned block of shards.
inline bool are_halves(ShardRange left, ShardRange right) {
  return left.count == right.count && left.first % (2 * left.count) == 0;
}

/// Adds neighbouring sums in the order of the tree over all shards, which no division among processes
/// changes: add(left, right) adds one to another. The sum of all ends at place 0 of the list.
template <class Add>
void add_in_tree(const std::vector<ShardRange>& ranges, Add add) {
  std::vector<std::pair<size_t, ShardRange>> waiting;
  const auto join = [&] {
    auto right = waiting.back();
    waiting.pop_back();
    add(waiting.back().first, right.first);
    waiting.back().second.count += right.second.count;
  };
  for (size_t i = 0; i < ranges.size(); ++i) {
    waiting.emplace_back(i, ranges[i]);
    while (waiting.size() > 1 && are_halves(waiting[waiting.size() - 2].second, waiting.back().second))
      join();
  }
  while (waiting.size() > 1) join();
}

// What is written one after another into messages.

template <class T>
void put(Bytes& to, const T* from, size_t count) {
  const auto bytes = std::as_bytes(std::span(from, count));
  const size_t before = to.size();
  to.resize(before + bytes.size());
  std::ranges::copy(bytes, to.begin() + static_cast<std::ptrdiff_t>(before));
}
template <class T>
void put(Bytes& to, const T& value) {
  put(to, &value, 1);
}
template <class T>
void put_list(Bytes& to, const std::vector<T>& list) {
  put(to, static_cast<uint64_t>(list.size()));
  put(to, list.data(), list.size());
}

/// Takes from a message what was put into it.
class Message {
 public:
  explicit Message(const Bytes& bytes) : bytes_(bytes) {}
  template <class T>
  void get(T* to, size_t count) {
    const auto room = std::as_writable_bytes(std::span(to, count));
    check(room.size());
    std::ranges::copy(std::span(bytes_).subspan(at_, room.size()), room.begin());
    at_ += room.size();
  }
  template <class T>
  T get() {
    T value;
    get(&value, 1);
    return value;
  }
  template <class T>
  void get_list(std::vector<T>& to) {
    const auto size = get<uint64_t>();
    check(size > bytes_.size() ? bytes_.size() + 1 : size * sizeof(T));
    to.resize(size);
    get(to.data(), size);
  }

 private:
  /// std::runtime_error: another process has another model, or another version of the library.
  void check(size_t more) const;

  const Bytes& bytes_;
  size_t at_ = 0;
};

}  // namespace dynet::engine
