// One step of the gated recurrent unit.
#include "dynet/nn/gru.h"

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
namespace {

enum { x2z, h2z, bz, x2r, h2r, br, x2h, h2h, bh };

}  // namespace

GRUBuilder::GRUBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model)
    : RNNBuilder({"gru-builder", false, 0}, layers, input_dim, hidden_dim, model) {
  for (unsigned l = 0; l < layers; ++l) {
    std::vector<Parameter>& p = params.emplace_back();
    for (int gate = 0; gate < 3; ++gate) {
      p.push_back(matrix(hidden_dim, layer_input_dim(l)));
      p.push_back(matrix(hidden_dim, hidden_dim));
      p.push_back(bias(hidden_dim));
    }
  }
}

std::vector<Expression> GRUBuilder::recurrent_part(const std::vector<Expression>& x) {
  const Expression &zx = x[0], &rx = x[1], &hx = x[2], &h = x[3], &Uz = x[4], &Ur = x[5], &U = x[6];
  const Expression z = logistic(affine_transform({zx, Uz, h}));
  const Expression r = logistic(affine_transform({rx, Ur, h}));
  const Expression candidate = tanh(affine_transform({hx, U, cmult(r, h)}));
  return {h + cmult(z, candidate - h)};
}

Expression GRUBuilder::step(ConstCells before, Expression x, Cells after) {
  const real rate = dropout_.rate(DropoutMasks::input), output_rate = dropout_.rate(DropoutMasks::output);
  for (unsigned l = 0; l < layers; ++l) {
    const auto& p = param_vars[l];
    if (rate > 0) x = dropout(x, rate);
    const Expression zx = affine_transform({p[bz], p[x2z], x});
    const Expression hx = affine_transform({p[bh], p[x2h], x});
    if (given(before[l])) {
      const Expression rx = affine_transform({p[br], p[x2r], x});
      x = cell_.node({zx, rx, hx, before[l], p[h2z], p[h2r], p[h2h]});
    } else {
      x = cmult(logistic(zx), tanh(hx));
    }
    after[l] = x;
  }
  return output_rate > 0 ? dropout(x, output_rate) : x;
}

}  // namespace dynet
