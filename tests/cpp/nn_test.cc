// Recurrent builders: the order of calls, states as a tree, what each variant adds, and steps without the
// heap.
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>

#include "dynet/nn/bidirectional.h"
#include "dynet/nn/coupled_lstm.h"
#include "dynet/nn/gru.h"
#include "dynet/nn/lstm.h"
#include "dynet/nn/simple.h"
#include "dynet/nn/state.h"
#include "dynet/ops/all.h"
#include "dynet/run/computation_graph.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;

namespace {

size_t allocations = 0;

constexpr unsigned input_size = 3, hidden_size = 4;

/// Numbers that differ from call to call and are the same in every run.
std::vector<real> numbers(size_t count) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 0.7f);
  std::vector<real> result(count);
  for (real& x : result) x = normal(generator);
  return result;
}

Expression vector(Graph& graph, unsigned size) { return input(graph, Dim{size}, numbers(size)); }

std::vector<Expression> vectors(Graph& graph, unsigned size, unsigned count) {
  std::vector<Expression> result;
  for (unsigned i = 0; i < count; ++i) result.push_back(vector(graph, size));
  return result;
}

void randomise(ParameterCollection& model) {
  for (const auto& p : model.parameters_list()) Parameter(p).set_value(numbers(p->dim.size()));
}

bool same(const Expression& a, const Expression& b, real tolerance = 0) {
  const std::vector<real> x = as_vector(a.value()), y = as_vector(b.value());
  if (x.size() != y.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= tolerance)) return false;
  return true;
}

/// Calls test(builder) with a fresh builder of each class that has random parameters.
template <class Test>
void for_each_builder(unsigned layers, const Test& test) {
  const auto run = [&]<class Builder>(const Builder*) {
    ParameterCollection model;
    Builder builder(layers, input_size, hidden_size, model);
    randomise(model);
    test(builder);
  };
  run(static_cast<SimpleRNNBuilder*>(nullptr));
  run(static_cast<GRUBuilder*>(nullptr));
  run(static_cast<VanillaLSTMBuilder*>(nullptr));
  run(static_cast<SparseLSTMBuilder*>(nullptr));
  run(static_cast<CompactVanillaLSTMBuilder*>(nullptr));
  run(static_cast<CoupledLSTMBuilder*>(nullptr));
  run(static_cast<FastLSTMBuilder*>(nullptr));
}

void test_order_of_calls(RNNBuilder& builder) {
  ComputationGraph graph;
  const Expression x = vector(graph, input_size);
  const auto add = [&] { builder.add_input(x); };
  check_throws<std::invalid_argument>("State transition error", add);
  check_throws<std::invalid_argument>("State transition error", [&] { builder.start_new_sequence(); });
  builder.new_graph(graph);
  check_throws<std::invalid_argument>("State transition error", add);
  builder.start_new_sequence();
  check(builder.state() == -1 && builder.final_s().empty() && builder.final_h().empty(), "no state yet");
  check(builder.back().pg == nullptr, "no output yet");
  add();
  check(builder.state() == 0, "one step");
  check_throws<std::out_of_range>("the states are -1 to 0", [&] { builder.get_h(1); });
  check_throws<std::out_of_range>("the states are -1 to 0", [&] { builder.add_input(-2, x); });
  builder.rewind_one_step();
  check(builder.state() == -1, "rewound");
  check_throws<std::invalid_argument>("no step", [&] { builder.rewind_one_step(); });

  ComputationGraph later;
  const Expression y = vector(later, input_size);
  check_throws<std::invalid_argument>("Using stale builder", [&] { builder.add_input(y); });
}

void test_tree(RNNBuilder& builder) {
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 3);
  builder.new_graph(graph);
  builder.start_new_sequence();
  const Expression ab = (builder.add_input(xs[0]), builder.add_input(xs[1]));
  const Expression ac = builder.add_input(0, xs[2]);
  const Expression c = builder.add_input(-1, xs[2]);
  check(builder.get_head(1) == 0 && builder.get_head(2) == 0 && builder.get_head(3) == -1, "heads");
  check(builder.state() == 3 && same(builder.back(), c), "the last step is the current one");
  check(same(builder.get_h(1).back(), ab) && same(builder.output(2), ac), "states keep their outputs");

  builder.start_new_sequence();
  const std::vector<Expression> again = builder.transduce({xs[0], xs[2]});
  check(again.size() == 2 && same(again[1], ac), "a branch is the same as a sequence of its own");
  check(builder.add_inputs({xs[0], xs[1]}) == std::vector<RNNPointer>{2, 3}, "add_inputs returns states");

  const std::vector<Expression> s = builder.get_s(1);
  check(s.size() == builder.num_h0_components(), "as many expressions as an initial state has");
  const Expression next = builder.add_input(1, xs[1]);
  builder.start_new_sequence(s);
  check(builder.state() == -1 && same(builder.back(), s.back()), "an initial state");
  check(same(builder.add_input(xs[1]), next), "a sequence goes on from an initial state");
  check_throws<std::invalid_argument>("layers", [&] { builder.start_new_sequence(xs); });
}

void test_setting_states(RNNBuilder& builder) {
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 2);
  const auto hs = vectors(graph, hidden_size, 4);
  const unsigned parts = builder.num_h0_components() / builder.layers;
  builder.new_graph(graph);
  builder.start_new_sequence();
  builder.add_input(xs[0]);
  builder.add_input(-1, xs[1]);
  builder.set_h(0, {hs[0], hs[1]});
  check(same(builder.back(), hs[1]) && builder.get_head(2) == 0, "set_h sets the outputs");
  if (parts == 2)
    check(same(builder.get_s(2)[0], builder.get_s(0)[0]), "cells come from the state it was called on");
  const std::vector<Expression> full(hs.begin(), hs.begin() + builder.num_h0_components());
  builder.set_s(0, full);
  for (unsigned i = 0; i < full.size(); ++i) check(same(builder.final_s()[i], full[i]), "set_s sets all");
  check_throws<std::invalid_argument>("set_s: 3 expressions were given for the 2 layers",
                                      [&] { builder.set_s(0, {hs[0], hs[1], hs[2]}); });
}

void test_handles(RNNBuilder& builder) {
  ComputationGraph graph;
  const Expression x = vector(graph, input_size);
  const RNNState initial = initial_state(builder);
  check(initial == initial_state(builder, false) && !initial.has_output() && !initial.prev(),
        "one initial state");
  const RNNState a = initial.add_input(x), b = a.add_input(x);
  check(*b.prev() == a && same(b.prev()->output(), a.output()), "the state before");
  check(same(initial.transduce({x, x})[1], b.output()), "transduce of a state");
  check(initial.add_inputs({x, x}).size() == 2, "add_inputs of a state");
  check(*initial_state(builder, b.s()).prev() == initial,
        "an initial state with cells comes after the common one");
  graph.clear();
  check_throws<std::invalid_argument>("Using stale builder", [&] { a.add_input(vector(graph, input_size)); });
  check_throws<std::invalid_argument>("stale", [&] { builder.parameter_expressions(); });
  check(!(initial_state(builder) == initial), "a new graph has an initial state of its own");
  check_throws<std::invalid_argument>("Using stale builder", [&] { a.s(); });
}

void test_states_of_several_graphs(RNNBuilder& builder) {
  ComputationGraph graph;
  const Expression x = vector(graph, input_size);
  const Expression expected = initial_state(builder).add_input(x).add_input(x).output();
  builder.start_new_sequence();
  const RNNState a = initial_state(builder).add_input(x);
  {
    ComputationGraph inner;
    const Expression y = input(inner, Dim{input_size}, as_vector(x.value()));
    const RNNState b = initial_state(builder).add_input(y);
    check(same(a.output(), b.output()) && a.h().size() == 2, "states of two graphs");
    check(same(b.add_input(y).output(), expected) && *b.prev() == initial_state(builder), "the inner graph");
    builder.new_graph(inner);
    check_throws<std::invalid_argument>("State transition error", [&] { b.add_input(y); });
  }
  check(same(a.add_input(x).output(), expected), "the outer graph");
  const RNNState first = initial_state(builder);
  check_throws<std::invalid_argument>("initial_state: ", [&] {
    ComputationGraph old;
    const std::vector<Expression> hs = vectors(old, hidden_size, builder.num_h0_components());
    old.clear();
    initial_state(builder, hs);
  });
  check(first == initial_state(builder), "as before");
}

void test_steady_state(RNNBuilder& builder) {
  ComputationGraph graph;
  std::vector<real> x(input_size, 1);
  builder.set_dropout(0.25);
  size_t before = 0;
  for (int round = 0; round < 4; ++round) {
    before = allocations;
    graph.clear();
    builder.new_graph(graph);
    for (int sequence = 0; sequence < 2; ++sequence) {
      builder.start_new_sequence();
      for (int step = 0; step < 10; ++step) builder.add_input(input(graph, Dim{input_size}, x));
    }
  }
  // Numbers of inputs and parameters go to the memory of the graph, which is kept.
  const size_t made = allocations - before;
  check(made == 0, std::string(builder.name()) + " allocates in a graph like the last one");
}

/// A cell may take the memory of a node that nothing else reads: whoever asks for that node gets its value,
/// before and after a backward pass, and may go on with it.
void test_values_of_all_nodes(RNNBuilder& builder) {
  ParameterCollection& model = builder.get_parameter_collection();
  const std::vector<real> given[] = {numbers(input_size), numbers(input_size), numbers(input_size)};
  const auto build = [&](ComputationGraph& graph) {
    std::vector<Expression> xs;
    for (const auto& x : given) xs.push_back(input(graph, Dim{input_size}, x));
    builder.new_graph(graph);
    builder.start_new_sequence();
    return sum_elems(builder.transduce(xs).back());
  };
  const auto values = [](ComputationGraph& graph, unsigned count) {
    std::vector<std::vector<real>> result;
    for (unsigned i = 0; i < count; ++i) result.push_back(as_vector(graph.at(i).value()));
    return result;
  };
  const auto gradients_of_squares = [&](ComputationGraph& graph, unsigned count) {
    std::vector<Expression> squares;
    for (unsigned i = 0; i < count; ++i) squares.push_back(squared_norm(graph.at(i)));
    model.reset_gradient();
    graph.backward(sum(squares));
    std::vector<std::vector<real>> result;
    for (const auto& p : model.parameters_list()) result.push_back(as_vector(*Parameter(p).gradients()));
    return result;
  };
  std::vector<std::vector<real>> expected, expected_gradients;
  unsigned count = 0;
  {
    ComputationGraph graph;
    build(graph);
    count = graph.size();
    expected = values(graph, count);  // each before it is used
    expected_gradients = gradients_of_squares(graph, count);
  }
  for (const bool between : {false, true}) {
    ComputationGraph graph;
    const Expression loss = build(graph);
    loss.value();
    if (between) check(values(graph, count) == expected, "values after the cells have run");
    graph.backward(loss);
    check(values(graph, count) == expected, "values after a backward pass");
    check(gradients_of_squares(graph, count) == expected_gradients,
          "gradients through nodes asked for later");
    check(values(graph, count) == expected, "values after the second one");
  }
  model.reset_gradient();
}

void test_input_products_are_one_call() {
  ParameterCollection model;
  VanillaLSTMBuilder builder(1, input_size, hidden_size, model);
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 10);
  builder.new_graph(graph);
  builder.start_new_sequence();
  const Expression last = builder.transduce(xs).back();
  const size_t before = graph.step_count();
  last.value();
  check(graph.step_count() - before == 1 + 10, "one product for all inputs and ten cells");
}

void test_auxiliary_input() {
  ParameterCollection model;
  SimpleRNNBuilder builder(1, input_size, hidden_size, model, true);
  randomise(model);
  ComputationGraph graph;
  builder.new_graph(graph);
  builder.start_new_sequence();
  const Expression x = vector(graph, input_size), saved = vector(graph, hidden_size);
  const Expression h = builder.add_input(x);
  const auto& p = builder.param_vars[0];
  const Expression expected = tanh(affine_transform({p[2], p[0], x, p[1], h, p[3], saved}));
  check(same(builder.add_auxiliary_input(x, saved), expected, real(1e-6)),
        "L times the auxiliary vector is added");
  check(same(builder.add_input(x), tanh(affine_transform({p[2], p[0], x, p[1], expected})), real(1e-6)),
        "the auxiliary vector is for one step");
  const Expression square = zeros(graph, {hidden_size, hidden_size});
  check_throws<std::invalid_argument>("add_auxiliary_input: an input of shape",
                                      [&] { builder.add_auxiliary_input(x, square); });
  SimpleRNNBuilder plain(1, input_size, hidden_size, model);
  check_throws<std::invalid_argument>("support_lags", [&] { plain.add_auxiliary_input(x, saved); });
}

void test_copies_share_parameters() {
  ParameterCollection model;
  VanillaLSTMBuilder a(2, input_size, hidden_size, model, true), b(2, input_size, hidden_size, model, true);
  GRUBuilder other(2, input_size, hidden_size, model);
  randomise(model);
  b.copy(a);
  VanillaLSTMBuilder c;
  c = a;
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 3);
  Expression last[3];
  VanillaLSTMBuilder* builders[] = {&a, &b, &c};
  for (int i = 0; i < 3; ++i) {
    builders[i]->new_graph(graph);
    builders[i]->start_new_sequence();
    last[i] = builders[i]->transduce(xs).back();
  }
  check(same(last[0], last[1]) && same(last[0], last[2]), "builders that share parameters");
  check_throws<std::invalid_argument>("GRUBuilder", [&] { a.copy(other); });
}

void test_bidirectional() {
  ParameterCollection model;
  BiRNNBuilder builder(2, input_size, 2 * hidden_size, model, make_builder<GRUBuilder>);
  randomise(model);
  check(model.parameters_list().back()->name == "/birnn/gru-builder_3/_8", "names of its parameters");
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 3);
  builder.new_graph(graph);
  const std::vector<Expression> ys = builder.transduce(xs);
  check(ys.size() == 3 && ys[0].dim() == Dim{2 * hidden_size}, "one output for each input");
  std::vector<Expression> layer = xs;
  for (auto& [forward, backward] : builder.layers) {
    forward->start_new_sequence();
    backward->start_new_sequence();
    const std::vector<Expression> f = forward->transduce(layer);
    for (size_t i = layer.size(); i-- > 0;) layer[i] = concatenate({f[i], backward->add_input(layer[i])});
  }
  for (size_t i = 0; i < ys.size(); ++i) check(same(ys[i], layer[i]), "the outputs of both directions");
  check_throws<std::invalid_argument>("even", [&] { BiRNNBuilder(1, input_size, 3, model); });
}

void test_masks_of_sequences() {
  ParameterCollection model;
  VanillaLSTMBuilder builder(2, input_size, 100, model);
  randomise(model);
  builder.set_dropout(real(0.5));
  ComputationGraph graph;
  const Expression x = vector(graph, input_size);
  const RNNState a = initial_state(builder), b = initial_state(builder);
  check(!(a == b) && a.position == -1 && b.position == -2, "each initial state begins a sequence");
  const Expression once = a.transduce({x, x}).back(), other = b.transduce({x, x}).back();
  check(!same(once, other), "sequences have masks of their own");
  check(same(once, a.transduce({x, x}).back()) && same(other, b.transduce({x, x}).back()),
        "branches of a sequence share its masks, though others came between");
  check(builder.get_head(builder.get_head(builder.state())) == -2, "the first state of the second sequence");
  check_throws<std::out_of_range>("the states are -2 to", [&] { builder.add_input(-3, x); });
  builder.start_new_sequence();
  check_throws<std::out_of_range>("the states are -1 to", [&] { builder.add_input(-2, x); });
  builder.disable_dropout();
  check(builder.add_sequence() == -1, "without dropout there is one initial state");
}

void test_dropout_of_the_cell() {
  ParameterCollection model;
  CoupledLSTMBuilder builder(1, input_size, hidden_size, model);
  randomise(model);
  ComputationGraph graph;
  const auto xs = vectors(graph, input_size, 2);
  builder.new_graph(graph);
  builder.start_new_sequence();
  builder.set_dropout(0, 0, 1);
  const Expression masked = builder.transduce(xs).back();
  builder.disable_dropout();
  for (unsigned peephole : {2, 6}) builder.params[0][peephole].zero();
  ComputationGraph without;
  builder.new_graph(without);
  builder.start_new_sequence();
  std::vector<Expression> again;
  for (const Expression& x : xs) again.push_back(input(without, x.dim(), as_vector(x.value())));
  check(same(masked, builder.transduce(again).back(), real(1e-6)), "a dropped cell is not seen by the gates");
  check_throws<std::invalid_argument>("probability", [&] { builder.set_dropout(0, 0, real(1.5)); });
}

}  // namespace

// Not inlined, so that the compiler does not take these for a mismatch of malloc and delete.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

int main() {
  for_each_builder(2, test_order_of_calls);
  for_each_builder(2, test_tree);
  for_each_builder(2, test_setting_states);
  for_each_builder(2, test_handles);
  for_each_builder(2, test_states_of_several_graphs);
  for_each_builder(2, test_steady_state);
  for_each_builder(2, test_values_of_all_nodes);
  test_input_products_are_one_call();
  test_auxiliary_input();
  test_copies_share_parameters();
  test_bidirectional();
  test_masks_of_sequences();
  test_dropout_of_the_cell();
  return test::finish();
}
