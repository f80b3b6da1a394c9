// The steps of recorded cells as Python values, for exports.
#include <nanobind/stl/string.h>

#include "dynet/ops/cell.h"
#include "python/src/casters.h"
#include "python/src/graph.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// (whether it is a step, its number, the first number of it that counts)
nb::tuple source(const CellTrace::Source& s) { return nb::make_tuple(s.is_step, s.index, s.offset); }

nb::tuple sizes_tuple(const Dim& dim) {
  nb::list sizes;
  for (unsigned i = 0; i < dim.nd; ++i) sizes.append(dim.d[i]);
  return nb::tuple(sizes);
}

/// A pair: (operation, attributes, [(source, shape) of each argument], shape, what a cell in the cell does or
/// None) of each step, and (source, count) of each part of the value.
nb::tuple cell_of(const CellTrace& cell) {
  nb::list steps, pieces;
  for (const CellTrace::StepView& step : cell.steps()) {
    nb::list arguments;
    for (size_t i = 0; i < step.sources.size(); ++i)
      arguments.append(nb::make_tuple(source(step.sources[i]), sizes_tuple(step.x_dims[i])));
    nb::object inner = nb::none();
    if (step.op == &op<RecordedCell>) inner = cell_of(*attrs_of<RecordedCell>(step.attrs).program);
    std::vector<Attribute> attributes;
    if (step.op->attributes) attributes = step.op->attributes(step.attrs, step.x_dims);
    steps.append(nb::make_tuple(std::string(step.op->name), dictionary_of(attributes), arguments,
                                sizes_tuple(step.dim), inner));
  }
  for (const CellTrace::Piece& piece : cell.pieces())
    pieces.append(nb::make_tuple(source(piece.from), piece.size));
  return nb::make_tuple(steps, pieces);
}

/// That of a node; None where it is no recorded cell.
nb::object cell_steps(const Expression& e) {
  check_fresh(e);
  const Node& node = (*e.pg)[e.i];
  if (node.op != &op<RecordedCell>) return nb::none();
  return cell_of(*attrs_of<RecordedCell>(node.payload).program);
}

}  // namespace

void bind_cell_steps(nb::module_& m) { m.def("_cell_steps", cell_steps, "node"_a); }

}  // namespace dynet::python
