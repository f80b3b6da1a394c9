// The whole vocabulary: lists of all operations, of the elementwise kernels, and of the functions made of
// others.
#pragma once

#include "dynet/ops/activations.h"
#include "dynet/ops/attention.h"
#include "dynet/ops/cell.h"
#include "dynet/ops/changed_gradient.h"
#include "dynet/ops/circular.h"
#include "dynet/ops/composite.h"
#include "dynet/ops/conv.h"
#include "dynet/ops/dense.h"
#include "dynet/ops/gate.h"
#include "dynet/ops/input.h"
#include "dynet/ops/join.h"
#include "dynet/ops/linear.h"
#include "dynet/ops/loss.h"
#include "dynet/ops/map.h"
#include "dynet/ops/mask.h"
#include "dynet/ops/memory.h"
#include "dynet/ops/noise.h"
#include "dynet/ops/norm.h"
#include "dynet/ops/order.h"
#include "dynet/ops/recurrent.h"
#include "dynet/ops/reduce.h"
#include "dynet/ops/select.h"
#include "dynet/ops/shape.h"
#include "dynet/ops/softmax.h"
#include "dynet/ops/sparsemax.h"
#include "dynet/ops/statistics.h"
#include "dynet/ops/structured.h"
#include "dynet/ops/tensor_product.h"
#include "dynet/ops/trigonometry.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// The elementwise kernels that an engine instantiates.
using MapOps =
    decltype(Elementwise{} + Rectifiers{} + ChangedGradients{} + Trigonometry{} + Ops<PoissonLoss>{});
using ZipOps = decltype(Pairwise{} + Masks{} + LossTerms{});

/// Every operation that can be a node.
using AllOps = decltype(Elementwise{} + Rectifiers{} + ChangedGradients{} + Trigonometry{} + Pairwise{} +
                        Masks{} + Ops<ColumnwiseAdd>{} + Gates{} + Reductions{} + Linear{} + Circular{} +
                        Shaping{} + Selections{} + Choices{} + SoftmaxFamily{} + SparseSoftmax{} + Dense{} +
                        Convolutions{} + Losses{} + Normalization{} + Random{} + Recurrent{} + Cells{} +
                        Inputs{} + Structures{} + Attentions{} + Orders{} + TensorProducts{});

/// Public functions that are made of these; they have a name, a doc, args and call.
using Composites = decltype(Statistics{} + NormForms{} + SelectionForms{} + SoftmaxForms{} + LossForms{} +
                            RecurrentForms{} + InputForms{} + ConvolutionForms{} + CompositeForms{} +
                            RectifierForms{} + MaskForms{} + JoinForms{});

/// The place of T in a list.
template <class T, class... Others>
constexpr unsigned position(Ops<Others...>) {
  unsigned i = 0;
  static_cast<void>(((std::is_same_v<T, Others> ? false : (++i, true)) && ...));
  return i;
}

template <class T>
unsigned map_position() {
  constexpr unsigned i = position<T>(MapOps{});
  static_assert([]<class... Listed>(Ops<Listed...>) { return i < sizeof...(Listed); }(MapOps{}),
                "list this op in MapOps");
  return i;
}

template <class T>
unsigned zip_position() {
  constexpr unsigned i = position<T>(ZipOps{});
  static_assert([]<class... Listed>(Ops<Listed...>) { return i < sizeof...(Listed); }(ZipOps{}),
                "list this op in ZipOps");
  return i;
}

}  // namespace dynet::engine
