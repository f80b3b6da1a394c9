// The tree LSTMs.
#include "dynet/nn/treelstm.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "python/src/lists.h"
#include "python/src/pictures.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// The builder in the current graph, where it begins a new tree if it has none there.
TreeLSTMBuilder& bound(TreeLSTMBuilder& b) {
  Graph& graph = current_graph();
  if (!b.resume(graph.id())) {
    b.new_graph(graph);
    b.start_new_sequence();
  }
  return b;
}

Expression add_input(TreeLSTMBuilder& b, Whole id, Indices children, const Expression& x) {
  return bound(b).add_input(static_cast<int>(id), {children.begin(), children.end()}, x);
}

std::optional<Expression> back(TreeLSTMBuilder& b) {
  const Expression e = bound(b).back();
  return e.pg ? std::optional(e) : std::nullopt;
}

void bind_base(nb::module_& m) {
  using B = TreeLSTMBuilder;
  nb::class_<B> type(
      m, "_TreeLSTMBuilder",
      "What tree LSTMs have in common. Nodes are added children first; a tree belongs to the current "
      "graph, and begins anew with each graph.");
  no_constructor(type, "make a NaryTreeLSTMBuilder or another one");
  show_in_notebooks(type);
  type.def(
          "start_new_sequence",
          [](B& b, Flag update) {
            b.new_graph(current_graph(), update);
            b.start_new_sequence();
          },
          "update"_a = true,
          "Begins a new tree in the current graph. Without update the parameters get no gradient.")
      .def(
          "set_num_elements", [](B& b, Whole num) { bound(b).set_num_elements(num); }, "num"_a,
          "Announces that the ids of the tree's nodes are 0 to num - 1; without it any id is welcome.")
      .def("add_input", add_input, "id"_a, "children"_a, "x"_a,
           "Adds the node `id`, which reads x and the nodes with the ids `children`, and returns its output. "
           "ValueError if a child is missing or the node is there already.")
      .def("back", back, "The output of the node added last; None before.")
      .def(
          "final_h", [](B& b) { return list_of(bound(b).final_h()); },
          "Each layer's output in the node added last.")
      .def(
          "get_h", [](B& b, Whole id) { return list_of(bound(b).get_h(static_cast<int>(id))); }, "id"_a,
          "Each layer's output in node `id`. IndexError if there is none.")
      .def(
          "set_dropout", [](B& b, Number f) { b.set_dropout(f); }, "f"_a, "Sets all dropout rates.")
      .def(
          "set_dropouts", [](B& b, Number d, Number d_h) { b.set_dropout(d, d_h); }, "d"_a, "d_h"_a,
          "Sets the dropout rates of inputs and of children's outputs.")
      .def("disable_dropout", &B::disable_dropout, "Sets all dropout rates to zero.")
      .def(
          "param_collection", [](B& b) { return b.get_parameter_collection(); },
          "The collection of the builder's parameters.")
      .def(
          "get_parameters", [](const B& b) { return list_of(b.parameters()); },
          "The parameters of each layer.")
      .def("__repr__",
           [](nb::handle self) {
             const B& b = nb::cast<const B&>(self);
             return text(type_name(self.ptr()), "(layers=", b.layers, ", input_dim=", b.input_dim,
                         ", hidden_dim=", b.hidden_dim, ')', rates_text(b.dropout_rates()));
           })
      .def("whoami", &B::name, "The name of the class.");
}

/// The constructor and `spec` of a builder whose arguments are three sizes.
template <class B>
void bind_builder(nb::module_& m, const char* name, const char* doc) {
  nb::class_<B, TreeLSTMBuilder>(m, name, doc)
      .def(
          "__init__",
          [](B* self, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model) {
            build(self, layers, input_dim, hidden_dim, model);
          },
          "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, alone)
      .def_prop_ro("spec", [](const B& b) { return nb::make_tuple(b.layers, b.input_dim, b.hidden_dim); })
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 3);
            return nb::typed<nb::object, B>(nb::type<B>()(items[0], items[1], items[2], model));
          },
          "spec"_a, "model"_a, "A builder from what `spec` of another one is.");
}

void bind_nary(nb::module_& m) {
  using B = NaryTreeLSTMBuilder;
  nb::class_<B, TreeLSTMBuilder>(m, "NaryTreeLSTMBuilder",
                                 "The N-ary tree LSTM (Tai, Socher and Manning 2015) with peepholes. Each of "
                                 "the first N child positions has matrices of its own; later children share "
                                 "those of the Nth.")
      .def(
          "__init__",
          [](B* self, Whole N, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model) {
            build(self, N, layers, input_dim, hidden_dim, model);
          },
          "N"_a, "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, alone)
      .def_prop_ro("spec",
                   [](const B& b) { return nb::make_tuple(b.N, b.layers, b.input_dim, b.hidden_dim); })
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 4);
            return nb::typed<nb::object, B>(nb::type<B>()(items[0], items[1], items[2], items[3], model));
          },
          "spec"_a, "model"_a, "A builder from what `spec` of another one is.");
}

}  // namespace

void bind_treelstm(nb::module_& m) {
  bind_base(m);
  bind_nary(m);
  bind_builder<UnidirectionalTreeLSTMBuilder>(
      m, "UnidirectionalTreeLSTMBuilder",
      "An LSTM that reads x and then the children's outputs; input_dim must be hidden_dim.");
  bind_builder<BidirectionalTreeLSTMBuilder>(m, "BidirectionalTreeLSTMBuilder",
                                             "Two LSTMs of half the size over x and the children's outputs, "
                                             "one in each direction; input_dim must be "
                                             "hidden_dim, and even.");
}

}  // namespace dynet::python
