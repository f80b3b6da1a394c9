// A language model whose minibatches are lists of sentences of one length.
#pragma once

#include <vector>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/lstm.h"
#include "dynet/rnn.h"

template <class Builder>
struct RNNBatchLanguageModel {
  dynet::LookupParameter p_c;
  dynet::Parameter p_R, p_bias;
  dynet::Expression R, bias;
  Builder builder;

  RNNBatchLanguageModel(unsigned layers, unsigned input_dim, unsigned hidden_dim, unsigned vocab_size,
                        dynet::ParameterCollection& model)
      : builder(layers, input_dim, hidden_dim, model) {
    p_c = model.add_lookup_parameters(vocab_size, {input_dim});
    p_R = model.add_parameters({vocab_size, hidden_dim});
    p_bias = model.add_parameters({vocab_size});
  }

  dynet::Expression getNegLogProb(const std::vector<std::vector<int>>& sents, unsigned id, unsigned bsize,
                                  dynet::ComputationGraph& cg) {
    using namespace dynet;
    const unsigned slen = sents[id].size();
    builder.new_graph(cg);
    builder.start_new_sequence();
    Expression i_R = parameter(cg, p_R), i_bias = parameter(cg, p_bias);
    std::vector<Expression> errs;
    std::vector<unsigned> last_arr(bsize, sents[0][0]), next_arr(bsize);
    for (unsigned t = 1; t < slen; ++t) {
      for (unsigned i = 0; i < bsize; ++i) next_arr[i] = (unsigned)sents[id + i][t];
      Expression i_x_t = lookup(cg, p_c, last_arr);
      Expression i_y_t = builder.add_input(i_x_t);
      Expression i_r_t = i_bias + i_R * i_y_t;
      Expression i_err = pickneglogsoftmax(i_r_t, next_arr);
      errs.push_back(i_err);
      last_arr = next_arr;
    }
    return sum_batches(sum(errs));
  }
};
