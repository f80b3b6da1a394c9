// The gated recurrent unit (Cho et al. 2014), with the reset gate before the matrix.
#pragma once

#include "dynet/nn/cell.h"
#include "dynet/nn/rnn.h"

namespace dynet {

/// z = σ(bz + Wz x + Uz h₋); r = σ(br + Wr x + Ur h₋); ĥ = tanh(b + W x + U (r ∘ h₋));
/// h = (1 − z) ∘ h₋ + z ∘ ĥ.
/// Parameters per layer: Wz {H,I}, Uz {H,H}, bz {H}, then the same for r and for ĥ.
/// Dropout is drawn anew at each step, on each layer's input and on the output that add_input returns; both
/// have rates of their own.
class GRUBuilder : public RNNBuilder {
 public:
  GRUBuilder() = default;
  GRUBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model);
  const char* name() const override { return "GRUBuilder"; }

  using RNNBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) { dropout_.set_rates(input_rate, output_rate, 0); }

 private:
  Expression step(ConstCells before, Expression x, Cells after) override;
  /// What depends on the last output, as one node; the products with x stay apart, so that those of all steps
  /// become one.
  static std::vector<Expression> recurrent_part(const std::vector<Expression>& x);

  Cell cell_{recurrent_part};
};

}  // namespace dynet
