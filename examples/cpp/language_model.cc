// An LSTM language model of the English Bible, one verse at a time; DyNet makes the batches. The model file
// is that of examples/language_model.py.
#include <algorithm>
#include <cmath>

#include "dynet/dict.h"
#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/globals.h"
#include "dynet/io.h"
#include "dynet/lstm.h"
#include "dynet/training.h"
#include "examples/cpp/common.h"

using namespace std;
using namespace dynet;

const unsigned SIZE = 160;

struct LanguageModel {
  LookupParameter p_words;
  Parameter p_W, p_b;
  LSTMBuilder rnn;

  LanguageModel(unsigned vocabulary, ParameterCollection& m) {
    p_words = m.add_lookup_parameters(vocabulary, {SIZE});
    rnn = LSTMBuilder(1, SIZE, SIZE, m);
    p_W = m.add_parameters({vocabulary, SIZE});
    p_b = m.add_parameters({vocabulary}, ParameterInitConst(0));
  }

  /// The loss of a verse, which begins and ends with the mark of verses.
  Expression loss(ComputationGraph& cg, const vector<int>& verse, float dropout) {
    Expression W = parameter(cg, p_W), b = parameter(cg, p_b);
    rnn.set_dropout(dropout);
    rnn.new_graph(cg);
    rnn.start_new_sequence();
    vector<Expression> losses;
    for (size_t t = 0; t + 1 < verse.size(); ++t) {
      Expression h = rnn.add_input(lookup(cg, p_words, verse[t]));
      losses.push_back(pickneglogsoftmax(affine_transform({b, W, h}), verse[t + 1]));
    }
    return sum(losses);
  }

  /// A verse drawn word by word from the model's own predictions.
  string sample(const Dict& dict) {
    ComputationGraph cg;
    Expression W = parameter(cg, p_W), b = parameter(cg, p_b);
    rnn.disable_dropout();
    rnn.new_graph(cg);
    rnn.start_new_sequence();
    string text;
    for (int word = 0, length = 0; length < 40; ++length) {
      Expression h = rnn.add_input(lookup(cg, p_words, word));
      vector<float> chances = as_vector(cg.incremental_forward(softmax(affine_transform({b, W, h}))));
      word = discrete_distribution<int>(chances.begin(), chances.end())(*rndeng);
      if (word == 0) break;
      text += dict.convert(word) + " ";
    }
    return text;
  }
};

/// Verses as rows of the vocabulary, between two marks.
vector<vector<int>> rows_of(const vector<string>& verses, Dict& dict) {
  vector<vector<int>> rows;
  for (const string& verse : verses) rows.push_back(read_sentence("<end> " + verse + " <end>", dict));
  return rows;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const Options chosen = parse_options(argc, argv, 2, 16);
  vector<string> verses = lines_of(chosen, "language_model.train");
  vector<string> held_out_verses = lines_of(chosen, "language_model.held_out");
  shorten(chosen, verses, 300), shorten(chosen, held_out_verses, 30);

  map<string, unsigned> counts;
  for (const string& verse : verses)
    for (const string& word : split(verse, ' ')) ++counts[word];
  Dict dict;
  dict.convert("<end>"), dict.convert("<unknown>");
  for (const string& verse : verses)
    for (const string& word : split(verse, ' '))
      if (counts[word] >= 5) dict.convert(word);
  dict.freeze();
  dict.set_unk("<unknown>");
  vector<vector<int>> training = rows_of(verses, dict), held_out = rows_of(held_out_verses, dict);

  ParameterCollection m;
  LanguageModel lm(dict.size(), m);
  if (!chosen.load.empty()) TextFileLoader(chosen.load).populate(m);
  AdamTrainer trainer(m, 0.002);
  for (unsigned epoch = 0; epoch < chosen.epochs; ++epoch) {
    Timer iteration("epoch took");
    trainer.learning_rate = 0.002 * (1 - double(epoch) / chosen.epochs);
    shuffle(training.begin(), training.end(), *rndeng);
    double loss = 0;
    for (size_t start = 0; start < training.size(); start += chosen.batch) {
      ComputationGraph cg;
      vector<Expression> losses;
      for (size_t i = start; i < min(start + chosen.batch, training.size()); ++i)
        losses.push_back(lm.loss(cg, training[i], 0.2));
      Expression total = sum(losses);
      loss += as_scalar(cg.forward(total));
      cg.backward(total);
      trainer.update();
    }
    cout << "epoch " << epoch + 1 << ": loss " << loss << endl;
  }
  if (!chosen.save.empty()) TextFileSaver(chosen.save).save(m);

  double loss = 0;
  size_t words = 0;
  for (const vector<int>& verse : held_out) {
    ComputationGraph cg;
    loss += as_scalar(cg.forward(lm.loss(cg, verse, 0)));
    words += verse.size() - 1;
  }
  printf("held-out perplexity %.1f\n", exp(loss / words));
  cout << lm.sample(dict) << endl;
}
