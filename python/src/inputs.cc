// Inputs of a graph: numbers of programs, rows of lookup tables, and how both are set anew.
#include <nanobind/stl/optional.h>

#include "dynet/ops/all.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// A list of arrays is a batch of them; other arrays and lists are tensors, with a batch if `batched`.
Expression input_tensor(ArrayLike arr, Flag batched, std::string_view device, Flag) {
  check_device(device);
  const bool is_list = PyList_Check(arr.ptr()) || PyTuple_Check(arr.ptr());
  const bool of_arrays = is_list && nb::len(arr) > 0 && is_array(nb::object(arr[0]).ptr());
  const Numbers numbers = read_numbers(arr.ptr(), of_arrays);
  return Input::make(current_graph(), numbers.dim(batched || of_arrays), numbers.values);
}

Expression input_vector(ArrayLike v, std::string_view device) {
  check_device(device);
  const std::vector<real> numbers = read_values(v.ptr());
  return Input::make(current_graph(), {static_cast<unsigned>(numbers.size())}, numbers);
}

/// The constructor of inputTensorTranspose, a class of its own so that programs may ask for it.
nb::object input_transposed(nb::type_object type, ArrayLike val, std::optional<Dim> dim, Whole batch_size,
                            std::string_view device) {
  check_device(device);
  const std::vector<real> numbers = read_values(val.ptr());
  const Dim vector{static_cast<unsigned>(numbers.size() / std::max(1u, batch_size.value))};
  const Dim shape = dim.value_or(vector).with_batch(batch_size);
  return nb::steal(new_expression(Input::make(current_graph(), shape, numbers),
                                  reinterpret_cast<PyTypeObject*>(type.ptr())));
}

/// Positions in a tensor, column-major, from one list of indices per axis.
std::vector<unsigned> flat_positions(nb::handle lists, const Dim& shape, size_t count) {
  std::vector<unsigned> positions(count), indices;
  unsigned axis = 0, stride = 1;
  const auto add = [&](PyObject* list) {
    indices.clear();
    if (!read_indices(list, indices))
      throw nb::type_error("idxs must hold one list of indices for each axis");
    if (indices.size() != count)
      invalid("sparse_inputTensor: ", indices.size(), " indices of axis ", axis, " for ", count, " values");
    check_indices("sparse_inputTensor", indices, shape.d[axis], "axis ", axis);
    for (size_t i = 0; i < count; ++i) positions[i] += indices[i] * stride;
    stride *= shape.d[axis++];
  };
  if (!for_each(lists.ptr(), add)) throw nb::type_error("idxs must hold one list of indices for each axis");
  return positions;
}

Expression sparse_input(ArrayLike idxs, ArrayLike values, const Dim& shape, Flag batched, Number defval,
                        std::string_view device) {
  check_device(device);
  const Numbers numbers = read_numbers(values.ptr());
  if (numbers.shape.size() != 1)
    throw nb::type_error("sparse_inputTensor: values must be one list of numbers");
  if (nb::len(idxs) != shape.nd)
    invalid("sparse_inputTensor: ", nb::len(idxs), " lists of indices for a shape of ", shape.nd, " sizes");
  Dim dim = shape;
  if (batched) {
    dim.bd = dim.d[--dim.nd];
    if (dim.nd == 0) dim = Dim({1}, dim.bd);
  }
  return Input::sparse(current_graph(), dim, flat_positions(idxs, shape, numbers.values.size()),
                       numbers.values, defval);
}

Expression one_hot_of(Whole d, ArrayLike idx, std::string_view device) {
  check_device(device);
  std::vector<unsigned> places;
  if (unsigned place; read_unsigned(idx.ptr(), place))
    places.push_back(place);
  else if (!read_indices(idx.ptr(), places))
    throw nb::type_error("one_hot: idx must be an index or a list of them");
  return Input::one_hot(current_graph(), d, places);
}

Expression lookup(Table p, Whole index, Flag update) {
  return Lookup::make(current_graph(), p, Indices(std::span(&index.value, 1)), update);
}

Expression lookup_batch(Table p, Indices indices, Flag update) {
  return Lookup::make(current_graph(), p, indices, update);
}

// -- setting anew

void set_input(Graph& graph, unsigned id, nb::handle value) {
  real number;
  std::vector<real> numbers;
  if (read_real(value.ptr(), number))
    numbers.push_back(number);
  else
    numbers = read_values(value.ptr());
  const Dim dim = graph.dim(id);
  if (numbers.size() != dim.size())
    invalid("set: ", numbers.size(), " numbers for an input of shape ", dim, "; ", dim.size(), " are needed");
  graph.check_idle();
  std::copy(numbers.begin(), numbers.end(), attrs_of<Input>(graph[id].payload).values);
  graph.evaluator->invalidate();
}

/// One index for all batch elements, or one for each of them.
void set_indices(Graph& graph, unsigned id, nb::handle value, unsigned size) {
  const unsigned batch = graph.dim(id).bd;
  std::vector<unsigned> indices;
  if (unsigned index; read_unsigned(value.ptr(), index))
    indices.assign(batch, index);
  else if (!read_indices(value.ptr(), indices))
    throw nb::type_error("set: an index or a list of indices is needed");
  if (indices.size() != batch) invalid("set: ", indices.size(), " indices for a batch of ", batch);
  check_indices("set", indices, size, "an axis");
  graph.set_words(id, indices);
}

}  // namespace

void set_node(const Expression& e, ArrayLike value) {
  if (e.is_parameter()) invalid("set: a parameter was given; use set_value");
  check_fresh(e);
  Graph& graph = *e.pg;
  graph.evaluator->check_asked();
  const Node& node = graph[e.i];
  if (node.op == &op<Input>)
    set_input(graph, e.i, value);
  else if (node.op == &op<Lookup>)
    set_indices(graph, e.i, value, attrs_of<Lookup>(node.payload).table->rows());
  else if (node.op == &op<Pick>)
    set_indices(graph, e.i, value, graph.dim(graph.args(node)[0])[attrs_of<Pick>(node.payload).axis]);
  else
    invalid("set: the expression is the result of ", node.written().name,
            "; inputs, lookups and picks can be set");
}

PyObject* lookup_row(PyObject* table, PyObject* key) {
  return guarded([&]() -> PyObject* {
    long long index;
    if (!read_whole(key, index))
      throw nb::type_error(text("a row of a table is a ", type_name(key),
                                "; a whole number is needed, or lookup_batch for several rows")
                               .c_str());
    LookupParameterStorage& storage = reinterpret_cast<LookupObject*>(table)->lookup.get_storage();
    const long long rows = storage.rows();
    if (index < -rows || index >= rows)
      bad_index("lookup: index ", index, " is out of range for the table ", storage.name, " of size ", rows,
                "; ", -rows, " to ", rows - 1, " would be right");
    const auto row = static_cast<unsigned>(index < 0 ? index + rows : index);
    return new_expression(Lookup::make(current_graph(), storage, Indices(std::span(&row, 1)), true));
  });
}

PyObject* lookup_item(PyObject* table, Py_ssize_t row) { return lookup_row(table, nb::int_(row).ptr()); }

Py_ssize_t lookup_length(PyObject* table) { return reinterpret_cast<LookupObject*>(table)->lookup.rows(); }

void bind_inputs(nb::module_& m) {
  const auto device = "device"_a = "";
  m.def(
      "scalarInput",
      [](Number s, std::string_view device) {
        check_device(device);
        return Input::make(current_graph(), {1}, {&s.value, 1});
      },
      "s"_a, device, "A number as an input; set() changes it.");
  m.def(
      "vecInput",
      [](Whole dim, std::string_view device) {
        check_device(device);
        return Input::make(current_graph(), {dim}, std::vector<real>(dim));
      },
      "dim"_a, device, "A vector of zeros as an input; set() changes it.");
  m.def("inputVector", input_vector, "v"_a, device, "A list of numbers as an input; set() changes it.");
  m.def("inputTensor", input_tensor, "arr"_a, "batched"_a = false, device, "reusable_expr"_a = false,
        "An array or nested list as an input. batched: its last axis is the batch. A list of arrays is a "
        "batch of "
        "them. set() takes new numbers, column-major.");
  nb::cpp_function_def(input_transposed, nb::scope(reinterpret_cast<PyObject*>(types.transposed)),
                       nb::name("__new__"), "cls"_a, "val"_a, "dim"_a = nb::none(), "batch_size"_a = 1,
                       device);
  m.def("sparse_inputTensor", sparse_input, "idxs"_a, "values"_a, "shape"_a, "batched"_a = false,
        "defval"_a = 0.0, device,
        "An input that is defval but for the values at idxs, one list of indices for each axis. batched: the "
        "last "
        "axis is the batch.");
  m.def("one_hot", one_hot_of, "d"_a, "idx"_a, device,
        "A vector of size d with 1 at an index, or a batch of them for a list of indices.");
  m.def("lookup", lookup, "p"_a, "index"_a = 0, "update"_a = true,
        "A row of a lookup table; without update it gets no gradient. set() chooses another row.");
  m.def("lookup_batch", lookup_batch, "p"_a, "indices"_a, "update"_a = true,
        "A batch of rows of a lookup table; without update they get no gradient.");
}

}  // namespace dynet::python
