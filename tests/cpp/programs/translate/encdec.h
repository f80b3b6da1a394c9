// An encoder and a decoder with attention, for any builder.
#pragma once

#include <vector>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/gru.h"
#include "dynet/lstm.h"

template <class Builder>
struct EncoderDecoder {
  dynet::LookupParameter p_c, p_ec;
  dynet::Parameter p_R, p_bias, p_ie2h, p_Wa, p_Ua, p_va;
  Builder dec_builder, rev_enc_builder, fwd_enc_builder;
  unsigned layers, hidden_dim;

  EncoderDecoder(dynet::ParameterCollection& model, unsigned vocab, unsigned layers, unsigned input_dim,
                 unsigned hidden_dim)
      : dec_builder(layers, input_dim + 2 * hidden_dim, hidden_dim, model),
        rev_enc_builder(layers, input_dim, hidden_dim, model),
        fwd_enc_builder(layers, input_dim, hidden_dim, model),
        layers(layers),
        hidden_dim(hidden_dim) {
    p_c = model.add_lookup_parameters(vocab, {input_dim});
    p_ec = model.add_lookup_parameters(vocab, {input_dim});
    p_R = model.add_parameters({vocab, hidden_dim});
    p_bias = model.add_parameters({vocab});
    p_ie2h = model.add_parameters({hidden_dim, 2 * hidden_dim});
    p_Wa = model.add_parameters({hidden_dim, hidden_dim});
    p_Ua = model.add_parameters({hidden_dim, 2 * hidden_dim});
    p_va = model.add_parameters({hidden_dim});
  }

  dynet::Expression BuildGraph(const std::vector<int>& source, const std::vector<int>& target,
                               dynet::ComputationGraph& cg);
  std::vector<int> decode(const std::vector<int>& source, int start, int end, dynet::ComputationGraph& cg);

 private:
  dynet::Expression encode(const std::vector<int>& source, dynet::ComputationGraph& cg);
  dynet::Expression step(int last, dynet::ComputationGraph& cg);

  dynet::Expression memory, projected;
};

template <class Builder>
dynet::Expression EncoderDecoder<Builder>::encode(const std::vector<int>& source,
                                                  dynet::ComputationGraph& cg) {
  using namespace dynet;
  fwd_enc_builder.new_graph(cg), rev_enc_builder.new_graph(cg), dec_builder.new_graph(cg);
  fwd_enc_builder.start_new_sequence();
  rev_enc_builder.start_new_sequence();
  std::vector<Expression> fwd, rev(source.size()), both;
  for (unsigned t = 0; t < source.size(); ++t)
    fwd.push_back(fwd_enc_builder.add_input(lookup(cg, p_ec, source[t])));
  for (unsigned t = source.size(); t-- > 0;) rev[t] = rev_enc_builder.add_input(lookup(cg, p_ec, source[t]));
  for (unsigned t = 0; t < source.size(); ++t) both.push_back(concatenate({fwd[t], rev[t]}));
  memory = concatenate_cols(both);
  projected = parameter(cg, p_Ua) * memory;
  Expression start =
      tanh(parameter(cg, p_ie2h) * concatenate({fwd_enc_builder.back(), rev_enc_builder.back()}));
  std::vector<Expression> oein(dec_builder.num_h0_components(), start);
  dec_builder.start_new_sequence(oein);
  return memory;
}

template <class Builder>
dynet::Expression EncoderDecoder<Builder>::step(int last, dynet::ComputationGraph& cg) {
  using namespace dynet;
  Expression h = dec_builder.final_h().back();
  Expression scores = transpose(tanh(colwise_add(projected, parameter(cg, p_Wa) * h))) * parameter(cg, p_va);
  Expression context = memory * softmax(scores);
  Expression out = dec_builder.add_input(concatenate({lookup(cg, p_c, last), context}));
  return affine_transform({parameter(cg, p_bias), parameter(cg, p_R), out});
}

template <class Builder>
dynet::Expression EncoderDecoder<Builder>::BuildGraph(const std::vector<int>& source,
                                                      const std::vector<int>& target,
                                                      dynet::ComputationGraph& cg) {
  using namespace dynet;
  encode(source, cg);
  std::vector<Expression> errs;
  for (unsigned t = 0; t + 1 < target.size(); ++t)
    errs.push_back(pickneglogsoftmax(step(target[t], cg), target[t + 1]));
  return sum(errs);
}

template <class Builder>
std::vector<int> EncoderDecoder<Builder>::decode(const std::vector<int>& source, int start, int end,
                                                 dynet::ComputationGraph& cg) {
  encode(source, cg);
  std::vector<int> result = {start};
  while (result.back() != end && result.size() < 20) {
    std::vector<float> dist = dynet::as_vector(cg.incremental_forward(softmax(step(result.back(), cg))));
    unsigned best = 0;
    for (unsigned i = 1; i < dist.size(); ++i)
      if (dist[i] > dist[best]) best = i;
    result.push_back(best);
  }
  return result;
}
