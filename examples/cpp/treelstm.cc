// A TreeLSTM over Python syntax trees that guesses which builtin a hidden call would call:
// examples/treelstm.py in C++, with the same model file.
#include <algorithm>
#include <memory>
#include <set>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/globals.h"
#include "dynet/io.h"
#include "dynet/lstm.h"
#include "dynet/training.h"
#include "examples/cpp/common.h"

using namespace std;
using namespace dynet;

const unsigned SIZE = 96;

struct Tree {
  string kind, name;
  vector<Tree> children;
};
struct Example {
  Tree tree;
  string answer;
};

/// Reads "(kind name child child ...)" from the place on.
Tree read_tree(const string& text, size_t& at) {
  const auto word = [&] {
    const size_t start = at;
    while (text[at] != ' ' && text[at] != ')') ++at;
    return text.substr(start, at - start);
  };
  Tree tree;
  ++at;
  tree.kind = word(), ++at;
  tree.name = word();
  for (; text[at] == ' '; ++at) tree.children.push_back(read_tree(text, ++at)), --at;
  ++at;
  return tree;
}

vector<Example> read_examples(const Options& chosen, const string& name) {
  vector<Example> examples;
  for (const string& line : lines_of(chosen, name)) {
    const size_t tab = line.find('\t');
    size_t at = tab + 1;
    examples.push_back({read_tree(line, at), line.substr(0, tab)});
  }
  return examples;
}

struct TreeLSTM {
  struct Gate {
    Parameter b, W, U;
  };
  map<string, unsigned> kinds, names, counts, answers;
  ParameterCollection m;
  LookupParameter p_kinds, p_names;
  map<string, Gate> gates;
  LSTMBuilder downward;
  Parameter p_W, p_b;

  explicit TreeLSTM(const vector<Example>& examples) {
    set<string> all_kinds, all_answers;
    for (const Example& example : examples)
      count(example.tree, all_kinds), all_answers.insert(example.answer);
    kinds[""] = names[""] = 0;
    for (const string& kind : all_kinds) kinds.emplace(kind, kinds.size());
    for (const auto& entry : counts)
      if (entry.second >= 10 && entry.first != "") names.emplace(entry.first, names.size());
    for (const string& answer : all_answers) answers.emplace(answer, answers.size());
    p_kinds = m.add_lookup_parameters(kinds.size(), {SIZE});
    p_names = m.add_lookup_parameters(names.size(), {SIZE});
    for (const char* name : {"enter", "leave", "keep", "news"}) {
      Gate& gate = gates[name];
      gate.b = m.add_parameters({SIZE}, ParameterInitConst(0));
      gate.W = m.add_parameters({SIZE, SIZE}), gate.U = m.add_parameters({SIZE, SIZE});
    }
    downward = LSTMBuilder(1, SIZE, SIZE, m);
    p_W = m.add_parameters({unsigned(answers.size()), SIZE});
    p_b = m.add_parameters({unsigned(answers.size())}, ParameterInitConst(0));
  }
  void count(const Tree& tree, set<string>& all_kinds) {
    all_kinds.insert(tree.kind), ++counts[tree.name];
    for (const Tree& child : tree.children) count(child, all_kinds);
  }

  Expression gate(ComputationGraph& cg, const string& name, Expression node, const Expression* below) {
    const Gate& g = gates[name];
    vector<Expression> terms = {parameter(cg, g.b), parameter(cg, g.W), node};
    if (below) terms.push_back(parameter(cg, g.U)), terms.push_back(*below);
    return affine_transform(terms);
  }
  struct Encoded {
    Expression h, c;
    vector<Expression> path;  // outputs from here down to the hidden name, if it is in this tree
  };
  Encoded encode(ComputationGraph& cg, const Tree& tree) {
    Expression node = lookup(cg, p_kinds, row_of(kinds, tree.kind));
    if (!tree.name.empty()) node = node + lookup(cg, p_names, row_of(names, tree.name));
    vector<Encoded> children;
    vector<Expression> outputs, memories, path;
    for (const Tree& child : tree.children) children.push_back(encode(cg, child));
    for (const Encoded& child : children) {
      outputs.push_back(child.h);
      if (!child.path.empty()) path = child.path;
    }
    Expression sum_below = children.empty() ? Expression() : sum(outputs);
    const Expression* below = children.empty() ? nullptr : &sum_below;
    Expression news = tanh(gate(cg, "news", node, below));
    memories.push_back(cmult(logistic(gate(cg, "enter", node, below)), news));
    // Every child has a forget gate of its own, so that a branch can be kept or dropped.
    for (const Encoded& child : children)
      memories.push_back(cmult(logistic(gate(cg, "keep", node, &child.h)), child.c));
    Expression c = sum(memories), h = cmult(logistic(gate(cg, "leave", node, below)), tanh(c));
    if (!path.empty() || tree.kind == "Hidden") path.insert(path.begin(), h);
    return {h, c, path};
  }
  Expression scores(ComputationGraph& cg, const Tree& tree, float dropout) {
    const vector<Expression> path = encode(cg, tree).path;
    downward.set_dropout(dropout);
    downward.new_graph(cg);
    downward.start_new_sequence();
    for (const Expression& output : path) downward.add_input(output);
    return affine_transform({parameter(cg, p_b), parameter(cg, p_W), downward.back()});
  }
  float accuracy(const vector<Example>& examples) {
    unsigned right = 0;
    for (const Example& example : examples) {
      ComputationGraph cg;
      const vector<float> v = as_vector(cg.forward(scores(cg, example.tree, 0)));
      const auto answer = answers.find(example.answer);
      right +=
          answer != answers.end() && answer->second == unsigned(max_element(v.begin(), v.end()) - v.begin());
    }
    return float(right) / examples.size();
  }
};

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const Options chosen = parse_options(argc, argv, 6, 8);
  vector<Example> training = read_examples(chosen, "treelstm.train");
  const vector<Example> held_out = read_examples(chosen, "treelstm.held_out");
  TreeLSTM model(training);
  if (!chosen.load.empty()) TextFileLoader(chosen.load).populate(model.m);
  AdamTrainer trainer(model.m, 0.002);
  for (unsigned epoch = 0; epoch < chosen.epochs; ++epoch) {
    trainer.learning_rate = 0.002 * (1 - double(epoch) / chosen.epochs);
    shuffle(training.begin(), training.end(), *rndeng);
    float total = 0;
    for (size_t start = 0; start < training.size(); start += chosen.batch) {
      ComputationGraph cg;
      vector<Expression> losses;
      for (size_t i = start; i < min(start + chosen.batch, training.size()); ++i)
        losses.push_back(
            pickneglogsoftmax(model.scores(cg, training[i].tree, 0.3), model.answers[training[i].answer]));
      Expression loss = sum(losses);
      total += as_scalar(cg.forward(loss));
      cg.backward(loss);
      trainer.update();
    }
    cout << "epoch " << epoch + 1 << ": loss " << total << endl;
  }
  if (!chosen.save.empty()) TextFileSaver(chosen.save).save(model.m);
  printf("held-out accuracy %.1f%%\n", 100 * model.accuracy(held_out));
}
