// The gated recurrent unit (Cho et al. 2014), with the reset gate before the matrix.
#pragma once

#include "dynet/nn/cell.h"
#include "dynet/nn/rnn.h"

namespace dynet {

class GRUBuilder : public RNNBuilder {
 public:
  static constexpr auto doc = R"(
      The gated recurrent unit, with the reset gate before the matrix: z = σ(bz + Wz x + Uz h₋); r = σ(br +
      Wr x + Ur h₋); ĥ = tanh(b + W x + U (r ∘ h₋)); h = (1 - z) ∘ h₋ + z ∘ ĥ. Parameters of a layer: Wz (H,
      I), Uz (H, H), bz (H,), then the same for r and for ĥ. Dropout is drawn anew at each step, on each
      layer's input and on the output that is given out. (Cho et al. 2014)

      >>> m = dy.ParameterCollection()
      >>> gru = dy.GRUBuilder(layers=1, input_dim=3, hidden_dim=2, model=m)
      >>> gru.initial_state().add_input(dy.inputVector([1, 2, 3])).output().dim()
      ((2,), 1))";

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
