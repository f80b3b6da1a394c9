// What dynet/tasks.py asks of the graph: whose nodes are made now, and whom to call where a task has to wait.
#include "python/src/tasks.h"

#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/object.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// What the thread calls where a task has to wait; null outside of tasks. It is owned.
thread_local PyObject* waiting = nullptr;

void set_waiting(const nb::object& call) {
  PyObject* const before = std::exchange(waiting, call.is_none() ? nullptr : call.inc_ref().ptr());
  Py_XDECREF(before);
}

/// A run of run_batched: its tasks in the graph, and what was there before.
class TaskRun {
 public:
  TaskRun() : graph_(asked_graph()), wait_before_(waiting ? nb::borrow(waiting) : nb::none()) {
    graph_number_ = graph_.get().id();
    Tasks& tasks = graph_.get().start_tasks();
    caller_ = tasks.caller(), part_before_ = tasks.current(), number_ = tasks.begin_run();
    // A task that works in a graph of its own does not wait there: others would find it the current one.
    if (!tasks.in_task()) wait_outside_ = nb::none();
  }

  uint32_t add() { return tasks().add_task(caller_, number_); }
  /// Nodes go to this part; where a value is not known, `wait` is called, or who was to be called before.
  void enter(uint32_t part, nb::object wait) {
    tasks().enter(part);
    set_waiting(wait.is_none() ? wait_outside_ : wait);
  }
  /// Gives the part that nodes went to last.
  uint32_t leave() {
    const uint32_t part = tasks().current();
    tasks().enter(part_before_);
    set_waiting(wait_outside_);
    return part;
  }
  /// Others may use what a task has made.
  void release(uint32_t part) { tasks().release(part); }
  void end() {
    set_waiting(wait_before_);
    if (is_there()) tasks().end_run(caller_, part_before_, number_);
  }

 private:
  bool is_there() const {
    const Graph* graph = graph_.get_or_null();
    return graph && graph->number() == graph_number_ && graph->tasks();
  }
  Tasks& tasks() {
    if (!is_there()) failed("run_batched: the graph was renewed or has ended while its tasks were waiting");
    return *graph_.get().tasks();
  }

  GraphHandle graph_;
  unsigned graph_number_;
  uint32_t caller_, part_before_, number_;
  nb::object wait_before_, wait_outside_ = wait_before_;
};

}  // namespace

void wait_in_task(Graph& graph, std::span<const uint32_t> nodes, bool recalculate) {
  if (!graph.tasks() || !graph.tasks()->in_task()) [[likely]]
    return;
  if (recalculate)
    failed(
        "a task of run_batched asks for values to be computed again; others use those of its graph as well");
  for (const uint32_t node : nodes)
    if (!graph.tasks()->may_ask(node))
      invalid("the expression was made by another task of run_batched; make what tasks share before the run");
  if (!waiting || is_checked(graph) || &graph != current_graph_or_null()) return;
  nb::list wanted;
  for (const uint32_t node : nodes)
    if (!graph.evaluator->is_known(node)) wanted.append(nb::cast(graph.expression(node)));
  if (wanted.size() > 0) nb::borrow(waiting)(wanted);
}

void bind_tasks(nb::module_& m) {
  nb::class_<TaskRun>(m, "_TaskRun")
      .def(nb::init<>())
      .def("add", &TaskRun::add)
      .def("enter", &TaskRun::enter, "part"_a, "wait"_a.none())
      .def("leave", &TaskRun::leave)
      .def("release", &TaskRun::release)
      .def("end", &TaskRun::end);
}

}  // namespace dynet::python
