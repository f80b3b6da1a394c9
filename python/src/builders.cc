// The recurrent builders and their states.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "dynet/nn/coupled_lstm.h"
#include "dynet/nn/gru.h"
#include "dynet/nn/lstm.h"
#include "dynet/nn/simple.h"
#include "dynet/nn/state.h"
#include "dynet/ops/all.h"
#include "python/src/docs/builder.h"
#include "python/src/docs/state.h"
#include "python/src/docstring.h"
#include "python/src/lists.h"
#include "python/src/numbers.h"
#include "python/src/owned.h"
#include "python/src/pictures.h"
#include "python/src/positional.h"
#include "python/src/sharing.h"
#include "python/src/tasks.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// A state that keeps its builder alive.
struct PythonState {
  RNNState state;
  nb::object builder;
  CountedInUse counted = {};

  PythonState with(const RNNState& other) const { return {other, builder}; }
  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(builder.ptr());
    return 0;
  }
  void clear() { builder = nb::none(); }
};

struct AddInput {
  static PythonState make(const PythonState& s, const Expression& x) {
    return all_or_nothing([&] { return s.with(s.state.add_input(x)); }, x);
  }
};

void bind_state(nb::module_& m) {
  const auto read = [](const PythonState& s, Sequence xs) {
    nb::typed<nb::list, PythonState> states;
    const auto made = all_or_nothing([&] { return s.state.add_inputs(xs); }, xs);
    for (const RNNState& state : made) states.append(s.with(state));
    return states;
  };
  const auto prev = [](const PythonState& s) -> std::optional<PythonState> {
    const auto before = s.state.prev();
    return before ? std::optional(s.with(*before)) : std::nullopt;
  };
  const auto output = [](const PythonState& s) {
    return s.state.has_output() ? std::optional(s.state.output()) : std::nullopt;
  };
  nb::class_<PythonState> type(m, "RNNState", docs::state::type, nb::is_weak_referenceable(),
                               nb::type_slots(Collected<PythonState>::slots));
  no_constructor(type, "a builder's initial_state() gives one");
  type.def("add_input", AddInput::make, "x"_a, docs::state::add_input)
      .def("add_inputs", read, "xs"_a, docs::state::add_inputs)
      .def(
          "transduce",
          [](const PythonState& s, Sequence xs) {
            return list_of(all_or_nothing([&] { return s.state.transduce(xs); }, xs));
          },
          "xs"_a, docs::state::transduce)
      .def("output", output, docs::state::output)
      .def(
          "h", [](const PythonState& s) { return tuple_of(s.state.h()); }, docs::state::h)
      .def(
          "s", [](const PythonState& s) { return tuple_of(s.state.s()); }, docs::state::s)
      .def(
          "set_h",
          [](const PythonState& s, Sequence es) {
            return s.with(all_or_nothing([&] { return s.state.set_h(es); }, es));
          },
          "es"_a.none() = nb::none(), docs::state::set_h)
      .def(
          "set_s",
          [](const PythonState& s, Sequence es) {
            return s.with(all_or_nothing([&] { return s.state.set_s(es); }, es));
          },
          "es"_a.none() = nb::none(), docs::state::set_s)
      .def("prev", prev, docs::state::prev)
      .def(
          "b", [](const PythonState& s) { return s.builder; }, docs::state::b)
      .def(
          "__eq__", [](const PythonState& s, const PythonState& o) { return s.state == o.state; },
          nb::is_operator())
      .def("__hash__", [](const PythonState& s) { return s.state.position; })
      .def("__repr__", [](const PythonState& s) {
        const bool is_first = s.state.position < 0;
        return text(is_first ? "the initial state" : text("state ", s.state.position), " of ",
                    nb::repr(s.builder).c_str());
      });
  Successor<PythonState, AddInput>::bind(type, "add_input");
}

using StateObject = nb::typed<nb::object, PythonState>;

RNNBuilder& builder_of(const char* call, nb::handle self) {
  RNNBuilder* builder;
  if (!nb::try_cast(self, builder) || !builder)
    throw type_error(text(call, ": ", a_kind(self.ptr()), " was given; a builder is needed"));
  return *builder;
}

/// In one graph the initial state is one object. The builder refers to it weakly, as it keeps the builder.
StateObject first_state(nb::object self, Sequence vecs, Flag update) {
  RNNBuilder& builder = builder_of("initial_state", self);
  const RNNState state = all_or_nothing(
      [&] { return vecs.empty() ? initial_state(builder, update) : initial_state(builder, vecs, update); },
      vecs);
  if (!vecs.empty()) return nb::cast(PythonState{state, self});
  const nb::object known = nb::getattr(self, "_dynet_initial_state", nb::none());
  if (PyWeakref_Check(known.ptr()))
    if (const nb::object alive = known(); !alive.is_none() && nb::cast<PythonState&>(alive).state == state)
      return StateObject(alive);
  const nb::object object = nb::cast(PythonState{state, self});
  self.attr("_dynet_initial_state") = nb::weakref(object);
  return StateObject(object);
}

/// The state of a sequence that has been read.
PythonState last_state(nb::object self, Sequence xs, Flag update) {
  static_cast<void>(builder_of("final_state", self));
  return all_or_nothing(
      [&] {
        const auto first = first_state(self, {}, update);
        const auto& state = nb::cast<const PythonState&>(first);
        return xs.empty() ? state : state.with(state.state.add_inputs(xs).back());
      },
      xs);
}

StateObject zero_state(nb::object self, Whole batch_size, Flag update) {
  const RNNBuilder& builder = builder_of("zero_state", self);
  return all_or_nothing([&] {
    const Expression zero = zeros(current_graph(), Dim({builder.hidden_dim}, batch_size));
    return first_state(self, std::vector<Expression>(builder.num_h0_components(), zero), update);
  });
}

StateObject first_state_from_arrays(nb::object self, nb::handle vecs, Flag update) {
  std::vector<Numbers> arrays;
  const auto add = [&](PyObject* array) { arrays.push_back(read_numbers(array)); };
  if (!vecs.is_none() && !for_each(vecs.ptr(), add))
    throw type_error(
        text("initial_state_from_raw_vectors: vecs is ", a_kind(vecs.ptr()), "; a list of arrays is needed")
            .c_str());
  return all_or_nothing([&] {
    std::vector<Expression> inputs;
    for (const Numbers& numbers : arrays)
      inputs.push_back(Input::make(current_graph(), numbers.dim(), numbers.values));
    return first_state(self, inputs, update);
  });
}

nb::typed<nb::list, ExpressionList> expressions_of(RNNBuilder& b) {
  const std::vector<std::vector<Expression>> expressions = b.parameter_expressions();
  nb::list layers;
  for (const auto& layer : expressions) layers.append(list_of(layer));
  return layers;
}

nb::object added_or_nothing(nb::callable make) {
  Additions added;
  try {
    const Additions::Noted noted(added);
    return make();
  } catch (...) {
    take_out([&] { added.undo(); }, std::current_exception());
  }
}

void bind_base(nb::module_& m) {
  nb::class_<RNNBuilder> type(m, "_RNNBuilder", docs::builder::type, nb::dynamic_attr());
  no_constructor(type, "make a VanillaLSTMBuilder, a GRUBuilder or another one");
  show_in_notebooks(type);
  type.def(
          "set_dropout", [](RNNBuilder& b, Number f) { b.set_dropout(f); }, "f"_a, docs::builder::set_dropout)
      .def("disable_dropout", &RNNBuilder::disable_dropout, docs::builder::disable_dropout)
      .def("initial_state", first_state, "vecs"_a.none() = nb::none(), "update"_a = true,
           docs::builder::initial_state)
      .def("initial_state_from_raw_vectors", first_state_from_arrays, "vecs"_a.none() = nb::none(),
           "update"_a = true, docs::builder::initial_state_from_raw_vectors)
      .def("zero_state", zero_state, "batch_size"_a = 1, "update"_a = true, docs::builder::zero_state)
      .def("final_state", last_state, "xs"_a, "update"_a = true, docs::builder::final_state)
      .def(
          "param_collection", [](RNNBuilder& b) { return b.get_parameter_collection(); },
          docs::builder::param_collection)
      .def(
          "get_parameters", [](const RNNBuilder& b) { return list_of(b.params); },
          docs::builder::get_parameters)
      .def("get_parameter_expressions", expressions_of, docs::builder::get_parameter_expressions)
      .def("__repr__",
           [](nb::handle self) {
             const RNNBuilder& b = nb::cast<const RNNBuilder&>(self);
             const auto rates = b.dropout_rates();
             const bool masks_cells = dynamic_cast<const CoupledLSTMBuilder*>(&b);
             return text(type_name(self.ptr()), "(layers=", b.layers, ", input_dim=", b.input_dim,
                         ", hidden_dim=", b.hidden_dim, ')',
                         rates_text(std::span(rates).first(masks_cells ? 3 : 2)));
           })
      .def("whoami", &RNNBuilder::name, docs::builder::whoami);
}

/// The constructor and what every class of builders adds.
template <class B>
auto bind_builder(nb::module_& m, const char* name) {
  return nb::class_<B, RNNBuilder>(m, name, docstring(B::doc).c_str())
      .def(
          "__init__",
          [](B* self, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model) {
            build(self, layers, input_dim, hidden_dim, model);
          },
          "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, alone);
}

/// `spec` and `from_spec`, by which dy.save and dy.load know a builder.
template <class B>
void bind_spec(nb::class_<B, RNNBuilder>& type) {
  type.def_prop_ro(
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

/// The dropout of builders that draw their masks once per sequence.
template <class B>
void bind_masks(nb::class_<B, RNNBuilder>& type, const char* last_output = "d_h") {
  if constexpr (requires(B& b) { b.set_dropout(0, 0, 0); })
    type.def(
        "set_dropouts", [](B& b, Number d, Number d_h, Number d_c) { b.set_dropout(d, d_h, d_c); }, "d"_a,
        nb::arg(last_output), "d_c"_a = 0.0, docs::builder::set_dropouts_of_cells);
  else
    type.def(
        "set_dropouts", [](B& b, Number d, Number d_h) { b.set_dropout(d, d_h); }, "d"_a,
        nb::arg(last_output), docs::builder::set_dropouts);
  type.def(
      "set_dropout_masks", [](B& b, Whole batch_size) { b.set_dropout_masks(batch_size); },
      "batch_size"_a = 1, docs::builder::set_dropout_masks);
}

/// The LSTM builders whose layers may be normalised.
template <class B>
void bind_normalized(nb::module_& m, const char* name, auto&& add) {
  nb::class_<B, RNNBuilder> type(m, name, docstring(B::doc).c_str());
  type.def(
          "__init__",
          [](B* self, Whole layers, Whole input_dim, Whole hidden_dim, ParameterCollection& model,
             Flag ln_lstm,
             Number forget_bias) { build(self, layers, input_dim, hidden_dim, model, ln_lstm, forget_bias); },
          "layers"_a, "input_dim"_a, "hidden_dim"_a, "model"_a, "ln_lstm"_a = false, "forget_bias"_a = 1.0,
          alone)
      .def_prop_ro(
          "spec",
          [](const B& b) {
            return nb::make_tuple(b.layers, b.input_dim, b.hidden_dim, b.ln_lstm, b.forget_bias);
          },
          docs::builder::spec)
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 5);
            return nb::typed<nb::object, B>(
                nb::type<B>()(items[0], items[1], items[2], model, items[3], items[4]));
          },
          "spec"_a, "model"_a, docs::builder::from_spec);
  bind_masks(type, "d_r");
  add(type);
}

}  // namespace

void bind_builders(nb::module_& m) {
  bind_base(m);
  bind_state(m);
  auto simple = bind_builder<SimpleRNNBuilder>(m, "SimpleRNNBuilder");
  bind_spec(simple);
  bind_masks(simple, "d_h");
  auto gru = bind_builder<GRUBuilder>(m, "GRUBuilder");
  bind_spec(gru);
  gru.def(
      "set_dropouts", [](GRUBuilder& b, Number d, Number d_h) { b.set_dropout(d, d_h); }, "d"_a, "d_h"_a,
      docs::builder::set_dropouts_of_steps);
  auto coupled = bind_builder<CoupledLSTMBuilder>(m, "CoupledLSTMBuilder");
  bind_spec(coupled);
  bind_masks(coupled, "d_h");
  auto deep = bind_builder<DeepLSTMBuilder>(m, "DeepLSTMBuilder");
  bind_spec(deep);
  bind_masks(deep);
  auto fast = bind_builder<FastLSTMBuilder>(m, "FastLSTMBuilder");
  // DyNet 2's has no `spec`, by which programs tell what dy.save takes.
  fast.def_prop_ro(
      "_spec", [](const FastLSTMBuilder& b) { return nb::make_tuple(b.layers, b.input_dim, b.hidden_dim); });
  bind_masks(fast);
  bind_normalized<VanillaLSTMBuilder>(m, "VanillaLSTMBuilder", [](auto&) {});
  bind_normalized<SparseLSTMBuilder>(m, "SparseLSTMBuilder", [](auto& type) {
    type.def(
        "set_sparsity", [](SparseLSTMBuilder& b, Number p) { b.set_sparsity(p); }, "sparsity"_a, alone,
        docs::builder::set_sparsity);
  });
  m.def("_added_or_nothing", added_or_nothing, "make"_a,
        "What `make` gives; when it fails, what it has added to collections is taken out again.");
  auto compact = bind_builder<CompactVanillaLSTMBuilder>(m, "CompactVanillaLSTMBuilder");
  bind_spec(compact);
  bind_masks(compact, "d_r");
  compact.def(
      "set_weightnoise", [](CompactVanillaLSTMBuilder& b, Number std) { b.set_weightnoise(std); }, "std"_a,
      docs::builder::set_weightnoise);
}

}  // namespace dynet::python
