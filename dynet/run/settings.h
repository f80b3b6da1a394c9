// What a process may choose about running: policy, what threads are worth, and what is timed.
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
};

inline Settings& settings() {
  static Settings s;
  return s;
}

}  // namespace dynet::engine
