// One step of the LSTMs with coupled gates.
#include "dynet/nn/coupled_lstm.h"

#include "dynet/ops/all.h"

namespace dynet {
namespace {

enum { x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc };

/// The parameters of a layer; peepholes are matrices of so many columns.
std::vector<Parameter> coupled_parameters(ParameterCollection& model, unsigned I, unsigned H,
                                          unsigned peephole_columns) {
  const auto matrix = [&](unsigned cols) { return model.add_parameters({H, cols}); };
  const auto bias = [&] { return model.add_parameters({H}, ParameterInitConst(0)); };
  return {matrix(I), matrix(H), matrix(peephole_columns),
          bias(),  //
          matrix(I), matrix(H), matrix(peephole_columns),
          bias(),  //
          matrix(I), matrix(H), bias()};
}

struct Cell {
  Expression c, h;
};

/// One step of a layer, with or without the terms in c; the masks are of no use where there are none.
Cell coupled_cell(const std::vector<Expression>& p, const DropoutMasks& dropout, unsigned l, bool peepholes,
                  const Cell& last, const Expression& x) {
  Expression i = affine_transform({p[bi], p[x2i], x});
  Expression g = affine_transform({p[bc], p[x2c], x});
  Expression o = affine_transform({p[bo], p[x2o], x});
  if (last.c.pg) {
    const Expression h = dropout.apply(DropoutMasks::output, l, last.h);
    const Expression c = dropout.apply(DropoutMasks::cell, l, last.c);
    i = peepholes ? affine_transform({i, p[h2i], h, p[c2i], c}) : affine_transform({i, p[h2i], h});
    g = affine_transform({g, p[h2c], h});
    o = affine_transform({o, p[h2o], h});
  }
  i = logistic(i);
  g = tanh(g);
  // (1 − i)∘c₋ + i∘g in as few nodes as possible
  const Expression c = last.c.pg ? last.c + cmult(i, g - last.c) : cmult(i, g);
  if (peepholes) o = affine_transform({o, p[c2o], dropout.apply(DropoutMasks::cell, l, c)});
  return {c, cmult(logistic(o), tanh(c))};
}

/// One step of all layers, each of which reads the output of the one below.
Expression coupled_step(const std::vector<std::vector<Expression>>& params, DropoutMasks& dropout,
                        bool peepholes, std::span<const Expression> before, Expression x,
                        std::span<Expression> after) {
  dropout.prepare(x);
  const auto layers = static_cast<unsigned>(params.size());
  for (unsigned l = 0; l < layers; ++l) {
    x = dropout.apply(DropoutMasks::input, l, x);
    const Cell next = coupled_cell(params[l], dropout, l, peepholes, {before[l], before[layers + l]}, x);
    after[l] = next.c;
    after[layers + l] = x = next.h;
  }
  return x;
}

}  // namespace

CoupledLSTMBuilder::CoupledLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                       ParameterCollection& model)
    : RNNBuilder({"lstm-builder", true, 3}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l)
    params.push_back(
        coupled_parameters(get_parameter_collection(), layer_input_dim(l), hidden_dim, hidden_dim));
}

Expression CoupledLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return coupled_step(param_vars, dropout_, true, before, x, after);
}

FastLSTMBuilder::FastLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                 ParameterCollection& model)
    : RNNBuilder({"fast-lstm-builder", true, 0}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l)
    params.push_back(coupled_parameters(get_parameter_collection(), layer_input_dim(l), hidden_dim, 1));
}

Expression FastLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return coupled_step(param_vars, dropout_, false, before, x, after);
}

DeepLSTMBuilder::DeepLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                 ParameterCollection& model)
    : RNNBuilder({"deep-lstm-builder", true, 0}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l)
    params.push_back(coupled_parameters(get_parameter_collection(), l ? hidden_dim + input_dim : input_dim,
                                        hidden_dim, hidden_dim));
}

Expression DeepLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  Expression in = x;
  for (unsigned l = 0; l < layers; ++l) {
    const Cell next = coupled_cell(param_vars[l], dropout_, l, true, {before[l], before[layers + l]}, in);
    after[l] = next.c;
    after[layers + l] = next.h;
    in = concatenate({next.h, x});
  }
  return output_of(after);
}

Expression DeepLSTMBuilder::output_of(ConstCells state) const {
  const ConstCells hs = state.last(layers);
  return layers > 1 ? concatenate(hs) : RNNBuilder::output_of(state);
}

}  // namespace dynet
