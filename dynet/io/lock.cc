// A lock is a locked file beside the one that is replaced. The system unlocks what a killed process had
// locked.
#include "dynet/io/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "dynet/core/error.h"
#include "dynet/core/watch.h"

namespace dynet::engine {

ReplaceLock::ReplaceLock(const std::filesystem::path& file) : name_(beside(file, "lock")) {
  using namespace std::chrono_literals;
  for (const auto end = std::chrono::steady_clock::now() + 60s; !try_lock();) {
    if (std::chrono::steady_clock::now() > end)
      failed("Could not write model to ", file.string(), ": another process replaces it, and holds ",
             name_.string(), " since a minute");
    look_now();
    std::this_thread::sleep_for(1ms);
  }
}

/// False while somebody else has it, or has just removed the file that was opened.
bool ReplaceLock::try_lock() {
  constexpr int flags = O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  Descriptor open(::open(name_.c_str(), O_RDWR | flags, 0666));
  if (!open) open = Descriptor(::open(name_.c_str(), O_RDONLY | flags, 0666));  // that of another user
  if (!open) return errno != EINTR;
  if (::flock(open, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK || errno == EINTR) return false;
  } else if (!is_still(open, name_)) {
    return false;
  }
  lock_ = std::move(open);
  return true;
}

ReplaceLock::~ReplaceLock() {
  if (!lock_) return;
  ::unlink(name_.c_str());
  ::flock(lock_, LOCK_UN);  // a child that was forked meanwhile has the descriptor, too
}

}  // namespace dynet::engine
