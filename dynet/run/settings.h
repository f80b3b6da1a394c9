// What a process may choose about running: policy, and what threads are worth.
#pragma once

#include "dynet/plan/policy.h"

namespace dynet::engine {

struct Settings {
  Policy policy = Policy::agenda;
  uint64_t worth_partitioning =
      engine::worth_partitioning;  // multiply-adds from which threads share an evaluation
};

inline Settings& settings() {
  static Settings s;
  return s;
}

}  // namespace dynet::engine
