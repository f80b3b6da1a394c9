// The LSTM and its variants with one stacked matrix per input; rows are ordered i, f, o, g.
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

/// [i,f,o,g] = b + Wx x + Wh h₋, σ on i, f + forget_bias and o, tanh on g; c = f∘c₋ + i∘g; h = o∘tanh c.
/// Parameters per layer: Wx {4H,I}, Wh {4H,H}, b {4H}.
/// With ln_lstm, Wx x, Wh h₋ and (inside the tanh) c are layer-normalised (Ba, Kiros and Hinton 2016), which
/// adds gains and biases {4H}, {4H}, {4H}, {4H}, {H}, {H} after the parameters of each layer (ln_params).
class VanillaLSTMBuilder : public RNNBuilder {
 public:
  VanillaLSTMBuilder() = default;
  VanillaLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model,
                     bool ln_lstm = false, real forget_bias = 1);
  const char* name() const override { return "VanillaLSTMBuilder"; }
  void copy(const RNNBuilder& other) override;

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

  bool ln_lstm = false;
  real forget_bias = 1;
  std::vector<std::vector<Parameter>> ln_params;
  std::vector<std::vector<Expression>> ln_param_vars;

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
  void bind(bool update) override;
  std::vector<std::vector<Expression>>* bound_variables() override { return &ln_param_vars; }
};

using LSTMBuilder = VanillaLSTMBuilder;

/// VanillaLSTMBuilder with weights that can be pruned: Wx and Wh are multiplied with masks of 0 and 1.
/// Parameters per layer: Wx, Wh, b, mask_x {4H,I}, mask_h {4H,H}; in files b is the last.
class SparseLSTMBuilder : public RNNBuilder {
 public:
  SparseLSTMBuilder() = default;
  SparseLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model,
                    bool ln_lstm = false, real forget_bias = 1);
  const char* name() const override { return "SparseLSTMBuilder"; }
  void copy(const RNNBuilder& other) override;

  /// Prunes this share of the weights of all layers: the smallest that the masks have left.
  void set_sparsity(real share);

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

  bool ln_lstm = false;
  real forget_bias = 1;
  std::vector<std::vector<Parameter>> ln_params;
  std::vector<std::vector<Expression>> ln_param_vars;

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
  void bind(bool update) override;
  std::vector<std::vector<Expression>>* bound_variables() override { return &ln_param_vars; }
};

/// VanillaLSTMBuilder with a forget bias of 1 and, if wanted, noise on the weights.
class CompactVanillaLSTMBuilder : public RNNBuilder {
 public:
  CompactVanillaLSTMBuilder() = default;
  CompactVanillaLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                            ParameterCollection& model);
  const char* name() const override { return "CompactVanillaLSTMBuilder"; }

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }
  /// Standard deviation of Gaussian noise, drawn at each step, on Wx, Wh and b.
  void set_weightnoise(real std);
  real weightnoise() const { return weight_noise_; }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;

  real weight_noise_ = 0;
};

}  // namespace dynet
