// The Elman network: h = tanh(b + Wx x + Wh h₋).
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

/// Parameters per layer: Wx {H,I}, Wh {H,H}, b {H}, and for auxiliary inputs L {H,H}.
class SimpleRNNBuilder : public RNNBuilder {
 public:
  SimpleRNNBuilder() = default;
  SimpleRNNBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model,
                   bool support_lags = false);
  const char* name() const override { return "SimpleRNNBuilder"; }

  /// Reads x, with L times the auxiliary vector added in each layer.
  Expression add_auxiliary_input(const Expression& x, const Expression& auxiliary);

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

  bool support_lags = false;

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;

  Expression auxiliary_;  // of the step being made
};

}  // namespace dynet
