// The smallest whole program: a network with one hidden layer learns exclusive or.
#include <iostream>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  ParameterCollection m;
  SimpleSGDTrainer trainer(m, 0.1);
  Parameter p_W = m.add_parameters({8, 2});
  Parameter p_b = m.add_parameters({8});
  Parameter p_V = m.add_parameters({1, 8});
  Parameter p_a = m.add_parameters({1});

  // One graph for all: what x_values and y_value hold is read again at each forward().
  ComputationGraph cg;
  vector<dynet::real> x_values(2);
  dynet::real y_value = 0;
  Expression x = input(cg, {2}, &x_values);
  Expression y = input(cg, &y_value);
  Expression h = tanh(parameter(cg, p_W) * x + parameter(cg, p_b));
  Expression chance = logistic(parameter(cg, p_V) * h + parameter(cg, p_a));
  Expression loss = binary_log_loss(chance, y);

  for (unsigned iteration = 0; iteration < 300; ++iteration) {
    float total = 0;
    for (unsigned which = 0; which < 4; ++which) {
      x_values = {dynet::real(which % 2), dynet::real(which / 2)};
      y_value = x_values[0] != x_values[1];
      total += as_scalar(cg.forward(loss));
      cg.backward(loss);
      trainer.update();
    }
    if (iteration % 50 == 0) cout << "iteration " << iteration << ": loss " << total / 4 << endl;
  }
  unsigned right = 0;
  for (unsigned which = 0; which < 4; ++which) {
    x_values = {dynet::real(which % 2), dynet::real(which / 2)};
    const float answer = as_scalar(cg.forward(chance));
    right += (answer > 0.5) == (x_values[0] != x_values[1]);
    cout << x_values[0] << " xor " << x_values[1] << ": " << answer << endl;
  }
  return right == 4 ? 0 : 1;
}
