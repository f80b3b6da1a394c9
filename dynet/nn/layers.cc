// What the layers compute, as compositions of operations.
#include "dynet/nn/layers.h"

#include "dynet/ops/all.h"

namespace dynet::engine {

const Expression& with_rows(const char* layer, const Expression& x, unsigned rows) {
  const Dim d = shape_of(layer, x);
  if (d.nd > 2 || d.rows() != rows)
    invalid(layer, ": x of shape ", d.single_batch(), "; {", rows, "} or {", rows, ",n} is needed");
  return x;
}

unsigned size_above_0(const char* layer, const char* name, unsigned size) {
  if (size == 0) invalid(layer, ": ", name, " is 0; a number from 1 on is needed");
  return size;
}

Expression as_matrix(const Expression& x) {
  const Dim d = x.dim();
  return d.nd > 1 ? x : reshape(x, Dim({d.rows(), 1}, d.bd));
}

nn::Linear linear_part(const char* name, unsigned inputs, unsigned outputs, ParameterCollection& model) {
  ParameterCollection own = model.add_subcollection(name);
  return {inputs, outputs, own};
}

namespace {

/// A product with a matrix of one column is a vector.
Expression in_columns_of(const Expression& x, const Expression& y) {
  return x.dim().nd > 1 ? as_matrix(y) : y;
}

/// x, if it is a vector of so many numbers.
const Expression& vector_of(const char* layer, const Expression& x, unsigned size) {
  if (with_rows(layer, x, size).dim().nd > 1)
    invalid(layer, ": a matrix of shape ", x.dim().single_batch(), "; a vector {", size, "} is needed");
  return x;
}

Expression with_ones(const Expression& x) {
  const Dim d = x.dim();
  return concatenate({x, ones(graph_of({x}), Dim({1, d.cols()}, d.bd))});
}

std::vector<Expression> parts(const Expression& gates, unsigned size) {
  std::vector<Expression> all;
  for (unsigned at = 0; at < gates.dim().rows(); at += size) all.push_back(pick_range(gates, at, at + size));
  return all;
}

const ParameterInitConst zeros_at_first(0), ones_at_first(1);

}  // namespace
}  // namespace dynet::engine

namespace dynet::nn {

using engine::as_matrix;
using engine::bound;
using engine::invalid;
using engine::size_above_0;
using engine::vector_of;
using engine::with_rows;

Linear::Linear(unsigned inputs, unsigned outputs, ParameterCollection& model, bool has_bias)
    : inputs(size_above_0("Linear", "inputs", inputs)), outputs(size_above_0("Linear", "outputs", outputs)) {
  ParameterCollection own = model.add_subcollection("linear");
  weight = own.add_parameters({outputs, inputs}, "weight");
  if (has_bias) bias = own.add_parameters({outputs}, engine::zeros_at_first, "bias");
}
Expression Linear::operator()(const Expression& x) const {
  with_rows("Linear", x, inputs);
  return engine::in_columns_of(x,
                               bias ? affine_transform({bound(bias), bound(weight), x}) : bound(weight) * x);
}

Embedding::Embedding(unsigned words, unsigned size, ParameterCollection& model)
    : words(size_above_0("Embedding", "words", words)), size(size_above_0("Embedding", "size", size)) {
  table = model.add_subcollection("embedding").add_lookup_parameters(words, {size}, "table");
}
Expression Embedding::operator()(engine::Graph& graph, unsigned row) const {
  return lookup(graph, table, row);
}
Expression Embedding::operator()(engine::Graph& graph, engine::Indices rows) const {
  const auto count = static_cast<unsigned>(rows.size());
  return reshape(lookup(graph, table, rows), {size, size_above_0("Embedding", "the number of rows", count)});
}

LayerNorm::LayerNorm(unsigned size, ParameterCollection& model, real eps)
    : size(size_above_0("LayerNorm", "size", size)), eps(eps) {
  ParameterCollection own = model.add_subcollection("layer-norm");
  weight = own.add_parameters({size}, engine::ones_at_first, "weight");
  bias = own.add_parameters({size}, engine::zeros_at_first, "bias");
}
Expression LayerNorm::operator()(const Expression& x) const {
  return layer_norm(with_rows("LayerNorm", x, size), bound(weight), bound(bias), {0}, eps);
}

RMSNorm::RMSNorm(unsigned size, ParameterCollection& model, real eps)
    : size(size_above_0("RMSNorm", "size", size)), eps(eps) {
  weight = model.add_subcollection("rms-norm").add_parameters({size}, engine::ones_at_first, "weight");
}
Expression RMSNorm::operator()(const Expression& x) const {
  return functional::rms_norm(with_rows("RMSNorm", x, size), bound(weight), {0}, eps);
}

MLP::MLP(const std::vector<unsigned>& sizes, ParameterCollection& model, Activation activation)
    : activation(std::move(activation)) {
  if (sizes.size() < 2) invalid("MLP: ", sizes.size(), " sizes; those of input and output are needed");
  for (const unsigned size : sizes) size_above_0("MLP", "a size", size);
  ParameterCollection own = model.add_subcollection("mlp");
  for (size_t i = 1; i < sizes.size(); ++i) layers.emplace_back(sizes[i - 1], sizes[i], own);
}
Expression MLP::operator()(const Expression& x) const {
  with_rows("MLP", x, layers[0].inputs);
  Expression y = layers[0](x);
  for (size_t i = 1; i < layers.size(); ++i) {
    y = activation(y);
    y = layers[i](dropout != 0 ? dynet::dropout(y, dropout) : y);
  }
  return y;
}

Highway::Highway(unsigned size, ParameterCollection& model, unsigned layers, Activation activation,
                 real gate_bias)
    : activation(std::move(activation)) {
  size_above_0("Highway", "size", size), size_above_0("Highway", "layers", layers);
  ParameterCollection own = model.add_subcollection("highway");
  for (unsigned i = 0; i < layers; ++i) {
    ParameterCollection part = own.add_subcollection("transform");
    transforms.emplace_back(size, size, part);
  }
  for (unsigned i = 0; i < layers; ++i) {
    ParameterCollection part = own.add_subcollection("gate");
    gates.emplace_back(size, size, part).bias.set_value(std::vector<real>(size, gate_bias));
  }
}
Expression Highway::operator()(const Expression& x) const {
  Expression y = with_rows("Highway", x, transforms[0].inputs);
  for (size_t i = 0; i < transforms.size(); ++i)
    y = y + cmult(logistic(gates[i](y)), activation(transforms[i](y)) - y);
  return y;
}

Conv1d::Conv1d(unsigned inputs, unsigned outputs, unsigned width, ParameterCollection& model, Padding padding)
    : inputs(size_above_0("Conv1d", "inputs", inputs)),
      outputs(size_above_0("Conv1d", "outputs", outputs)),
      width(size_above_0("Conv1d", "width", width)),
      padding(padding) {
  ParameterCollection own = model.add_subcollection("conv1d");
  weight = own.add_parameters({outputs, width * inputs}, "weight");
  bias = own.add_parameters({outputs}, engine::zeros_at_first, "bias");
}
Expression Conv1d::operator()(const Expression& given) const {
  const Expression x = as_matrix(with_rows("Conv1d", given, inputs));
  const unsigned reach = padding == Padding::valid ? 0 : width - 1,
                 before = padding == Padding::same ? reach / 2 : reach, length = x.dim().cols();
  if (length + reach < width)
    invalid("Conv1d: ", length, " columns; a filter of width ", width, " without padding needs as many");
  std::vector<Expression> padded{x};
  const auto margin = [&](unsigned n) { return zeros(engine::graph_of({x}), {inputs, n}); };
  if (before > 0) padded.insert(padded.begin(), margin(before));
  if (reach > before) padded.push_back(margin(reach - before));
  const Expression all = padded.size() == 1 ? x : concatenate(padded, 1);
  const unsigned columns = length + reach - width + 1;
  std::vector<Expression> windows;
  for (unsigned k = 0; k < width; ++k) windows.push_back(pick_range(all, k, k + columns, 1));
  const Expression spread = width == 1 ? windows[0] : concatenate(windows);
  return as_matrix(affine_transform({bound(bias), bound(weight), spread}));
}

namespace {

unsigned even(unsigned outputs) {
  if (outputs % 2) invalid("BiLSTM: outputs is ", outputs, "; each direction has half, so it must be even");
  return outputs;
}
}  // namespace

BiLSTM::BiLSTM(unsigned inputs, unsigned outputs, ParameterCollection& model, unsigned layers)
    : inputs(size_above_0("BiLSTM", "inputs", inputs)),
      outputs(size_above_0("BiLSTM", "outputs", even(outputs))),
      collection(model.add_subcollection("bi-lstm")),
      builder(layers, inputs, outputs, collection) {}
std::vector<Expression> BiLSTM::operator()(engine::Expressions xs) {
  if (xs.empty()) invalid("BiLSTM: an empty list; at least one vector is needed");
  for (const Expression& x : xs) with_rows("BiLSTM", x, inputs);
  builder.new_graph(engine::graph_of(xs));
  return builder.transduce(xs);
}
Expression BiLSTM::operator()(const Expression& x) {
  std::vector<Expression> columns;
  const unsigned count = as_matrix(with_rows("BiLSTM", x, inputs)).dim().cols();
  for (unsigned i = 0; i < count; ++i) columns.push_back(x.dim().nd > 1 ? pick(x, i, 1) : x);
  return concatenate_cols((*this)(columns));
}

Biaffine::Biaffine(unsigned left, unsigned right, ParameterCollection& model, unsigned outputs)
    : left(size_above_0("Biaffine", "left", left)),
      right(size_above_0("Biaffine", "right", right)),
      outputs(size_above_0("Biaffine", "outputs", outputs)) {
  weight = model.add_subcollection("biaffine").add_parameters({outputs * (left + 1), right + 1}, "weight");
}
Expression Biaffine::operator()(const Expression& x, const Expression& y) const {
  const Expression heads = engine::with_ones(as_matrix(with_rows("Biaffine", x, left))),
                   others = engine::with_ones(as_matrix(with_rows("Biaffine", y, right)));
  const unsigned n = heads.dim().cols(), m = others.dim().cols(),
                 batch = std::max(heads.dim().bd, others.dim().bd);
  const Expression products = bound(weight) * others;
  if (outputs == 1) return reshape(transpose(heads) * products, Dim({n, m}, batch));
  const Expression side_by_side = reshape(products, Dim({left + 1, outputs * m}, others.dim().bd));
  const Expression scores = reshape(transpose(heads) * side_by_side, Dim({n, outputs, m}, batch));
  return transpose(scores, {1, 0, 2});
}

CRF::CRF(unsigned inputs, unsigned tags, ParameterCollection& model)
    : collection((size_above_0("CRF", "inputs", inputs), size_above_0("CRF", "tags", tags),
                  model.add_subcollection("crf"))),
      emission(engine::linear_part("emission", inputs, tags, collection)) {
  transitions = collection.add_parameters({tags, tags}, engine::zeros_at_first, "transitions");
  start = collection.add_parameters({tags}, engine::zeros_at_first, "start");
  end = collection.add_parameters({tags}, engine::zeros_at_first, "end");
}
dynet::structured::LinearChain CRF::operator()(const Expression& x) const {
  const Expression scores = emission(as_matrix(with_rows("CRF", x, emission.inputs)));
  return {scores, bound(transitions), bound(start), bound(end)};
}
std::vector<int> CRF::predict(const Expression& x) const {
  const auto all = dynet::structured::found((*this)(x).best());
  if (all.size() != 1) invalid("CRF::predict: a mini-batch; found(head(x).best()) tells all of them");
  return all[0][0].told;
}

ChildSumTreeLSTM::ChildSumTreeLSTM(unsigned inputs, unsigned outputs, ParameterCollection& model)
    : inputs(size_above_0("ChildSumTreeLSTM", "inputs", inputs)),
      outputs(size_above_0("ChildSumTreeLSTM", "outputs", outputs)) {
  ParameterCollection own = model.add_subcollection("child-sum-tree-lstm");
  input = own.add_parameters({3 * outputs, inputs}, "input");
  children = own.add_parameters({3 * outputs, outputs}, "children");
  bias = own.add_parameters({3 * outputs}, engine::zeros_at_first, "bias");
  forget_input = own.add_parameters({outputs, inputs}, "forget_input");
  forget_children = own.add_parameters({outputs, outputs}, "forget_children");
  forget_bias = own.add_parameters({outputs}, engine::ones_at_first, "forget_bias");
}
TreeState ChildSumTreeLSTM::operator()(const Expression& x, std::span<const TreeState> below) const {
  std::vector<Expression> terms{bound(bias), bound(input), vector_of("ChildSumTreeLSTM", x, inputs)}, hs;
  for (const TreeState& child : below) hs.push_back(vector_of("ChildSumTreeLSTM", child.h, outputs));
  if (!hs.empty()) terms.insert(terms.end(), {bound(children), hs.size() == 1 ? hs[0] : sum(hs)});
  const auto gates = engine::parts(affine_transform(terms), outputs);
  std::vector<Expression> kept{cmult(logistic(gates[0]), tanh(gates[2]))};
  if (!hs.empty()) {
    const Expression read = affine_transform({bound(forget_bias), bound(forget_input), x});
    for (const TreeState& child : below)
      kept.push_back(cmult(logistic(read + bound(forget_children) * child.h), child.c));
  }
  const Expression cell = kept.size() == 1 ? kept[0] : sum(kept);
  return {cmult(logistic(gates[1]), tanh(cell)), cell};
}

NaryTreeLSTM::NaryTreeLSTM(unsigned inputs, unsigned outputs, unsigned arity, ParameterCollection& model)
    : inputs(size_above_0("NaryTreeLSTM", "inputs", inputs)),
      outputs(size_above_0("NaryTreeLSTM", "outputs", outputs)) {
  const unsigned gates = (3 + size_above_0("NaryTreeLSTM", "arity", arity)) * outputs;
  ParameterCollection own = model.add_subcollection("nary-tree-lstm");
  input = own.add_parameters({gates, inputs}, "input");
  std::vector<real> start(gates, 0);
  std::fill(start.begin() + 3 * outputs, start.end(), real(1));
  bias = own.add_parameters({gates}, engine::zeros_at_first, "bias");
  bias.set_value(start);
  for (unsigned k = 1; k <= arity; ++k)
    children.push_back(own.add_parameters({gates, outputs}, "children-" + std::to_string(k)));
}
TreeState NaryTreeLSTM::operator()(const Expression& x, std::span<const TreeState> below) const {
  if (below.size() > children.size())
    invalid("NaryTreeLSTM: ", below.size(), " children; at most ", children.size(), " fit");
  std::vector<Expression> terms{bound(bias), bound(input), vector_of("NaryTreeLSTM", x, inputs)};
  for (size_t k = 0; k < below.size(); ++k)
    terms.insert(terms.end(), {bound(children[k]), vector_of("NaryTreeLSTM", below[k].h, outputs)});
  const auto gates = engine::parts(affine_transform(terms), outputs);
  std::vector<Expression> kept{cmult(logistic(gates[0]), tanh(gates[2]))};
  for (size_t k = 0; k < below.size(); ++k) kept.push_back(cmult(logistic(gates[3 + k]), below[k].c));
  const Expression cell = kept.size() == 1 ? kept[0] : sum(kept);
  return {cmult(logistic(gates[1]), tanh(cell)), cell};
}

}  // namespace dynet::nn
