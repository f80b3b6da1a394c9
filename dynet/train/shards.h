// Sums of the gradients of shards of a minibatch, in an order that no number of processes changes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "dynet/params/collection.h"
#include "dynet/train/peers.h"

namespace dynet::engine {

/// The version of this library, which all processes must have.
const char* library_version();

/// While it lives, random numbers are those of one shard of one update, whichever process computes it.
class ShardRandom {
 public:
  /// `pass` counts the backward passes between two updates.
  ShardRandom(uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard);
  ~ShardRandom();
  ShardRandom(const ShardRandom&) = delete;
  ShardRandom& operator=(const ShardRandom&) = delete;

  /// The seed that all numbers of the shard follow from.
  static uint32_t seed_of(uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard);

 private:
  RandomPosition before_;
};

inline void add_numbers(size_t n, const real* from, real* to) {
  for (size_t i = 0; i < n; ++i) to[i] += from[i];
}

/// Rows of a table with numbers, sorted; or all of its rows, where it was used as a matrix.
struct RowSum {
  bool whole = false;
  std::vector<uint32_t> rows;
  std::vector<real> numbers;

  /// The gradient of a table.
  void take(const LookupParameterStorage& table);
  void add(const RowSum& other, size_t row_size, size_t size);
  void put(LookupParameterStorage& table) const;
  void put(Bytes& to) const;
  void get(Message& from);

 private:
  void become_whole(size_t row_size, size_t size);
};

/// What adds nothing to any number, not even to -0.
inline constexpr real nothing = real(-0.0);

/// The sum of consecutive shards.
struct ShardNode {
  ShardRange range{};
  bool empty = true;
  std::vector<Buffer> numbers;  // of each parameter that was used; of others there are none
  std::vector<uint8_t> used;
  std::vector<RowSum> tables;
};

/// Adds up the gradients that a collection gets from one shard after another, here and in other processes.
class GradientSum {
 public:
  virtual ~GradientSum() = default;
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// Exact sums are the same for any division among processes; others for any whose shards are consecutive.
  static std::unique_ptr<GradientSum> make(const ParameterCollection& model, bool exact);

  /// Begins a sum of shards. A gradient that there is will be added to it.
  virtual void begin() = 0;
  /// The gradient that there is becomes that of the next shard, and is cleared.
  virtual void take(uint32_t shard) = 0;
  /// Adds the sums of all processes; without it they stay alone. std::runtime_error where these have other
  /// models.
  virtual void combine(Peers& peers) = 0;
  /// The sum becomes the gradient.
  virtual void put() = 0;

 protected:
  explicit GradientSum(const ParameterCollection& model) : model_(model) {}

  /// Whether there is a gradient.
  bool has_gradient() const;
  /// Finds the places of numbers, and sets a gradient that there is aside.
  void start();
  /// Adds the gradient that was set aside to the one that there is.
  void finish();
  /// std::invalid_argument where parameters, tables or rows were added since start().
  void check_model() const;
  /// The gradient that there is becomes a node, without copying; what follows is computed in other memory.
  /// And the other way round.
  void fill(ShardNode& node);
  void give(ShardNode& node);
  void clear_gradient() const;
  void add(ShardNode& to, ShardNode& from);
  void add_numbers_of(size_t parameter, ShardNode& to, ShardNode& from);
  void add_rows(ShardNode& to, const ShardNode& from) const;
  /// Memory for the numbers of a parameter, whatever there is in it, and the other way round.
  Buffer room(size_t parameter);
  void forget(size_t parameter, Buffer& numbers);
  void forget(ShardNode& node);

  ParameterCollection model_;
  std::vector<size_t> places_;  // of each parameter's numbers among all, and behind the last one their count
  std::vector<size_t> table_sizes_;

 private:
  bool has_before_ = false;
  ShardNode before_;
  std::vector<std::vector<Buffer>> spare_;  // of each parameter, memory for the shards that wait at a time
};

/// Floats are added in a tree over the numbers of the shards.
class TreeSum : public GradientSum {
 public:
  explicit TreeSum(const ParameterCollection& model) : GradientSum(model) {}

  void begin() override;
  void take(uint32_t shard) override;
  void combine(Peers& peers) override;
  void put() override;

 private:
  /// Adds numbers of each node of this process to those of all, from where they lie to where the first ones
  /// do.
  using Exchange = std::function<void(const std::vector<real*>& own, size_t size)>;

  ShardNode& fresh();
  ShardNode& last(size_t back) { return nodes_[count_ - back]; }
  bool four_wait() const;
  void join_four();
  void join(size_t left);
  void join_waiting();
  void fill_empty(ShardNode& node) const;
  std::vector<std::vector<ShardNode>> exchange_rows(Peers& peers) const;
  void add_over_processes(Peers& peers, const std::vector<std::vector<ShardNode>>& all);
  void add_small(const std::vector<size_t>& parameters, const Exchange& exchange);
  void add_halves(Peers& peers, real* numbers, size_t size);
  void add_parts(Peers& peers, const std::vector<std::vector<ShardNode>>& all, const std::vector<real*>& own,
                 size_t size);

  std::vector<ShardNode> nodes_;  // the first count_ of them; others keep memory of rows
  size_t count_ = 0;
  std::vector<real> received_, small_;
};

}  // namespace dynet::engine
