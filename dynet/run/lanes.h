// The lanes of a graph: the first one runs what is not divided, too.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
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
  /// Calls f(lane, number) for so many lanes, on a thread each. Of what they throw one is thrown here.
  template <class F>
  void side_by_side(unsigned count, F&& f) {
    (*this)[count - 1];
    std::mutex failing;
    std::exception_ptr failure;
    t_.engine->run_side_by_side(count, [&](unsigned number) {
      try {
        f(*all_[number], number);
      } catch (...) {
        const std::lock_guard lock(failing);
        if (!failure) failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
  }
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
