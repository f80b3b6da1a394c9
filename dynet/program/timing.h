// Clocks for programs: how long something took, and sums of times by name.
#pragma once

#include <chrono>
#include <iostream>
#include <map>
#include <string>

namespace dynet {

/// Measures from its making to stop().
struct Timing {
  using Clock = std::chrono::high_resolution_clock;

  void stop() { elapsed = std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

  Clock::time_point start = Clock::now();
  double elapsed = 0;  // milliseconds
};

/// Tells std::cerr at the end of its scope how long that was.
struct Timer {
  explicit Timer(std::string message) : message(std::move(message)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() {
    timing.stop();
    std::cerr << '[' << message << ' ' << timing.elapsed << " ms]\n";
  }

  std::string message;
  Timing timing;
};

/// Sums the times between start and stop of each name.
class NamedTimer {
 public:
  void start(const std::string& name) { running_[name] = Timing(); }
  void stop(const std::string& name) {
    const auto running = running_.find(name);
    if (running == running_.end()) return;
    running->second.stop();
    sums_[name] += running->second.elapsed;
    running_.erase(running);
  }
  /// Milliseconds by name, to std::cout.
  void show() const {
    for (const auto& [name, sum] : sums_) std::cout << name << '\t' << sum << '\n';
  }

 private:
  std::map<std::string, Timing> running_;
  std::map<std::string, double> sums_;
};

/// The one timer of a program.
inline NamedTimer timer;

}  // namespace dynet
