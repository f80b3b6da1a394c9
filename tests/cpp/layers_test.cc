// What is built on states and classes: vocabularies, softmax layers, tree LSTMs, the deep LSTM, and gradients
// that check_grad compares.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;

namespace {

bool near(real x, real y) { return std::abs(x - y) <= 1e-5f * std::max(real(1), std::abs(y)); }

void vocabularies() {
  Dict dict;
  check(dict.convert("a") == 0 && dict.convert("b") == 1 && dict.convert("a") == 0, "numbers in order");
  check(dict.size() == 2 && dict.contains("b") && !dict.contains("c") && dict.convert(1) == "b", "words");
  check_throws<std::out_of_range>("no word 2", [&] { dict.convert(2); });
  check_throws<std::runtime_error>("freeze", [&] { dict.set_unk("<unk>"); });
  dict.freeze();
  check_throws<std::runtime_error>("Unknown word", [&] { dict.convert("c"); });
  dict.set_unk("<unk>");
  check(dict.is_frozen() && dict.get_unk_id() == 2 && dict.convert("c") == 2, "the unknown word");
  check_throws<std::runtime_error>("is the unknown word", [&] { dict.set_unk("c"); });
  check(read_sentence(" b  zzz a\t", dict) == std::vector<int>{1, 2, 0}, "a sentence");
  std::vector<int> source, target;
  Dict other;
  read_sentence_pair("a b ||| x y x", source, dict, target, other);
  check(source == std::vector<int>{0, 1} && target == std::vector<int>{0, 1, 0}, "a pair");
  for (const char* wrong : {"a b", "a ||| b ||| c"})
    check_throws<std::invalid_argument>("one |||",
                                        [&] { read_sentence_pair(wrong, source, dict, target, other); });
  dict.clear();
  check(dict.size() == 0 && !dict.is_frozen() && dict.get_unk_id() == -1, "cleared");
}

std::filesystem::path file_with(const char* name, const char* content) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / name;
  std::ofstream(file) << content;
  return file;
}

void check_layer(SoftmaxBuilder& builder, ParameterCollection& model, unsigned classes) {
  ComputationGraph graph;
  const Parameter p = model.add_parameters({3});
  const Expression x = parameter(graph, p);
  builder.new_graph(graph);
  const Expression all = builder.full_log_distribution(x);
  double sum = 0;
  for (unsigned c = 0; c < classes; ++c) {
    const Expression loss = builder.neg_log_softmax(x, c);
    check(near(as_scalar(loss.value()), -as_vector(all.value())[c]), "losses follow from the distribution");
    sum += std::exp(-as_scalar(loss.value()));
  }
  check(near(static_cast<real>(sum), 1), std::string(builder.name()) + ": probabilities sum to one");
  const Expression batch = concatenate_to_batch({x, x * 2, x * -1});
  const Expression losses = builder.neg_log_softmax(batch, {0, classes - 1, 0});
  check(losses.dim() == Dim({1}, 3), "a loss for each batch element");
  check(as_vector(losses.value())[2] == as_scalar(builder.neg_log_softmax(x * -1, 0).value()),
        "the same bits");
  check(check_grad(model, sum_batches(losses)), std::string(builder.name()) + ": gradients");
  check(builder.sample(x) < classes, "a class");

  builder.new_graph(graph, false);
  builder.neg_log_softmax(x, 0).backward();
  bool trained = false;
  for (const auto& s : builder.get_parameter_collection().parameters_list())
    for (real g : s->gradient) trained |= g != 0;
  check(!trained, "constant parameters");
  model.reset_gradient();
}

void softmax_layers() {
  ParameterCollection model;
  StandardSoftmaxBuilder standard(3, 5, model), plain(3, 5, model, false);
  check_layer(standard, model, 5);
  check_layer(plain, model, 5);
  const Parameter w = model.add_parameters({4, 3}), b = model.add_parameters({4});
  StandardSoftmaxBuilder shared(w, b);
  check_layer(shared, model, 4);
  check_throws<std::invalid_argument>("as many rows", [&] { StandardSoftmaxBuilder(b, w); });

  Dict words;
  const auto classes = file_with("dynet_layers_test.classes", "A a\nA b\nB c\nC\td\nC\te rest\nC f\n");
  ClassFactoredSoftmaxBuilder factored(3, classes, words, model);
  check(words.size() == 6 && words.convert("f") == 5, "the file's words are added");
  check_layer(factored, model, 6);
  Dict others;
  const auto tree = file_with("dynet_layers_test.tree", "0 0\ta\n0 1\tb\n0 1\tc\n0 1\td\n1\te\n");
  HierarchicalSoftmaxBuilder hierarchical(3, tree, others, model);
  check_layer(hierarchical, model, 5);
  words.freeze();
  const auto unknown = file_with("dynet_layers_test.unknown", "A g\n");
  check_throws<std::runtime_error>("Unknown word",
                                   [&] { ClassFactoredSoftmaxBuilder(3, unknown, words, model); });
  for (const auto& file : {classes, tree, unknown}) std::filesystem::remove(file);
}

void check_tree(TreeLSTMBuilder& builder, ParameterCollection& model) {
  ComputationGraph graph;
  std::vector<Expression> xs;
  for (unsigned i = 0; i < 4; ++i)
    xs.push_back(input(graph, Dim{2}, {real(0.1) * static_cast<real>(i), real(-0.3)}));
  check_throws<std::invalid_argument>("new_graph", [&] { builder.add_input(0, {}, xs[0]); });
  builder.new_graph(graph);
  builder.start_new_sequence();
  check(builder.back().pg == nullptr && builder.final_h().empty(), "no node yet");
  builder.set_num_elements(4);
  builder.add_input(2, {}, xs[2]);
  builder.add_input(0, {}, xs[0]);
  builder.add_input(1, {0, 2}, xs[1]);
  const Expression root = builder.add_input(3, {1}, xs[3]);
  check(root.dim() == Dim{2} && as_vector(builder.back().value()) == as_vector(root.value()), "the root");
  check(builder.get_h(1).size() == 2 && builder.final_h().size() == 2, "each layer's output");
  check_throws<std::invalid_argument>("added before", [&] { builder.add_input(1, {}, xs[0]); });
  check_throws<std::out_of_range>("0 to 3", [&] { builder.add_input(4, {}, xs[0]); });
  check(check_grad(model, squared_norm(root)), std::string(builder.name()) + ": gradients");
}

void trees() {
  ParameterCollection model;
  NaryTreeLSTMBuilder nary(2, 2, 2, 2, model);
  check_tree(nary, model);
  ParameterCollection second;
  UnidirectionalTreeLSTMBuilder forward(2, 2, 2, second);
  check_tree(forward, second);
  ParameterCollection third;
  BidirectionalTreeLSTMBuilder both(2, 2, 2, third);
  check_tree(both, third);
}

void deep_lstm() {
  ParameterCollection model;
  DeepLSTMBuilder builder(2, 3, 4, model);
  ComputationGraph graph;
  builder.new_graph(graph);
  builder.start_new_sequence();
  check(builder.back().pg == nullptr, "no output yet");
  const Expression x = input(graph, Dim{3}, {1, 2, 3}), y = (builder.add_input(x), builder.add_input(x));
  check(y.dim() == Dim{8} && as_vector(builder.back().value()) == as_vector(y.value()), "all layers");
  const std::vector<Expression> s = builder.final_s();
  builder.start_new_sequence(s);
  check(as_vector(builder.back().value()) == as_vector(y.value()), "also those of an initial state");
  check(check_grad(model, squared_norm(builder.add_input(x))), "gradients");
}

/// A gradient that is twice too large.
void cells_and_batches() {
  ComputationGraph graph;
  unsigned calls = 0;
  const auto mean = [&](const std::vector<Expression>& x) {
    ++calls;
    return std::vector{x[0] * (1 / static_cast<real>(x[0].dim().bd))};
  };
  Cell inner(mean), outer([&](const std::vector<Expression>& x) { return std::vector{inner(x)[0] + x[0]}; });
  for (const unsigned batch : {2u, 4u, 1u, 4u}) {
    const Expression x = input(graph, Dim({1}, batch), std::vector<real>(batch, 1));
    check(near(as_vector(outer({x})[0].value())[0], 1 + 1 / static_cast<real>(batch)), "for each batch size");
  }
  check(calls == 3, "recorded for each batch size once");
  Cell apart([&](const std::vector<Expression>& x) {
    ++calls;
    return std::vector{exp(x[0]), exp(x[1])};
  });
  calls = 0;
  for (const auto& [a, b] : {std::pair(2u, 2u), {3u, 3u}, {2u, 3u}, {4u, 3u}, {1u, 2u}}) {
    const Expression x = input(graph, Dim({1}, a), std::vector<real>(a, 0));
    const std::vector<Expression> y = apart({x, input(graph, Dim({1}, b), std::vector<real>(b, 0))});
    check(y[0].dim().bd == a && y[1].dim().bd == b, "batch sizes of their own");
  }
  check(calls == 3, "batches that fit, others, and one");
}

struct Wrong : Map<Wrong> {
  static constexpr auto name = "wrong", doc = "The sum of an element and half of itself.";
  static constexpr bool overwrites = false;
  static Dim shape(const auto&, Dims x) { return x[0]; }
  static void forward(const auto&, Engine& e, const Call& c) {
    e.move(c.count, run_of(c.dim.batch_size()), {}, false, c.x[0], c.y);
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned) {
    for (int twice = 0; twice < 2; ++twice) e.move(c.count, run_of(c.dim.batch_size()), {}, true, c.dy, c.dx);
  }
};

void gradient_checks() {
  ParameterCollection model;
  const Parameter p = model.add_parameters({3}, ParameterInitConst(real(0.5)));
  const LookupParameter table = model.add_lookup_parameters(4, {3}, ParameterInitConst(2));
  ComputationGraph graph;
  const Expression x = parameter(graph, p);
  std::ostringstream out;
  const Expression good = dot_product(exp(x), lookup(graph, table, 2u));
  check(check_grad(model, good, 1, out) && out.str().empty(), "nothing to report");
  check(check_grad(model, good, 2, out) && out.str().find("/_1[8]") != std::string::npos, "every comparison");
  check(p.p->values[0] == real(0.5) && p.p->gradient[0] == 0 && !table.p->nonzero, "as before");
  out.str("");
  check(!check_grad(model, sum_elems(apply<Wrong>(x)), 1, out), "a wrong gradient");
  check(out.str().find("/_0[2]: gradient 2, difference 1") != std::string::npos, out.str());
  const Expression terms = x + 1e4f;
  check(check_grad(model, sum_elems(terms) - sum_elems(input(graph, 1e4f)) * 3), "what cancels");
  check(!check_grad(model, sum_elems(apply<Wrong>(x)) + sum_elems(terms) - 3e4f, 0), "wrong beside it");
  check_throws<std::invalid_argument>("scalar", [&] { check_grad(model, x * 2); });
  check_throws<std::invalid_argument>("empty", [&] { check_grad(model, Expression()); });
}

}  // namespace

int main() {
  vocabularies();
  softmax_layers();
  trees();
  deep_lstm();
  cells_and_batches();
  gradient_checks();
  return test::finish();
}
