// Finds the line of the program that is being run, past those of this package, and gives it a number.
#include "python/src/program_lines.h"

#include <nanobind/stl/string.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "dynet/core/mutex.h"
#include "python/src/graph.h"
#include "python/src/lock.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// While it lives, Python's collector does not run: it would run code of the program while a node is half
/// made.
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

/// The code of a function, shared as long as there are numbers of its lines, and whether it is this
/// package's.
struct Code {
  PyObject* code;
  bool is_ours;
};

/// Every line that has made a node by its number. Never destroyed: Python may end before.
class Lines {
 public:
  static Lines& all() {
    static Lines& lines = *new Lines;
    return lines;
  }

  /// The number of the line that is being run; 0 if there is none but those of this package.
  uint32_t current() {
    nb::object frame = nb::borrow(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
    while (frame.is_valid() && !frame.is_none()) {
      auto* of = reinterpret_cast<PyFrameObject*>(frame.ptr());
      const nb::object code = nb::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(of)));
      if (!is_ours(code)) return number(code.ptr(), PyFrame_GetLineNumber(of));
      frame = nb::steal(PyObject_GetAttrString(frame.ptr(), "f_back"));
    }
    PyErr_Clear();
    return 0;
  }
  std::pair<nb::object, int> operator[](uint32_t number) {
    const std::lock_guard lock(mutex_);
    const auto& [code, line] = lines_.at(number - 1);
    return {nb::borrow(code), line};
  }

 private:
  bool is_ours(const nb::object& code) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = codes_.find(code.ptr()); known != codes_.end()) return known->second;
    }
    const nb::object file = code.attr("co_filename"),
                     package = nb::module_::import_("dynet").attr("__path__")[0];
    const bool is_ours = nb::cast<bool>(file.attr("startswith")(package));
    const std::lock_guard lock(mutex_);
    if (codes_.emplace(code.ptr(), is_ours).second) code.inc_ref();
    return is_ours;
  }
  uint32_t number(PyObject* code, int line) {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = numbers_.try_emplace({code, line}, 0);
    if (is_new) {
      lines_.emplace_back(code, line);
      known->second = static_cast<uint32_t>(lines_.size());
    }
    return known->second;
  }

  Mutex mutex_;
  std::map<PyObject*, bool> codes_;
  std::map<std::pair<PyObject*, int>, uint32_t> numbers_;
  std::vector<std::pair<PyObject*, int>> lines_;
};

uint32_t current_line() {
  const Acquired lock;
  const Uncollected uncollected;
  nb::error_scope error;  // what is being handled
  return Lines::all().current();
}

}  // namespace

nb::object program_line(uint32_t place) {
  if (place == 0) return nb::none();
  const auto [code, line] = Lines::all()[place];
  return nb::module_::import_("traceback")
      .attr("FrameSummary")(code.attr("co_filename"), line, code.attr("co_name"), "lookup_line"_a = false);
}

void bind_program_lines(nb::module_& m) {
  m.def(
      "_record_lines",
      [](Flag on) {
        const bool before = place_in_program().exchange(on ? current_line : nullptr);
        if (Graph* graph = current_graph_or_null()) graph->choose_log();
        return before;
      },
      "on"_a, "Starts or stops recording the lines of new nodes; whether they were recorded before.");
}

}  // namespace dynet::python
