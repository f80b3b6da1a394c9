// One step of the LSTMs with coupled gates.
#include "dynet/nn/coupled_lstm.h"

#include "dynet/nn/cell.h"
#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
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

struct State {
  Expression c, h;
};

/// One step from {W_i x, W_g x, W_o x}, then, after the first, {h₋, c₋, U_i, U_g, U_o}, then, with peepholes,
/// {C_o} or {C_i, C_o}; `masked` is c as the gates read it.
State coupled_state(std::span<const Expression> x, auto masked) {
  const bool has_last = x.size() >= 8;
  Expression i = x[0], g = x[1], o = x[2];
  if (has_last) {
    const Expression &h = x[3], &U_i = x[5], &U_g = x[6], &U_o = x[7];
    i = x.size() == 10 ? affine_transform({i, U_i, h, x[8], masked(x[4])}) : affine_transform({i, U_i, h});
    g = affine_transform({g, U_g, h});
    o = affine_transform({o, U_o, h});
  }
  i = logistic(i);
  g = tanh(g);
  // (1 − i)∘c₋ + i∘g in as few nodes as possible
  const Expression c = has_last ? x[4] + cmult(i, g - x[4]) : cmult(i, g);
  if (x.size() == 4 || x.size() == 10) o = affine_transform({o, x.back(), masked(c)});
  return {c, cmult(logistic(o), tanh(c))};
}

/// The same for a cell, where nothing is masked.
std::vector<Expression> coupled_node(const std::vector<Expression>& x) {
  const State s = coupled_state(x, [](const Expression& c) { return c; });
  return {s.c, s.h};
}

/// One step of a layer: one node, but for the products with x and where the memory cell is masked.
State coupled_layer(const std::vector<Expression>& p, DropoutMasks& dropout, unsigned l, bool peepholes,
                    const State& last, const Expression& x) {
  thread_local Cell node(coupled_node);
  thread_local std::vector<Expression> all;
  all = {affine_transform({p[bi], p[x2i], x}), affine_transform({p[bc], p[x2c], x}),
         affine_transform({p[bo], p[x2o], x})};
  if (last.c.pg)
    all.insert(all.end(), {dropout.apply(DropoutMasks::output, l, last.h), last.c, p[h2i], p[h2c], p[h2o]});
  if (peepholes && last.c.pg) all.push_back(p[c2i]);
  if (peepholes) all.push_back(p[c2o]);
  if (dropout.rate(DropoutMasks::cell) > 0)
    return coupled_state(all, [&](const Expression& c) { return dropout.apply(DropoutMasks::cell, l, c); });
  const Expression y = node.node(all);
  const unsigned size = dim_of(y)[0] / 2;
  return {PickRangeView::call(y, 0, size, 0), PickRangeView::call(y, size, 2 * size, 0)};
}

/// One step of all layers, each of which reads the output of the one below.
Expression coupled_step(const std::vector<std::vector<Expression>>& params, DropoutMasks& dropout,
                        bool peepholes, std::span<const Expression> before, Expression x,
                        std::span<Expression> after) {
  dropout.prepare(x);
  const auto layers = static_cast<unsigned>(params.size());
  for (unsigned l = 0; l < layers; ++l) {
    x = dropout.apply(DropoutMasks::input, l, x);
    const State next = coupled_layer(params[l], dropout, l, peepholes, {before[l], before[layers + l]}, x);
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
    : RNNBuilder({"fast-lstm-builder", true, 2}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l)
    params.push_back(coupled_parameters(get_parameter_collection(), layer_input_dim(l), hidden_dim, 1));
}

Expression FastLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return coupled_step(param_vars, dropout_, false, before, x, after);
}

DeepLSTMBuilder::DeepLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                 ParameterCollection& model)
    : RNNBuilder({"deep-lstm-builder", true, 2}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l)
    params.push_back(coupled_parameters(get_parameter_collection(), l ? hidden_dim + input_dim : input_dim,
                                        hidden_dim, hidden_dim));
}

Expression DeepLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  dropout_.prepare(x);
  x = dropout_.apply(DropoutMasks::input, 0, x);
  Expression in = x;
  for (unsigned l = 0; l < layers; ++l) {
    if (l > 0) in = concatenate({dropout_.apply(DropoutMasks::input, l, after[layers + l - 1]), x});
    const State next = coupled_layer(param_vars[l], dropout_, l, true, {before[l], before[layers + l]}, in);
    after[l] = next.c;
    after[layers + l] = next.h;
  }
  return output_of(after);
}

Expression DeepLSTMBuilder::output_of(ConstCells state) const {
  const ConstCells hs = state.last(layers);
  return layers > 1 ? concatenate(hs) : RNNBuilder::output_of(state);
}

}  // namespace dynet
