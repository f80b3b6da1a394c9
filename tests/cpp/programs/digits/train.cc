// Trains the perceptron on pictures of bars, in minibatches made by hand.
#include <algorithm>
#include <iostream>
#include <numeric>

#include "dynet/globals.h"
#include "dynet/timing.h"
#include "dynet/training.h"
#include "tests/cpp/programs/digits/mlp.h"

using namespace std;
using namespace dynet;

// An 8 by 8 picture of a bar, of which there are ten, with noise.
vector<float> draw(unsigned digit) {
  vector<float> picture(64);
  for (float& pixel : picture) pixel = 0.3 * rand01();
  for (unsigned i = 0; i < 8; ++i) picture[digit < 5 ? 8 * i + digit : 8 * (digit - 5) + i] += 0.7;
  return picture;
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  ParameterCollection model;
  AdamTrainer trainer(model);
  trainer.clip_threshold *= 16;
  MLP nn(model,
         vector<Layer>({Layer{64, 32, RELU, 0.2f}, Layer{32, 32, TANH, 0.2f}, Layer{32, 10, LINEAR, 0}}));
  const unsigned batch_size = 16, num_data = 320;
  vector<vector<float>> train;
  vector<unsigned> labels, order(num_data);
  for (unsigned i = 0; i < num_data; ++i) labels.push_back(rand0n(10)), train.push_back(draw(labels.back()));
  iota(order.begin(), order.end(), 0);
  for (unsigned epoch = 0; epoch < 12; ++epoch) {
    random_device device;
    shuffle(order.begin(), order.end(), *dynet::rndeng);
    nn.enable_dropout();
    double loss = 0, num_samples = 0;
    for (unsigned start = 0; start < num_data; start += batch_size) {
      ComputationGraph cg;
      vector<Expression> cur_batch;
      vector<unsigned> cur_labels;
      for (unsigned i = start; i < start + batch_size; ++i) {
        cur_batch.push_back(input(cg, {64}, train[order[i]]));
        cur_labels.push_back(labels[order[i]]);
      }
      Expression x_batch = reshape(concatenate_cols(cur_batch), Dim({64}, batch_size));
      Expression loss_expr = nn.get_nll(x_batch, cur_labels, cg);
      loss += as_scalar(cg.forward(loss_expr));
      num_samples += batch_size;
      cg.backward(loss_expr);
      trainer.update();
    }
    if (epoch % 4 == 3) {
      trainer.status();
      cerr << " E = " << (loss / num_samples) << ' ' << endl;
    }
  }
  nn.disable_dropout();
  unsigned right = 0;
  for (unsigned i = 0; i < 100; ++i) {
    ComputationGraph cg;
    Expression x = input(cg, {64}, draw(i % 10));
    right += nn.predict(x, cg) == int(i % 10);
  }
  cout << right << " of 100 are right" << endl;
  return right > 90 ? 0 : 1;
}
