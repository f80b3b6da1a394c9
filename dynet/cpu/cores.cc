// What Linux says of the cores; where it says nothing, a processor counts as a core, and there is no quota.
#include "dynet/cpu/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>

namespace dynet::engine::cpu {
namespace {

/// The first line of a file; empty if it cannot be read.
std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

unsigned cores_by_affinity() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::string> cores;  // each as the list of its processors
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string number = std::to_string(cpu);
    std::string core = first_line("/sys/devices/system/cpu/cpu" + number + "/topology/thread_siblings_list");
    cores.insert(core.empty() ? number : core);
  }
  return static_cast<unsigned>(cores.size());
}

/// In processors; infinity without a quota.
double quota() {
  double limit = 0, period = 0;
  std::ifstream("/sys/fs/cgroup/cpu.max") >> limit >> period;  // fails at the word "max"
  if (limit <= 0 || period <= 0) {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> limit;  // version 1 of control groups
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  return limit > 0 && period > 0 ? limit / period : INFINITY;
}

}  // namespace

unsigned usable_cores() {
  const double cores = std::min<double>(cores_by_affinity(), std::ceil(quota()));
  return std::max(1u, static_cast<unsigned>(cores));
}

}  // namespace dynet::engine::cpu
