// The nodes of a graph, one by one: what each computes, of what, and what came of it.
#include <nanobind/stl/string.h>

#include "dynet/ops/input.h"
#include "dynet/run/describe.h"
#include "python/src/casters.h"
#include "python/src/docs/graph.h"
#include "python/src/docs/node.h"
#include "python/src/evaluate.h"
#include "python/src/graph.h"
#include "python/src/program_lines.h"
#include "python/src/tasks.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using IndexTuple = nb::typed<nb::tuple, int, nb::ellipsis>;

/// A node of a graph that lives, and has it.
class GraphNode {
 public:
  explicit GraphNode(const Expression& e) : e_(e) {}

  const Expression& expression() const {
    check_fresh(e_);
    return e_;
  }
  const Graph& graph() const { return *expression().pg; }
  unsigned index() const { return e_.i; }
  const Node& node() const { return graph()[e_.i]; }
  const Dim& dim() const { return graph().dim(e_.i); }
  std::span<const uint32_t> arguments() const { return graph().original_args(node()); }
  /// Those of random operations are counters.
  std::span<const uint32_t> words() const {
    return node().op->random ? std::span<const uint32_t>() : node().words();
  }

 private:
  Expression e_;
};

IndexTuple tuple_of(std::span<const uint32_t> numbers) {
  nb::list list;
  for (const uint32_t number : numbers) list.append(number);
  return IndexTuple(nb::tuple(list));
}

/// The parameter or table that a leaf stands for.
nb::object parameter_of(const GraphNode& n) {
  const Node& node = n.node();
  if (node.op == &parameter_op) {
    const auto storage = parameter_storage(node)->shared_from_this();
    if (const auto table = std::dynamic_pointer_cast<LookupParameterStorage>(storage))
      return nb::cast(LookupParameter(table));
    return nb::cast(Parameter(std::dynamic_pointer_cast<ParameterStorage>(storage)));
  }
  if (node.op != &op<Lookup>) return nb::none();
  Storage& table = *attrs_of<Lookup>(node.payload).table;
  return nb::cast(
      LookupParameter(std::static_pointer_cast<LookupParameterStorage>(table.shared_from_this())));
}

/// Of one that others compute there is nothing but what it is of; of a lookup all is told elsewhere.
nb::typed<nb::dict, nb::str, nb::object> attributes_of(const GraphNode& n) {
  const Node& node = n.node();
  if (!node.op->attributes || node.op->original || node.op == &op<Lookup>) return dictionary_of({});
  std::vector<Dim> shapes;
  for (const uint32_t arg : n.graph().args(node)) shapes.push_back(n.graph().dim(arg));
  return dictionary_of(node.op->attributes(node.payload, shapes));
}

Array gradient_of(const GraphNode& n) {
  const Expression& e = n.expression();
  return compute(*e.pg, [&] { return e.gradient(); }, array_value);
}

nb::typed<nb::list, GraphNode> nodes_of(const PythonGraph& g) {
  keep_nodes();
  Graph& graph = g.graph();
  const Graph::BusyGuard use(graph);  // nobody changes it meanwhile
  nb::typed<nb::list, GraphNode> nodes;
  for (unsigned id = 0; id < graph.size(); ++id) nodes.append(GraphNode(graph.expression(id)));
  return nodes;
}

std::string text_of(const GraphNode& n) {
  const Expression e = n.expression();
  return describe(*e.pg, e.i) + text(", shape ", sizes_text(n.dim())) +
         (n.dim().bd > 1 ? text(", a batch of ", n.dim().bd) : "");
}

void bind_numbers(nb::class_<GraphNode>& type) {
  type.def(
          "value", [](const GraphNode& n) { return with_value(n.expression(), false, array_value); },
          docs::node::value)
      .def("gradient", gradient_of, docs::node::gradient)
      .def("__repr__", text_of);
}

}  // namespace

nb::typed<nb::dict, nb::str, nb::object> dictionary_of(std::span<const Attribute> attributes) {
  const auto number = [](double x, bool is_whole) -> nb::object {
    return is_whole ? nb::object(nb::int_(static_cast<int64_t>(x))) : nb::object(nb::float_(x));
  };
  nb::typed<nb::dict, nb::str, nb::object> all;
  for (const Attribute& a : attributes) {
    nb::list list;
    for (const double x : a.numbers) list.append(number(x, a.is_whole));
    all[std::string(a.name).c_str()] = a.is_list ? nb::object(list) : nb::object(list[0]);
  }
  return all;
}

void bind_nodes(nb::module_& m, nb::class_<PythonGraph>& graph) {
  nb::class_<GraphNode> type(m, "GraphNode", docs::node::type);
  no_constructor(type, "nodes() of a ComputationGraph lists them");
  type.def_prop_ro("index", &GraphNode::index, docs::node::index)
      .def_prop_ro(
          "operation", [](const GraphNode& n) { return std::string(n.node().written().name); },
          docs::node::operation)
      .def_prop_ro(
          "shape", [](const GraphNode& n) -> IndexTuple { return nb::cast<IndexTuple>(nb::cast(n.dim())); },
          docs::node::shape)
      .def_prop_ro(
          "batch_size", [](const GraphNode& n) { return n.dim().bd; }, docs::node::batch_size)
      .def_prop_ro(
          "arguments", [](const GraphNode& n) { return tuple_of(n.arguments()); }, docs::node::arguments)
      .def_prop_ro("parameter", parameter_of,
                   nb::sig("def parameter(self) -> Parameters | LookupParameters | None"),
                   docs::node::parameter)
      .def_prop_ro(
          "indices", [](const GraphNode& n) { return tuple_of(n.words()); }, docs::node::indices)
      .def_prop_ro("attributes", attributes_of,
                   nb::sig("def attributes(self) -> dict[str, float | list[float]]"), docs::node::attributes)
      .def_prop_ro(
          "needs_gradient", [](const GraphNode& n) { return n.node().needs_gradient; },
          docs::node::needs_gradient)
      .def_prop_ro(
          "expression", [](const GraphNode& n) { return n.expression(); }, docs::node::expression)
      .def_prop_ro(
          "line", [](const GraphNode& n) { return program_line(n.graph().place(n.index())); },
          nb::sig("def line(self) -> traceback.FrameSummary | None"), docs::node::line);
  bind_numbers(type);
  m.def(
      "_graph_of",
      [](const Expression& e) -> nb::object {
        const Expression node = known_node_of(e);
        if (node.is_parameter()) return nb::make_tuple(nb::none(), 0);
        (*node.pg).evaluator->check_asked();
        return nb::make_tuple(PythonGraph(*node.pg), node.i);
      },
      "e"_a, nb::sig("def _graph_of(e: Expression) -> tuple[ComputationGraph | None, int]"),
      "The graph of an expression and its place there; no graph for a parameter that it has not.");
  graph.def("nodes", nodes_of, docs::graph::nodes);
}

}  // namespace dynet::python
