// The methods of Parameters and LookupParameters: their numbers as arrays, their gradients, their files.
#include "python/src/docs/parameters.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "dynet/ops/all.h"
#include "python/src/casters.h"
#include "python/src/docs/lookup.h"
#include "python/src/evaluate.h"
#include "python/src/files.h"
#include "python/src/initializers.h"
#include "python/src/numbers.h"
#include "python/src/parameter_array.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;

/// The node of a parameter in the current graph.
Expression expression_of(const Parameter& p, Flag update) {
  Graph& graph = current_graph();
  return graph.expression(graph.add_parameter(p.get_storage(), update));
}

/// What is read of a parameter, and who else may be at it: read gets at(first, size), which says where
/// numbers lie until it is asked for others.
struct Values {
  /// Nobody changes values while somebody computes with them. Where weight decay is pending, what is seen of
  /// them lies nowhere else.
  template <class Read>
  static void read(const Storage& s, Read&& read) {
    compute_apart([&] {
      if (s.decay_factor == 1) return read([&](size_t first, size_t) { return s.numbers.data() + first; });
      std::vector<real> seen;
      read([&](size_t first, size_t size) {
        seen.resize(size);
        s.show(seen.data(), first, size);
        return seen.data();
      });
    });
  }
};
struct Gradients {
  /// Backward passes of several threads write them.
  template <class Read>
  static void read(const Storage& s, Read&& read) {
    const Changing changing;
    const real* const from = s.gradient.numbers().data();
    read([&](size_t first, size_t) { return from + first; });
  }
};

template <class From>
Array copy_of(const Storage& s) {
  const ParameterArray to(s);
  From::read(s, [&](auto&& at) { to.write(at); });
  return to.array();
}

/// An array over the gradient's own memory, column-major as that is, which keeps the parameter.
Array view_of_gradient(const Parameter& p) {
  ParameterStorage& s = p.get_storage();
  if (chosen_engine().memory())
    failed("grad_view: the engine keeps ", s.name, " in memory of its own; grad_as_array() copies it");
  const Changing changing;
  nb::list shape, strides;
  size_t stride = sizeof(real);
  for (unsigned i = 0; i < std::max(s.dim.nd, 1u); ++i) {
    shape.append(s.dim[i]), strides.append(stride);
    stride *= s.dim[i];
  }
  nb::dict interface;
  interface["version"] = 3;
  interface["typestr"] = sizeof(real) == 4 ? "<f4" : "<f8";
  interface["shape"] = nb::tuple(shape);
  interface["strides"] = nb::tuple(strides);
  interface["data"] = nb::make_tuple(reinterpret_cast<uintptr_t>(s.gradient.show()), false);
  const nb::object owner = nb::module_::import_("types").attr("SimpleNamespace")();
  owner.attr("__array_interface__") = interface;
  owner.attr("parameter") = p;
  return Array(nb::module_::import_("numpy").attr("asarray")(owner));
}

/// The numbers of an argument that has the parameter's shape.
template <class P>
std::vector<real> numbers_for(const P& p, ArrayLike arr) {
  const Storage& s = p.get_storage();
  Numbers numbers = read_numbers(arr.ptr(), s.is_lookup);
  if (!fits(numbers.dim(), s.dim, s.is_lookup))
    invalid("an array of shape ", sizes_text(numbers.dim(), s.is_lookup), " was given for ", s.name,
            "; one of shape ", sizes_text(s.dim, s.is_lookup), " is needed");
  return std::move(numbers.values);
}

template <class P>
void set_value(P& p, ArrayLike arr) {
  const std::vector<real> numbers = numbers_for(p, arr);
  const Changing changing;
  p.set_value(numbers);
}

template <class P>
void set_gradient(P& p, ArrayLike arr) {
  const std::vector<real> numbers = numbers_for(p, arr);
  const Changing changing;
  p.get_storage().set_gradient(numbers);
}

/// What both kinds of parameters can do.
template <class P>
void bind_shared(PyTypeObject* type) {
  def(
      type, "name", [](const P& p) { return compute_apart([&] { return std::string(p.get_fullname()); }); },
      docs::parameters::name);
  def(type, "zero", [](P& p) { p.zero(); }, alone, docs::parameters::zero);
  def(type, "scale", [](P& p, Number s) { p.scale(s); }, "s"_a, alone, docs::parameters::scale);
  def(
      type, "scale_gradient", [](P& p, Number s) { p.scale_gradient(s); }, "s"_a, alone,
      docs::parameters::scale_gradient);
  def(type, "is_updated", [](const P& p) { return p.is_updated(); }, docs::parameters::is_updated);
  def(
      type, "set_updated", [](P& p, Flag b) { p.set_updated(b); }, "b"_a, alone,
      docs::parameters::set_updated);
  def(
      type, "clip_inplace",
      [](P& p, Number left, Number right) {
        const real low = left, high = right;
        if (!(low <= high))
          invalid("clip_inplace: ", low, " and ", high, " were given; the first must not be larger");
        p.clip_inplace(left, right);
      },
      "left"_a, "right"_a, alone, docs::parameters::clip_inplace);
  def(type, "set_value", set_value<P>, "arr"_a, docs::parameters::set_value);
  def(type, "set_gradient", set_gradient<P>, "arr"_a, docs::parameters::set_gradient);
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
    def(type, name, save, "fname"_a, "key"_a = "", "append"_a = false, docs::parameters::save);
  for (const char* name : {"populate", "populate_from_textfile"})
    def(type, name, populate, "fname"_a, "key"_a = "", docs::parameters::populate);
}

// -- lookup tables

/// Fills the first rows; std::invalid_argument if there are too many or their shape differs.
void init_from_array(LookupParameter& p, ArrayLike arr) {
  const Numbers numbers = read_numbers(arr.ptr(), true);
  const Changing changing;
  LookupParameterStorage& s = p.get_storage();
  const Dim dim = numbers.dim(), row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim();
  if (dim[dim.nd - 1] > s.rows() || !row.same_sizes(s.row_dim()))
    invalid("an array of shape ", sizes_text(dim, true), " was given for ", s.name, "; it has at most ",
            s.rows(), " rows of shape ", sizes_text(s.row_dim()));
  s.assign(numbers.values);
}

/// The numbers of a row: in its shape or, as DyNet 2 takes them, in one list, column-major.
std::vector<real> numbers_of_row(const LookupParameter& p, ArrayLike row) {
  Numbers numbers = read_numbers(row.ptr());
  const Dim given = numbers.dim().truncate(), dim = p.dim();
  if (given.nd > 1 && given != dim.truncate())
    invalid("a row of shape ", sizes_text(given), " was given for ", p.get_fullname(),
            ", whose rows have shape ", sizes_text(dim));
  return std::move(numbers.values);
}

void init_row(const LookupParameter& p, Whole i, ArrayLike row) {
  const std::vector<real> numbers = numbers_of_row(p, row);
  const Changing changing;
  p.initialize(i, numbers);
}

void check_row(const LookupParameterStorage& s, unsigned row) {
  if (row >= s.rows()) bad_index(s.name, ": row ", row, " was asked for; it has ", s.rows(), " rows");
}

template <class From>
Array whole(const LookupParameter& p) {
  return copy_of<From>(p.get_storage());
}

template <class From>
Array row_of(const LookupParameter& p, Whole row) {
  const LookupParameterStorage& s = p.get_storage();
  check_row(s, row);
  const NewArray to(s.row_dim());
  From::read(s, [&](auto&& at) { to.write(at(row * s.row_size(), s.row_size())); });
  return to.array;
}

template <class From>
Array rows_of(const LookupParameter& p, Chosen rows) {
  const LookupParameterStorage& s = p.get_storage();
  for (const unsigned row : rows) check_row(s, row);
  const NewArray to = NewArray::of_rows(s.row_dim(), rows.size());
  From::read(s, [&](auto&& at) {
    size_t place = 0;
    for (const unsigned row : rows) to.write(at(row * s.row_size(), s.row_size()), place++);
  });
  return to.array;
}

void set_row_gradient(const LookupParameter& p, Whole i, ArrayLike row) {
  const std::vector<real> numbers = numbers_of_row(p, row);
  const Changing changing;
  LookupParameterStorage& s = p.get_storage();
  check_row(s, i);
  if (numbers.size() != s.row_size())
    invalid("set_row_gradient: ", numbers.size(), " numbers for a row of ", s.name, " of shape ", s.row_dim(),
            "; it has ", s.row_size());
  chosen_engine().copy(numbers.size(), numbers.data(), s.row_gradient(i));
}

/// The rows that have a gradient, in order.
nb::typed<nb::list, int> touched_rows(const LookupParameter& p) {
  std::vector<uint32_t> rows;
  compute_apart([&] {
    const LookupParameterStorage& s = p.get_storage();
    rows.assign(s.touched.begin(), s.touched.end());
    if (s.all_touched) {
      rows.resize(s.rows());
      std::iota(rows.begin(), rows.end(), 0u);
    }
  });
  std::ranges::sort(rows);
  nb::list made;
  for (const uint32_t row : rows) made.append(row);
  return nb::typed<nb::list, int>(made);
}

/// Rows may come several times; nothing has changed where one is not there.
void add_rows_gradient(const LookupParameter& p, Chosen rows, ArrayLike gradients) {
  LookupParameterStorage& s = p.get_storage();
  for (const unsigned row : rows) check_row(s, row);
  if (rows.size() == 0) return;
  const Dim row = s.row_dim(), wanted = row.with(row.nd, static_cast<unsigned>(rows.size()));
  const Numbers numbers = read_numbers(gradients.ptr(), true);
  if (!fits(numbers.dim(), wanted, true))
    invalid("add_rows_gradient: an array of shape ", sizes_text(numbers.dim(), true), " was given for ",
            rows.size(), " rows of ", s.name, "; one of shape ", sizes_text(wanted, true), " is needed");
  const Changing changing;
  const size_t n = s.row_size();
  size_t place = 0;
  for (const unsigned row : rows) {
    const OnHost<real> to(s.row_gradient(row), n);
    for (size_t i = 0; i < n; ++i) to[i] += numbers.values[place * n + i];
    ++place;
  }
}

/// table[i] = vector
void set_row(const LookupParameter& p, nb::handle key, ArrayLike row) {
  long long i;
  if (!read_whole(key.ptr(), i))
    throw type_error(text("i is ", a_kind(key.ptr()),
                          "; the number of a row is needed. set_value replaces all rows, init_from_array the "
                          "first ones"));
  const long long rows = p.rows();
  if (i < -rows || i >= rows)
    bad_index("i is ", i, " and ", p.get_fullname(), " has ", rows, " rows; ", -rows, " to ", rows - 1,
              " would be right");
  init_row(p, {static_cast<unsigned>(i < 0 ? i + rows : i)}, row);
}

void add_rows(const LookupParameter& p, Whole n, InitArgument init, Number scale, Number mean, Number std) {
  const Dim row = p.dim(), whole = row.with(row.nd, n);
  std::unique_ptr<ParameterInit> own;
  if (is_array(init.ptr()) || is_numbers(init)) {
    Numbers numbers = read_numbers(init.ptr(), true);
    if (!fits(numbers.dim(), whole, true))
      invalid("add_rows: an array of shape ", sizes_text(numbers.dim(), true), " was given for rows of ",
              p.get_fullname(), "; one of shape ", sizes_text(whole, true), " is needed");
    own = std::make_unique<ParameterInitFromVector>(std::move(numbers.values));
  } else if (init.is_none()) {
    own = std::make_unique<ParameterInitGlorot>(true);
  }
  const InitChoice choice(own ? nb::none() : nb::object(nb::borrow(init)), row, {scale, mean, std});
  const Changing changing;
  p.add_rows(n, own ? *own : *choice);
}

Shape table_shape(const LookupParameter& p) {
  const Dim row = p.dim();
  nb::list shape;
  shape.append(p.rows());
  for (unsigned i = 0; i < row.nd; ++i) shape.append(row.d[i]);
  return nb::tuple(shape);
}

void bind_rows(PyTypeObject* type) {
  def(type, "as_array", whole<Values>, docs::lookup::as_array);
  def(type, "grad_as_array", whole<Gradients>, docs::lookup::grad_as_array);
  def(type, "row_as_array", row_of<Values>, "row"_a, docs::lookup::row_as_array);
  def(type, "row_grad_as_array", row_of<Gradients>, "row"_a, docs::lookup::row_grad_as_array);
  def(type, "rows_as_array", rows_of<Values>, "rows"_a, docs::lookup::rows_as_array);
  def(type, "rows_grad_as_array", rows_of<Gradients>, "rows"_a, docs::lookup::rows_grad_as_array);
  def(type, "touched_rows", touched_rows, docs::lookup::touched_rows);
  def(type, "add_rows_gradient", add_rows_gradient, "rows"_a, "gradients"_a, docs::lookup::add_rows_gradient);
}

}  // namespace

void bind_parameters(nb::module_&) {
  PyTypeObject* type = types.parameters;
  bind_shared<Parameter>(type);
  def(
      type, "shape", [](const Parameter& p) -> Shape { return nb::cast<nb::tuple>(nb::cast(p.dim())); },
      docs::parameters::shape);
  def(
      type, "as_array", [](const Parameter& p) { return copy_of<Values>(p.get_storage()); },
      docs::parameters::as_array);
  def(
      type, "grad_as_array", [](const Parameter& p) { return copy_of<Gradients>(p.get_storage()); },
      docs::parameters::grad_as_array);
  def(type, "grad_view", view_of_gradient, docs::parameters::grad_view);
  def(type, "expr", expression_of, "update"_a = false, docs::parameters::expr);
}

void bind_lookups(nb::module_&) {
  PyTypeObject* type = types.lookup;
  bind_shared<LookupParameter>(type);
  bind_rows(type);
  def(type, "shape", table_shape, docs::lookup::shape);
  def(type, "init_from_array", init_from_array, "arr"_a, docs::lookup::init_from_array);
  def(type, "init_row", init_row, "i"_a, "row"_a, docs::lookup::init_row);
  def(type, "__setitem__", set_row, "i"_a, "row"_a, "Replaces a row; -1 is the last one.");
  def(type, "set_row_gradient", set_row_gradient, "i"_a, "row"_a, docs::lookup::set_row_gradient);
  def(type, "add_rows", add_rows, "n"_a, "init"_a = nb::none(), "scale"_a = 1.0, "mean"_a = 0.0,
      "std"_a = 1.0, docs::lookup::add_rows);
  def(
      type, "batch", [](Table p, Indices i) { return Lookup::make(current_graph(), p, i, true); }, "i"_a,
      docs::lookup::batch);
  def(type, "expr", [](const LookupParameter& p) { return p; }, docs::lookup::expr);
  def(
      type, "scalar_value",
      [](const LookupParameter& p, Flag) -> real {
        failed("scalar_value: ", p.get_fullname(), " is a table; as_array() gives all of it");
      },
      "recalculate"_a = false, docs::lookup::scalar_value);
}

}  // namespace dynet::python
