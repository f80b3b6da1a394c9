// A BiLSTM tagger that also spells every word: examples/tagger.py in C++, with the same model file.
#include <algorithm>
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

struct Word {
  string text;
  vector<string> letters;
  string tag;
};
typedef vector<Word> Sentence;

vector<Sentence> read_sentences(const Options& chosen, const string& name) {
  vector<Sentence> sentences(1);
  for (const string& line : lines_of(chosen, name)) {
    const vector<string> fields = split(line, '\t');
    if (fields.size() == 3)
      sentences.back().push_back({fields[0], split(fields[1], ' '), fields[2]});
    else
      sentences.emplace_back();
  }
  if (sentences.back().empty()) sentences.pop_back();
  return sentences;
}

class Tagger {
 public:
  explicit Tagger(const vector<Sentence>& sentences) {
    set<string> alphabet, all_tags;
    for (const Sentence& sentence : sentences)
      for (const Word& word : sentence) {
        if (!words.count(word.text)) words.emplace(word.text, words.size() + 1);
        ++counts[word.text];
        alphabet.insert(word.letters.begin(), word.letters.end());
        all_tags.insert(word.tag);
      }
    for (const string& letter : alphabet) letters.emplace(letter, letters.size() + 1);
    for (const string& tag : all_tags) tags.emplace(tag, tags.size());

    p_words = m.add_lookup_parameters(words.size() + 1, {64});
    p_letters = m.add_lookup_parameters(letters.size() + 1, {24});
    onward = LSTMBuilder(1, 24, 48, m);
    backward = LSTMBuilder(1, 24, 48, m);
    context_fwd = LSTMBuilder(1, 64 + 2 * 48, 96, m);
    context_bwd = LSTMBuilder(1, 64 + 2 * 48, 96, m);
    p_W = m.add_parameters({unsigned(tags.size()), 192});
    p_b = m.add_parameters({unsigned(tags.size())}, ParameterInitConst(0));
  }

  /// A score of every tag for each word.
  vector<Expression> scores(ComputationGraph& cg, const Sentence& sentence, bool training) {
    for (LSTMBuilder* lstm : {&onward, &backward, &context_fwd, &context_bwd}) lstm->new_graph(cg);
    context_fwd.set_dropout(training ? 0.3 : 0), context_bwd.set_dropout(training ? 0.3 : 0);
    vector<Expression> inputs;
    for (const Word& word : sentence)
      inputs.push_back(concatenate({lookup(cg, p_words, word_row(word, training)), spell(cg, word)}));
    const unsigned n = inputs.size();
    context_fwd.start_new_sequence(), context_bwd.start_new_sequence();
    vector<Expression> fwd(n), bwd(n), result;
    for (unsigned i = 0; i < n; ++i) fwd[i] = context_fwd.add_input(inputs[i]);
    for (unsigned i = n; i-- > 0;) bwd[i] = context_bwd.add_input(inputs[i]);
    Expression W = parameter(cg, p_W), b = parameter(cg, p_b);
    for (unsigned i = 0; i < n; ++i)
      result.push_back(affine_transform({b, W, concatenate({fwd[i], bwd[i]})}));
    return result;
  }

  Expression loss(ComputationGraph& cg, const Sentence& sentence) {
    const vector<Expression> all = scores(cg, sentence, true);
    vector<Expression> losses;
    for (unsigned i = 0; i < all.size(); ++i)
      losses.push_back(pickneglogsoftmax(all[i], tags[sentence[i].tag]));
    return sum(losses);
  }

  float accuracy(const vector<Sentence>& sentences) {
    unsigned right = 0, total = 0;
    for (const Sentence& sentence : sentences) {
      ComputationGraph cg;
      const vector<Expression> all = scores(cg, sentence, false);
      cg.incremental_forward(concatenate_cols(all));  // the whole sentence first: it runs as one batch
      for (unsigned i = 0; i < all.size(); ++i, ++total) {
        const vector<float> v = as_vector(all[i].value());
        right += row_of(tags, sentence[i].tag) == unsigned(max_element(v.begin(), v.end()) - v.begin()) &&
                 tags.count(sentence[i].tag);
      }
    }
    return float(right) / total;
  }

  ParameterCollection m;

 private:
  Expression spell(ComputationGraph& cg, const Word& word) {
    onward.start_new_sequence(), backward.start_new_sequence();
    for (const string& letter : word.letters)
      onward.add_input(lookup(cg, p_letters, row_of(letters, letter)));
    for (auto letter = word.letters.rbegin(); letter != word.letters.rend(); ++letter)
      backward.add_input(lookup(cg, p_letters, row_of(letters, *letter)));
    return concatenate({onward.back(), backward.back()});
  }
  /// Rare words are at times unknown in training, to train that row too.
  unsigned word_row(const Word& word, bool training) {
    if (training && rand01() < 0.5 / (0.5 + counts[word.text])) return 0;
    return row_of(words, word.text);
  }

  map<string, unsigned> words, counts, letters, tags;
  LookupParameter p_words, p_letters;
  LSTMBuilder onward, backward, context_fwd, context_bwd;
  Parameter p_W, p_b;
};

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const Options chosen = parse_options(argc, argv, 5, 4);
  vector<Sentence> training = read_sentences(chosen, "tagger.train");
  vector<Sentence> held_out = read_sentences(chosen, "tagger.held_out");
  shorten(chosen, training, 100), shorten(chosen, held_out, 20);
  Tagger tagger(training);
  if (!chosen.load.empty()) TextFileLoader(chosen.load).populate(tagger.m);
  AdamTrainer trainer(tagger.m);
  for (unsigned epoch = 0; epoch < chosen.epochs; ++epoch) {
    trainer.learning_rate = 0.002 * (1 - double(epoch) / chosen.epochs);
    shuffle(training.begin(), training.end(), *rndeng);
    float total = 0;
    for (unsigned start = 0; start < training.size(); start += chosen.batch) {
      ComputationGraph cg;
      vector<Expression> losses;
      for (unsigned i = start; i < min<size_t>(start + chosen.batch, training.size()); ++i)
        losses.push_back(tagger.loss(cg, training[i]));
      Expression loss = sum(losses);
      total += as_scalar(cg.forward(loss));
      cg.backward(loss);
      trainer.update();
    }
    cout << "epoch " << epoch + 1 << ": loss " << total << endl;
  }
  if (!chosen.save.empty()) TextFileSaver(chosen.save).save(tagger.m);
  printf("held-out accuracy %.2f%%\n", 100 * tagger.accuracy(held_out));
}
