// Long work can be ended: it looks from time to time whether it is still wanted.
#pragma once

#include <atomic>
#include <cstdint>

namespace dynet::engine {

class Watch;

/// Who may end what a thread does.
struct Wanted {
  Watch* watch = nullptr;                    // null: nobody
  const std::atomic<bool>* ended = nullptr;  // set when another thread has ended what they do together
};

/// What a thread knows of its work.
struct Work : Wanted {
  int64_t left = 0;  // operations until it looks
  int64_t last = 0;  // when it asked: milliseconds of a clock

  static Work& here() {
    static constinit thread_local Work work;
    return work;
  }
  Wanted exchange(const Wanted& next) {
    const Wanted before = *this;
    static_cast<Wanted&>(*this) = next;
    return before;
  }
};

/// Thrown in a thread whose share of a work is not wanted any more.
struct Ended {};

void look_up();
/// Looks at once.
void look_now();

/// Says that the calling thread has done about so many operations: it may throw here. Work that others would
/// find half done says nothing, or is Unwatched.
inline void worked(int64_t operations) {
  if ((Work::here().left -= operations) < 0) [[unlikely]]
    look_up();
}

/// Whoever computes on a thread while it lives is asked by look() whether to go on.
class Watch {
 public:
  /// Called every 50 ms or so by the thread; throws to end its work.
  virtual void look() = 0;
  /// The one that was asked before this one, or null.
  Watch* before() const { return before_.watch; }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 protected:
  Watch() : before_(Work::here().exchange({this, nullptr})) {}
  ~Watch() { Work::here().exchange(before_); }

 private:
  Wanted before_;
};

/// What a thread does while this lives is done to its end.
class Unwatched {
 public:
  Unwatched() : before_(Work::here().exchange({})) {}
  ~Unwatched() { Work::here().exchange(before_); }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  Wanted before_;
};

}  // namespace dynet::engine
