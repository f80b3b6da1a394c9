// Python's lock: given back while something is computed, and taken again without harm when Python ends.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>

namespace dynet::python {

/// Waits for Python's lock. A thread that would get it after Python has ended sleeps until the process is
/// gone: Python would end the thread where it is, with everything that it holds.
void take_lock(PyThreadState* state);

/// While it lives, other threads of Python go on.
class Released {
 public:
  Released() : state_(PyEval_SaveThread()) {}
  ~Released() { take_lock(state_); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  PyThreadState* state_;
};

/// While it lives, the thread has Python's lock.
class Acquired {
 public:
  Acquired();
  ~Acquired() { PyGILState_Release(state_); }
  Acquired(const Acquired&) = delete;
  Acquired& operator=(const Acquired&) = delete;

 private:
  PyGILState_STATE state_;
};

[[noreturn]] void sleep_until_the_end();

/// Runs code of the program for C++ that holds more than Python's objects. A thread whose Python ends
/// meanwhile sleeps here, as in take_lock: nothing above is taken apart without Python's lock.
template <class F>
auto run_program(F&& f) {
  try {
    return f();
  } catch (const std::exception&) {
    throw;
  } catch (...) {  // no error: what ends a thread passes so
    sleep_until_the_end();
  }
}

/// Whether Python runs the handlers of signals in the calling thread.
bool is_main_thread();

}  // namespace dynet::python
