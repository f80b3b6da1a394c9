// What dynet/tasks asks of the graph: whose nodes are made now, rounds of tasks that go on and wait again,
// and the memory of those that have ended.
#include "python/src/tasks.h"

#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/object.h"
#include "python/src/owned.h"
#include "python/src/read.h"

namespace dynet::python {

InUse in_use;

namespace {

using namespace nb::literals;

/// A call of run_batched. It goes on by `steps`, a generator or coroutine, or by `resume`, the switch of a
/// fiber, which waits by `park`, the switch of who runs the tasks.
struct Turn {
  uint32_t part = 0;             // of the graph, to which its nodes go
  Graph* graph = nullptr;        // of the run that it is at
  std::vector<uint32_t> wanted;  // nodes that it waits for, none of them known
  nb::object steps, given, resume, park;

  int traverse(visitproc visit, void* arg) const {
    for (const nb::object* o : {&steps, &given, &resume, &park}) Py_VISIT(o->ptr());
    return 0;
  }
  void clear() {
    for (nb::object* o : {&steps, &given, &resume, &park}) o->reset();
  }
};

/// Whose fiber waits where a value of the thread is not known; null outside of such tasks. It is owned.
thread_local PyObject* waiting = nullptr;

void set_waiting(PyObject* turn) {
  Py_XINCREF(turn);
  PyObject* const before = std::exchange(waiting, turn);
  Py_XDECREF(before);
}

void check_own(const Graph& graph, uint32_t node) {
  if (!graph.tasks()->may_ask(node))
    invalid("the expression was made by another task of run_batched; make what tasks share before the run");
}

/// Notes what the values of expressions need; those of other graphs are computed at once.
void want(Turn& turn, PyObject* e) {
  const Expression* const given = expression_in(e);
  const Expression node = known_node_of(*given);
  if (node.is_parameter()) return;
  if (node.pg != turn.graph) return with_value(node, false, [](const Tensor&) {});
  check_own(*turn.graph, node.i);
  if (!turn.graph->evaluator->is_known(node.i)) turn.wanted.push_back(node.i);
}

/// What a generator has yielded: an expression, or a list of them. Whether it has to wait for some.
bool want_all(Turn& turn, PyObject* yielded) {
  turn.wanted.clear();
  const bool is_list = PyList_Check(yielded), is_tuple = PyTuple_Check(yielded);
  const Py_ssize_t count = is_list ? PyList_Size(yielded) : is_tuple ? PyTuple_Size(yielded) : 1;
  const auto item = [&](Py_ssize_t i) {
    PyObject* const o = is_list    ? PyList_GetItem(yielded, i)
                        : is_tuple ? PyTuple_GetItem(yielded, i)
                                   : yielded;
    if (!o) nb::raise_python_error();
    return o;
  };
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!expression_in(item(i)))
      throw type_error(text("run_batched: a task has yielded ", a_kind(yielded),
                            "; it waits for the value of an expression, or of each of a list"));
  for (Py_ssize_t i = 0; i < count; ++i) want(turn, item(i));
  return !turn.wanted.empty();
}

/// The error that is set, with its traceback.
nb::object taken_error() {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type), Py_XDECREF(traceback);
  return nb::steal(value);
}

/// The same as want_all; what is refused is an error that the task gets where it waits.
bool want_or_refuse(Turn& turn, nb::object& refused) {
  try {
    return want_all(turn, turn.given.ptr());
  } catch (...) {
    set_python_error();
  }
  turn.wanted.clear();
  refused = taken_error();
  return false;
}

/// A generator goes on until it waits or ends.
void go_on_in_steps(nb::handle task, Turn& turn) {
  for (;;) {
    PyObject* result = nullptr;
    const nb::object steps = turn.steps, given = turn.given;
    const PySendResult kind = PyIter_Send(steps.ptr(), given.is_valid() ? given.ptr() : Py_None, &result);
    if (kind == PYGEN_ERROR) return static_cast<void>(task.attr("end")(nb::none(), taken_error()));
    const nb::object owned = nb::steal(result);
    if (kind == PYGEN_RETURN) return static_cast<void>(task.attr("end")(owned));
    turn.given = owned;
    nb::object refused;
    if (want_or_refuse(turn, refused)) return;
    // Not where it is caught: the task may go on, and others after it.
    if (refused.is_valid()) return static_cast<void>(task.attr("go_on")(refused));
  }
}

void go_on_in_fiber(nb::handle task, Turn& turn) {
  const nb::object resume = turn.resume;
  nb::steal(or_throw(PyObject_CallNoArgs(resume.ptr())));
  if (turn.wanted.empty()) task.attr("check_ended")();
}

/// A run of run_batched: its tasks in the graph, and what was there before.
class TaskRun {
 public:
  TaskRun() : graph_(asked_graph()), wait_before_(waiting ? nb::borrow(waiting) : nb::object()) {
    graph_number_ = graph_.get().id();
    Tasks& tasks = graph_.get().start_tasks();
    run_ = tasks.begin_run();
    // A task that works in a graph of its own does not wait there: others would find it the current one.
    if (!tasks.in_task()) wait_outside_ = nb::object();
    if (run_.caller == Tasks::before && !in_use.graph) watch();
  }
  ~TaskRun() { leave_unwatched(); }
  TaskRun(const TaskRun&) = delete;
  TaskRun& operator=(const TaskRun&) = delete;

  uint32_t add() { return tasks().add_task(run_); }
  /// The same for one that begins at once.
  void begin(nb::handle task) {
    turn_of(task).part = add();
    enter(task);
  }
  /// Nodes go to the part of the task; where a value is not known, it waits if it can, or who was to wait
  /// before.
  void enter(nb::handle task) {
    Turn& turn = turn_of(task);
    tasks().enter(turn.part);
    turn.graph = &graph_.get();
    turn.wanted.clear();
    set_waiting(turn.park.is_valid() ? task.ptr() : wait_outside_.ptr());
  }
  void leave(nb::handle task) {
    turn_of(task).part = tasks().current();
    tasks().enter(run_.part_before);
    set_waiting(wait_outside_.ptr());
  }
  /// One evaluation of what these wait for.
  void evaluate(const nb::list& waiting_tasks) {
    std::vector<uint32_t> wanted;
    for (const nb::handle task : waiting_tasks) {
      const Turn& turn = turn_of(task);
      wanted.insert(wanted.end(), turn.wanted.begin(), turn.wanted.end());
    }
    Graph& graph = *tasks_graph();
    wait_in_task(graph, wanted, false);
    compute(graph, [&] { return graph.evaluator->evaluate(wanted), true; }, [](bool) {});
  }
  /// Each goes on until it waits or ends; whether some have ended.
  bool go_on(const nb::list& waiting_tasks) {
    bool any_ended = false;
    for (size_t i = 0; i < nb::len(waiting_tasks); ++i) {
      const nb::object task = waiting_tasks[i];
      Turn& turn = turn_of(task);
      enter(task);
      const Leave leaves{*this, task};
      turn.steps.is_valid() ? go_on_in_steps(task, turn) : go_on_in_fiber(task, turn);
      any_ended |= turn.wanted.empty();
    }
    return any_ended;
  }
  /// Others may use what a task has made.
  void release(nb::handle task) { tasks().release(turn_of(task).part); }
  /// Where the program has nothing of what the tasks have made that have ended, removes their nodes. No task
  /// is alive.
  void forget() {
    if (!is_watched_) return;
    Graph& graph = *tasks_graph();
    // Expressions have had another stamp since a call failed, and were not counted: all of them stay.
    if (graph.stamp() != in_use.stamp) return watch();
    if (in_use.count > 0 || graph.size() == in_use.first) return;
    graph.forget_tasks();
    in_use.first = graph.size(), in_use.stamp = graph.stamp();
  }
  void end() {
    leave_unwatched();
    // Where it is forgotten, another task may be at work, which waits as it did.
    if (!is_there() || tasks().current() == run_.part_before) set_waiting(wait_before_.ptr());
    if (is_there()) tasks().end_run(run_);
  }

 private:
  struct Leave {
    TaskRun& run;
    nb::handle task;
    ~Leave() {
      if (run.is_there()) run.leave(task);  // else the next one says so
    }
  };

  static Turn& turn_of(nb::handle task) { return *nb::inst_ptr<Turn>(task); }
  bool is_there() const {
    const Graph* graph = graph_.get_or_null();
    return graph && graph->number() == graph_number_ && graph->tasks();
  }
  Graph* tasks_graph() {
    if (!is_there()) failed("run_batched: the graph was renewed or has ended while its tasks were waiting");
    return &graph_.get();
  }
  Tasks& tasks() { return *tasks_graph()->tasks(); }
  void watch() {
    Graph& graph = graph_.get();
    graph.remember_before_tasks();
    in_use = {&graph, graph.stamp(), graph.size(), in_use.run + 1, 0};
    is_watched_ = true;
  }
  void leave_unwatched() {
    if (std::exchange(is_watched_, false)) in_use.graph = nullptr;
  }

  GraphHandle graph_;
  unsigned graph_number_;
  Tasks::Run run_;
  bool is_watched_ = false;
  nb::object wait_before_, wait_outside_ = wait_before_;
};

/// Adds an attribute; None is none.
template <nb::object Turn::* Member>
void def_object(nb::class_<Turn>& type, const char* name) {
  type.def_prop_rw(
      name, [](const Turn& turn) { return (turn.*Member).is_valid() ? turn.*Member : nb::none(); },
      [](Turn& turn, nb::object o) { turn.*Member = o.is_none() ? nb::object() : std::move(o); },
      nb::for_setter(nb::arg("value").none()));
}

}  // namespace

void wait_in_task(Graph& graph, std::span<const uint32_t> nodes, bool recalculate) {
  const Tasks* const tasks = graph.tasks();
  if (!tasks->in_task()) [[likely]]
    return;
  if (recalculate)
    failed(
        "a task of run_batched asks for values to be computed again; others use those of its graph as well");
  for (const uint32_t node : nodes) check_own(graph, node);
  if (!waiting || is_checked(graph) || &graph != current_graph_or_null()) return;
  Turn& turn = *nb::inst_ptr<Turn>(waiting);
  if (!turn.park.is_valid()) return;
  turn.wanted.clear();
  for (const uint32_t node : nodes)
    if (!graph.evaluator->is_known(node)) turn.wanted.push_back(node);
  if (turn.wanted.empty()) return;
  const nb::object task = nb::borrow(waiting), park = turn.park;
  // Others run from here on, and come back with nothing or with an error.
  const nb::object error = nb::steal(or_throw(PyObject_CallNoArgs(park.ptr())));
  if (!PyExceptionInstance_Check(error.ptr())) return;
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  nb::raise_python_error();
}

void bind_tasks(nb::module_& m) {
  nb::class_<Turn> turn(m, "_Turn", nb::type_slots(Collected<Turn>::slots));
  turn.def(nb::init<>())
      .def_rw("part", &Turn::part)
      .def_prop_ro("waits", [](const Turn& turn) { return !turn.wanted.empty(); })
      .def(
          "want", [](Turn& turn, const nb::object& yielded) { return want_all(turn, yielded.ptr()); },
          "yielded"_a);
  def_object<&Turn::steps>(turn, "steps");
  def_object<&Turn::given>(turn, "given");
  def_object<&Turn::resume>(turn, "resume");
  def_object<&Turn::park>(turn, "park");
  nb::class_<TaskRun>(m, "_TaskRun")
      .def(nb::init<>())
      .def("add", &TaskRun::add)
      .def("begin", &TaskRun::begin, "task"_a, nb::sig("def begin(self, task: _Turn) -> None"))
      .def("enter", &TaskRun::enter, "task"_a, nb::sig("def enter(self, task: _Turn) -> None"))
      .def("leave", &TaskRun::leave, "task"_a, nb::sig("def leave(self, task: _Turn) -> None"))
      .def("evaluate", &TaskRun::evaluate, "tasks"_a)
      .def("go_on", &TaskRun::go_on, "tasks"_a)
      .def("release", &TaskRun::release, "task"_a, nb::sig("def release(self, task: _Turn) -> None"))
      .def("forget", &TaskRun::forget)
      .def("end", &TaskRun::end);
}

}  // namespace dynet::python
