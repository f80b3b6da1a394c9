// Reading a sequence from both sides, layer by layer.
#include "dynet/nn/bidirectional.h"

#include <algorithm>

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;

BiRNNBuilder::BiRNNBuilder(unsigned layer_count, unsigned input_dim, unsigned hidden_dim,
                           ParameterCollection& model, RNNBuilderFactory factory, unsigned builder_layers) {
  if (layer_count == 0 || input_dim == 0 || hidden_dim == 0 || hidden_dim % 2)
    invalid("BiRNNBuilder: ", layer_count, " layers of input size ", input_dim, " and hidden size ",
            hidden_dim, " were given; it needs at least one layer, an input and an even hidden size");
  check_builder_sizes("BiRNNBuilder", layer_count, input_dim, hidden_dim);
  collection_ = model.add_subcollection("birnn");
  for (unsigned l = 0; l < layer_count; ++l) {
    const unsigned size = l ? hidden_dim : input_dim;
    Layer& layer = layers.emplace_back();
    layer.forward = factory(builder_layers, size, hidden_dim / 2, collection_);
    layer.backward = factory(builder_layers, size, hidden_dim / 2, collection_);
  }
}

void BiRNNBuilder::new_graph(Graph& graph, bool update) {
  for (Layer& layer : layers) {
    layer.forward->new_graph(graph, update);
    layer.backward->new_graph(graph, update);
  }
}

std::vector<Expression> BiRNNBuilder::transduce(Expressions xs) {
  std::vector<Expression> outputs(xs.begin(), xs.end());
  for (Layer& layer : layers) {
    layer.forward->start_new_sequence();
    layer.backward->start_new_sequence();
    layer.forward->transduce(outputs, forward_);
    std::ranges::reverse(outputs);
    layer.backward->transduce(outputs, backward_);
    std::ranges::reverse(backward_);
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = concatenate({forward_[i], backward_[i]});
  }
  return outputs;
}

void BiRNNBuilder::set_dropout(real rate) {
  for (Layer& layer : layers) {
    layer.forward->set_dropout(rate);
    layer.backward->set_dropout(rate);
  }
}

void BiRNNBuilder::disable_dropout() { set_dropout(0); }

}  // namespace dynet
