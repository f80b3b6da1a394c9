// An attention model that translates Greek verses: examples/attention.py in C++, with the same model file.
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

const unsigned SIZE = 128;
const int UNKNOWN = 0, END = 1;

struct Verse {
  vector<int> lemmas, morphs, english;
};

/// Numbers the unknown word, the mark at both ends, and the words that come at least so often.
Dict dictionary(const vector<string>& sentences, unsigned least) {
  map<string, unsigned> counts;
  for (const string& sentence : sentences)
    for (const string& word : split(sentence, ' ')) ++counts[word];
  Dict dict;
  dict.convert("<unknown>"), dict.convert("<end>");
  for (const string& sentence : sentences)
    for (const string& word : split(sentence, ' '))
      if (counts[word] >= least) dict.convert(word);
  dict.freeze();
  dict.set_unk("<unknown>");
  return dict;
}

struct Translator {
  float pace, dropout = 0;
  LookupParameter p_lemmas, p_morphs, p_english;
  LSTMBuilder reader_fwd, reader_bwd, writer;
  Parameter p_ask, p_near, p_join, p_W, p_b;

  Translator(unsigned lemmas, unsigned morphs, unsigned english, float pace, ParameterCollection& m)
      : pace(pace) {
    p_lemmas = m.add_lookup_parameters(lemmas, {SIZE});
    p_morphs = m.add_lookup_parameters(morphs, {SIZE});
    p_english = m.add_lookup_parameters(english, {SIZE});
    reader_fwd = LSTMBuilder(1, SIZE, SIZE / 2, m);
    reader_bwd = LSTMBuilder(1, SIZE, SIZE / 2, m);
    writer = LSTMBuilder(1, 2 * SIZE, SIZE, m);
    p_ask = m.add_parameters({2 * SIZE, SIZE});
    p_near = m.add_parameters({1}, ParameterInitConst(0.5));
    p_join = m.add_parameters({SIZE, 3 * SIZE});
    p_W = m.add_parameters({english, SIZE});
    p_b = m.add_parameters({english}, ParameterInitConst(0));
  }

  /// A column for each Greek word: what it is, and what it is in this verse.
  Expression read(ComputationGraph& cg, const Verse& verse) {
    for (LSTMBuilder* lstm : {&reader_fwd, &reader_bwd, &writer}) {
      lstm->set_dropout(dropout);
      lstm->new_graph(cg);
      lstm->start_new_sequence();
    }
    const size_t n = verse.lemmas.size();
    vector<Expression> words, fwd(n), bwd(n), columns;
    for (size_t i = 0; i < n; ++i)
      words.push_back(lookup(cg, p_lemmas, verse.lemmas[i]) + lookup(cg, p_morphs, verse.morphs[i]));
    for (size_t i = 0; i < n; ++i) fwd[i] = reader_fwd.add_input(words[i]);
    for (size_t i = n; i-- > 0;) bwd[i] = reader_bwd.add_input(words[i]);
    for (size_t i = 0; i < n; ++i) columns.push_back(concatenate({words[i], concatenate({fwd[i], bwd[i]})}));
    return concatenate_cols(columns);
  }

  Expression loss(ComputationGraph& cg, const Verse& verse) {
    Expression columns = read(cg, verse), rows = transpose(columns), seen = zeros(cg, {SIZE});
    Expression ask = parameter(cg, p_ask), near = parameter(cg, p_near), join = parameter(cg, p_join);
    Expression W = parameter(cg, p_W), b = parameter(cg, p_b);
    const unsigned n = verse.lemmas.size();
    vector<Expression> losses;
    for (size_t t = 0; t + 1 < verse.english.size(); ++t) {
      Expression h = writer.add_input(concatenate({lookup(cg, p_english, verse.english[t]), seen}));
      // Both languages tell things in much the same order, so attention starts near there.
      vector<float> far(n);
      for (unsigned i = 0; i < n; ++i) far[i] = fabs(i - double(pace) * t);
      Expression attention = softmax(rows * (ask * h) - input(cg, {n}, far) * near);
      seen = tanh(join * concatenate({h, columns * attention}));
      losses.push_back(pickneglogsoftmax(affine_transform({b, W, seen}), verse.english[t + 1]));
    }
    return sum(losses);
  }
};

/// The columns of a file: lemmas, morphological tags, English words.
vector<vector<string>> columns_of(const Options& chosen, const string& name, size_t most) {
  vector<string> lines = lines_of(chosen, name);
  shorten(chosen, lines, most);
  vector<vector<string>> columns(3);
  for (const string& line : lines)
    for (size_t i = 0; i < 3; ++i) columns[i].push_back(split(line, '\t').at(i));
  return columns;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const Options chosen = parse_options(argc, argv, 5, 8);
  const vector<vector<string>> text = columns_of(chosen, "attention.train", 60);
  Dict lemmas = dictionary(text[0], 2), morphs = dictionary(text[1], 2), english = dictionary(text[2], 3);
  const auto verses_of = [&](const vector<vector<string>>& columns) {
    vector<Verse> verses;
    for (size_t i = 0; i < columns[0].size(); ++i)
      verses.push_back({read_sentence(columns[0][i], lemmas), read_sentence(columns[1][i], morphs),
                        read_sentence("<end> " + columns[2][i] + " <end>", english)});
    return verses;
  };
  vector<Verse> training = verses_of(text),
                held_out = verses_of(columns_of(chosen, "attention.held_out", 10));
  size_t greek_words = 0, english_words = 0;
  for (const Verse& verse : training)
    greek_words += verse.lemmas.size(), english_words += verse.english.size() - 2;

  ParameterCollection m;
  Translator model(lemmas.size(), morphs.size(), english.size(), float(greek_words) / english_words, m);
  if (!chosen.load.empty()) TextFileLoader(chosen.load).populate(m);
  AdamTrainer trainer(m);
  for (unsigned epoch = 0; epoch < chosen.epochs; ++epoch) {
    trainer.learning_rate = 0.002 * (1 - double(epoch) / chosen.epochs);
    shuffle(training.begin(), training.end(), *rndeng);
    model.dropout = 0.2;
    for (size_t start = 0; start < training.size(); start += chosen.batch) {
      ComputationGraph cg;
      vector<Expression> losses;
      for (size_t i = start; i < min(start + chosen.batch, training.size()); ++i)
        losses.push_back(model.loss(cg, training[i]));
      Expression total = sum(losses);
      cg.forward(total);
      cg.backward(total);
      trainer.update();
    }
  }
  if (!chosen.save.empty()) TextFileSaver(chosen.save).save(m);
  double loss = 0;
  size_t words = 0;
  model.dropout = 0;
  for (const Verse& verse : held_out) {
    ComputationGraph cg;
    loss += as_scalar(cg.forward(model.loss(cg, verse)));
    words += verse.english.size() - 1;
  }
  printf("held-out perplexity %.1f\n", exp(loss / words));
}
