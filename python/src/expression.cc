// The methods of expressions: shape, values, gradients.
#include "dynet/run/computation_graph.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

nb::typed<nb::tuple, Shape, int> shape(const Expression& e) {
  const Dim& dim = e.dim();
  return nb::make_tuple(dim, dim.bd);
}

real scalar(const Tensor& t) {
  if (t.d.size() != 1) failed("scalar_value: the expression has shape ", t.d, "; one element is needed");
  return *t.v;
}

void backward(const Expression& e, Flag full) {
  const nb::gil_scoped_release release;
  e.backward(full);
}

}  // namespace

Graph& graph_of(const Expression& e) { return e.is_parameter() || !e.pg ? current_graph() : *e.pg; }

Value plain_value(const Tensor& t) {
  if (t.d.nd > 1) return array_of(t.d, t.v);
  if (t.d.size() > 1) return list_of(t.v, t.d.size());
  return nb::float_(*t.v);
}

Array array_value(const Tensor& t) { return array_of(t.d, t.v); }

Tensor evaluate(const Expression& e, bool recalculate) {
  const nb::gil_scoped_release release;
  if (recalculate && !e.is_stale()) graph_of(e).evaluator->invalidate(0);
  return e.value();
}

void bind_expression(nb::module_&) {
  PyTypeObject* type = types.expression;
  const auto recalculate = "recalculate"_a = false;
  def(type, "dim", shape, "The sizes and the batch size: ((rows, columns, ...), batch).");
  def(
      type, "value", [](const Expression& e, Flag again) { return plain_value(evaluate(e, again)); },
      recalculate,
      "The value: a float, a list of floats for a vector, or an array. recalculate: evaluates the whole "
      "graph anew.");
  def(
      type, "npvalue", [](const Expression& e, Flag again) { return array_value(evaluate(e, again)); },
      recalculate, "The value as an array, with a last axis for the batch if it is larger than 1.");
  def(
      type, "vec_value",
      [](const Expression& e, Flag again) {
        const Tensor t = evaluate(e, again);
        return list_of(t.v, t.d.size());
      },
      recalculate, "The value as a list of floats, column-major.");
  def(
      type, "scalar_value", [](const Expression& e, Flag again) { return scalar(evaluate(e, again)); },
      recalculate, "The value of a single number.");
  def(
      type, "forward", [](const Expression& e, Flag again) { evaluate(e, again); }, recalculate,
      "Evaluates the expression.");
  def(type, "backward", backward, "full"_a = false,
      "Adds the gradients of this single number to every parameter it depends on. full: computes the "
      "gradients of "
      "all nodes, not only of those that lead to parameters.");
  def(
      type, "gradient", [](const Expression& e) { return array_value(e.gradient()); },
      "The gradient with respect to this expression, after backward() from a later one.");
  def(type, "set", set_node, "value"_a,
      "Gives an input its numbers, or a lookup or a pick its index, anew; ask then for "
      "value(recalculate=True).");
  def(type, "set_index", set_node, "index"_a, "The same as set, under its name for picks.");
}

}  // namespace dynet::python
