// Sums that are due: those of one size are one call of the engine.
#pragma once

#include <vector>

#include "dynet/device/engine.h"

namespace dynet::engine {

/// Lists of terms and what they are added to, or, unless they accumulate, written to.
class SumList {
 public:
  explicit SumList(bool accumulate) : accumulate_(accumulate) {}

  /// Begins a sum of tensors of so many numbers; makes those that are listed if they have another size.
  void begin(Engine& engine, size_t size) {
    if (size != size_) make(engine), size_ = size;
  }
  void add(const real* term) { terms_.push_back(term); }
  void end(real* sum) {
    sums_.push_back(sum);
    ends_.push_back(static_cast<uint32_t>(terms_.size()));
  }
  /// Makes all that are listed.
  void make(Engine& engine) {
    if (!sums_.empty())
      engine.sum_lists({size_, sums_.size(), ends_.data(), terms_.data(), sums_.data(), accumulate_});
    clear();
  }
  void clear() { terms_.clear(), sums_.clear(), ends_.clear(); }

 private:
  bool accumulate_;
  size_t size_ = 0;
  std::vector<const real*> terms_;
  std::vector<real*> sums_;
  std::vector<uint32_t> ends_;
};

}  // namespace dynet::engine
