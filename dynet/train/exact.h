// Exact sums of gradients: whole numbers, which may be added in any order by any number of processes.
//
// A number is cut into digits of 32 bits at fixed places of its binary expansion (Demmel and Nguyen 2015),
// and the two digits from the largest number of its parameter on are summed as 64-bit integers. What lies
// below is cut off, by the same place whatever the order.
#pragma once

#include <climits>
#include <cstdint>
#include <vector>

#include "dynet/train/shards.h"

namespace dynet::engine {

/// The sums of some numbers of one parameter.
struct Digits {
  static constexpr int none = INT_MIN;

  int top = none;  // the place of the higher digit, in units of 32 bits; none where all numbers are zero
  bool used = false, finite = true;
  std::vector<int64_t> high, low;

  void clear(size_t size);
  /// Makes the digit at this place the higher one.
  void raise(int place);
  /// Adds n numbers, the largest of which the higher digit can hold, from `first` on.
  void add(const real* numbers, size_t n, size_t first);
  real value(size_t i) const;

  /// Where the digit of the largest number lies; `finite` is false where one is none.
  static int place_of(const real* numbers, size_t n, bool& finite);
};

/// Adds up whole numbers.
class ExactSum : public GradientSum {
 public:
  explicit ExactSum(const ParameterCollection& model) : GradientSum(model) {}

  void begin() override;
  void take(uint32_t shard) override;
  void combine(Peers& peers) override;
  void put() override;

 private:
  struct Table {
    Digits digits;
    bool whole = false;
    std::vector<uint32_t> rows;      // in order of their sums
    std::vector<uint32_t> place_of;  // of each row, and behind the last place where it has none
  };

  size_t place(Table& table, uint32_t row, size_t row_size);
  void take(Table& table, LookupParameterStorage& from);
  void combine_tops(Peers& peers);
  void combine_rows(Peers& peers);
  void combine_parameters(Peers& peers);

  std::vector<Digits> parameters_;
  std::vector<Table> tables_;
};

}  // namespace dynet::engine
