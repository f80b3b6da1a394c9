// LSTMs whose forget gate is coupled to the input gate, f = 1 − i, with one matrix per gate.
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

class CoupledLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      An LSTM with peepholes whose forget gate is 1 - i: i = σ(bi + x2i x + h2i h₋ + c2i c₋); g = tanh(bc +
      x2c x + h2c h₋); c = (1 - i) ∘ c₋ + i ∘ g; o = σ(bo + x2o x + h2o h₋ + c2o c); h = o ∘ tanh c.
      Parameters of a layer: x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc; x2… are (H, I), h2… and c2…
      (H, H), biases (H,). (Greff et al. 2017 compare it with others)

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.CoupledLSTMBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> lstm.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((2,), 1))";

  CoupledLSTMBuilder() = default;
  CoupledLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model);
  const char* name() const override { return "CoupledLSTMBuilder"; }

  using RNNBuilder::set_dropout;
  /// The third rate is for the memory cell where gates read it.
  void set_dropout(real input_rate, real output_rate, real cell_rate = 0) {
    dropout_.set_rates(input_rate, output_rate, cell_rate);
  }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
};

class FastLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      CoupledLSTMBuilder without peepholes, as the terms in c are products with whole matrices: i = σ(bi +
      x2i x + h2i h₋); g = tanh(bc + x2c x + h2c h₋); c = (1 - i) ∘ c₋ + i ∘ g; o = σ(bo + x2o x + h2o h₋);
      h = o ∘ tanh c. The list of parameters is the same; c2i and c2o are (H, 1) and unused.

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.FastLSTMBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> lstm.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((2,), 1))";

  FastLSTMBuilder() = default;
  FastLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model);
  const char* name() const override { return "FastLSTMBuilder"; }

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
};

class DeepLSTMBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      CoupledLSTMBuilder in which each layer above the first reads the output of the one below and x, (H +
      I,), and whose output is that of all layers, one above another: (layers H,). All layers read x with
      one dropout mask.

      >>> m = dy.ParameterCollection()
      >>> lstm = dy.DeepLSTMBuilder(layers=2, input_dim=3, hidden_dim=2, model=m)
      >>> lstm.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((4,), 1))";

  DeepLSTMBuilder() = default;
  DeepLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model);
  const char* name() const override { return "DeepLSTMBuilder"; }

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
  Expression output_of(ConstCells state) const override;
};

}  // namespace dynet
