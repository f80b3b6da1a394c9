// A program with an operation of its own, mish(x) = x tanh(log(1 + e^x)), that learns which arm of a spiral a
// point lies on. The operation is batched, checked and differentiated as those of the library.
#include <cmath>
#include <iostream>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/globals.h"
#include "dynet/grad-check.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;
using namespace dynet::engine;  // what operations are made of

/// What an operation must say: its name, its shape, its value, and how dy adds to the gradient of argument i.
/// A call holds `count` items of one shape, from one node or from many.
struct Mish : OpDefaults {
  static constexpr auto name = "mish",
                        doc = "A smooth rectifier (Misra 2019), elementwise: x tanh(log(1 + e^x)).";
  static constexpr bool on_host = true;  // its numbers are touched here, and not by the engine alone

  static Dim shape(const NoAttrs&, Dims x) { return x[0]; }
  static void forward(const NoAttrs&, Engine&, const Call& call) {
    for (size_t item = 0; item < call.count; ++item)
      for (size_t k = 0; k < call.dim.size(); ++k) {
        const dynet::real x = call.x[0][item][k];
        call.y[item][k] = x * std::tanh(std::log1p(std::exp(x)));
      }
  }
  static void backward(const NoAttrs&, Engine&, const Call& call, unsigned) {
    for (size_t item = 0; item < call.count; ++item)
      for (size_t k = 0; k < call.dim.size(); ++k) {
        const dynet::real x = call.x[0][item][k], t = std::tanh(std::log1p(std::exp(x)));
        call.dx[item][k] += call.dy[item][k] * (t + x * (1 - t * t) / (1 + std::exp(-x)));
      }
  }
};

Expression mish(const Expression& x) { return apply<Mish>(x); }

struct Network {
  Parameter p_W1, p_b1, p_W2, p_b2, p_V;

  explicit Network(ParameterCollection& m) {
    p_W1 = m.add_parameters({24, 2}), p_b1 = m.add_parameters({24});
    p_W2 = m.add_parameters({24, 24}), p_b2 = m.add_parameters({24});
    p_V = m.add_parameters({2, 24});
  }
  Expression scores(ComputationGraph& cg, const vector<float>& point) {
    Expression h1 = mish(parameter(cg, p_W1) * input(cg, {2}, point) + parameter(cg, p_b1));
    Expression h2 = mish(parameter(cg, p_W2) * h1 + parameter(cg, p_b2));
    return parameter(cg, p_V) * h2;
  }
};

/// A point on one of two arms that wind around each other.
vector<float> draw_point(unsigned arm) {
  const double turn = 0.25 + 0.75 * rand01(), angle = 2 * M_PI * turn + M_PI * arm;
  return {float(turn * cos(angle) + 0.02 * rand_normal()), float(turn * sin(angle) + 0.02 * rand_normal())};
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  reset_rng(1);
  ParameterCollection m;
  Network network(m);
  AdamTrainer trainer(m, 0.01);
  {
    ComputationGraph cg;
    Expression loss = pickneglogsoftmax(network.scores(cg, {0.3, -0.5}), 1);
    if (!check_grad(m, loss)) return 1;
  }
  for (unsigned step = 0; step < 400; ++step) {
    ComputationGraph cg;
    vector<Expression> losses;
    for (unsigned i = 0; i < 32; ++i)
      losses.push_back(pickneglogsoftmax(network.scores(cg, draw_point(i % 2)), i % 2));
    Expression loss = average(losses);
    if (step % 100 == 0) cout << "step " << step << ": loss " << as_scalar(cg.forward(loss)) << endl;
    cg.backward(loss);
    trainer.update();
  }
  unsigned right = 0;
  for (unsigned i = 0; i < 200; ++i) {
    ComputationGraph cg;
    const vector<float> v = as_vector(cg.forward(network.scores(cg, draw_point(i % 2))));
    right += (v[1] > v[0]) == (i % 2);
  }
  cout << right / 2.0 << " % of new points are right" << endl;
  return right > 180 ? 0 : 1;
}
