// Trains GRU and LSTM models to write a word backwards.
#include <algorithm>
#include <iostream>

#include "dynet/globals.h"
#include "dynet/training.h"
#include "tests/cpp/programs/translate/encdec.h"

using namespace std;
using namespace dynet;

vector<int> draw_word() {
  vector<int> word;
  for (unsigned n = 1 + rand0n(3); n > 0; --n) word.push_back(2 + rand0n(4));
  return word;
}

vector<int> answer_of(const vector<int>& word) {
  vector<int> answer(word.rbegin(), word.rend());
  answer.insert(answer.begin(), 0);
  answer.push_back(1);
  return answer;
}

template <class Builder>
unsigned train(const char* name) {
  ParameterCollection m;
  AdamTrainer sgd(m, 0.005);
  EncoderDecoder<Builder> lm(m, 6, 1, 12, 24);
  for (unsigned iteration = 0; iteration < 250; ++iteration) {
    ComputationGraph cg;
    vector<Expression> losses;
    for (unsigned i = 0; i < 16; ++i) {
      const vector<int> word = draw_word();
      losses.push_back(lm.BuildGraph(word, answer_of(word), cg));
    }
    Expression loss = sum(losses) / 16;
    if (iteration % 100 == 0) cerr << name << " E = " << as_scalar(cg.forward(loss)) << endl;
    cg.backward(loss);
    sgd.update();
  }
  unsigned right = 0;
  for (unsigned i = 0; i < 50; ++i) {
    ComputationGraph cg;
    const vector<int> word = draw_word();
    right += lm.decode(word, 0, 1, cg) == answer_of(word);
  }
  cout << name << ": " << right << " of 50 words are right" << endl;
  return right;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  const bool good = train<GRUBuilder>("GRU") > 35 && train<LSTMBuilder>("LSTM") > 35;
  return good ? 0 : 1;
}
