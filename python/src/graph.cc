// Graphs as Python values, the current graph, and what a process chooses about running.
#include "python/src/graph.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <optional>

#include "dynet/run/settings.h"
#include "python/src/casters.h"
#include "python/src/docs/graph.h"
#include "python/src/docs/process.h"
#include "python/src/numbers.h"
#include "python/src/pictures.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// Tells the package that nodes will be added by its names.
void tell_of_graphs() {
  static bool told = false;  // under Python's lock
  if (std::exchange(told, true)) return;
  nb::module_::import_("dynet.renamed")
      .attr("find_names_fast")(nb::module_::import_("dynet").attr("__dict__"));
}

/// Starts a graph anew.
PythonGraph renewed(Graph& graph, bool immediate_compute, bool check_validity, std::optional<bool> batching) {
  tell_of_graphs();
  if (graph.tasks() && graph.tasks()->in_task() && graph.tasks()->is_empty())
    return PythonGraph(graph);  // a function that begins so has the graph that it shares
  clear_ended_graphs();
  graph.clear();
  graph.batching = batching;
  check_graph(graph, immediate_compute, check_validity);
  return PythonGraph(graph);
}

/// What the current graph has: its number, and its nodes and their arguments.
using NodeMark = std::tuple<unsigned, unsigned, unsigned>;
NodeMark node_mark() {
  const Graph& graph = current_graph();
  const Graph::Mark now = graph.mark();
  return {graph.number(), now.nodes, now.args};
}

/// Removes what the current graph has had since then, unless somebody has computed it. Tasks add nodes in
/// turns, and are forgotten with all of theirs.
void take_nodes_back(const NodeMark& mark) {
  Graph& graph = current_graph();
  const Graph::Mark before{std::get<1>(mark), std::get<2>(mark)};
  if (graph.number() != std::get<0>(mark) || (graph.tasks() && graph.tasks()->in_task())) return;
  if (graph.is_in_use() || graph.size() <= before.nodes || graph.edge_count() < before.args) return;
  for (unsigned id = before.nodes; id < graph.size(); ++id)
    if (graph.evaluator && graph.evaluator->is_known(id)) return;
  graph.undo(before);
}

void revert(Graph& graph) {
  if (!graph.revert()) failed("there is no checkpoint to go back to; make one first");
}

// -- evaluation of lists

/// Evaluates all of them by one schedule; then `read` may ask for the value of each. Parameters that the
/// graph does not use are read as they are.
template <class Read>
auto evaluate_all(Expressions exps, bool recalculate, Read&& read) {
  std::vector<Expression> nodes;
  std::vector<uint32_t> ids;
  std::vector<std::pair<Dim, std::vector<real>>> parameters;
  std::vector<std::shared_ptr<Storage>> held;  // a list may have been made for this call
  Graph* graph = nullptr;
  for (const Expression& e : exps) {
    const Expression node = nodes.emplace_back(known_node_of(e));
    if (node.is_parameter()) {
      held.push_back(node.storage()->shared_from_this());
      continue;
    }
    if (!graph) graph = node.pg;
    ids.push_back(graph->resolve(node));
  }
  if (!graph) check_not_recording();
  if (graph && graph->tasks()) wait_in_task(*graph, ids, recalculate);
  const auto run = [&] {
    if (recalculate && graph) graph->evaluator->invalidate();
    if (graph) graph->evaluator->evaluate(ids);
    for (const Expression& e : nodes)
      if (e.is_parameter()) {
        const Storage& s = *e.storage();
        s.show(parameters.emplace_back(s.dim, std::vector<real>(s.size())).second.data(), 0, s.size());
      }
    return true;
  };
  const auto then = [&](bool) {
    auto parameter = parameters.begin();
    return read(nodes, [&](const Expression& e) {
      if (!e.is_parameter()) return e.value();
      auto& [dim, numbers] = *parameter++;
      return Tensor{dim, numbers.data()};
    });
  };
  return graph ? compute(*graph, run, then) : then(compute_apart(run));
}

template <class T>
nb::typed<nb::list, T> values_of(Expressions exps, bool recalculate, T (*convert)(const Tensor&)) {
  return evaluate_all(exps, recalculate, [&](const std::vector<Expression>& nodes, auto&& value) {
    nb::typed<nb::list, T> values;
    for (const Expression& e : nodes) values.append(convert(value(e)));
    return values;
  });
}

// -- bindings

/// A call on the value of a node, from scratch or not.
template <class Read>
auto on_node(bool recalculate, Read read) {
  return [=](const PythonGraph& g, Whole i) { return with_value(g.node(i), recalculate, read); };
}

void bind_node_calls(nb::class_<PythonGraph>& type) {
  const auto nothing = [](const Tensor&) {};
  const auto list = [](const Tensor& t) { return list_of(t.v, t.d.size()); };
  const auto backward = [](const PythonGraph& g, Whole i, Flag full) {
    const Expression e = g.node(i);
    compute(g.graph(), [&] { return e.backward(full), true; }, [](bool) {});
  };
  const auto index = "index"_a;
  type.def("forward", on_node(true, nothing), index, docs::graph::forward)
      .def("inc_forward", on_node(false, nothing), index, docs::graph::inc_forward)
      .def("forward_scalar", on_node(true, as_scalar), index, docs::graph::forward_scalar)
      .def("inc_forward_scalar", on_node(false, as_scalar), index, docs::graph::inc_forward_scalar)
      .def("forward_vec", on_node(true, list), index, docs::graph::forward_vec)
      .def("inc_forward_vec", on_node(false, list), index, docs::graph::inc_forward_vec)
      .def("backward", backward, index, "full"_a = false, docs::graph::backward);
}

void bind_graph_class(nb::module_& m) {
  nb::class_<PythonGraph> type(m, "ComputationGraph", nb::type_slots(Collected<PythonGraph>::slots),
                               docs::graph::type);
  type.def(nb::init<>())
      .def("__enter__",
           [](nb::object self) {
             tell_of_graphs();
             nb::cast<PythonGraph&>(self).enter();
             return self;
           })
      .def("__exit__", [](PythonGraph& g, nb::args) { g.exit(); })
      .def(
          "renew",
          [](const PythonGraph& g, Flag immediate_compute, Flag check_validity,
             const MaybeFlag& autobatching) {
            return renewed(g.graph(), immediate_compute, check_validity, autobatching.value);
          },
          "immediate_compute"_a = false, "check_validity"_a = false, "autobatching"_a = nb::none(),
          docs::graph::renew)
      .def(
          "version", [](const PythonGraph& g) { return g.graph().number(); }, docs::graph::version)
      .def("__len__", [](const PythonGraph& g) { return g.graph().size(); })
      .def("__repr__",
           [](const PythonGraph& g) {
             return g.has_ended() ? std::string("computation graph that has ended")
                                  : text("computation graph ", g.graph().number(), " of ", g.graph().size(),
                                         g.graph().size() == 1 ? " node" : " nodes");
           })
      .def(
          "step_count", [](const PythonGraph& g) { return g.graph().evaluator->step_count(); },
          docs::graph::step_count)
      .def(
          "checkpoint", [](const PythonGraph& g) { g.graph().checkpoint(); }, docs::graph::checkpoint)
      .def("revert", [](const PythonGraph& g) { revert(g.graph()); }, docs::graph::revert);
  bind_node_calls(type);
  bind_descriptions(m, type);
  bind_nodes(m, type);
  show_in_notebooks(type);
  type.def("_repr_svg_", drawn_by("notebook", "svg"), nb::sig("def _repr_svg_(self) -> str | None"),
           "The picture that a notebook shows; None without Graphviz.")
      .def("to_dot", drawn_by("drawing", "dot_of_graph"), nb::sig("def to_dot(self) -> str"),
           docs::graph::to_dot);
  bind_program_lines(m);
}

void bind_current(nb::module_& m) {
  m.def(
      "renew_cg",
      [](Flag immediate_compute, Flag check_validity, const MaybeFlag& autobatching) {
        return renewed(asked_graph(), immediate_compute, check_validity, autobatching.value);
      },
      "immediate_compute"_a = false, "check_validity"_a = false, "autobatching"_a = nb::none(),
      docs::graph::renew_cg);
  m.def("_node_mark", node_mark, "What the current graph has, for _take_nodes_back().");
  m.def("_take_nodes_back", take_nodes_back, "mark"_a, "Removes nodes since the mark, if none was computed.");
  m.def("cg", [] { return PythonGraph(asked_graph()); }, docs::graph::cg);
  m.def("cg_version", [] { return asked_graph().number(); }, docs::graph::cg_version);
  m.def("cg_checkpoint", [] { asked_graph().checkpoint(); }, docs::graph::cg_checkpoint);
  m.def("cg_revert", [] { revert(asked_graph()); }, docs::graph::cg_revert);
  const auto recalculate = "recalculate"_a = false;
  m.def(
      "forward", [](Expressions exps, Flag again) { evaluate_all(exps, again, [](const auto&, auto&&) {}); },
      "exps"_a, recalculate, docs::graph::evaluate);
  m.def(
      "values", [](Expressions exps, Flag again) { return values_of(exps, again, plain_value); }, "exps"_a,
      recalculate, docs::graph::values);
  m.def(
      "npvalues", [](Expressions exps, Flag again) { return values_of(exps, again, array_value); }, "exps"_a,
      recalculate, docs::graph::npvalues);
}

void set_policy(std::string_view name) {
  constexpr std::pair<std::string_view, Policy> policies[] = {
      {"agenda", Policy::agenda}, {"depth", Policy::depth}, {"single", Policy::single}};
  for (const auto& [known, policy] : policies)
    if (known == name) return void(settings().policy = policy);
  invalid("set_batching_policy: ", name, " was given; \"agenda\", \"depth\" or \"single\" is needed");
}

nb::typed<nb::list, std::string> instruction_sets() {
  nb::typed<nb::list, std::string> names;
  for (const char* name : {"plain", "neon", "v2", "v3", "v4"}) {
    try {
      cpu_engine(name);
      names.append(name);
    } catch (const std::invalid_argument&) {  // not for this machine
    }
  }
  return names;
}

void bind_settings(nb::module_& m) {
  m.def("instruction_sets", instruction_sets, docs::process::instruction_sets);
  m.def(
      "set_instruction_set", [](const std::string& name) { choose_engine(cpu_engine(name.c_str())); },
      "name"_a, docs::process::set_instruction_set);
  m.def("set_batching_policy", set_policy, "policy"_a, docs::process::set_batching_policy);
  m.def(
      "set_num_threads", [](Whole n) { chosen_engine().set_most_threads(std::max(1u, n.value)); }, "n"_a,
      docs::process::set_num_threads);
  m.def("get_num_threads", [] { return chosen_engine().most_threads(); }, docs::process::get_num_threads);
  m.def(
      "_share_from", [](uint64_t multiply_adds) { settings().worth_partitioning = multiply_adds; },
      "multiply_adds"_a, "For tests: how large an evaluation is that threads share.");
  m.def(
      "reset_random_seed", [](Whole seed) { reset_random(seed); }, "seed"_a,
      docs::process::reset_random_seed);
}

/// A thread of Python that ends has its graph ended with it, before others hear of the end and while it has
/// Python's lock.
Graph& graph_of_thread() {
  constexpr auto key = "dynet graph";
  PyObject* locals = PyThreadState_GetDict();
  if (locals && !PyDict_GetItemString(locals, key)) {
    static char nothing;
    const nb::capsule end(&nothing, [](void*) noexcept { end_first_graph(); });
    if (PyDict_SetItemString(locals, key, end.ptr())) nb::raise_python_error();
  }
  return first_graph();
}

/// Lets go of what the graph of this thread holds when the program ends, while Python can still free it.
void bind_end() {
  set_graph_maker(graph_of_thread);
  nb::module_::import_("atexit").attr("register")(nb::cpp_function([] { end_first_graph(); }));
}

}  // namespace

void bind_graph(nb::module_& m) {
  bind_end();
  bind_graph_class(m);
  bind_current(m);
  bind_settings(m);
}

}  // namespace dynet::python
