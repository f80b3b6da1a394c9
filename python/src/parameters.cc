// The methods of Parameters and LookupParameters: their numbers as arrays, their gradients, their files.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include "dynet/ops/all.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/files.h"
#include "python/src/numbers.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;

/// What both kinds of parameters can do.
template <class P>
void bind_shared(PyTypeObject* type) {
  def(type, "name", [](const P& p) { return p.get_fullname(); }, "The full name.");
  def(type, "zero", [](P& p) { p.zero(); }, alone, "Sets values and gradient to zero.");
  def(type, "scale", [](P& p, Number s) { p.scale(s); }, "s"_a, alone, "Multiplies the values.");
  def(
      type, "scale_gradient", [](P& p, Number s) { p.scale_gradient(s); }, "s"_a, alone,
      "Multiplies the gradient.");
  def(type, "is_updated", [](const P& p) { return p.is_updated(); }, "Whether trainers change it.");
  def(
      type, "set_updated", [](P& p, Flag b) { p.set_updated(b); }, "b"_a,
      "Freezes it, or lets trainers change it.");
  const auto save = [](const P& p, const Path& fname, const std::string& key, Flag append) {
    with_saver(fname, append, [&](auto saver) { saver.save(p, key); });
  };
  const auto populate = [](P& p, const Path& fname, const std::string& key) {
    with_loader(fname, [&](const auto& loader) {
      const Working working;
      loader.populate(p, key);
    });
  };
  for (const char* name : {"save", "write_to_textfile"})
    def(type, name, save, "fname"_a, "key"_a = "", "append"_a = false,
        "Writes it to a file, under a key or its full name; see ParameterCollection.save.");
  for (const char* name : {"populate", "populate_from_textfile"})
    def(type, name, populate, "fname"_a, "key"_a = "", "Reads what a file holds under a key.");
}

void set_value(Parameter& p, ArrayLike arr) {
  const Numbers numbers = read_numbers(arr.ptr());
  if (numbers.dim() != p.dim())
    invalid("Shape of values and parameter don't match in Parameters.set_value: ", numbers.dim(),
            " != ", p.dim());
  p.set_value(numbers.values);
}

/// The node of a parameter in the current graph.
Expression expression_of(const Parameter& p, Flag update) {
  Graph& graph = current_graph();
  return graph.expression(graph.add_parameter(p.get_storage(), update));
}

Array raw(const Storage& s, const Buffer& numbers) { return array_of(s.dim, numbers.data()); }

// -- lookup tables

/// Fills the first rows; std::invalid_argument if there are too many or their shape differs.
void init_from_array(LookupParameter& p, ArrayLike arr) {
  const Numbers numbers = read_numbers(arr.ptr(), true);
  LookupParameterStorage& s = p.get_storage();
  const Dim dim = numbers.dim(), row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim{1};
  if (dim[dim.nd - 1] > s.rows()) invalid("too many rows: ", dim[dim.nd - 1], " for a table of ", s.rows());
  if (!row.same_sizes(s.row_dim()))
    invalid("dim mismatch: rows of shape ", row, " for a table of rows ", s.row_dim());
  s.assign(numbers.values);
}

Array row_of(const LookupParameter& p, unsigned row, const Buffer& from) {
  const LookupParameterStorage& s = p.get_storage();
  if (row >= s.rows()) bad_index(s.name, ": row ", row, " was asked for; it has ", s.rows(), " rows");
  return array_of(s.row_dim(), from.data() + row * s.row_size());
}

Array rows_of(const LookupParameter& p, Indices rows, const Buffer& from) {
  const LookupParameterStorage& s = p.get_storage();
  Dim dim = s.dim;
  dim.d[dim.nd - 1] = static_cast<unsigned>(rows.size());
  std::vector<real> numbers;
  for (const unsigned row : rows) {
    if (row >= s.rows()) bad_index(s.name, ": row ", row, " was asked for; it has ", s.rows(), " rows");
    const real* first = from.data() + row * s.row_size();
    numbers.insert(numbers.end(), first, first + s.row_size());
  }
  return python::rows_of(dim, numbers.data());
}

Shape table_shape(const LookupParameter& p) {
  const Dim row = p.dim();
  nb::list shape;
  shape.append(p.rows());
  for (unsigned i = 0; i < row.nd; ++i) shape.append(row.d[i]);
  return nb::tuple(shape);
}

void bind_rows(PyTypeObject* type) {
  const auto values = [](const LookupParameter& p) -> const Buffer& { return p.get_storage().values; };
  const auto gradient = [](const LookupParameter& p) -> const Buffer& { return p.get_storage().gradient; };
  const auto whole = [](const LookupParameter& p, const Buffer& from) {
    return python::rows_of(p.get_storage().dim, from.data());
  };
  def(
      type, "as_array", [=](const LookupParameter& p) { return whole(p, values(p)); }, alone,
      "The table, its rows first.");
  def(
      type, "grad_as_array", [=](const LookupParameter& p) { return whole(p, gradient(p)); }, alone,
      "The gradient of the table, its rows first.");
  def(
      type, "row_as_array", [=](const LookupParameter& p, Whole row) { return row_of(p, row, values(p)); },
      "row"_a, "One row.");
  def(
      type, "row_grad_as_array",
      [=](const LookupParameter& p, Whole row) { return row_of(p, row, gradient(p)); }, "row"_a, alone,
      "The gradient of one row.");
  def(
      type, "rows_as_array",
      [=](const LookupParameter& p, Indices rows) { return rows_of(p, rows, values(p)); }, "rows"_a, alone,
      "Some rows.");
  def(
      type, "rows_grad_as_array",
      [=](const LookupParameter& p, Indices rows) { return rows_of(p, rows, gradient(p)); }, "rows"_a, alone,
      "The gradients of some rows.");
}

}  // namespace

void bind_parameters(nb::module_&) {
  PyTypeObject* type = types.parameters;
  bind_shared<Parameter>(type);
  def(
      type, "shape", [](const Parameter& p) -> Shape { return nb::cast<nb::tuple>(nb::cast(p.dim())); },
      "The sizes.");
  def(
      type, "as_array", [](const Parameter& p) { return raw(p.get_storage(), p.get_storage().values); },
      alone, "The stored numbers, without lazy weight decay.");
  def(
      type, "grad_as_array",
      [](const Parameter& p) { return raw(p.get_storage(), p.get_storage().gradient); }, alone,
      "The gradient.");
  def(type, "set_value", set_value, "arr"_a, alone,
      "Replaces the values by those of an array of the same shape.");
  def(
      type, "clip_inplace", [](Parameter& p, Number left, Number right) { p.clip_inplace(left, right); },
      "left"_a, "right"_a, alone, "Forces every value into a range.");
  def(type, "expr", expression_of, "update"_a = false,
      "Its node in the current graph. Unless update is set it gets no gradient, as in DyNet 2; the parameter "
      "itself, used as an expression, gets one.");
}

void bind_lookups(nb::module_&) {
  PyTypeObject* type = types.lookup;
  bind_shared<LookupParameter>(type);
  bind_rows(type);
  def(type, "shape", table_shape, "The number of rows, then the sizes of a row.");
  def(type, "init_from_array", init_from_array, "arr"_a, alone,
      "Fills the first rows with those of an array.");
  def(
      type, "init_row",
      [](const LookupParameter& p, Whole i, ArrayLike row) { p.initialize(i, read_values(row.ptr())); },
      "i"_a, "row"_a, alone, "Replaces a row.");
  def(
      type, "batch", [](Table p, Indices i) { return Lookup::make(current_graph(), p, i, true); }, "i"_a,
      "A batch of rows as an expression.");
  def(type, "expr", [](const LookupParameter& p) { return p; }, "The table itself.");
  def(
      type, "scalar_value",
      [](const LookupParameter& p, Flag) -> real {
        failed("scalar_value: ", p.get_fullname(), " is a table");
      },
      "recalculate"_a = false, "Not applicable: raises RuntimeError.");
}

}  // namespace dynet::python
