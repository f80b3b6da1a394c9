// Finds the line of the program that is being run, past those of this package, and gives it a number.
#include "python/src/program_lines.h"

#include <nanobind/stl/string.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "dynet/core/mutex.h"
#include "python/src/graph.h"

namespace dynet::python {

uint32_t line_record = 0;

namespace {

using namespace nb::literals;

/// While it lives, Python's collector does not run: it would run code of the program, which may make nodes.
class Uncollected {
 public:
  Uncollected() : was_on_(PyGC_Disable()) {}
  ~Uncollected() {
    if (was_on_) PyGC_Enable();
  }
  Uncollected(const Uncollected&) = delete;
  Uncollected& operator=(const Uncollected&) = delete;

 private:
  const int was_on_;
};

/// Where in its code a frame is: by its instruction, since the line takes long to find.
int position_in(PyFrameObject* frame) {
#if !defined(Py_LIMITED_API) && PY_VERSION_HEX >= 0x030B0000
  return PyFrame_GetLasti(frame);
#else
  static PyObject* const name = PyUnicode_InternFromString("f_lasti");
  const nb::object at = nb::steal(PyObject_GetAttr(reinterpret_cast<PyObject*>(frame), name));
  return at.is_valid() ? static_cast<int>(PyLong_AsLong(at.ptr())) : PyFrame_GetLineNumber(frame);
#endif
}

/// The places that have made a node by their numbers, from 1 on. What it knows of code it shares for ever, so
/// that no other code comes to lie there. Never destroyed: Python may end before.
class LinePlaces {
 public:
  static constexpr uint32_t ours = 0;  // in this package

  static LinePlaces& all() {
    static LinePlaces& places = *new LinePlaces;
    return places;
  }
  uint32_t number(PyObject* code, PyFrameObject* frame) {
    const int line = is_ours(code) ? 0 : PyFrame_GetLineNumber(frame);
    if (line == 0) return ours;
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = numbers_.try_emplace({code, line}, 0);
    if (is_new) {
      places_.emplace_back(code, line);
      known->second = static_cast<uint32_t>(places_.size());
    }
    return known->second;
  }
  std::pair<nb::object, int> operator[](uint32_t number) {
    const std::lock_guard lock(mutex_);
    const auto& [code, line] = places_.at(number - 1);
    return {nb::borrow(code), line};
  }

 private:
  bool is_ours(PyObject* code) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = is_ours_.find(code); known != is_ours_.end()) return known->second;
    }
    const nb::object file = nb::handle(code).attr("co_filename"),
                     package = nb::module_::import_("dynet").attr("__path__")[0];
    const bool is_ours = nb::cast<bool>(file.attr("startswith")(package));
    const std::lock_guard lock(mutex_);
    if (is_ours_.emplace(code, is_ours).second) Py_INCREF(code);
    return is_ours;
  }

  Mutex mutex_;
  std::map<PyObject*, bool> is_ours_;
  std::map<std::pair<PyObject*, int>, uint32_t> numbers_;
  std::vector<std::pair<PyObject*, int>> places_;
};

/// The number of a frame's place, mostly from what was asked for lately.
uint32_t number_of(PyFrameObject* frame) {
  struct Known {
    PyObject* code;
    int position;
    uint32_t number;
  };
  constexpr size_t size = 1024;
  thread_local Known known[size];
  const nb::object code = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame)));
  const int position = position_in(frame);
  // Instructions are two bytes long.
  const size_t at = reinterpret_cast<uintptr_t>(code.ptr()) / 64 * 37 + static_cast<size_t>(position) / 2;
  Known& k = known[at % size];
  if (k.code == code.ptr() && k.position == position) [[likely]]
    return k.number;
  const nb::error_scope error;  // what is being handled
  k = {code.ptr(), position, LinePlaces::all().number(code.ptr(), frame)};
  return k.number;
}

/// The innermost place of the program; 0 if there is none but this package's.
uint32_t current_place() {
  nb::object frame = nb::borrow(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  while (frame.is_valid() && !frame.is_none()) {
    if (const uint32_t place = number_of(reinterpret_cast<PyFrameObject*>(frame.ptr()))) return place;
    const nb::error_scope error;
    frame = frame.attr("f_back");
  }
  return 0;
}

/// Nested records are one.
bool record_lines(Flag on) {
  static uint32_t records = 0;
  const bool before = line_record > 0;
  if (on && !before) line_record = ++records;
  if (!on) line_record = 0;
  watch_expressions();
  if (Graph* graph = current_graph_or_null(); graph && on) graph->begin_places(line_record);
  return before;
}

}  // namespace

void note_line(Graph& graph) noexcept {
  if (!graph.has_unplaced(line_record) || graph.is_tracing()) return;
  try {
    const Uncollected uncollected;
    graph.place_new_nodes(line_record, current_place());
  } catch (...) {  // no memory, or no Python any more: the nodes are of no line
  }
}

nb::object program_line(uint32_t place) {
  if (place == 0) return nb::none();
  const auto [code, line] = LinePlaces::all()[place];
  return nb::module_::import_("traceback")
      .attr("FrameSummary")(code.attr("co_filename"), line, code.attr("co_name"), "lookup_line"_a = false);
}

void bind_program_lines(nb::module_& m) {
  m.def("_record_lines", record_lines, "on"_a,
        "Starts or stops recording the lines of new nodes; whether they were recorded before.");
}

}  // namespace dynet::python
