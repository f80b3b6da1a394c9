// What a process may choose about running: policy and engine.
#pragma once

#include "dynet/device/engine.h"
#include "dynet/plan/policy.h"

namespace dynet::engine {

class Profile;

struct Settings {
  Policy policy = Policy::agenda;
  uint64_t worth_partitioning =
      engine::worth_partitioning;  // multiply-adds from which threads share an evaluation
  Profile* profile = nullptr;      // null: nothing is timed

  /// What graphs that start from now on run on.
  Engine& engine() const { return chosen_engine(); }
};

inline Settings& settings() {
  static Settings s;
  return s;
}

}  // namespace dynet::engine
