// One lock for all that is learned: its threads are few, and each holds it for the length of a pass.
#include "python/src/sharing.h"

#include "dynet/core/error.h"

namespace dynet::python {
namespace {

std::shared_mutex learned;
thread_local unsigned changes = 0;   // how often the thread holds it exclusively
thread_local unsigned readings = 0;  // and how often it computes

}  // namespace

Changing::Changing() {
  if (readings > 0 && changes == 0)
    failed("a function that a graph calls cannot change parameters, nor read their gradients");
  // Nobody waits with Python's lock: whoever is waited for may need it.
  if (changes == 0 && !learned.try_lock()) {
    const nanobind::gil_scoped_release release;
    learned.lock();
  }
  ++changes;
}
Changing::~Changing() {
  if (--changes == 0) learned.unlock();
}

Reading::Reading() : locked_(changes == 0 && readings == 0) {
  if (locked_) learned.lock_shared();
  ++readings;
}
Reading::~Reading() {
  --readings;
  if (locked_) learned.unlock_shared();
}

}  // namespace dynet::python
