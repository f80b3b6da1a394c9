// Graphs as text, timing, and the inputs that are methods of a graph.
#include "dynet/run/describe.h"

#include <nanobind/stl/string.h>

#include <fstream>

#include "dynet/core/profile.h"
#include "dynet/ops/check.h"
#include "dynet/ops/input.h"
#include "python/src/casters.h"
#include "python/src/docs/graph.h"
#include "python/src/graph.h"
#include "python/src/lists.h"
#include "python/src/print.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;

void dump_to(Graph& graph, const Path& filename, const DumpOptions& options) {
  std::ostringstream text;
  const auto write = [&] { return dump(graph, text, options), true; };
  compute(graph, write, [](bool) {});
  if (filename.empty()) return print("stdout", text.str());
  std::ofstream file(filename);
  if (!(file << text.str() << std::flush)) failed("the file ", filename, " cannot be written");
}

void print_graph(const Graph& graph) {
  std::ostringstream text;
  print_graphviz(graph, text);
  print("stderr", text.str());
}

/// What dynet.viz draws: operation, arguments, sizes, batch size and text of each node.
nb::list nodes_of(const PythonGraph& g) {
  Graph& graph = g.graph();
  const Graph::BusyGuard use(graph);  // nobody changes it while lists are made
  nb::list nodes;
  for (unsigned id = 0; id < graph.size(); ++id) {
    nb::list args;
    for (const uint32_t arg : graph.original_args(graph[id])) args.append(arg);
    const Node& node = graph[id];
    nb::list words;
    if (!node.op->random)
      for (const uint32_t word : node.words()) words.append(word);
    const Storage* storage = node.op == &parameter_op ? parameter_storage(node)
                             : node.op == &op<Lookup> ? attrs_of<Lookup>(node.payload).table
                                                      : nullptr;
    nb::object name = storage ? nb::object(nb::str(storage->name.c_str())) : nb::none();
    nodes.append(nb::make_tuple(std::string(node.written().name), nb::tuple(args), graph.dim(id),
                                graph.dim(id).bd, nb::tuple(words), name));
  }
  return nodes;
}

Expression matrix_literal(const PythonGraph& g, ArrayLike v, const Dim& d, Whole batch_size,
                          std::string_view device) {
  check_device(device);
  const Dim dim = d.with_batch(batch_size);
  return Input::make(g.graph(), dim, read_numbers(v.ptr()).of(dim, "inputMatrixLiteral"));
}

Expression sparse_tensor(const PythonGraph& g, Indices idxs, ArrayLike v, const Dim& dim, Whole batch_size,
                         Number defval, std::string_view device) {
  check_device(device);
  return Input::sparse(g.graph(), dim.with_batch(batch_size), idxs, read_numbers(v.ptr()).values, defval);
}

/// The list of what a sequence consists of, which an operation would take.
ExpressionList check_arguments(nb::handle xs, const char* call) {
  return nb::steal<ExpressionList>(or_throw(guarded(call, [&] {
    if (const Expression* x = expression_in(xs.ptr()))
      static_cast<void>(sizes_of(call, *x));
    else if (!PyObject_HasAttrString(xs.ptr(), "__iter__"))
      throw type_error(text(a_kind(xs.ptr()), " was given; a list of expressions is needed"));
    const nb::object list = nb::steal(or_throw(PySequence_List(xs.ptr())));
    Elements<Expression> all;
    read_expressions(list.ptr(), all);
    for (const Expression& e : all.span())
      if (!e.is_parameter()) current_graph().resolve(e);
    return list.inc_ref().ptr();
  })));
}

/// Never destroyed: what runs at the end of the process may still be timed.
Profile& profile() {
  static Profile& all = *new Profile;
  return all;
}

void bind_profile(nb::module_& m) {
  m.def(
      "_set_profiling", [](Flag on) { chosen_profile() = on ? &profile() : nullptr; }, "on"_a,
      "Starts or stops the timing of operations.");
  m.def(
      "_profile",
      [](Flag batches) {
        std::ostringstream text;
        profile().print(text, batches);
        return text.str();
      },
      "batches"_a, "What was timed, as a table.");
}

}  // namespace

void bind_descriptions(nb::module_& m, nb::class_<PythonGraph>& type) {
  const auto device = "device"_a = "";
  type.def("inputMatrixLiteral", matrix_literal, "v"_a, "d"_a, "batch_size"_a = 1, device,
           docs::graph::input_matrix)
      .def("inputSparseTensor", sparse_tensor, "idxs"_a, "v"_a, "dim"_a, "batch_size"_a = 1, "defval"_a = 0.0,
           device, docs::graph::input_sparse)
      .def(
          "print_graphviz", [](const PythonGraph& g) { print_graph(g.graph()); }, docs::graph::print_graphviz)
      .def(
          "dump",
          [](const PythonGraph& g, const Path& filename, Flag values, Flag gradients, Flag only_check,
             Flag plan) { dump_to(g.graph(), filename, {values, gradients, only_check, plan}); },
          "filename"_a = "", "show_values"_a = true, "show_gradients"_a = true, "nan_check_only"_a = false,
          "show_plan"_a = false, docs::graph::dump)
      .def("_nodes", nodes_of, "Operation, arguments, sizes, batch size, indices and name of each node.");
  m.def(
      "dump_cg",
      [](const Path& filename, Flag values, Flag gradients, Flag only_check, Flag plan) {
        dump_to(asked_graph(), filename, {values, gradients, only_check, plan});
      },
      "filename"_a = "", "show_values"_a = true, "show_gradients"_a = true, "nan_check_only"_a = false,
      "show_plan"_a = false, docs::graph::dump_current);
  m.def("print_text_graphviz", [] { print_graph(asked_graph()); }, docs::graph::print_current);
  m.def(
      "_node_index",
      [](const Expression& e) {
        const Expression node = known_node_of(e);
        if (node.is_parameter())
          check_not_recording();
        else
          (*node.pg).evaluator->check_asked();
        return node.i;
      },
      "e"_a, "The place of an expression in its graph.");
  m.def("_check_arguments", check_arguments, "xs"_a.none(), "call"_a,
        "The list of the arguments. Refuses what an operation would refuse, before any of several is made.");
  bind_profile(m);
}

}  // namespace dynet::python
