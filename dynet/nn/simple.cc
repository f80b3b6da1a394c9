// One step of the Elman network.
#include "dynet/nn/simple.h"

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;

SimpleRNNBuilder::SimpleRNNBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                   ParameterCollection& model, bool lags)
    : RNNBuilder({"simple-rnn-builder", false, 2}, layers, input_dim, hidden_dim, model), support_lags(lags) {
  for (unsigned l = 0; l < layers; ++l) {
    params.push_back(
        {matrix(hidden_dim, layer_input_dim(l)), matrix(hidden_dim, hidden_dim), bias(hidden_dim)});
    if (support_lags) params[l].push_back(matrix(hidden_dim, hidden_dim));
  }
}

Expression SimpleRNNBuilder::add_auxiliary_input(const Expression& x, const Expression& auxiliary) {
  if (!support_lags)
    invalid("SimpleRNNBuilder::add_auxiliary_input: the builder was made without support_lags = true");
  check_builder_input("SimpleRNNBuilder::add_auxiliary_input", auxiliary, hidden_dim);
  struct Reset {
    Expression& e;
    ~Reset() { e = Expression(); }
  } reset{auxiliary_ = auxiliary};
  return add_input(x);
}

Expression SimpleRNNBuilder::step(ConstCells before, Expression x, Cells after) {
  enum { input_matrix, output_matrix, bias_vector, auxiliary_matrix };
  dropout_.prepare(x);
  for (unsigned l = 0; l < layers; ++l) {
    const auto& p = param_vars[l];
    x = affine_transform({p[bias_vector], p[input_matrix], dropout_.apply(DropoutMasks::input, l, x)});
    if (given(auxiliary_)) x = affine_transform({x, p[auxiliary_matrix], auxiliary_});
    if (given(before[l]))
      x = affine_transform({x, p[output_matrix], dropout_.apply(DropoutMasks::output, l, before[l])});
    after[l] = x = tanh(x);
  }
  return x;
}

}  // namespace dynet
