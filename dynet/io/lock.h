// The right to replace a file, which one writer of all threads and processes has at a time.
#pragma once

#include <filesystem>

#include "dynet/io/partial.h"

namespace dynet::engine {

/// While it lives, nobody else replaces the file. It is held for a moment, in which no handler of a signal
/// runs: whoever has it waits for nobody. Where locks are not to be had, nobody waits for them.
class ReplaceLock {
 public:
  /// Waits; throws when the lock is not given back for a minute.
  explicit ReplaceLock(const std::filesystem::path& file);
  ReplaceLock(const ReplaceLock&) = delete;
  ReplaceLock& operator=(const ReplaceLock&) = delete;
  ~ReplaceLock();

 private:
  bool try_lock();

  std::filesystem::path name_;
  Descriptor lock_;
};

}  // namespace dynet::engine
