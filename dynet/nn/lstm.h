// The LSTM and its variants with one stacked matrix per input; rows are ordered i, f, o, g.
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

class VanillaLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      The LSTM: [i, f, o, g] = b + Wx x + Wh h₋, with σ on i, f + forget_bias and o, and tanh on g; c = f ∘
      c₋ + i ∘ g; h = o ∘ tanh c. Layers lie one upon the other. Parameters of a layer: Wx (4H, I), Wh (4H,
      H), b (4H,), rows in the order i, f, o, g. forget_bias is 1 by default. With ln_lstm, Wx x, Wh h₋ and
      (inside the tanh) c are layer-normalised (Ba, Kiros and Hinton 2016), which adds gains and biases
      (4H,), (4H,), (4H,), (4H,), (H,), (H,) after those of each layer. (Hochreiter and Schmidhuber 1997; Gers,
      Schmidhuber and Cummins 2000)

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.VanillaLSTMBuilder(layers=2, input_dim=3, hidden_dim=4, model=m)
      >>> outputs = lstm.initial_state().transduce([dy.inputVector([1, 2, 3]), dy.inputVector([4, 5, 6])])
      >>> [h.dim() for h in outputs]
      [((4,), 1), ((4,), 1)])";

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

class SparseLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      VanillaLSTMBuilder with weights that can be pruned: Wx and Wh are multiplied with masks of 0 and 1,
      which set_sparsity makes. Parameters of a layer: Wx (4H, I), Wh (4H, H), b (4H,), mask_x (4H, I),
      mask_h (4H, H); trainers do not change the masks; in files b is the last. ln_lstm and forget_bias
      as there. (Narang, Elsen, Diamos and Sengupta 2017)

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.SparseLSTMBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> lstm.set_sparsity(0.5)
      >>> int(sum((p.as_array() == 0).sum() for p in lstm.get_parameters()[0][3:]))
      20)";

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

class CompactVanillaLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      VanillaLSTMBuilder with a forget bias of 1 and, if set_weightnoise asks for it, normal noise on the
      weights, drawn anew at each step. Formulas and parameters, Wx (4H, I), Wh (4H, H), b (4H,), are the
      same.

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.CompactVanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> lstm.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((2,), 1))";

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
