// One step of the LSTMs with coupled gates.
#include "dynet/nn/coupled_lstm.h"

#include "dynet/ops/linear.h"
#include "dynet/ops/map.h"
#include "dynet/ops/zip.h"

namespace dynet {
namespace {

enum { x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc };

/// c = (1 − i)∘c₋ + i∘g
Expression next_cell(const Expression& i, const Expression& g, const Expression& c) {
  return c.pg ? cmult(1 - i, c) + cmult(i, g) : cmult(i, g);
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
  dropout_.prepare(x);
  for (unsigned l = 0; l < layers; ++l) {
    const auto& p = param_vars[l];
    x = dropout_.apply(DropoutMasks::input, l, x);
    Expression i = affine_transform({p[bi], p[x2i], x});
    Expression g = affine_transform({p[bc], p[x2c], x});
    Expression o = affine_transform({p[bo], p[x2o], x});
    if (given(before[l])) {
      const Expression c = dropout_.apply(DropoutMasks::cell, l, before[l]);
      const Expression h = dropout_.apply(DropoutMasks::output, l, before[layers + l]);
      i = affine_transform({i, p[h2i], h, p[c2i], c});
      g = affine_transform({g, p[h2c], h});
      o = affine_transform({o, p[h2o], h});
    }
    const Expression c = next_cell(logistic(i), tanh(g), before[l]);
    o = logistic(affine_transform({o, p[c2o], dropout_.apply(DropoutMasks::cell, l, c)}));
    after[l] = c;
    after[layers + l] = x = cmult(o, tanh(c));
  }
  return x;
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
  for (unsigned l = 0; l < layers; ++l) {
    const auto& p = param_vars[l];
    Expression i = affine_transform({p[bi], p[x2i], x});
    Expression g = affine_transform({p[bc], p[x2c], x});
    Expression o = affine_transform({p[bo], p[x2o], x});
    if (given(before[l])) {
      const Expression& h = before[layers + l];
      i = affine_transform({i, p[h2i], h});
      g = affine_transform({g, p[h2c], h});
      o = affine_transform({o, p[h2o], h});
    }
    const Expression c = next_cell(logistic(i), tanh(g), before[l]);
    after[l] = c;
    after[layers + l] = x = cmult(logistic(o), tanh(c));
  }
  return x;
}

}  // namespace dynet
