// What Linux and macOS say of the cores; elsewhere a processor counts as a core, and there is no quota.
#include "dynet/cpu/cores.h"

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace dynet::engine::cpu {
namespace {

#if defined(__linux__)

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

unsigned count() { return static_cast<unsigned>(std::min<double>(cores_by_affinity(), std::ceil(quota()))); }

#elif defined(__APPLE__)

/// The fast cores where there are slow ones too: each part of a kernel would wait for the slowest.
unsigned count() {
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    int cores = 0;
    size_t size = sizeof cores;
    if (sysctlbyname(name, &cores, &size, nullptr, 0) == 0 && cores > 0) return static_cast<unsigned>(cores);
  }
  return std::thread::hardware_concurrency();
}

#else

unsigned count() { return std::thread::hardware_concurrency(); }

#endif

}  // namespace

unsigned usable_cores() { return std::max(1u, count()); }

}  // namespace dynet::engine::cpu
