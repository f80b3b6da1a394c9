// Attention with several heads, and the layers of Transformers, which go on step by step with what they keep.
#pragma once

#include <optional>

#include "dynet/nn/positions.h"

namespace dynet::nn {

/// Keys and values of the positions so far, {size, n} each. They are never changed, so that hypotheses may
/// share them.
struct Kept {
  Expression keys, values;
};

/// Attention with `heads` heads of size / heads rows: W_o of the mean of the values W_v y, weighted by the
/// softmax of (W_k y)ᵀ W_q x / √rows. Parameters: those of four Linear: query, key, value and output.
/// (Vaswani et al. 2017)
class MultiHeadAttention {
 public:
  MultiHeadAttention(unsigned size, unsigned heads, ParameterCollection& model);
  /// What the queries {size, m} find in themselves; with `causal` query i sees what is not after it.
  Expression operator()(const Expression& queries, bool causal = false) const;
  /// What they find in keys and values that keep() gave. A mask {n, m} is added to the scores.
  Expression operator()(const Expression& queries, const Kept& memory, bool causal = false,
                        const Expression* mask = nullptr) const;
  /// Keys and values of y {size, n}, for many calls; `start` is the position of the first, for `rotary`.
  Kept keep(const Expression& y, unsigned start = 0) const;
  /// Goes on by one position or some: x {size, m} sees what was kept before, and itself causally. `kept`
  /// becomes what is kept now.
  Expression step(const Expression& x, std::optional<Kept>& kept) const;

  unsigned size, heads;
  ParameterCollection collection;
  Linear query, key, value, output;
  real dropout = 0;
  bool rotary = false;  // queries and keys of each head are turned by their positions

 private:
  Expression turned(const Expression& x, unsigned start) const;
};

/// x = norm(x + attention(x)), x = norm(x + W_2 activation(W_1 x + b_1) + b_2), or with norm_first
/// x + attention(norm(x)), and so on. `hidden` is the number of rows of W_1.
class TransformerEncoderLayer {
 public:
  TransformerEncoderLayer(unsigned size, unsigned heads, unsigned hidden, ParameterCollection& model,
                          bool norm_first = false, Activation activation = rectify);
  /// {size, n} of x {size, n}.
  Expression operator()(const Expression& x, bool causal = false) const;
  /// As MultiHeadAttention::step.
  Expression step(const Expression& x, std::optional<Kept>& kept) const;

  bool norm_first;
  Activation activation;
  ParameterCollection collection;
  Linear wide, narrow;
  MultiHeadAttention attention;
  std::vector<LayerNorm> norms;
  real dropout = 0;  // of hidden numbers and of what each part adds
};

/// A layer of a decoder: causal attention to itself, attention to a memory, and the two products.
class TransformerDecoderLayer {
 public:
  TransformerDecoderLayer(unsigned size, unsigned heads, unsigned hidden, ParameterCollection& model,
                          bool norm_first = false, Activation activation = rectify);
  /// {size, m} of x {size, m} and what keep() gave.
  Expression operator()(const Expression& x, const Kept& memory) const;
  /// Keys and values of the memory {size, n}, once for all steps.
  Kept keep(const Expression& memory) const { return cross.keep(memory); }
  /// As MultiHeadAttention::step.
  Expression step(const Expression& x, const Kept& memory, std::optional<Kept>& kept) const;

  bool norm_first;
  Activation activation;
  ParameterCollection collection;
  Linear wide, narrow;
  MultiHeadAttention attention, cross;
  std::vector<LayerNorm> norms;
  real dropout = 0;
};

}  // namespace dynet::nn
