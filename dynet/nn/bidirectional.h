// Layers of two networks, one reading from the left and one from the right, whose outputs are concatenated.
#pragma once

#include <memory>
#include <vector>

#include "dynet/nn/lstm.h"

namespace dynet::engine {

using RNNBuilderFactory = std::unique_ptr<RNNBuilder> (*)(unsigned layers, unsigned input_dim,
                                                          unsigned hidden_dim, ParameterCollection&);

template <class Builder>
std::unique_ptr<RNNBuilder> make_builder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                         ParameterCollection& model) {
  return std::make_unique<Builder>(layers, input_dim, hidden_dim, model);
}

}  // namespace dynet::engine

namespace dynet {

class BiRNNBuilder {
 public:
  /// hidden_dim is that of the output and must be even: each direction has half of it.
  BiRNNBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim, ParameterCollection& model,
               engine::RNNBuilderFactory factory = engine::make_builder<LSTMBuilder>,
               unsigned builder_layers = 1);

  void new_graph(engine::Graph& graph, bool update = true);
  /// One output for each input. Starts a new sequence in each layer.
  std::vector<Expression> transduce(engine::Expressions xs);

  void set_dropout(real rate);
  void disable_dropout();
  ParameterCollection& get_parameter_collection() { return collection_; }

  struct Layer {
    std::unique_ptr<RNNBuilder> forward, backward;
  };
  std::vector<Layer> layers;

 private:
  ParameterCollection collection_;
  std::vector<Expression> forward_, backward_;  // outputs of the layer being read
};

}  // namespace dynet
