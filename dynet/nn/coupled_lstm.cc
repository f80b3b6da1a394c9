// One step of the LSTMs with coupled gates.
#include "dynet/nn/coupled_lstm.h"

#include "dynet/ops/all.h"

namespace dynet {
namespace {

enum { x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc };

/// One step of all layers, with or without the terms in c; the masks are of no use where there are none.
Expression coupled_step(const std::vector<std::vector<Expression>>& params, DropoutMasks& dropout,
                        bool peepholes, std::span<const Expression> before, Expression x,
                        std::span<Expression> after) {
  dropout.prepare(x);
  const auto layers = static_cast<unsigned>(params.size());
  for (unsigned l = 0; l < layers; ++l) {
    const auto& p = params[l];
    const Expression& last_c = before[l];
    x = dropout.apply(DropoutMasks::input, l, x);
    Expression i = affine_transform({p[bi], p[x2i], x});
    Expression g = affine_transform({p[bc], p[x2c], x});
    Expression o = affine_transform({p[bo], p[x2o], x});
    if (last_c.pg) {
      const Expression h = dropout.apply(DropoutMasks::output, l, before[layers + l]);
      const Expression c = dropout.apply(DropoutMasks::cell, l, last_c);
      i = peepholes ? affine_transform({i, p[h2i], h, p[c2i], c}) : affine_transform({i, p[h2i], h});
      g = affine_transform({g, p[h2c], h});
      o = affine_transform({o, p[h2o], h});
    }
    i = logistic(i);
    g = tanh(g);
    // (1 − i)∘c₋ + i∘g in as few nodes as possible
    const Expression c = last_c.pg ? last_c + cmult(i, g - last_c) : cmult(i, g);
    if (peepholes) o = affine_transform({o, p[c2o], dropout.apply(DropoutMasks::cell, l, c)});
    after[l] = c;
    after[layers + l] = x = cmult(logistic(o), tanh(c));
  }
  return x;
}

}  // namespace

CoupledLSTMBuilder::CoupledLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                       ParameterCollection& model)
    : RNNBuilder({"lstm-builder", true, 3}, layers, input_dim, hidden_dim, model) {
  const unsigned H = hidden_dim;
  for (unsigned l = 0; l < layers; ++l) {
    const unsigned I = layer_input_dim(l);
    params.push_back({matrix(H, I), matrix(H, H), matrix(H, H), bias(H),  //
                      matrix(H, I), matrix(H, H), matrix(H, H), bias(H),  //
                      matrix(H, I), matrix(H, H), bias(H)});
  }
}

Expression CoupledLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return coupled_step(param_vars, dropout_, true, before, x, after);
}

FastLSTMBuilder::FastLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                 ParameterCollection& model)
    : RNNBuilder({"fast-lstm-builder", true, 0}, layers, input_dim, hidden_dim, model) {
  const unsigned H = hidden_dim;
  for (unsigned l = 0; l < layers; ++l) {
    const unsigned I = layer_input_dim(l);
    params.push_back({matrix(H, I), matrix(H, H), matrix(H, 1), bias(H),  //
                      matrix(H, I), matrix(H, H), matrix(H, 1), bias(H),  //
                      matrix(H, I), matrix(H, H), bias(H)});
  }
}

Expression FastLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return coupled_step(param_vars, dropout_, false, before, x, after);
}

}  // namespace dynet
