// Poisson regression: one graph for all data, whose word and count are read from memory at each forward pass.
#include <cmath>
#include <iostream>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  ParameterCollection model;
  LookupParameter p_words = model.add_lookup_parameters(5, {4});
  Parameter p_v = model.add_parameters({1, 4}), p_bias = model.add_parameters({1});
  SimpleSGDTrainer sgd(model, 0.05);
  sgd.clipping_enabled = false;

  ComputationGraph cg;
  unsigned word = 0, count = 0;
  Expression x = lookup(cg, p_words, &word);
  Expression log_lambda = parameter(cg, p_v) * tanh(x) + parameter(cg, p_bias);
  Expression loss = poisson_loss(log_lambda, &count);
  for (unsigned iteration = 0; iteration < 2000; ++iteration) {
    word = iteration % 5;
    count = 1 + 2 * word;
    cg.forward(loss);
    cg.backward(loss);
    sgd.update();
    if (iteration % 500 == 0) cerr << sgd.status() << endl;
  }
  bool good = true;
  for (word = 0; word < 5; ++word) {
    const float lambda = exp(as_scalar(cg.forward(log_lambda)));
    cout << "word " << word << ": " << lambda << endl;
    good = good && fabs(lambda - (1 + 2 * word)) < 0.5;
  }
  return good ? 0 : 1;
}
