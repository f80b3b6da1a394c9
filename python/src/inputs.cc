// Inputs of a graph: numbers of programs, rows of lookup tables, and how both are set anew.
#include "dynet/ops/all.h"
#include "python/src/casters.h"
#include "python/src/docs/input.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// The first item of a list or tuple; None where there is none.
nb::object first_item(PyObject* o) {
  if (PyList_Check(o) && NB_LIST_GET_SIZE(o) > 0) return nb::borrow(NB_LIST_GET_ITEM(o, 0));
  if (PyTuple_Check(o) && NB_TUPLE_GET_SIZE(o) > 0) return nb::borrow(NB_TUPLE_GET_ITEM(o, 0));
  return nb::none();
}

/// A list of arrays is a batch of them; other arrays and lists are tensors, with a batch if `batched`.
Expression input_tensor(ArrayLike arr, Flag batched, std::string_view device, Flag) {
  check_device(device);
  const bool of_arrays = is_array(first_item(arr.ptr()).ptr());
  const Numbers numbers = read_numbers(arr.ptr(), of_arrays);
  return Input::make(current_graph(), numbers.dim(batched || of_arrays), numbers.values);
}

Expression input_vector(ArrayLike v, std::string_view device) {
  check_device(device);
  const std::vector<real> numbers = read_numbers(v.ptr()).values;
  return Input::make(current_graph(), {static_cast<unsigned>(numbers.size())}, numbers);
}

/// The constructor of inputTensorTranspose, a class of its own so that programs may ask for it.
nb::object input_transposed(nb::type_object type, ArrayLike val, const MaybeDim& dim, Whole batch_size,
                            std::string_view device) {
  check_device(device);
  Numbers numbers = read_numbers(val.ptr());
  const Dim vector{static_cast<unsigned>(numbers.values.size() / std::max(1u, batch_size.value))};
  const Dim shape = dim.value.value_or(vector).with_batch(batch_size);
  return nb::steal(new_expression(
      Input::make(current_graph(), shape, std::move(numbers).of(shape, "inputTensorTranspose")),
      reinterpret_cast<PyTypeObject*>(type.ptr())));
}

/// Lists of indices, one for each axis of a tensor, each as long as the list of values.
class Places {
 public:
  Places(PyObject* lists, size_t count) : count_(count) {
    const auto add = [&](PyObject* list) {
      const size_t before = indices_.size();
      if (!read_indices(list, indices_)) wrong_type();
      if (indices_.size() - before != count)
        invalid("sparse_inputTensor: ", indices_.size() - before, " indices of axis ", axes_, " for ", count,
                " values");
      ++axes_;
    };
    if (!for_each(lists, add)) wrong_type();
  }
  /// Positions in a tensor of this shape, column-major.
  std::vector<unsigned> in(const Dim& shape) const {
    if (axes_ != shape.nd)
      invalid("sparse_inputTensor: ", axes_, " lists of indices for a shape of ", shape.nd, " sizes");
    std::vector<unsigned> positions(count_);
    unsigned stride = 1;
    for (unsigned axis = 0; axis < shape.nd; stride *= shape.d[axis++]) {
      const Indices indices = indices_.span().subspan(axis * count_, count_);
      check_indices("sparse_inputTensor", indices, shape.d[axis], "axis ", axis);
      for (size_t i = 0; i < count_; ++i) positions[i] += indices[i] * stride;
    }
    return positions;
  }

 private:
  [[noreturn]] static void wrong_type() {
    throw type_error("sparse_inputTensor: idxs must hold one list of indices for each axis");
  }

  Elements<unsigned> indices_;
  size_t count_, axes_ = 0;
};

Expression sparse_input(ArrayLike idxs, ArrayLike values, const Dim& shape, Flag batched, Number defval,
                        std::string_view device) {
  check_device(device);
  const Numbers numbers = read_numbers(values.ptr());
  if (numbers.shape.size() != 1) throw type_error("sparse_inputTensor: values must be one list of numbers");
  const Places places(idxs.ptr(), numbers.values.size());
  Dim dim = shape;
  if (batched) {
    if (dim.nd == 0) invalid("sparse_inputTensor: the shape has no size; batched, its last one is the batch");
    dim.bd = dim.d[--dim.nd];
    if (dim.nd == 0) dim = Dim({1}, dim.bd);
  }
  return Input::sparse(current_graph(), dim, places.in(shape), numbers.values, defval);
}

Expression one_hot_of(Whole d, ArrayLike idx, std::string_view device) {
  check_device(device);
  Elements<unsigned> places;
  if (unsigned place; read_unsigned(idx.ptr(), place))
    places.add(place);
  else if (!read_indices(idx.ptr(), places))
    throw type_error("one_hot: idx must be an index or a list of them");
  return Input::one_hot(current_graph(), d, places.span());
}

Expression lookup(Table p, Whole index, Flag update) {
  return Lookup::make(current_graph(), p, Indices(std::span(&index.value, 1)), update);
}

Expression lookup_batch(Table p, Indices indices, Flag update) {
  return Lookup::make(current_graph(), p, indices, update);
}

// -- setting anew

/// What `set` was given, read before anything is looked up.
struct NewContent {
  Numbers numbers;             // of an input
  Elements<unsigned> indices;  // of a lookup or a pick
  bool single = false;         // one index, for all batch elements

  NewContent(const Op* op, PyObject* value) {
    if (op == &engine::op<Input>) {
      if (real number; read_real(value, number))
        numbers.values.push_back(number);
      else
        numbers = read_numbers(value);
    } else if (unsigned index; read_unsigned(value, index)) {
      indices.add(index);
      single = true;
    } else if (!read_indices(value, indices)) {
      throw type_error(
          text("set: ", a_kind(value), " was given; an index or a list of indices is needed").c_str());
    }
  }
};

void set_input(Graph& graph, unsigned id, Numbers&& given) {
  const Dim dim = graph.dim(id);
  const std::vector<real> numbers = std::move(given).of(dim, "set");
  if (numbers.size() != dim.size())
    invalid("set: ", numbers.size(), " numbers for an input of shape ", dim, "; ", dim.size(), " are needed");
  graph.check_idle();
  graph.check_outside_tasks("set");
  std::ranges::copy(numbers, attrs_of<Input>(graph[id].payload).values);
  graph.evaluator->invalidate();
}

void set_indices(Graph& graph, unsigned id, const NewContent& content, unsigned size) {
  const unsigned batch = graph.dim(id).bd;
  std::vector<unsigned> indices(content.indices.span().begin(), content.indices.span().end());
  if (content.single) indices.assign(batch, indices[0]);
  if (indices.size() != batch)
    invalid("set: ", indices.size(), " indices for a batch of ", batch, "; one for each element is needed");
  check_indices("set", indices, size, "an axis");
  graph.set_words(id, indices);
}

/// The operation of a node that can be set.
const Op* settable(const Expression& e) {
  if (e.is_parameter()) invalid("set: a parameter was given; use set_value");
  const Expression node = node_of(e);
  (*node.pg).evaluator->check_asked();
  static_cast<void>(node.dim());  // refuses what was removed
  const Node& known = (*node.pg)[node.i];
  if (known.op != &op<Input> && known.op != &op<Lookup> && known.op != &op<Pick>)
    invalid("set: the expression is the result of ", known.written().name,
            "; inputs, lookups and picks can be set");
  return known.op;
}

}  // namespace

void set_node(const Expression& e, ArrayLike value) {
  const Op* const kind = settable(e);
  NewContent content(kind, value.ptr());
  // Reading it may have run a program that began the graph anew, or went back in it.
  if (settable(e) != kind) failed("set: the expression was removed from its graph while its value was read");
  Graph& graph = *e.pg;
  graph.evaluator->check_asked();
  const Node& node = graph[e.i];
  if (kind == &op<Input>)
    set_input(graph, e.i, std::move(content.numbers));
  else if (kind == &op<Lookup>)
    set_indices(graph, e.i, content, attrs_of<Lookup>(node.payload).table->rows());
  else
    set_indices(graph, e.i, content, graph.dim(graph.args(node)[0])[attrs_of<Pick>(node.payload).axis]);
}

PyObject* lookup_row(PyObject* table, PyObject* key) {
  return guarded([&]() -> PyObject* {
    long long index;
    if (!read_whole(key, index))
      throw type_error(text("table[i]: i is ", a_kind(key),
                            "; a whole number is needed, or lookup_batch for several rows"));
    LookupParameterStorage& storage = reinterpret_cast<LookupObject*>(table)->lookup.get_storage();
    const long long rows = storage.rows();
    if (index < -rows || index >= rows)
      bad_index("table[i]: i is ", index, " and ", storage.name, " has ", rows, " rows; ", -rows, " to ",
                rows - 1, " would be right");
    const auto row = static_cast<unsigned>(index < 0 ? index + rows : index);
    return new_expression(Lookup::make(current_graph(), storage, Indices(std::span(&row, 1)), true));
  });
}

PyObject* lookup_item(PyObject* table, Py_ssize_t row) {
  return guarded([&] { return lookup_row(table, nb::int_(row).ptr()); });
}

Py_ssize_t lookup_length(PyObject* table) { return reinterpret_cast<LookupObject*>(table)->lookup.rows(); }

void bind_inputs(nb::module_& m) {
  const auto device = "device"_a = "";
  m.def(
      "scalarInput",
      [](Number s, std::string_view device) {
        check_device(device);
        return Input::make(current_graph(), {1}, {&s.value, 1});
      },
      "s"_a, device, docs::input::scalar);
  m.def(
      "vecInput",
      [](Whole dim, std::string_view device) {
        check_device(device);
        return Input::make(current_graph(), {dim}, std::vector<real>(dim));
      },
      "dim"_a, device, docs::input::zeros);
  m.def("inputVector", input_vector, "v"_a, device, docs::input::vector);
  m.def("inputTensor", input_tensor, "arr"_a, "batched"_a = false, device, "reusable_expr"_a = false,
        docs::input::tensor);
  nb::cpp_function_def(input_transposed, nb::scope(reinterpret_cast<PyObject*>(types.transposed)),
                       nb::name("__new__"), "cls"_a, "val"_a, "dim"_a = nb::none(), "batch_size"_a = 1,
                       device);
  m.def("sparse_inputTensor", sparse_input, "idxs"_a, "values"_a, "shape"_a, "batched"_a = false,
        "defval"_a = 0.0, device, docs::input::sparse);
  m.def("one_hot", one_hot_of, "d"_a, "idx"_a, device, docs::input::one_hot);
  m.def("lookup", lookup, "p"_a, "index"_a = 0, "update"_a = true, docs::input::lookup);
  m.def("lookup_batch", lookup_batch, "p"_a, "indices"_a, "update"_a = true, docs::input::lookup_batch);
}

}  // namespace dynet::python
