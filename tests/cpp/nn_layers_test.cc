// Layers of C++ beside those of Python: the same parameters, the same numbers.
//
// The k-th parameter of a collection has the numbers sin(1 + k + 0.7 i), inputs cos(k + 0.3 i), and of what a
// layer makes Σ y_i cos(i) is compared. tests/layers/test_layers_of_cpp.py computes the same of dy.nn, and
// reads the numbers below.
#include <cmath>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace dynet;
using test::check;
using test::check_throws;

namespace {

void set_parameters(ParameterCollection& model) {
  unsigned k = 0;
  const auto number = [&](size_t i) { return static_cast<real>(std::sin(1 + k + 0.7 * double(i))); };
  for (const auto& storage : model.parameters_list()) {
    std::vector<real> numbers(storage->dim.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = number(i);
    Parameter(storage).set_value(numbers);
    ++k;
  }
}

Expression given(ComputationGraph& graph, const Dim& dim, unsigned k = 0) {
  std::vector<real> numbers(dim.size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<real>(std::cos(k + 0.3 * double(i)));
  return input(graph, dim, numbers);
}

void compare(const char* name, const Expression& y, double wanted) {
  double sum = 0;
  const std::vector<real> numbers = as_vector(y.value());
  for (size_t i = 0; i < numbers.size(); ++i) sum += static_cast<double>(numbers[i]) * std::cos(double(i));
  check(std::abs(sum - wanted) <= 1e-4 * std::max(1.0, std::abs(wanted)),
        std::string(name) + ": " + std::to_string(sum) + " instead of " + std::to_string(wanted));
}

/// Calls run(model, graph) on a layer whose parameters are set when run has made it.
template <class Layer, class... Sizes>
void test_layer(const char* name, double wanted, auto call, Sizes... sizes) {
  ParameterCollection model;
  const auto make = [&]<class... S>(S... s) { return Layer(s..., model); };
  Layer layer = make(sizes...);
  set_parameters(model);
  ComputationGraph graph;
  compare(name, call(layer, graph), wanted);
}

void plain_layers() {
  const auto of_matrix = [](auto& layer, ComputationGraph& graph) { return layer(given(graph, {3, 4})); };
  test_layer<nn::Linear>("Linear", 0.721725, of_matrix, 3u, 2u);
  test_layer<nn::LayerNorm>("LayerNorm", 0.798963, of_matrix, 3u);
  test_layer<nn::RMSNorm>("RMSNorm", 0.092311, of_matrix, 3u);
  test_layer<nn::MLP>("MLP", -1.707854, of_matrix, std::vector<unsigned>{3, 5, 2});
  test_layer<nn::Highway>("Highway", 1.021010, of_matrix, 3u);
  test_layer<nn::BiLSTM>("BiLSTM", -0.037231, of_matrix, 3u, 4u);
  ParameterCollection model;
  nn::Conv1d same(3, 2, 3, model, nn::Padding::same);
  set_parameters(model);
  ComputationGraph graph;
  compare("Conv1d", same(given(graph, {3, 4})), -1.862377);
  test_layer<nn::Biaffine>(
      "Biaffine", 1.969673,
      [](auto& layer, ComputationGraph& cg) { return layer(given(cg, {3, 4}), given(cg, {2, 5}, 1)); }, 3u,
      2u);
  test_layer<nn::CRF>(
      "CRF", 4.642313,
      [](auto& layer, ComputationGraph& cg) { return layer.loss(given(cg, {3, 4}), {1, 0, 1, 1}); }, 3u, 2u);
}

void trees() {
  const auto tree = [](auto& layer, ComputationGraph& graph) {
    std::vector<nn::TreeState> leaves;
    for (unsigned k = 0; k < 2; ++k) leaves.push_back(layer(given(graph, {3}, k)));
    return layer(given(graph, {3}, 2), leaves).h;
  };
  test_layer<nn::ChildSumTreeLSTM>("ChildSumTreeLSTM", 0.730595, tree, 3u, 4u);
  test_layer<nn::NaryTreeLSTM>("NaryTreeLSTM", 0.238354, tree, 3u, 4u, 2u);
}

void transformers() {
  const auto of_matrix = [](auto& layer, ComputationGraph& graph) {
    return layer(given(graph, {4, 3}), true);
  };
  test_layer<nn::MultiHeadAttention>("MultiHeadAttention", 0.630658, of_matrix, 4u, 2u);
  test_layer<nn::MultiHeadAttention>(
      "rotary", 0.733970,
      [](auto& layer, ComputationGraph& cg) {
        layer.rotary = true;
        return layer(given(cg, {4, 3}), true);
      },
      4u, 2u);
  test_layer<nn::TransformerEncoderLayer>("TransformerEncoderLayer", -0.272985, of_matrix, 4u, 2u, 6u);
  test_layer<nn::TransformerDecoderLayer>(
      "TransformerDecoderLayer", -0.498923,
      [](auto& layer, ComputationGraph& cg) {
        return layer(given(cg, {4, 3}), layer.keep(given(cg, {4, 2}, 1)));
      },
      4u, 2u, 6u);
}

void positions() {
  ComputationGraph graph;
  compare("SinusoidalPositions", nn::SinusoidalPositions(4)(given(graph, {4, 3}), 2), 2.271270);
  test_layer<nn::LearnedPositions>(
      "LearnedPositions", -1.556075,
      [](auto& layer, ComputationGraph& cg) {
        std::vector<real> rows(4 * 7);
        for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<real>(std::sin(1 + 0.7 * double(i)));
        layer.table.set_value(rows);
        return layer(given(cg, {4, 3}), 2);
      },
      4u, 7u);
}

bool close(const Expression& a, const Expression& b) {
  const std::vector<real> x = as_vector(a.value()), y = as_vector(b.value());
  for (size_t i = 0; i < x.size(); ++i)
    if (std::abs(x[i] - y[i]) > 1e-5) return false;
  return x.size() == y.size();
}

void step_by_step() {
  ParameterCollection model;
  nn::TransformerEncoderLayer encoder(4, 2, 6, model, true);
  nn::TransformerDecoderLayer decoder(4, 2, 6, model, true);
  set_parameters(model);
  ComputationGraph graph;
  const Expression x = given(graph, {4, 3});
  const nn::Kept memory = decoder.keep(given(graph, {4, 2}, 1));
  const Expression encoded = encoder(x, true), decoded = decoder(x, memory);
  std::optional<nn::Kept> before, in_decoder;
  for (unsigned t = 0; t < 3; ++t) {
    const Expression column = pick(x, t, 1);
    check(close(encoder.step(column, before), pick_range(encoded, t, t + 1, 1)), "a step of an encoder");
    check(close(decoder.step(column, memory, in_decoder), pick_range(decoded, t, t + 1, 1)),
          "a step of a decoder");
  }
  check(before->keys.dim() == Dim({4, 3}), "what is kept");
}

void names_and_words() {
  ParameterCollection model;
  nn::Embedding embedding(5, 3, model);
  nn::Linear linear(3, 2, model);
  nn::CRF head(3, 2, model);
  check(linear.weight.get_fullname() == "/linear/weight", linear.weight.get_fullname().c_str());
  check(head.emission.weight.get_fullname() == "/crf/emission/linear/weight", "the name of a part");
  nn::TransformerDecoderLayer decoder(4, 2, 6, model);
  check(decoder.cross.value.bias.get_fullname() ==
            "/transformer-decoder-layer/cross/multi-head-attention/value/linear/bias",
        "the name of a part of a part");
  ComputationGraph graph;
  check(embedding(graph, 2).dim() == Dim({3}) && embedding(graph, {0, 2, 2}).dim() == Dim({3, 3}), "words");
  check(head.predict(given(graph, {3, 4})).size() == 4, "tags");
  check(linear(given(graph, {3})).dim() == Dim({2}) && linear(given(graph, {3, 1})).dim() == Dim({2, 1}),
        "columns");
}

template <class F>
void refused(const char* text, F call) {
  check_throws<std::invalid_argument>(text, call);
}

/// A layer that is refused adds nothing to the model; a step that is refused keeps nothing.
void nothing_changes() {
  ParameterCollection model;
  refused("hidden is 0", [&] { nn::TransformerEncoderLayer(4, 2, 0, model); });
  refused("a multiple of heads", [&] { nn::TransformerDecoderLayer(6, 4, 8, model); });
  refused("a size is 0", [&] { nn::MLP({3, 5, 0}, model); });
  refused("layers is 0", [&] { nn::Highway(3, model, 0); });
  refused("tags is 0", [&] { nn::CRF(3, 0, model); });
  check(model.parameters_list().empty(), "parameters of layers that were refused");
  nn::TransformerDecoderLayer decoder(4, 2, 6, model);
  check(decoder.collection.get_fullname() == "/transformer-decoder-layer/", "a name that was free");
  ComputationGraph graph;
  std::optional<nn::Kept> kept;
  const nn::Kept wrong{given(graph, {3, 2}), given(graph, {3, 2})};
  check_throws<std::invalid_argument>(
      "attention", [&] { static_cast<void>(decoder.step(given(graph, {4}), wrong, kept)); });
  check(!kept, "what a step keeps that was refused");
}

void errors() {
  ParameterCollection model;
  nn::Linear linear(3, 2, model);
  nn::Conv1d narrow(3, 2, 4, model);
  nn::NaryTreeLSTM tree(3, 2, 1, model);
  ComputationGraph graph;
  const Expression wrong = given(graph, {4, 2}), x = given(graph, {3, 2});
  refused("Linear: x of shape {4,2}", [&] { static_cast<void>(linear(wrong)); });
  refused("Conv1d: 2 columns", [&] { static_cast<void>(narrow(x)); });
  const nn::TreeState leaf = tree(given(graph, {3}));
  refused("2 children; at most 1",
          [&] { static_cast<void>(tree(given(graph, {3}), std::vector<nn::TreeState>{leaf, leaf})); });
  refused("a matrix of shape {3,2}", [&] { static_cast<void>(tree(x)); });
  refused("inputs is 0", [&] { nn::Linear(0, 2, model); });
  refused("must be even", [&] { nn::BiLSTM(3, 5, model); });
  refused("a multiple of heads", [&] { nn::MultiHeadAttention(6, 4, model); });
  refused("1 sizes", [&] { nn::MLP({3}, model); });
}

}  // namespace

int main() {
  plain_layers();
  trees();
  transformers();
  positions();
  step_by_step();
  names_and_words();
  nothing_changes();
  errors();
  return test::finish();
}
