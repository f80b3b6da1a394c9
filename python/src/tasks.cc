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

void InUse::watch(const Graph& graph) {
  graph_ = &graph;
  ++run_;
  stamp_ = stamp_before_ = graph.stamp();
  newest_stamp_before_ = graph.newest_stamp();
  newest_ = {graph.size(), 0};
  older_.clear();
}

/// Expressions that were made before are not counted, nor is what was removed then.
void InUse::add_to_older(const Expression& e, size_t by) {
  if (!graph_ || (e.graph_id != stamp_before_ && !Graph::is_newer_stamp(e.graph_id, newest_stamp_before_)))
    return;
  if (e.i >= newest_.first) {
    newest_.count += by;
  } else if (const auto next = std::ranges::upper_bound(older_, e.i, {}, &Lot::first);
             next != older_.begin()) {
    std::prev(next)->count += by;
  }
}

size_t InUse::first_unused() const {
  if (newest_.count > 0) return lots();
  size_t lot = older_.size();
  while (lot > 0 && older_[lot - 1].count == 0) --lot;
  return lot;
}

void InUse::begin_lot(const Graph& graph, size_t first) {
  if (first == lots()) older_.push_back(newest_);
  older_.resize(first);
  newest_ = {graph.size(), 0};
  stamp_ = graph.stamp();
}

namespace {

using namespace nb::literals;

/// A call of run_batched. It goes on by `steps`, a generator or coroutine, or in `resume`, a fiber, which
/// waits by going on in `park`, the one that runs the tasks.
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

/// Goes on in a greenlet, with nothing or something to begin with. By its API for C, as what is on the stack
/// is copied at each switch: a call of its method from here is half as much again.
PyObject* switch_to(PyObject* fiber, PyObject* given = nullptr) {
  using Switch = PyObject* (*)(PyObject*, PyObject*, PyObject*);
  constexpr size_t place_of_switch = 6;
  static void** const functions = [] {
    void* const found = PyCapsule_Import("greenlet._C_API", 0);
    if (!found) PyErr_Clear();
    return static_cast<void**>(found);
  }();
  if (!functions) return PyObject_CallMethod(fiber, "switch", given ? "O" : nullptr, given);
  if (!given) return reinterpret_cast<Switch>(functions[place_of_switch])(fiber, nullptr, nullptr);
  PyObject* const arguments = PyTuple_Pack(1, given);
  if (!arguments) return nullptr;
  PyObject* const result = reinterpret_cast<Switch>(functions[place_of_switch])(fiber, arguments, nullptr);
  Py_DECREF(arguments);
  return result;
}

/// Where a fiber begins, further down the stack than where it is gone back to: then nothing of that is
/// copied.
[[gnu::noinline]] nb::object begin_fiber(nb::handle fiber, nb::handle task) {
  volatile char room[1024];
  room[0] = 0;
  nb::object result = nb::steal(or_throw(switch_to(fiber.ptr(), task.ptr())));
  room[1] = room[0];
  return result;
}

void go_on_in_fiber(nb::handle task, Turn& turn) {
  const nb::object resume = turn.resume;
  nb::steal(or_throw(switch_to(resume.ptr())));
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
    if (run_.caller == Tasks::before && !in_use.is_watching()) watch();
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
    evaluate_nodes(wanted);
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
  /// f(example) for so many examples, one call after another, or for fewer if these end or have made many
  /// nodes: the results, and what has ended them, which is an error of a call (and then an index more), an
  /// error of the examples, or nothing.
  nb::tuple call_each(nb::handle task, nb::handle f, nb::handle examples, size_t most) {
    nb::list results;
    const auto ended = [&](const char* how, nb::object error) { return nb::make_tuple(results, how, error); };
    while (most-- > 0) {
      const nb::object example = nb::steal(PyIter_Next(examples.ptr()));
      if (!example.is_valid())
        return PyErr_Occurred() ? ended("examples", taken_error()) : ended("last", nb::none());
      begin(task);
      const Leave leaves{*this, task};
      nb::object result = nb::steal(PyObject_CallFunctionObjArgs(f.ptr(), example.ptr(), nullptr));
      if (result.is_valid() && is_in_steps(result)) result = in_full(task, result);
      if (!result.is_valid()) return ended("call", taken_error());
      results.append(result);
      if (is_watched_ && in_use.nodes(graph_.get()) > soon) break;
    }
    return ended("", nb::none());
  }
  /// Others may use what a task has made.
  void release(nb::handle task) { tasks().release(turn_of(task).part); }
  /// Removes the nodes that ended tasks have made after all those of which the program has something. No task
  /// is alive.
  void forget() {
    if (!is_watched_) return;
    Graph& graph = *tasks_graph();
    if (graph.task_marks() != in_use.lots()) return watch();  // the program went back to a checkpoint
    if (in_use.is_empty(graph)) return;
    size_t lot = in_use.first_unused();
    while (lot < in_use.lots() && !graph.forget_tasks(lot)) ++lot;
    // What the program has stays, and what comes now is forgotten apart from it.
    if (lot == in_use.lots()) graph.mark_tasks(lot);
    in_use.begin_lot(graph, lot);
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

  void evaluate_nodes(const std::vector<uint32_t>& wanted) {
    Graph& graph = *tasks_graph();
    wait_in_task(graph, wanted, false);
    compute(graph, [&] { return graph.evaluator->evaluate(wanted), true; }, [](bool) {});
  }
  /// What a generator or coroutine gives in the end, which has nobody to wait for; null with an error set.
  nb::object in_full(nb::handle task, const nb::object& steps) {
    Turn& turn = turn_of(task);
    for (nb::object given = nb::none();;) {
      PyObject* result = nullptr;
      const PySendResult kind = PyIter_Send(steps.ptr(), given.ptr(), &result);
      given = nb::steal(result);
      if (kind != PYGEN_NEXT) return given;
      try {
        if (want_all(turn, given.ptr())) evaluate_nodes(turn.wanted);
        continue;
      } catch (...) {
        set_python_error();
      }
      const nb::object error = taken_error();
      return nb::steal(PyObject_CallMethod(task.ptr(), "in_full", "OO", steps.ptr(), error.ptr()));
    }
  }
  /// Whether a function has given a generator or coroutine.
  static bool is_in_steps(nb::handle result) {
    const auto found = [](const char* name) {
      return nb::object(nb::module_::import_("types").attr(name)).release().ptr();  // for good
    };
    static PyObject *const generator = found("GeneratorType"), *const coroutine = found("CoroutineType");
    return result.type().ptr() == generator || result.type().ptr() == coroutine;
  }
  /// So many nodes are better forgotten while they are in the caches.
  static constexpr unsigned soon = 256;

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
    graph.mark_tasks(0);
    in_use.watch(graph);
    is_watched_ = true;
  }
  void leave_unwatched() {
    if (std::exchange(is_watched_, false)) in_use.leave();
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

namespace {

[[noreturn, gnu::cold, gnu::noinline]] void refuse_recalculation() {
  failed("a task of run_batched asks for values to be computed again; others use those of its graph as well");
}

/// Whether the task whose turn it is has to wait for some of these, which it then wants.
[[gnu::noinline]] bool wants(const Graph& graph, std::span<const uint32_t> nodes) {
  for (const uint32_t node : nodes) check_own(graph, node);
  if (!waiting || is_checked(graph) || &graph != current_graph_or_null()) return false;
  Turn& turn = *nb::inst_ptr<Turn>(waiting);
  if (!turn.park.is_valid()) return false;
  turn.wanted.clear();
  for (const uint32_t node : nodes)
    if (!graph.evaluator->is_known(node)) turn.wanted.push_back(node);
  return !turn.wanted.empty();
}

[[noreturn, gnu::noinline]] void raise_given(PyObject* error) {
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);
  Py_DECREF(error);
  nb::raise_python_error();
}

/// Others run from here on, and come back with nothing or with an error. What is on the stack is copied.
[[gnu::noinline]] void park() {
  PyObject* const task = waiting;
  PyObject* const runner = nb::inst_ptr<Turn>(task)->park.ptr();
  Py_INCREF(task), Py_INCREF(runner);
  PyObject* const given = switch_to(runner);
  Py_DECREF(runner), Py_DECREF(task);
  if (!given) nb::raise_python_error();
  if (PyExceptionInstance_Check(given)) raise_given(given);
  Py_DECREF(given);
}

}  // namespace

void wait_in_task(const Graph& graph, std::span<const uint32_t> nodes, bool recalculate) {
  if (!graph.tasks()->in_task()) [[likely]]
    return;
  if (recalculate) refuse_recalculation();
  if (wants(graph, nodes)) park();
}

void bind_tasks(nb::module_& m) {
  nb::class_<Turn> turn(m, "_Turn", nb::type_slots(Collected<Turn>::slots));
  turn.def(nb::init<>())
      .def_rw("part", &Turn::part)
      .def_prop_ro("waits", [](const Turn& turn) { return !turn.wanted.empty(); })
      .def(
          "want", [](Turn& turn, const nb::object& yielded) { return want_all(turn, yielded.ptr()); },
          "yielded"_a);
  turn.def(
      "begin_fiber", [](nb::handle turn, nb::handle fiber) { begin_fiber(fiber, turn); }, "fiber"_a,
      nb::sig("def begin_fiber(self, fiber: object) -> None"));
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
      .def("call_each", &TaskRun::call_each, "task"_a, "f"_a, "examples"_a, "most"_a,
           nb::sig("def call_each(self, task: _Turn, f: object, examples: object, most: int) -> "
                   "tuple[list[typing.Any], str, BaseException | None]"))
      .def("release", &TaskRun::release, "task"_a, nb::sig("def release(self, task: _Turn) -> None"))
      .def("forget", &TaskRun::forget)
      .def("end", &TaskRun::end);
}

}  // namespace dynet::python
