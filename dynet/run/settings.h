// What a process may choose about running: policy and random numbers.
#pragma once

#include "dynet/plan/schedule.h"

namespace dynet {

struct Settings {
  Policy policy = Policy::agenda;
  unsigned first_graph = 0;  // graphs are numbered from here when random numbers are drawn
};

inline Settings& settings() {
  static Settings s;
  return s;
}

}  // namespace dynet
