// The twin of tests/examples/parity.py: trains a tagger or a TreeLSTM on made-up data and prints all losses.
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/io.h"
#include "dynet/lstm.h"
#include "dynet/training.h"
#include "dynet/treelstm.h"

using namespace std;
using namespace dynet;

// A lookup table is initialised as Python does it, where its number of rows counts as a size.
unsigned long state = 7;
unsigned draw(unsigned n) {
  state = (state * 1103515245 + 12345) % 2147483648;
  return state / 65536 % n;
}

struct Tagger {
  explicit Tagger(ParameterCollection& m)
      : p_words(m.add_lookup_parameters(30, {16}, ParameterInitGlorot())),
        p_letters(m.add_lookup_parameters(9, {8}, ParameterInitGlorot())),
        spell(1, 8, 12, m),
        fwd(1, 28, 20, m),
        bwd(1, 28, 20, m),
        p_W(m.add_parameters({7, 40})),
        p_b(m.add_parameters({7}, ParameterInitConst(0))) {}

  Expression loss(ComputationGraph& cg) {
    const unsigned n = 2 + draw(6);
    spell.new_graph(cg), fwd.new_graph(cg), bwd.new_graph(cg);
    vector<Expression> inputs;
    for (unsigned i = 0; i < n; ++i) {
      const unsigned word = draw(30);
      spell.start_new_sequence();
      for (unsigned k = 0; k <= word % 4; ++k) spell.add_input(lookup(cg, p_letters, (word + k) % 9));
      inputs.push_back(concatenate({lookup(cg, p_words, word), spell.back()}));
    }
    fwd.start_new_sequence(), bwd.start_new_sequence();
    vector<Expression> from_left(n), from_right(n), losses;
    for (unsigned i = 0; i < n; ++i) from_left[i] = fwd.add_input(inputs[i]);
    for (unsigned i = n; i-- > 0;) from_right[i] = bwd.add_input(inputs[i]);
    Expression W = parameter(cg, p_W), b = parameter(cg, p_b);
    for (unsigned i = 0; i < n; ++i)
      losses.push_back(
          pickneglogsoftmax(affine_transform({b, W, concatenate({from_left[i], from_right[i]})}), draw(7)));
    return sum(losses);
  }

  LookupParameter p_words, p_letters;
  LSTMBuilder spell, fwd, bwd;
  Parameter p_W, p_b;
};

struct TreeModel {
  explicit TreeModel(ParameterCollection& m)
      : p_words(m.add_lookup_parameters(30, {16}, ParameterInitGlorot())),
        trees(2, 1, 16, 16, m),
        p_W(m.add_parameters({5, 16})) {}

  /// Adds a tree of random shape below the node; gives the node's number.
  int grow(ComputationGraph& cg, unsigned depth) {
    vector<int> children;
    if (depth > 0 && draw(4) > 0) children = {grow(cg, depth - 1)}, children.push_back(grow(cg, depth - 1));
    trees.add_input(count, children, lookup(cg, p_words, draw(30)));
    return count++;
  }
  Expression loss(ComputationGraph& cg) {
    trees.new_graph(cg);
    trees.start_new_sequence();
    count = 0;
    grow(cg, 4);
    return pickneglogsoftmax(parameter(cg, p_W) * trees.back(), draw(5));
  }

  LookupParameter p_words;
  NaryTreeLSTMBuilder trees;
  Parameter p_W;
  int count = 0;
};

/// 100 updates of three losses each, or none where a model is loaded; then ten losses.
template <class Model>
void run(const string& load, const string& save) {
  reset_rng(5);
  ParameterCollection m;
  Model model(m);
  AdamTrainer trainer(m);
  if (!load.empty()) TextFileLoader(load).populate(m);
  const auto losses = [&](unsigned steps, bool learn) {
    for (unsigned step = 0; step < steps; ++step) {
      ComputationGraph cg;
      Expression loss = sum(vector<Expression>{model.loss(cg), model.loss(cg), model.loss(cg)});
      printf("%a\n", as_scalar(cg.forward(loss)));
      if (!learn) continue;
      cg.backward(loss);
      trainer.update();
    }
  };
  if (load.empty()) losses(100, true);
  if (!save.empty()) TextFileSaver(save).save(m);
  state = 11;
  losses(10, false);
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const string model = argv[1], way = argc > 3 ? argv[2] : "", file = argc > 3 ? argv[3] : "";
  const string load = way == "--load" ? file : "", save = way == "--save" ? file : "";
  model == "tagger" ? run<Tagger>(load, save) : run<TreeModel>(load, save);
}
