// Drawing and applying the dropout masks of recurrent builders.
#include "dynet/nn/dropout.h"

#include <algorithm>

#include "dynet/ops/all.h"

namespace dynet::engine {

void check_builder_sizes(const char* builder, unsigned input_size, unsigned hidden_size) {
  constexpr unsigned most = 1 << 28;
  for (const unsigned size : {input_size, hidden_size})
    if (size == 0 || size > most)
      invalid(builder, ": input size ", input_size, " and hidden size ", hidden_size,
              " were given; each must be from 1 to ", most);
}

void DropoutMasks::set_rates(real input, real output, real cell) {
  for (real rate : {input, output, cell})
    if (!(rate >= 0 && rate <= 1))
      invalid("dropout rate must be a probability (>=0 and <=1): ", rate, " was given");
  rates_ = {input, output, cell};
  ready_ = false;
}

void DropoutMasks::forget() {
  std::ranges::fill(masks_, Expression());
  batch_ = 0;
  ready_ = false;
}

void DropoutMasks::draw(Graph& graph, unsigned batch) {
  if (batch_ == 0) batch_ = batch;
  for (unsigned kind = 0; kind < kinds_; ++kind) {
    if (rates_[kind] == 0) continue;
    const real kept = 1 - rates_[kind];
    for (unsigned layer = 0; layer < layers_; ++layer) {
      Expression& mask = masks_[kind * layers_ + layer];
      const unsigned size = kind == input && layer == 0 ? input_dim_ : hidden_dim_;
      if (!mask.pg) mask = random_bernoulli(graph, Dim({size}, batch_), kept, kept > 0 ? 1 / kept : 1);
    }
  }
  ready_ = true;
}

Expression DropoutMasks::apply(Kind kind, unsigned layer, const Expression& x) const {
  if (kind >= kinds_ || rates_[kind] == 0) return x;
  return cmult(x, masks_[kind * layers_ + layer]);
}

}  // namespace dynet::engine
