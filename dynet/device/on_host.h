// Numbers of an engine in the hands of the host: the one way to read and write them outside of kernels.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "dynet/device/engine.h"

namespace dynet::engine {

/// The numbers themselves where the host may touch them, else a copy; what may have been changed goes back at
/// the end. Those that are const are only read.
template <class Number>
class OnHost {
 public:
  OnHost(Engine& engine, Number* numbers, size_t size)
      : engine_(engine), there_(numbers), here_(numbers), size_(size) {
    if (!engine.memory()) return;
    copy_.resize(size);
    engine.copy(size, numbers, copy_.data());
    here_ = copy_.data();
  }
  OnHost(Number* numbers, size_t size) : OnHost(chosen_engine(), numbers, size) {}
  OnHost(const OnHost&) = delete;
  OnHost& operator=(const OnHost&) = delete;
  ~OnHost() {
    if constexpr (!std::is_const_v<Number>)
      if (here_ != there_) engine_.copy(size_, here_, there_);
  }

  Number* data() const { return here_; }
  size_t size() const { return size_; }
  Number* begin() const { return here_; }
  Number* end() const { return here_ + size_; }
  Number& operator[](size_t i) const { return here_[i]; }

 private:
  Engine& engine_;
  Number *there_, *here_;
  size_t size_;
  std::vector<real> copy_;
};

inline bool any_nonzero(const real* numbers, size_t size) {
  return std::ranges::any_of(OnHost<const real>(numbers, size), [](real x) { return x != 0; });
}

}  // namespace dynet::engine
