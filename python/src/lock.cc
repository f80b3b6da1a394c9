// Taking Python's lock, also when Python is about to end.
#include "python/src/lock.h"

#include <pthread.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "dynet/core/mutex.h"

namespace dynet::python {
namespace {

bool find_main_thread() {
#if defined(__linux__)
  return ::syscall(SYS_gettid) == ::getpid();
#elif defined(__APPLE__)
  return pthread_main_np() != 0;
#else
  return true;  // Python knows itself
#endif
}

}  // namespace

void sleep_until_the_end() {
  for (;;) ::pause();
}

bool is_main_thread() {
  thread_local uint32_t process = ~0u;  // in a child it is the thread that has forked
  thread_local bool is_main = false;
  if (process != engine::forks()) process = engine::forks(), is_main = find_main_thread();
  return is_main;
}

void take_lock(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {  // what ends a thread passes as an exception, for which no destructor has room
    sleep_until_the_end();
  }
}

Acquired::Acquired() {
  if (!Py_IsInitialized() && !is_main_thread()) sleep_until_the_end();
  try {
    state_ = PyGILState_Ensure();
  } catch (...) {
    sleep_until_the_end();
  }
}

}  // namespace dynet::python
