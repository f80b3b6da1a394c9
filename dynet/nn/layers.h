// Layers of a network: each adds its parameters to a collection, and is called as layer(x).
//
// They are those of dy.nn in Python, with its names and shapes of parameters and its numbers, so that either
// language reads what the other has saved. x is a vector, or a matrix with a column for each word; both may
// be mini-batches. Of what does not fit std::invalid_argument tells. Dropout is on while `dropout` is not 0.
#pragma once

#include <functional>

#include "dynet/nn/bidirectional.h"
#include "dynet/nn/structured.h"
#include "dynet/ops/activations.h"
#include "dynet/params/collection.h"

namespace dynet::nn {

/// A function between layers, such as rectify.
using Activation = std::function<Expression(const Expression&)>;

/// y = W x + b of each column of x. Parameters: weight {outputs, inputs}, and bias {outputs}, zeros at first.
class Linear {
 public:
  Linear(unsigned inputs, unsigned outputs, ParameterCollection& model, bool bias = true);
  /// {outputs}, or {outputs, n}.
  Expression operator()(const Expression& x) const;

  unsigned inputs, outputs;
  Parameter weight, bias;
};

/// A vector for each word: rows of a table, {words, size}.
class Embedding {
 public:
  Embedding(unsigned words, unsigned size, ParameterCollection& model);
  /// The vector {size} of a row; std::out_of_range if it is not there.
  Expression operator()(engine::Graph& graph, unsigned row) const;
  /// The matrix {size, n} of n rows, one of which C++ takes for a row itself unless it is a std::vector.
  Expression operator()(engine::Graph& graph, engine::Indices rows) const;

  unsigned words, size;
  LookupParameter table;
};

/// y = weight ∘ (x − mean) / √(variance + eps) + bias, of each column of `size` rows.
class LayerNorm {
 public:
  LayerNorm(unsigned size, ParameterCollection& model, real eps = 1e-5f);
  /// In the shape of x.
  Expression operator()(const Expression& x) const;

  unsigned size;
  real eps;
  Parameter weight, bias;
};

/// y = weight ∘ x / √(mean of x² + eps), of each column of `size` rows. Parameter: weight {size}, ones at
/// first.
class RMSNorm {
 public:
  RMSNorm(unsigned size, ParameterCollection& model, real eps = 1e-6f);
  /// In the shape of x.
  Expression operator()(const Expression& x) const;

  unsigned size;
  real eps;
  Parameter weight;
};

/// A perceptron: x ← dropout(activation(W x + b)) for each layer but the last, which is linear. `sizes` are
/// those of the input, of the hidden layers and of the output.
class MLP {
 public:
  MLP(const std::vector<unsigned>& sizes, ParameterCollection& model, Activation activation = rectify);
  /// {outputs}, or {outputs, n}.
  Expression operator()(const Expression& x) const;

  std::vector<Linear> layers;
  Activation activation;
  real dropout = 0;
};

/// y = t ∘ activation(W x + b) + (1 − t) ∘ x with t = σ(V x + c), `layers` times; c is gate_bias at first.
class Highway {
 public:
  Highway(unsigned size, ParameterCollection& model, unsigned layers = 1, Activation activation = rectify,
          real gate_bias = -2);
  /// In the shape of x.
  Expression operator()(const Expression& x) const;

  std::vector<Linear> transforms, gates;
  Activation activation;
};

/// Columns of zeros that a convolution adds: none, half on each side, or all of them before.
enum class Padding { valid, same, causal };

/// Column t of the result is b + Σ_k W_k x_(t + k − p), for p columns of padding before. Parameters: weight
/// {outputs, width · inputs}, W_0 … side by side, and bias {outputs}.
class Conv1d {
 public:
  Conv1d(unsigned inputs, unsigned outputs, unsigned width, ParameterCollection& model,
         Padding padding = Padding::valid);
  /// {outputs, n}, or with Padding::valid {outputs, n − width + 1}.
  Expression operator()(const Expression& x) const;

  unsigned inputs, outputs, width;
  Padding padding;
  Parameter weight, bias;
};

/// LSTMs that read in both directions; `outputs` counts both together.
class BiLSTM {
 public:
  BiLSTM(unsigned inputs, unsigned outputs, ParameterCollection& model, unsigned layers = 1);
  /// One output for each vector.
  std::vector<Expression> operator()(engine::Expressions xs);
  /// {outputs, n} of a matrix {inputs, n}.
  Expression operator()(const Expression& x);

  unsigned inputs, outputs;
  ParameterCollection collection;
  BiRNNBuilder builder;
};

/// s_ij = [x_i; 1]ᵀ U [y_j; 1] of each pair of columns: {n, m}, or with several outputs {outputs, n, m}.
/// Parameter: weight {outputs · (left + 1), right + 1}.
class Biaffine {
 public:
  Biaffine(unsigned left, unsigned right, ParameterCollection& model, unsigned outputs = 1);
  /// Scores of all columns of x {left, n} with all of y {right, m}.
  Expression operator()(const Expression& x, const Expression& y) const;

  unsigned left, right, outputs;
  Parameter weight;
};

/// A conditional random field over tags as the output of a network. Parameters: those of a Linear;
/// transitions {tags, tags}, of which (to, from) scores `to` after `from`; start and end {tags}.
class CRF {
 public:
  CRF(unsigned inputs, unsigned tags, ParameterCollection& model);
  /// The distribution over the tags of the words of x {inputs, n}.
  dynet::structured::LinearChain operator()(const Expression& x) const;
  /// −log p(tags | x), {1}.
  Expression loss(const Expression& x, engine::Indices tags) const { return (*this)(x).nll(tags); }
  /// The best tags, which are computed.
  std::vector<int> predict(const Expression& x) const;

  ParameterCollection collection;
  Linear emission;
  Parameter transitions, start, end;
};

/// What a tree LSTM knows of a subtree: its output h and its cell c.
struct TreeState {
  Expression h, c;
};

/// The child-sum tree LSTM, for any number of children: with s = Σ h_k
/// i, o = σ(W x + U s + b), u = tanh(W x + U s + b), f_k = σ(V x + R h_k + d); c = i ∘ u + Σ f_k ∘ c_k,
/// h = o ∘ tanh c. (Tai, Socher and Manning 2015)
class ChildSumTreeLSTM {
 public:
  ChildSumTreeLSTM(unsigned inputs, unsigned outputs, ParameterCollection& model);
  /// The state of a node that reads x {inputs}; a leaf has no children.
  TreeState operator()(const Expression& x, std::span<const TreeState> children = {}) const;

  unsigned inputs, outputs;
  Parameter input, children, bias, forget_input, forget_children, forget_bias;
};

/// The N-ary tree LSTM, for at most `arity` children in an order, with matrices of their own.
/// NaryTreeLSTMBuilder has peepholes and layers, and keeps a tree by the ids of its nodes.
class NaryTreeLSTM {
 public:
  NaryTreeLSTM(unsigned inputs, unsigned outputs, unsigned arity, ParameterCollection& model);
  /// The state of a node that reads x {inputs}; a leaf has no children.
  TreeState operator()(const Expression& x, std::span<const TreeState> children = {}) const;

  unsigned inputs, outputs;
  Parameter input, bias;
  std::vector<Parameter> children;
};

}  // namespace dynet::nn

namespace dynet::engine {

/// A parameter in whatever graph it is used in.
inline Expression bound(const Parameter& p) { return Expression::of_parameter(&p.get_storage(), true); }
/// x, if it has so many rows; else an error that names the layer.
const Expression& with_rows(const char* layer, const Expression& x, unsigned rows);
/// Throws unless a size is above 0.
unsigned size_above_0(const char* layer, const char* name, unsigned size);
/// A matrix with the columns of x: a vector has one.
Expression as_matrix(const Expression& x);
/// A linear layer in a sub-collection of this name.
nn::Linear linear_part(const char* name, unsigned inputs, unsigned outputs, ParameterCollection& model);

}  // namespace dynet::engine
