// The lanes of a graph: the first one runs what is not divided, too.
#pragma once

#include <memory>
#include <vector>

#include "dynet/run/lane.h"

namespace dynet::engine {

class Lanes {
 public:
  explicit Lanes(Tables& tables) : t_(tables) {}

  Lane& operator[](size_t i) {
    while (all_.size() <= i) all_.push_back(std::make_unique<Lane>(t_));
    return *all_[i];
  }
  /// Calls f(lane, number) for so many lanes, on a thread each.
  template <class F>
  void side_by_side(size_t count, F&& f) {
    (*this)[count - 1];
    engine::side_by_side(*t_.engine, count, [&](unsigned number) { f(*all_[number], number); });
  }
  size_t size() const { return all_.size(); }
  void forget_values() {
    for (const auto& lane : all_) lane->forget_values();
  }
  void forget_gradients() {
    for (const auto& lane : all_) lane->forget_gradients();
  }

 private:
  Tables& t_;
  std::vector<std::unique_ptr<Lane>> all_;
};

}  // namespace dynet::engine
