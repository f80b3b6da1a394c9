// A multi-layer perceptron with dropout, as examples of DyNet 2 have one in a header of its own.
#pragma once

#include <string>
#include <vector>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/model.h"
#include "dynet/nodes.h"

enum Activation { SIGMOID, TANH, RELU, LINEAR };

struct Layer {
  unsigned input_dim, output_dim;
  Activation activation;
  float dropout_rate;
};

class MLP {
 public:
  MLP(dynet::ParameterCollection& model, const std::vector<Layer>& layers);
  dynet::Expression run(dynet::Expression x, dynet::ComputationGraph& cg);
  dynet::Expression get_nll(dynet::Expression x, const std::vector<unsigned>& labels,
                            dynet::ComputationGraph& cg);
  int predict(dynet::Expression x, dynet::ComputationGraph& cg);
  void enable_dropout() { dropout_active = true; }
  void disable_dropout() { dropout_active = false; }

 private:
  std::vector<Layer> LAYERS;
  std::vector<std::vector<dynet::Parameter>> params;
  bool dropout_active = true;
};
