// The workers of a graph: the first one runs what is not partitioned, too.
#pragma once

#include <memory>
#include <vector>

#include "dynet/run/worker.h"

namespace dynet::engine {

class Workers {
 public:
  explicit Workers(RunMemory& memory) : memory_(memory) {}

  Worker& operator[](size_t i) {
    while (all_.size() <= i) all_.push_back(std::make_unique<Worker>(memory_));
    return *all_[i];
  }
  /// Calls f(worker, number) for so many workers, on a thread each.
  template <class F>
  void parallel_for(size_t count, F&& f) {
    (*this)[count - 1];
    engine::parallel_for(*memory_.engine, count, [&](unsigned number) { f(*all_[number], number); });
  }
  const Worker& operator[](size_t i) const { return *all_[i]; }
  size_t size() const { return all_.size(); }
  void forget_values() {
    for (const auto& worker : all_) worker->forget_values();
  }
  void forget_gradients() {
    for (const auto& worker : all_) worker->forget_gradients();
  }

 private:
  RunMemory& memory_;
  std::vector<std::unique_ptr<Worker>> all_;
};

}  // namespace dynet::engine
