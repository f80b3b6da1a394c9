// Reading what is learned while no other thread changes it.
#pragma once

#include "python/src/sharing.h"

namespace dynet::python {

/// What f gives while nobody changes parameters, nor the lists of a collection. It runs without Python's
/// lock.
template <class F>
auto while_unchanged(F&& f) {
  const nanobind::gil_scoped_release release;
  const Reading reading;
  return f();
}

}  // namespace dynet::python
