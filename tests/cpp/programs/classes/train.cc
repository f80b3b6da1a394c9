// A language model whose words fall into classes, with each of the three softmax builders.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "dynet/cfsm-builder.h"
#include "dynet/dict.h"
#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/gru.h"
#include "dynet/hsm-builder.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;

struct RNNLanguageModel {
  LookupParameter p_c;
  GRUBuilder builder;
  SoftmaxBuilder& cfsm;

  RNNLanguageModel(unsigned vocab, SoftmaxBuilder& softmax, ParameterCollection& model)
      : p_c(model.add_lookup_parameters(vocab, {12})), builder(1, 12, 20, model), cfsm(softmax) {}

  Expression BuildLMGraph(const vector<int>& sent, ComputationGraph& cg) {
    builder.new_graph(cg);
    builder.start_new_sequence();
    cfsm.new_graph(cg);
    vector<Expression> errs;
    for (unsigned t = 0; t + 1 < sent.size(); ++t) {
      Expression h_t = builder.add_input(lookup(cg, p_c, sent[t]));
      errs.push_back(cfsm.neg_log_softmax(h_t, sent[t + 1]));
    }
    return sum(errs);
  }
};

bool learns(SoftmaxBuilder& softmax, ParameterCollection& model, Dict& d) {
  RNNLanguageModel lm(d.size(), softmax, model);
  MomentumSGDTrainer sgd(model, 0.05);
  const vector<int> sentence = read_sentence("red blue one two green three red one blue", d);
  float first = 0, last = 0;
  for (unsigned i = 0; i < 60; ++i) {
    ComputationGraph cg;
    Expression loss = lm.BuildLMGraph(sentence, cg);
    last = as_scalar(cg.forward(loss));
    if (i == 0) first = last;
    cg.backward(loss);
    sgd.update();
  }
  ComputationGraph cg;
  softmax.new_graph(cg);
  Expression h = input(cg, {20}, vector<float>(20, 0.1f));
  const unsigned word = softmax.sample(h);
  cout << "loss " << first << " -> " << last << ", a word: " << d.convert(int(word)) << endl;
  return last < first / 4;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  ofstream("classes.txt") << "C red\nC blue\nC green\nN one\nN two\nN three\n";
  ofstream("tree.txt")
      << "root C\tred\nroot C\tblue\nroot C\tgreen\nroot N\tone\nroot N\ttwo\nroot N\tthree\n";
  bool good = true;
  {
    Dict d;
    ParameterCollection model;
    ClassFactoredSoftmaxBuilder softmax(20, "classes.txt", d, model);
    good = learns(softmax, model, d) && good;
  }
  {
    Dict d;
    ParameterCollection model;
    HierarchicalSoftmaxBuilder softmax(20, "tree.txt", d, model);
    good = learns(softmax, model, d) && good;
  }
  {
    Dict d;
    read_sentence("red blue green one two three", d);
    ParameterCollection model;
    StandardSoftmaxBuilder softmax(20, d.size(), model);
    good = learns(softmax, model, d) && good;
  }
  remove("classes.txt"), remove("tree.txt");
  return good ? 0 : 1;
}
