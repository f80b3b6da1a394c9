// A program that owns, at global scope, the names that programs of graphs, games and trees like to give:
// `using namespace dynet` brings none of the library's inner ones.
#include <iostream>
#include <stack>
#include <string>
#include <vector>

#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/lstm.h"
#include "dynet/training.h"

using namespace std;
using namespace dynet;

// clang-format off
#define TYPES(OWN)                                                                                          \
  OWN(Graph) OWN(Node) OWN(Op) OWN(Item) OWN(Items) OWN(Step) OWN(Call) OWN(Plan) OWN(Schedule)             \
  OWN(Policy) OWN(Settings) OWN(Profile) OWN(Input) OWN(Scale) OWN(Words) OWN(Shift) OWN(Axis)              \
  OWN(Product) OWN(Engine) OWN(Storage) OWN(Buffer) OWN(Pool) OWN(Handle) OWN(Arena) OWN(Kind) OWN(Arg)     \
  OWN(Map) OWN(Zip) OWN(Add) OWN(Max) OWN(Min) OWN(Sum) OWN(Pick) OWN(Lookup) OWN(Constant)                 \
  OWN(Concatenate) OWN(Softmax) OWN(Tanh) OWN(Adam) OWN(Adagrad) OWN(Moment) OWN(Executor)                  \
  OWN(Evaluator) OWN(Needed) OWN(Dims) OWN(Indices) OWN(Expressions) OWN(Distribution) OWN(Strides)          \
  OWN(Averages) OWN(WordPath) OWN(Workers) OWN(View) OWN(Gather) OWN(Leaf) OWN(Windows) OWN(Place)          \
  OWN(Flow) OWN(Batching)
#define FUNCTIONS(OWN)                                                                                      \
  OWN(text) OWN(failed) OWN(invalid) OWN(bad_index) OWN(settings) OWN(plan) OWN(schedule) OWN(reach)        \
  OWN(describe) OWN(dump) OWN(origin) OWN(only) OWN(broadcast) OWN(position) OWN(unit_interval)             \
  OWN(current_graph) OWN(next_random) OWN(random_seed) OWN(is_key) OWN(read_header) OWN(write_header)       \
  OWN(quotient) OWN(invert)

#define TYPE(name)         \
  struct name {            \
    string called = #name; \
  };
#define FUNCTION(name) \
  string name() { return #name; }
TYPES(TYPE)
FUNCTIONS(FUNCTION)

// Functions of expressions that DyNet 2 does not have, so that programs have their own.
Expression gelu(const Expression& x) { return cmult(x, logistic(1.702f * x)); }
Expression softplus(const Expression& x) { return log(1 + exp(x)); }
Expression leaky_relu(const Expression& x, float slope = 0.2f) { return max(x, slope * x); }
Expression rms_norm(const Expression& x, const Expression& g) { return cmult(x, g); }
Expression attention(const Expression& q, const Expression& k, const Expression& v) {
  return v * softmax(transpose(k) * q);
}
Expression own_functions(const Expression& x) {
  const stack<Expression> last({softplus(gelu(x))});
  return attention(leaky_relu(last.top()), rms_norm(x, x), x);
}

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  vector<string> names;
#define USE_TYPE(name) names.push_back(name().called);
#define USE_FUNCTION(name) names.push_back(name());
  TYPES(USE_TYPE)
  FUNCTIONS(USE_FUNCTION)

  ParameterCollection m;
  LookupParameter letters = m.add_lookup_parameters(128, {8});
  LSTMBuilder lstm(1, 8, 16, m);
  Parameter p_w = m.add_parameters({1, 16});
  AdamTrainer trainer(m, 0.02);
  float first = 0, last = 0;
  for (unsigned iteration = 0; iteration < 40; ++iteration) {  // upper case or not?
    ComputationGraph cg;
    lstm.new_graph(cg);
    Expression w = parameter(cg, p_w);
    vector<Expression> losses;
    for (const string& name : names) {
      lstm.start_new_sequence();
      for (char letter : name) lstm.add_input(lookup(cg, letters, unsigned(letter)));
      const Expression encoded = own_functions(lstm.back());
      losses.push_back(binary_log_loss(logistic(w * encoded), input(cg, isupper(name[0]) ? 1.f : 0.f)));
    }
    Expression loss = sum(losses) / float(names.size());
    last = as_scalar(cg.forward(loss));
    if (iteration == 0) first = last;
    cg.backward(loss);
    trainer.update();
  }
  cout << names.size() << " names, loss " << first << " to " << last << endl;
  return last < first / 4 ? 0 : 1;
}
