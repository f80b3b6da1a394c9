// Trains the language model on counting sentences, keeps the best parameters in a file and reads them again.
#include <cmath>
#include <cstdio>
#include <iostream>

#include "dynet/dict.h"
#include "dynet/io.h"
#include "dynet/training.h"
#include "tests/cpp/programs/rnnlm/rnnlm.h"

using namespace std;
using namespace dynet;

dynet::Dict d;

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const int kSOS = d.convert("<s>"), kEOS = d.convert("</s>");
  vector<string> lines = {"one two three four", "two three four five", "three four five one",
                          "four five one two", "five one two three"};
  vector<vector<int>> training;
  for (const string& line : lines) training.push_back(read_sentence("<s> " + line + " </s>", d));
  d.freeze();
  if (training[0].front() != kSOS || training[0].back() != kEOS) return 1;

  ParameterCollection model;
  Trainer* sgd = new SimpleSGDTrainer(model);
  RNNBatchLanguageModel<LSTMBuilder> lm(2, 16, 24, d.size(), model);
  const string file = "rnnlm_best.model";
  double best = 9e+99;
  for (unsigned iteration = 0; iteration < 250; ++iteration) {
    ComputationGraph cg;
    Expression loss_expr = lm.getNegLogProb(training, 0, training.size(), cg);
    const double loss = as_scalar(cg.forward(loss_expr));
    cg.backward(loss_expr);
    sgd->update();
    if (iteration % 50 == 0) cerr << "perplexity " << exp(loss / (5 * training.size())) << endl;
    if (iteration % 10 == 9 && loss < best) {
      best = loss;
      TextFileSaver saver(file);
      saver.save(model);
    }
  }
  delete sgd;

  ParameterCollection other_model;
  RNNBatchLanguageModel<LSTMBuilder> other(2, 16, 24, d.size(), other_model);
  TextFileLoader loader(file);
  loader.populate(other_model);
  ComputationGraph cg;
  const double loss = as_scalar(cg.forward(other.getNegLogProb(training, 0, training.size(), cg)));
  remove(file.c_str());
  cout << "perplexity " << exp(loss / (5 * training.size())) << endl;
  return exp(loss / (5 * training.size())) < 1.8 ? 0 : 1;  // the first word cannot be known
}
