// Averages of what is learned over the updates, and swapping them with it.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "dynet/params/collection.h"

namespace dynet {

enum class MovingAverage { None, Cumulative, Exponential };

}  // namespace dynet

namespace dynet::engine {

/// The parameters that a trainer keeps something for, by position in the collection's list. A load that is
/// refused takes its parameters out of the list again: what was kept for them goes with them.
class Owners {
 public:
  /// Drops what is kept for parameters that are not in the list any more; then those that are there own it.
  template <class Parameters, class... Kept>
  void follow(const Parameters& list, std::vector<Kept>&... kept) {
    size_t same = 0;
    while (same < owners_.size() && same < list.size() && owners_[same] == list[same]) ++same;
    if (same < owners_.size()) {
      const std::vector<char> stays = found_in(list);
      (drop(kept, stays), ...);
      owners_.resize(same);
    }
    owners_.insert(owners_.end(), list.begin() + static_cast<ptrdiff_t>(same), list.end());
  }

 private:
  template <class Parameters>
  std::vector<char> found_in(const Parameters& list) const {
    std::vector<char> found;
    for (const auto& owner : owners_)
      found.push_back(std::find(list.begin(), list.end(), owner) != list.end());
    return found;
  }
  static void drop(auto& kept, const std::vector<char>& stays) {
    size_t to = 0;
    for (size_t i = 0; i < kept.size(); ++i)
      if (stays[i] && to++ != i) kept[to - 1] = std::move(kept[i]);
    kept.resize(to);
  }

  std::vector<std::shared_ptr<const Storage>> owners_;
};

/// The averages of a trainer's parameters. Those that are added late count as if they had been there with
/// their value from the start.
struct Averages {
  MovingAverage mode = MovingAverage::None;
  double beta = 0;         // of the exponential average: a = beta a + (1 - beta) w
  size_t frequency = 1;    // updates between two counts
  size_t count = 0;        // what was counted so far
  bool swapped = false;    // the parameters hold the averages
  bool has_saved = false;  // and the weights are kept here
  // By position in the collection's lists.
  std::vector<Buffer> parameters = {}, lookups = {}, saved_parameters = {}, saved_lookups = {};

  /// Room for parameters and rows added since the last call.
  void allocate(const ParameterCollection& model);
  /// Counts the values there are.
  void add(const ParameterCollection& model);
  /// The parameters get their averages; std::runtime_error if nothing was counted, or they have them already.
  void swap_in(const ParameterCollection& model, bool save_weights, bool bias_correction);
  /// The parameters get the saved weights back.
  void swap_out(const ParameterCollection& model);
};

}  // namespace dynet::engine
