// The methods of Parameters and LookupParameters: their numbers as arrays, their gradients, their files.
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
  def(
      type, "name", [](const P& p) { return compute_apart([&] { return std::string(p.get_fullname()); }); },
      "The full name.");
  def(type, "zero", [](P& p) { p.zero(); }, alone, "Sets values and gradient to zero.");
  def(type, "scale", [](P& p, Number s) { p.scale(s); }, "s"_a, alone, "Multiplies the values.");
  def(
      type, "scale_gradient", [](P& p, Number s) { p.scale_gradient(s); }, "s"_a, alone,
      "Multiplies the gradient.");
  def(type, "is_updated", [](const P& p) { return p.is_updated(); }, "Whether trainers change it.");
  def(
      type, "set_updated", [](P& p, Flag b) { p.set_updated(b); }, "b"_a, alone,
      "Freezes it, or lets trainers change it.");
  const auto save = [](const P& p, const Path& fname, const std::string& key, Flag append) {
    save_to(fname, append, p, key);
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
  const Changing changing;
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

/// What is read of a parameter: where it lies, and who else may be at it.
struct Values {
  /// Nobody changes values while somebody computes with them.
  template <class Read>
  static void read(const Storage& s, Read&& read) {
    compute_apart([&] { read(s.values.data()); });
  }
};
struct Gradients {
  /// Backward passes of several threads write them.
  template <class Read>
  static void read(const Storage& s, Read&& read) {
    const Changing changing;
    read(s.gradient.numbers().data());
  }
};

/// The numbers in a new array, which is made before they are asked for: no program runs while they are read.
template <class From>
Array copy_of(const Parameter& p) {
  const Storage& s = p.get_storage();
  const NewArray to(s.dim);
  From::read(s, [&](const real* from) { to.write(from); });
  return to.array;
}

// -- lookup tables

/// Fills the first rows; std::invalid_argument if there are too many or their shape differs.
void init_from_array(LookupParameter& p, ArrayLike arr) {
  const Numbers numbers = read_numbers(arr.ptr(), true);
  const Changing changing;
  LookupParameterStorage& s = p.get_storage();
  const Dim dim = numbers.dim(), row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim{1};
  if (dim[dim.nd - 1] > s.rows()) invalid("too many rows: ", dim[dim.nd - 1], " for a table of ", s.rows());
  if (!row.same_sizes(s.row_dim()))
    invalid("dim mismatch: rows of shape ", row, " for a table of rows ", s.row_dim());
  s.assign(numbers.values);
}

void init_row(const LookupParameter& p, Whole i, ArrayLike row) {
  const std::vector<real> numbers = read_values(row.ptr());
  const Changing changing;
  p.initialize(i, numbers);
}

void check_row(const LookupParameterStorage& s, unsigned row) {
  if (row >= s.rows()) bad_index(s.name, ": row ", row, " was asked for; it has ", s.rows(), " rows");
}

template <class From>
Array whole(const LookupParameter& p) {
  const LookupParameterStorage& s = p.get_storage();
  const NewArray to = NewArray::of_rows(s.row_dim(), s.rows());
  From::read(s, [&](const real* from) {
    for (size_t row = 0; row < s.rows(); ++row) to.write(from + row * s.row_size(), row);
  });
  return to.array;
}

template <class From>
Array row_of(const LookupParameter& p, Whole row) {
  const LookupParameterStorage& s = p.get_storage();
  check_row(s, row);
  const NewArray to(s.row_dim());
  From::read(s, [&](const real* from) { to.write(from + row * s.row_size()); });
  return to.array;
}

template <class From>
Array rows_of(const LookupParameter& p, Indices rows) {
  const LookupParameterStorage& s = p.get_storage();
  for (const unsigned row : rows) check_row(s, row);
  const NewArray to = NewArray::of_rows(s.row_dim(), rows.size());
  From::read(s, [&](const real* from) {
    size_t at = 0;
    for (const unsigned row : rows) to.write(from + row * s.row_size(), at++);
  });
  return to.array;
}

Shape table_shape(const LookupParameter& p) {
  const Dim row = p.dim();
  nb::list shape;
  shape.append(p.rows());
  for (unsigned i = 0; i < row.nd; ++i) shape.append(row.d[i]);
  return nb::tuple(shape);
}

void bind_rows(PyTypeObject* type) {
  def(type, "as_array", whole<Values>, "The table, its rows first.");
  def(type, "grad_as_array", whole<Gradients>, "The gradient of the table, its rows first.");
  def(type, "row_as_array", row_of<Values>, "row"_a, "One row.");
  def(type, "row_grad_as_array", row_of<Gradients>, "row"_a, "The gradient of one row.");
  def(type, "rows_as_array", rows_of<Values>, "rows"_a, "Some rows.");
  def(type, "rows_grad_as_array", rows_of<Gradients>, "rows"_a, "The gradients of some rows.");
}

}  // namespace

void bind_parameters(nb::module_&) {
  PyTypeObject* type = types.parameters;
  bind_shared<Parameter>(type);
  def(
      type, "shape", [](const Parameter& p) -> Shape { return nb::cast<nb::tuple>(nb::cast(p.dim())); },
      "The sizes.");
  def(type, "as_array", copy_of<Values>, "The stored numbers, without lazy weight decay.");
  def(type, "grad_as_array", copy_of<Gradients>, "The gradient.");
  def(type, "set_value", set_value, "arr"_a, "Replaces the values by those of an array of the same shape.");
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
  def(type, "init_from_array", init_from_array, "arr"_a, "Fills the first rows with those of an array.");
  def(type, "init_row", init_row, "i"_a, "row"_a, "Replaces a row.");
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
