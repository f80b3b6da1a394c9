// Attention with several heads, encoder and decoder layers.
#include "dynet/nn/transformer.h"

#include "dynet/ops/all.h"

namespace dynet::nn {

using engine::as_matrix;
using engine::invalid;
using engine::linear_part;
using engine::with_rows;

namespace {

unsigned divisible(unsigned size, unsigned heads) {
  if (heads == 0 || size == 0 || size % heads)
    invalid("MultiHeadAttention: ", heads, " heads of ", size, " rows; size must be a multiple of heads");
  return size;
}

MultiHeadAttention part_of_decoder(const char* name, unsigned size, unsigned heads,
                                   ParameterCollection& model) {
  ParameterCollection own = model.add_subcollection(name);
  return {size, heads, own};
}

/// The collection of a layer whose sizes fit: one that is refused adds nothing to the model.
ParameterCollection part_of_model(const char* name, unsigned size, unsigned heads, unsigned hidden,
                                  ParameterCollection& model) {
  divisible(size, heads);
  engine::size_above_0("Transformer", "hidden", hidden);
  return model.add_subcollection(name);
}

Expression dropped(const Expression& x, real rate) { return rate != 0 ? dropout(x, rate) : x; }

/// x and what a part of the layer makes of it, normalised before or after.
template <class Layer>
Expression added(const Layer& layer, size_t number, const Expression& x, auto part) {
  const LayerNorm& norm = layer.norms[number];
  const Expression sum = x + dropped(part(layer.norm_first ? norm(x) : x), layer.dropout);
  return layer.norm_first ? sum : norm(sum);
}

template <class Layer>
Expression fed(const Layer& layer, size_t number, const Expression& x) {
  return added(layer, number, x, [&](const Expression& y) {
    return layer.narrow(dropped(layer.activation(layer.wide(y)), layer.dropout));
  });
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(unsigned size, unsigned heads, ParameterCollection& model)
    : size(divisible(size, heads)),
      heads(heads),
      collection(model.add_subcollection("multi-head-attention")),
      query(linear_part("query", size, size, collection)),
      key(linear_part("key", size, size, collection)),
      value(linear_part("value", size, size, collection)),
      output(linear_part("output", size, size, collection)) {}
Expression MultiHeadAttention::operator()(const Expression& queries, bool causal) const {
  return (*this)(queries, keep(queries), causal);
}
Expression MultiHeadAttention::operator()(const Expression& queries, const Kept& memory, bool causal,
                                          const Expression* mask) const {
  const Expression asked = as_matrix(with_rows("MultiHeadAttention", queries, size));
  const unsigned m = asked.dim().cols(), n = memory.keys.dim().cols();
  const Expression q = turned(query(asked), causal && n > m ? n - m : 0);
  return output(functional::attention(q, memory.keys, memory.values, heads, causal, mask, dropout));
}
Kept MultiHeadAttention::keep(const Expression& y, unsigned start) const {
  const Expression matrix = as_matrix(with_rows("MultiHeadAttention", y, size));
  return {turned(key(matrix), start), value(matrix)};
}
Expression MultiHeadAttention::turned(const Expression& x, unsigned start) const {
  if (!rotary) return x;
  std::vector<Expression> parts;
  for (unsigned at = 0; at < size; at += size / heads)
    parts.push_back(nn::rotary(pick_range(x, at, at + size / heads), start));
  return concatenate(parts);
}
Expression MultiHeadAttention::step(const Expression& x, std::optional<Kept>& kept) const {
  Kept now = keep(x, kept ? kept->keys.dim().cols() : 0);
  if (kept) now = {concatenate({kept->keys, now.keys}, 1), concatenate({kept->values, now.values}, 1)};
  const Expression y = (*this)(x, now, true);
  kept = now;
  return y;
}

TransformerEncoderLayer::TransformerEncoderLayer(unsigned size, unsigned heads, unsigned hidden,
                                                 ParameterCollection& model, bool norm_first,
                                                 Activation activation)
    : norm_first(norm_first),
      activation(std::move(activation)),
      collection(part_of_model("transformer-encoder-layer", size, heads, hidden, model)),
      wide(linear_part("wide", size, hidden, collection)),
      narrow(linear_part("narrow", hidden, size, collection)),
      attention(size, heads, collection) {
  for (int i = 0; i < 2; ++i) norms.emplace_back(size, collection);
}
Expression TransformerEncoderLayer::operator()(const Expression& given, bool causal) const {
  const Expression x = as_matrix(with_rows("TransformerEncoderLayer", given, attention.size));
  return fed(*this, 1, added(*this, 0, x, [&](const Expression& y) { return attention(y, causal); }));
}
Expression TransformerEncoderLayer::step(const Expression& given, std::optional<Kept>& kept) const {
  const Expression x = as_matrix(with_rows("TransformerEncoderLayer", given, attention.size));
  std::optional<Kept> now = kept;
  const Expression y =
      fed(*this, 1, added(*this, 0, x, [&](const Expression& own) { return attention.step(own, now); }));
  kept = now;
  return y;
}

TransformerDecoderLayer::TransformerDecoderLayer(unsigned size, unsigned heads, unsigned hidden,
                                                 ParameterCollection& model, bool norm_first,
                                                 Activation activation)
    : norm_first(norm_first),
      activation(std::move(activation)),
      collection(part_of_model("transformer-decoder-layer", size, heads, hidden, model)),
      wide(linear_part("wide", size, hidden, collection)),
      narrow(linear_part("narrow", hidden, size, collection)),
      attention(part_of_decoder("own", size, heads, collection)),
      cross(part_of_decoder("cross", size, heads, collection)) {
  for (int i = 0; i < 3; ++i) norms.emplace_back(size, collection);
}
Expression TransformerDecoderLayer::operator()(const Expression& given, const Kept& memory) const {
  std::optional<Kept> kept;
  return step(given, memory, kept);
}
Expression TransformerDecoderLayer::step(const Expression& given, const Kept& memory,
                                         std::optional<Kept>& kept) const {
  Expression x = as_matrix(with_rows("TransformerDecoderLayer", given, attention.size));
  std::optional<Kept> now = kept;
  x = added(*this, 0, x, [&](const Expression& y) { return attention.step(y, now); });
  x = added(*this, 1, x, [&](const Expression& y) { return cross(y, memory); });
  x = fed(*this, 2, x);
  kept = now;
  return x;
}

}  // namespace dynet::nn
