// The tree LSTMs.
#include "dynet/nn/treelstm.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "python/src/docs/builder.h"
#include "python/src/docs/tree.h"
#include "python/src/docstring.h"
#include "python/src/lists.h"
#include "python/src/pictures.h"
#include "python/src/tasks.h"
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
  keep_nodes();  // the builder has the nodes of its tree
  return bound(b).add_input(static_cast<int>(id), {children.begin(), children.end()}, x);
}

std::optional<Expression> back(TreeLSTMBuilder& b) {
  const Expression e = bound(b).back();
  return e.pg ? std::optional(e) : std::nullopt;
}

void bind_base_tree(nb::module_& m) {
  using B = TreeLSTMBuilder;
  nb::class_<B> type(m, "_TreeLSTMBuilder", docs::tree::type);
  no_constructor(type, "make a NaryTreeLSTMBuilder or another one");
  show_in_notebooks(type);
  type.def(
          "start_new_sequence",
          [](B& b, Flag update) {
            b.new_graph(current_graph(), update);
            b.start_new_sequence();
          },
          "update"_a = true, docs::tree::start_new_sequence)
      .def(
          "set_num_elements", [](B& b, Whole num) { bound(b).set_num_elements(num); }, "num"_a,
          docs::tree::set_num_elements)
      .def("add_input", add_input, "id"_a, "children"_a, "x"_a, docs::tree::add_input)
      .def("back", back, docs::tree::back)
      .def(
          "final_h", [](B& b) { return list_of(bound(b).final_h()); }, docs::tree::final_h)
      .def(
          "get_h", [](B& b, Whole id) { return list_of(bound(b).get_h(static_cast<int>(id))); }, "id"_a,
          docs::tree::get_h)
      .def(
          "set_dropout", [](B& b, Number f) { b.set_dropout(f); }, "f"_a, docs::tree::set_dropout)
      .def(
          "set_dropouts", [](B& b, Number d, Number d_h) { b.set_dropout(d, d_h); }, "d"_a, "d_h"_a,
          docs::tree::set_dropouts)
      .def("disable_dropout", &B::disable_dropout, docs::tree::disable_dropout)
      .def(
          "param_collection", [](B& b) { return b.get_parameter_collection(); }, docs::tree::param_collection)
      .def(
          "get_parameters", [](const B& b) { return list_of(b.parameters()); }, docs::tree::get_parameters)
      .def("__repr__",
           [](nb::handle self) {
             const B& b = nb::cast<const B&>(self);
             return text(type_name(self.ptr()), "(layers=", b.layers, ", input_dim=", b.input_dim,
                         ", hidden_dim=", b.hidden_dim, ')', rates_text(b.dropout_rates()));
           })
      .def("whoami", &B::name, docs::tree::whoami);
}

/// The constructor and `spec` of a builder whose arguments are three sizes.
template <class B>
void bind_tree(nb::module_& m, const char* name) {
  nb::class_<B, TreeLSTMBuilder>(m, name, docstring(B::doc).c_str())
      .def(
          "__init__",
          [](B* self, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model) {
            build(self, layers, input_dim, hidden_dim, model);
          },
          "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, alone)
      .def_prop_ro(
          "spec", [](const B& b) { return nb::make_tuple(b.layers, b.input_dim, b.hidden_dim); },
          docs::builder::spec)
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 3);
            return nb::typed<nb::object, B>(nb::type<B>()(items[0], items[1], items[2], model));
          },
          "spec"_a, "model"_a, docs::builder::from_spec);
}

void bind_nary(nb::module_& m) {
  using B = NaryTreeLSTMBuilder;
  nb::class_<B, TreeLSTMBuilder>(m, "NaryTreeLSTMBuilder", docstring(B::doc).c_str())
      .def(
          "__init__",
          [](B* self, Whole N, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model) {
            build(self, N, layers, input_dim, hidden_dim, model);
          },
          "N"_a, "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, alone)
      .def_prop_ro(
          "spec", [](const B& b) { return nb::make_tuple(b.N, b.layers, b.input_dim, b.hidden_dim); },
          docs::builder::spec)
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 4);
            return nb::typed<nb::object, B>(nb::type<B>()(items[0], items[1], items[2], items[3], model));
          },
          "spec"_a, "model"_a, docs::builder::from_spec);
}

}  // namespace

void bind_treelstm(nb::module_& m) {
  bind_base_tree(m);
  bind_nary(m);
  bind_tree<UnidirectionalTreeLSTMBuilder>(m, "UnidirectionalTreeLSTMBuilder");
  bind_tree<BidirectionalTreeLSTMBuilder>(m, "BidirectionalTreeLSTMBuilder");
}

}  // namespace dynet::python
