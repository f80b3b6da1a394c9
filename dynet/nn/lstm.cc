// One step of the LSTM and of its variants with stacked matrices.
#include "dynet/nn/lstm.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
namespace {

enum { input_matrix, output_matrix, bias_vector, input_mask, output_mask };
enum { output_gain, output_bias, input_gain, input_bias, cell_gain, cell_bias };

/// Gains of 1 and biases of 0 for one layer's normalisations.
std::vector<Parameter> normalisation(unsigned hidden_dim, ParameterCollection& model) {
  const auto vector = [&](unsigned size, real value) {
    return model.add_parameters({size}, ParameterInitConst(value));
  };
  const unsigned H = hidden_dim;
  return {vector(4 * H, 1), vector(4 * H, 0), vector(4 * H, 1), vector(4 * H, 0), vector(H, 1), vector(H, 0)};
}

struct CellState {
  Expression c, h;
};

struct Weights {
  Expression input, output, bias;
};

Weights weights(const std::vector<Expression>& p) {
  return {p[input_matrix], p[output_matrix], p[bias_vector]};
}

/// The macro cell. Its input product is a node of its own, so that those of all steps become one; nothing
/// else reads it.
CellState cell(const Weights& w, const Expression& x, const CellState& last, real forget_bias) {
  const Expression wx = affine_transform({w.bias, w.input, x});
  const Expression y = last.h.pg ? LstmCell::call({wx, w.output, last.h, last.c}, forget_bias)
                                 : LstmCell::call({wx}, forget_bias);
  const unsigned hidden = dim_of(y)[0] / 2;
  return {PickRangeView::call(y, 0, hidden, 0), PickRangeView::call(y, hidden, 2 * hidden, 0)};
}

/// The step with layer normalisation; `n` are the gains and biases.
CellState normalised_cell(const Weights& w, const std::vector<Expression>& n, const Expression& x,
                          const CellState& last, real forget_bias) {
  Expression gates = w.bias + layer_norm(w.input * x, n[input_gain], n[input_bias]);
  if (last.h.pg) gates = gates + layer_norm(w.output * last.h, n[output_gain], n[output_bias]);
  const unsigned hidden = dim_of(gates)[0] / 4;
  const auto gate = [&](unsigned i) { return pick_range(gates, i * hidden, (i + 1) * hidden); };
  Expression c = cmult(logistic(gate(0)), tanh(gate(3)));
  if (last.c.pg) c = cmult(logistic(gate(1) + forget_bias), last.c) + c;
  return {c, cmult(logistic(gate(2)), tanh(layer_norm(c, n[cell_gain], n[cell_bias])))};
}

/// One step of each layer by layer_step(layer, x, last cell), on masked inputs.
Expression all_layers(DropoutMasks& dropout, std::span<const Expression> before, Expression x,
                      std::span<Expression> after, const auto& layer_step) {
  dropout.prepare(x);
  const auto layers = static_cast<unsigned>(before.size() / 2);
  for (unsigned l = 0; l < layers; ++l) {
    CellState last{before[l], before[layers + l]};
    x = dropout.apply(DropoutMasks::input, l, x);
    if (last.h.pg) last.h = dropout.apply(DropoutMasks::output, l, last.h);
    const CellState next = layer_step(l, x, last);
    after[l] = next.c;
    after[layers + l] = x = next.h;
  }
  return x;
}

/// How many layers there are, if their forget bias is a number: looked at before anything is added.
unsigned checked(unsigned layers, real forget_bias) {
  if (!std::isfinite(forget_bias)) invalid("forget_bias is ", forget_bias, "; a finite number is needed");
  return layers;
}

}  // namespace

VanillaLSTMBuilder::VanillaLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                       ParameterCollection& model, bool normalise, real bias_of_f)
    : RNNBuilder({"vanilla-lstm-builder", true, 2}, checked(layers, bias_of_f), input_dim, hidden_dim, model),
      ln_lstm(normalise),
      forget_bias(bias_of_f) {
  const unsigned H = hidden_dim;
  for (unsigned l = 0; l < layers; ++l) {
    params.push_back({matrix(4 * H, layer_input_dim(l)), matrix(4 * H, H), bias(4 * H)});
    if (ln_lstm) ln_params.push_back(normalisation(H, get_parameter_collection()));
  }
}

void VanillaLSTMBuilder::copy(const RNNBuilder& other) {
  RNNBuilder::copy(other);
  const auto& lstm = static_cast<const VanillaLSTMBuilder&>(other);
  ln_lstm = lstm.ln_lstm;
  forget_bias = lstm.forget_bias;
  ln_params = lstm.ln_params;
}

void VanillaLSTMBuilder::bind(bool update) { bind_all(ln_params, update, ln_param_vars); }

Expression VanillaLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return all_layers(dropout_, before, x, after, [&](unsigned l, const Expression& in, const CellState& last) {
    return ln_lstm ? normalised_cell(weights(param_vars[l]), ln_param_vars[l], in, last, forget_bias)
                   : cell(weights(param_vars[l]), in, last, forget_bias);
  });
}

SparseLSTMBuilder::SparseLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                     ParameterCollection& model, bool normalise, real bias_of_f)
    : RNNBuilder({"vanilla-lstm-builder", true, 2}, checked(layers, bias_of_f), input_dim, hidden_dim, model),
      ln_lstm(normalise),
      forget_bias(bias_of_f) {
  const unsigned H = hidden_dim;
  const auto mask = [&](unsigned cols) {
    Parameter all = get_parameter_collection().add_parameters({4 * H, cols}, ParameterInitConst(1));
    all.set_updated(false);  // they do not decay, either
    return all;
  };
  for (unsigned l = 0; l < layers; ++l) {
    const unsigned I = layer_input_dim(l);
    std::vector<Parameter> p{matrix(4 * H, I), matrix(4 * H, H), mask(I), mask(H), bias(4 * H)};
    std::rotate(p.begin() + bias_vector, p.end() - 1, p.end());
    params.push_back(std::move(p));
    if (ln_lstm) ln_params.push_back(normalisation(H, get_parameter_collection()));
  }
}

void SparseLSTMBuilder::copy(const RNNBuilder& other) {
  RNNBuilder::copy(other);
  const auto& lstm = static_cast<const SparseLSTMBuilder&>(other);
  ln_lstm = lstm.ln_lstm;
  forget_bias = lstm.forget_bias;
  ln_params = lstm.ln_params;
}

void SparseLSTMBuilder::bind(bool update) {
  bind_all(ln_params, update, ln_param_vars);
  for (unsigned l = 0; l < layers; ++l) {
    auto& p = param_vars[l];
    const auto mask = [&](unsigned i) {
      return Expression::of_parameter(&params[l][i].get_storage(), false);
    };
    p[input_matrix] = cmult(p[input_matrix], mask(input_mask));
    p[output_matrix] = cmult(p[output_matrix], mask(output_mask));
    p.resize(input_mask);
  }
}

Expression SparseLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return all_layers(dropout_, before, x, after, [&](unsigned l, const Expression& in, const CellState& last) {
    return ln_lstm ? normalised_cell(weights(param_vars[l]), ln_param_vars[l], in, last, forget_bias)
                   : cell(weights(param_vars[l]), in, last, forget_bias);
  });
}

void SparseLSTMBuilder::set_sparsity(real share) {
  if (!(share >= 0 && share <= 1))
    invalid("set_sparsity: the share of pruned weights is ", share, "; it must be in [0, 1]");
  struct Weight {
    real size;
    real* mask;
  };
  std::vector<Weight> weights;
  std::deque<OnHost<real>> masks;
  for (const auto& p : params)
    for (unsigned side : {input_matrix, output_matrix}) {
      const Tensor w = *p[side].values(), m = *p[side + input_mask].values();
      const OnHost values(w.v, w.d.size());
      const auto& mask = masks.emplace_back(m.v, m.d.size());
      for (size_t i = 0; i < mask.size(); ++i)
        weights.push_back({std::abs(values[i] * mask[i]), mask.data() + i});
    }
  const auto kept = static_cast<size_t>(std::lround((1 - share) * static_cast<real>(weights.size())));
  std::ranges::stable_sort(weights, std::greater(), &Weight::size);
  for (size_t i = 0; i < weights.size(); ++i) *weights[i].mask = i < kept;
}

CompactVanillaLSTMBuilder::CompactVanillaLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                                     ParameterCollection& model)
    : RNNBuilder({"compact-vanilla-lstm-builder", true, 2}, layers, input_dim, hidden_dim, model) {
  const unsigned H = hidden_dim;
  for (unsigned l = 0; l < layers; ++l)
    params.push_back({matrix(4 * H, layer_input_dim(l)), matrix(4 * H, H), bias(4 * H)});
}

void CompactVanillaLSTMBuilder::set_weightnoise(real std) {
  if (!(std >= 0 && std::isfinite(std)))
    invalid("weight noise must have a finite standard deviation of at least 0: ", std, " was given");
  weight_noise_ = std;
}

Expression CompactVanillaLSTMBuilder::step(ConstCells before, Expression x, Cells after) {
  return all_layers(dropout_, before, x, after, [&](unsigned l, const Expression& in, const CellState& last) {
    Weights w = weights(param_vars[l]);
    if (weight_noise_ > 0)
      for (Expression* e : {&w.input, &w.output, &w.bias}) *e = noise(*e, weight_noise_);
    return cell(w, in, last, 1);
  });
}

}  // namespace dynet
