// Python objects that C++ holds: shares that graphs keep, and what Python's collector of cycles is told of
// them.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "dynet/graph/graph.h"
#include "python/src/lock.h"

namespace dynet::python {

/// Gives an object back, with or without Python's lock; after Python has ended there is nothing to give back.
struct Release {
  void operator()(PyObject* object) const {
    if (!Py_IsInitialized()) return;
    const Acquired lock;
    Py_DECREF(object);
  }
};

/// A share of an object, for a graph to keep.
inline std::shared_ptr<const void> share(nanobind::object object) {
  return {object.release().ptr(), Release{}};
}

/// Tells the collector which objects a graph holds. While it is computed with, nobody else may free them.
inline int visit_kept(const engine::Graph& graph, visitproc visit, void* arg) {
  if (graph.is_in_use()) return 0;
  for (const std::shared_ptr<const void>& kept : graph.kept())
    if (std::get_deleter<Release>(kept)) Py_VISIT(static_cast<PyObject*>(const_cast<void*>(kept.get())));
  return 0;
}

/// The slots by which the collector sees into objects of class T: T::traverse(visit, arg) and T::clear(),
/// which must not throw.
template <class T>
struct Collected {
  static int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return nanobind::inst_ready(self) ? nanobind::inst_ptr<T>(self)->traverse(visit, arg) : 0;
  }
  static int clear(PyObject* self) {
    if (nanobind::inst_ready(self)) nanobind::inst_ptr<T>(self)->clear();
    return 0;
  }
  static inline PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                       {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                       {0, nullptr}};
};

}  // namespace dynet::python
