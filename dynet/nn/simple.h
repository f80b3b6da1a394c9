// The Elman network: h = tanh(b + Wx x + Wh h₋).
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

class SimpleRNNBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      The Elman network: h = tanh(b + Wx x + Wh h₋), layer upon layer, each of which reads the output of the
      one below it. Parameters of a layer: Wx (H, I), Wh (H, H) and b (H,), for I inputs, or H above the
      first layer, and hidden_dim H; in C++ with support_lags also L (H, H), for auxiliary inputs. Matrices
      start as Glorot's, b as 0. (Elman 1990)

      >>> m = dy.ParameterCollection()
      >>> rnn = dy.SimpleRNNBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> rnn.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((2,), 1))";

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
