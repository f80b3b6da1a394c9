// LSTMs whose forget gate is coupled to the input gate, f = 1 − i, with one matrix per gate.
#pragma once

#include "dynet/nn/rnn.h"

namespace dynet {

/// i = σ(bi + x2i x + h2i h₋ + c2i c₋); g = tanh(bc + x2c x + h2c h₋); c = (1 − i)∘c₋ + i∘g;
/// o = σ(bo + x2o x + h2o h₋ + c2o c); h = o∘tanh c.
/// Parameters per layer: x2i, h2i, c2i, bi, x2o, h2o, c2o, bo, x2c, h2c, bc.
class CoupledLSTMBuilder : public RNNBuilder {
 public:
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

/// CoupledLSTMBuilder without the terms in c; c2i and c2o are {H,1} and unused.
class FastLSTMBuilder : public RNNBuilder {
 public:
  FastLSTMBuilder() = default;
  FastLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model);
  const char* name() const override { return "FastLSTMBuilder"; }

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
};

/// CoupledLSTMBuilder in which each layer above the first reads the output of the one below and x, {H+I}, and
/// whose output is that of all layers, {layers H}. All layers read x with one mask.
class DeepLSTMBuilder : public RNNBuilder {
 public:
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
