// Series of graphs are measured by their median, since a program also does other things between graphs.
#include "dynet/device/thread_tuner.h"

#include <algorithm>

namespace dynet::engine {

unsigned ThreadTuner::begin(unsigned most, Clock::time_point now) {
  if (best_ > most) *this = {};
  if (work_ >= worth_measuring) {
    costs_[count_++] = std::chrono::duration<double>(now - last_).count() / static_cast<double>(work_);
    const bool is_trial = used_ != best_, is_long = now - start_ > long_time;
    if (count_ == many || (count_ >= few && (is_long || (is_trial && median() > hopeless * best_cost_)))) {
      judge(median());
      if (used_ == best_ && wait_ < 1) used_ = neighbour(most);
      count_ = 0, start_ = now;
    }
  }
  work_ = 0, last_ = now;
  return used_;
}

double ThreadTuner::median() {
  const auto end = costs_.begin() + count_, middle = costs_.begin() + count_ / 2;
  std::nth_element(costs_.begin(), middle, end);
  return *middle;
}

void ThreadTuner::judge(double cost) {
  if (used_ == best_) {
    best_cost_ = best_cost_ > 0 ? (best_cost_ + cost) / 2 : cost;
    wait_ -= 1;
  } else if (cost < gain * best_cost_) {
    best_ = used_, best_cost_ = cost;
    wait_ = 1;
  } else {
    used_ = best_;
    up_ = !up_;
    wait_ = std::max(8.0, (cost / best_cost_ - 1) / trial_cost);
  }
}

unsigned ThreadTuner::neighbour(unsigned most) {
  if (best_ == 1) up_ = true;
  if (best_ == most) up_ = false;
  return up_ ? std::min(2 * best_, most) : std::max(best_ / 2, 1u);
}

ThreadTuner& thread_tuner() {
  thread_local ThreadTuner mine;
  return mine;
}

void choose_threads(Engine& engine, bool all) {
  const unsigned most = engine.most_threads();
  if (most == 1) return;
  engine.use_threads(all ? most : thread_tuner().begin(most, ThreadTuner::Clock::now()));
}

}  // namespace dynet::engine
