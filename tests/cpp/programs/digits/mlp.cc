// The perceptron's layers.
#include "tests/cpp/programs/digits/mlp.h"

using namespace dynet;
using namespace std;

MLP::MLP(ParameterCollection& model, const vector<Layer>& layers) : LAYERS(layers) {
  for (const Layer& layer : layers) {
    Parameter W = model.add_parameters({layer.output_dim, layer.input_dim});
    Parameter b = model.add_parameters({layer.output_dim}, ParameterInitUniform(0.1f));
    params.push_back({W, b});
  }
}

Expression MLP::run(Expression x, ComputationGraph& cg) {
  Expression h_cur = x;
  for (unsigned l = 0; l < LAYERS.size(); ++l) {
    Expression W = parameter(cg, params[l][0]);
    Expression b = parameter(cg, params[l][1]);
    Expression a = affine_transform({b, W, h_cur});
    Expression h = a;
    if (LAYERS[l].activation == SIGMOID) h = logistic(a);
    if (LAYERS[l].activation == TANH) h = tanh(a);
    if (LAYERS[l].activation == RELU) h = rectify(a);
    h_cur = dropout_active && LAYERS[l].dropout_rate > 0 ? dropout(h, LAYERS[l].dropout_rate) : h;
  }
  return h_cur;
}

Expression MLP::get_nll(Expression x, const vector<unsigned>& labels, ComputationGraph& cg) {
  Expression y = run(x, cg);
  Expression losses = pickneglogsoftmax(y, labels);
  return sum_batches(losses);
}

int MLP::predict(Expression x, ComputationGraph& cg) {
  Expression y = softmax(run(x, cg));
  vector<float> probs = as_vector(cg.forward(y));
  int best = 0;
  for (unsigned i = 1; i < probs.size(); ++i)
    if (probs[i] > probs[best]) best = i;
  return best;
}
