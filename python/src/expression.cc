// The methods of expressions: shape, values, gradients.
#include "python/src/docs/expression.h"

#include "dynet/run/computation_graph.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"
#include "python/src/pictures.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

nb::typed<nb::tuple, Shape, int> shape(const Expression& e) {
  const Dim& dim = e.dim();
  return nb::make_tuple(dim, dim.bd);
}

real scalar(const Tensor& t) {
  if (t.d.size() != 1)
    failed("scalar_value: the expression has shape ", t.d, "; one number is needed, value() gives all");
  return as_scalar(t);
}

void backward(const Expression& e, Flag full) {
  if (e.is_parameter() && e.dim().size() != 1)  // before it becomes a node
    invalid("backward: it can only be called on scalar nodes, but this parameter has shape ", e.dim(),
            "; reduce it first, for example with sum_elems and sum_batches");
  const Expression node = node_of(e);
  compute(*node.pg, [&] { return node.backward(full), true; }, [](bool) {});
}

Array gradient(const Expression& e) {
  const Expression node = known_node_of(e);
  if (node.is_parameter())
    failed("Requested gradient for the parameter ", node.storage()->name,
           ", which the current graph does not use; grad_as_array() is the gradient that it has");
  return compute(*node.pg, [&] { return node.gradient(); }, array_value);
}

/// The value for other libraries; a copy that they own.
nb::object dlpack(const Expression& e, nb::kwargs arguments) {
  return with_value(e, false, array_value).attr("__dlpack__")(**arguments);
}

}  // namespace

Graph& asked_graph() {
  Graph& graph = current_graph();
  graph.evaluator->check_asked();
  return graph;
}

void check_not_recording() {
  if (current_graph_or_null()) asked_graph();
}

Expression node_of(const Expression& e) {
  check_fresh(e);
  if (!e.is_parameter()) return e;
  Graph& graph = current_graph();
  return graph.expression(graph.resolve(e));
}

Expression known_node_of(const Expression& e) {
  check_fresh(e);
  Graph* graph = e.is_parameter() ? current_graph_or_null() : nullptr;
  const unsigned node = graph ? graph->known_node(e) : Graph::none;
  return node == Graph::none ? e : graph->expression(node);
}

Value plain_value(const Tensor& t) {
  if (t.d.nd > 1) return array_of(t.d, t.v);
  if (t.d.size() > 1) return list_of(t.v, t.d.size());
  return nb::float_(as_scalar(t));
}

Array array_value(const Tensor& t) { return array_of(t.d, t.v); }

/// Bound when parameters have their methods of this name, which nanobind would take for another form of it.
void bind_shape(nb::module_& m) {
  // hasattr() and tools that ask anything for its shape expect AttributeError, programs RuntimeError.
  const nb::object both = nb::make_tuple(nb::handle(PyExc_RuntimeError), nb::handle(PyExc_AttributeError));
  PyObject* const error = or_throw(PyErr_NewExceptionWithDoc(
      "dynet._dynet._StaleError", "A stale expression was asked for its shape.", both.ptr(), nullptr));
  m.attr("_StaleError") = nb::steal(error);
  const auto sizes = [error](const Expression& e) -> Shape {
    try {
      return nb::cast<nb::tuple>(nb::cast(dim_of(e)));
    } catch (const std::runtime_error& reason) {
      if (!e.is_stale()) throw;
      raise_error(error, text("shape: ", reason.what()));
      nb::raise_python_error();
    }
  };
  nb::handle(reinterpret_cast<PyObject*>(types.expression)).attr("shape") =
      nb::module_::import_("builtins")
          .attr("property")(
              nb::cpp_function(sizes, nb::is_method(), nb::name("shape"), docs::expression::shape));
}

void bind_expression(nb::module_&) {
  PyTypeObject* type = types.expression;
  const auto recalculate = "recalculate"_a = false;
  def(type, "dim", shape, docs::expression::dim);
  def(
      type, "value", [](const Expression& e, Flag again) { return with_value(e, again, plain_value); },
      recalculate, docs::expression::value);
  def(
      type, "npvalue",
      [](const Expression& e, Flag again, Flag batched) {
        return with_value(e, again, [=](const Tensor& t) { return array_of(t.d, t.v, batched); });
      },
      recalculate, "batched"_a = false, docs::expression::npvalue);
  def(
      type, "vec_value",
      [](const Expression& e, Flag again) {
        return with_value(e, again, [](const Tensor& t) { return list_of(t.v, t.d.size()); });
      },
      recalculate, docs::expression::vec_value);
  def(
      type, "scalar_value", [](const Expression& e, Flag again) { return with_value(e, again, scalar); },
      recalculate, docs::expression::scalar_value);
  def(
      type, "forward", [](const Expression& e, Flag again) { with_value(e, again, [](const Tensor&) {}); },
      recalculate, docs::expression::forward);
  def(type, "backward", backward, "full"_a = false, docs::expression::backward);
  def(type, "gradient", gradient, docs::expression::gradient);
  def(type, "__dlpack__", dlpack, "The value for other libraries: torch.from_dlpack(x) is a copy.");
  def(
      type, "__dlpack_device__",
      [](const Expression&) -> nb::typed<nb::tuple, int, int> { return nb::make_tuple(1, 0); },
      "The CPU, in DLPack's numbers.");
  def(type, "to_dot", drawn_by("drawing", "dot_of_expression"), nb::sig("def to_dot(self) -> str"),
      docs::expression::to_dot);
  def(type, "_repr_html_", drawn_by("notebook", "html"), nb::sig("def _repr_html_(self) -> str"),
      "What a notebook shows where the last line of a cell is an expression.");
  def(type, "_repr_svg_", drawn_by("notebook", "svg"), nb::sig("def _repr_svg_(self) -> str | None"),
      "The picture that a notebook shows; None without Graphviz.");
  def(type, "set", set_node, "value"_a, docs::expression::set);
  def(type, "set_index", set_node, "index"_a, docs::expression::set_index);
}

}  // namespace dynet::python
