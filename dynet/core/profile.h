// Where the time goes: for each operation how often it ran, on how many nodes, and for how long.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "dynet/core/mutex.h"

namespace dynet::engine {

/// The sum of what was timed while it was the chosen one; any thread may add.
class Profile {
 public:
  void add(bool forward, std::string_view name, size_t nodes, double seconds);
  /// A table, the slowest operation first; with `batches` also how many nodes ran in how many calls.
  void print(std::ostream& out, bool batches) const;

 private:
  struct Row {
    uint64_t calls = 0, nodes = 0;
    double seconds = 0;
    std::map<size_t, uint64_t> batches;  // calls by number of nodes
  };
  mutable Mutex mutex_;
  std::map<std::string, Row> rows_;
};

/// Where times are added; null: nothing is timed.
inline Profile*& chosen_profile() {
  static Profile* profile = nullptr;
  return profile;
}

/// Times its own life if somebody wants to know.
class Timed {
 public:
  static constexpr bool forward = true, backward = false;

  Timed(bool is_forward, std::string_view name, size_t nodes) : profile_(chosen_profile()) {
    if (!profile_) return;
    is_forward_ = is_forward, name_ = name, nodes_ = nodes;
    start_ = std::chrono::steady_clock::now();
  }
  ~Timed() {
    if (profile_)
      profile_->add(is_forward_, name_, nodes_,
                    std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  Profile* profile_;
  bool is_forward_;
  std::string_view name_;
  size_t nodes_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace dynet::engine
