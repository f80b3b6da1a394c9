// What keeps Python's threads apart while one of them computes without Python's lock.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <shared_mutex>

#include "dynet/graph/graph.h"

namespace dynet::python {

using namespace engine;

/// Held by who changes what is learned, or reads what backward passes write, for the length of a call.
/// It is taken with Python's lock. Whoever holds it may evaluate graphs and may take it again.
class Changing {
 public:
  Changing();
  ~Changing();
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;
};

/// Says of a bound function that it changes what is learned.
inline constexpr nanobind::call_guard<Changing> alone;

/// Held by who computes with what is learned; many may at once. It is taken without Python's lock.
class Reading {
 public:
  Reading();
  ~Reading();
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  bool locked_;
};

/// Runs f, which computes with what is learned and with no graph.
template <class F>
auto compute_apart(F&& f) {
  const nanobind::gil_scoped_release release;
  const Reading reading;
  return f();
}

/// Runs f on a graph that no other thread may touch until `then` has read the result with Python's lock.
template <class F, class Then>
auto compute(Graph& graph, F&& f, Then&& then) {
  const Graph::Use use(graph);
  return then(compute_apart(f));
}

}  // namespace dynet::python
