// Exclusive or, learned by two processes that share the parameters, and by one.
#include <iostream>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/mp.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;
using namespace dynet::mp;

struct Datum {
  vector<dynet::real> x;
  dynet::real y;
};

struct ModelParameters {
  Parameter W, b, V, a;
};

class XorLearner : public ILearner<Datum, dynet::real> {
 public:
  explicit XorLearner(ModelParameters params) : params(params) {}
  dynet::real LearnFromDatum(const Datum& datum, bool learn) override {
    ComputationGraph cg;
    Expression x = input(cg, {2}, datum.x);
    Expression h = tanh(parameter(cg, params.W) * x + parameter(cg, params.b));
    Expression y_pred = logistic(parameter(cg, params.V) * h + parameter(cg, params.a));
    Expression loss_expr = binary_log_loss(y_pred, input(cg, datum.y));
    dynet::real loss = as_scalar(cg.forward(loss_expr));
    if (learn) cg.backward(loss_expr);
    return loss;
  }
  void SaveModel() override { ++saved; }

  ModelParameters params;
  unsigned saved = 0;
};

bool learns(bool in_two_processes, const vector<Datum>& data) {
  ParameterCollection model;
  SimpleSGDTrainer trainer(model, 0.1);
  ModelParameters params = {model.add_parameters({8, 2}), model.add_parameters({8}),
                            model.add_parameters({1, 8}), model.add_parameters({1})};
  XorLearner learner(params);
  if (in_two_processes)
    run_multi_process<Datum>(2, &learner, &trainer, data, data, 8, data.size(), data.size());
  else
    run_single_process<Datum>(&learner, &trainer, data, data, 8, data.size(), data.size(), 1);
  dynet::real loss = 0;
  for (const Datum& datum : data) loss += learner.LearnFromDatum(datum, false);
  cout << "loss " << loss / data.size() << ", updates " << trainer.updates << ", saved " << learner.saved
       << endl;
  return loss / data.size() < 0.1 && trainer.updates == 8 * data.size() && learner.saved > 0;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv, true);
  vector<Datum> data;
  for (unsigned i = 0; i < 200; ++i)
    data.push_back({{dynet::real(i % 2), dynet::real(i / 2 % 2)}, dynet::real(i % 2 != i / 2 % 2)});
  return learns(false, data) && learns(true, data) ? 0 : 1;
}
