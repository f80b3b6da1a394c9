// Training as programs of DyNet 2 do it: the state of trainers as shadows, deprecated calls, settings in
// variables, and worker processes.
#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "dynet/lstm.h"
#include "dynet/mp.h"
#include "dynet/shadow-params.h"
#include "dynet/training.h"
#include "tests/cpp/check.h"

using namespace std;
using namespace dynet;
using test::check;
using test::check_throws;

namespace {

typedef vector<float> V;

/// A parameter and a table, and a step with gradients 1 and 2 of the parameter, 3 of the table's row 1.
struct Toy {
  ParameterCollection m;
  Parameter p = m.add_parameters({2}, ParameterInitConst(1));
  LookupParameter l = m.add_lookup_parameters(3, {1}, ParameterInitConst(1));

  void infer_and_intern(Trainer& trainer) {
    ComputationGraph cg;
    const Expression loss = dot_product(parameter(cg, p), input(cg, {2}, V{1, 2})) + 3 * lookup(cg, l, 1);
    cg.backward(loss);
    trainer.update();
  }
};

bool near(const Tensor& t, const V& expected) {
  const V numbers = as_vector(t);
  return equal(numbers.begin(), numbers.end(), expected.begin(), expected.end(),
               [](float a, float b) { return abs(a - b) < 1e-5f; });
}

template <class Trained>
struct Stepped : Toy {
  explicit Stepped(int steps = 1) {
    trainer.set_clip_threshold(0);
    for (int i = 0; i < steps; ++i) infer_and_intern(trainer);
  }
  Trained trainer{m};
};

void shadows_of_each() {
  Stepped<MomentumSGDTrainer> momentum;
  check(near(momentum.trainer.vp[0].h, {-0.01f, -0.02f}), "velocities");
  check(near(momentum.trainer.vlp[0].all_h, {0, -0.03f, 0}) && momentum.trainer.vlp[0].h.size() == 3, "rows");
  Stepped<AdagradTrainer> adagrad;
  check(near(adagrad.trainer.vp[0].h, {1, 4}) && near(adagrad.trainer.vlp[0].h[1], {9}), "squares");
  Stepped<AdadeltaTrainer> adadelta;
  check(near(adadelta.trainer.hg[0].h, {0.05f, 0.2f}) && adadelta.trainer.hd[0].h.v[0] > 0, "Adadelta");
  check(near(adadelta.trainer.hlg[0].h[1], {0.45f}) && adadelta.trainer.hld[0].h[1].v[0] > 0, "its tables");
  Stepped<RMSPropTrainer> rmsprop;
  check(near(rmsprop.trainer.hmsg[0].h, {0.05f, 0.2f}) && near(rmsprop.trainer.hlmsg[0].h[1], {0.45f}), "");
  Stepped<AdamTrainer> adam;
  check(near(adam.trainer.m[0].h, {0.1f, 0.2f}) && near(adam.trainer.v[0].h, {0.001f, 0.004f}), "Adam");
  check(near(adam.trainer.lm[0].h[1], {0.3f}) && near(adam.trainer.lv[0].all_h, {0, 0.009f, 0}),
        "its tables");
  Stepped<AmsgradTrainer> amsgrad;
  check(near(amsgrad.trainer.vhat[0].h, {0.001f, 0.004f}) && near(amsgrad.trainer.lvhat[0].h[1], {0.009f}) &&
            near(amsgrad.trainer.m[0].h, {0.1f, 0.2f}),
        "Amsgrad");
  Stepped<EGTrainer> eg;
  check(near(eg.trainer.hp[0].h, {-0.1f, -0.2f}) && near(eg.trainer.hlp[0].h[1], {-0.3f}), "EG");
}

/// They are the trainer's own memory, and grow with the collection.
void shadows_are_the_state() {
  Stepped<AdamTrainer> adam(0);
  check(adam.trainer.m.empty(), "nothing before the first update");
  adam.infer_and_intern(adam.trainer);
  vector<ShadowParameters>& m = adam.trainer.m;
  const ShadowParameters first = adam.trainer.m[0];
  adam.infer_and_intern(adam.trainer);
  check(near(first.h, {0.19f, 0.38f}) && m.size() == 1, "a view");
  TensorTools::zero(adam.trainer.m[0].h);
  adam.infer_and_intern(adam.trainer);
  check(near(adam.trainer.m[0].h, {0.1f, 0.2f}), "written by the program");
  adam.m.add_parameters({4});
  adam.l.add_rows(2, ParameterInitConst(0));
  adam.infer_and_intern(adam.trainer);
  size_t numbers = 0;
  for (const ShadowParameters& s : adam.trainer.v) numbers += s.h.d.size();
  for (const ShadowLookupParameters& s : adam.trainer.lv) numbers += s.all_h.d.size(), numbers += s.h.size();
  check(numbers == 2 + 4 + 5 + 5, "what was added");
  adam.trainer.restart();
  check(near(adam.trainer.m[0].h, {0, 0}), "forgotten");
  ShadowParameters own(adam.p.get_storage());
  ShadowLookupParameters table(adam.l.get_storage());
  own.h.v[0] = 1, table.all_h.v[4] = 2;
  check(near(own.h, {1, 0}) && near(table.h[4], {2}) && near(adam.trainer.m[0].h, {0, 0}), "of one's own");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void scaled_updates() {
  Toy toy;
  SimpleSGDTrainer sgd(toy.m, 0.1f);
  sgd.set_clip_threshold(0);
  ComputationGraph cg;
  cg.backward(dot_product(parameter(cg, toy.p), input(cg, {2}, V{1, 2})));
  sgd.update(0.5f);
  check(near(*toy.p.values(), {0.95f, 0.9f}) && sgd.learning_rate == 0.1f && sgd.updates == 1, "half a step");
  cg.backward(sum_elems(parameter(cg, toy.p)));
  toy.p.gradients()->v[0] = numeric_limits<float>::quiet_NaN();
  sgd.set_clip_threshold(5);
  check_throws<runtime_error>("Magnitude of gradient is bad", [&] { sgd.update(0.5f); });
  check(sgd.learning_rate == 0.1f, "the rate after an error");
  toy.m.reset_gradient();
  CyclicalSGDTrainer cyclical(toy.m, 0.1f, 1.f, 10, 1.f);
  cyclical.update(1);
  CyclicalSGDTrainer same(toy.m, 0.1f, 1.f, 10, 1.f);
  same.update();
  check(cyclical.learning_rate == same.learning_rate, "the cycle goes on");
  cyclical.update_epoch();
}
#pragma GCC diagnostic pop

/// Programs write the rate itself; an update looks at it before anything changes.
void rates_that_are_no_numbers() {
  Toy toy;
  AdamTrainer adam(toy.m);
  toy.infer_and_intern(adam);
  const V before = as_vector(*toy.p.values());
  adam.learning_rate = numeric_limits<double>::quiet_NaN();
  check_throws<invalid_argument>("update: the rate is nan", [&] { toy.infer_and_intern(adam); });
  check(as_vector(*toy.p.values()) == before && adam.updates == 1 && toy.p.gradients()->v[1] == 2,
        "as before");
  check_throws<invalid_argument>("restart: the rate is 1e+300", [&] { adam.restart(1e300); });
  check_throws<invalid_argument>("AdamTrainer: beta_2 is 1; ", [&] { AdamTrainer(toy.m, 0.1, 0.9, 1); });
  check_throws<invalid_argument>("set_clip_threshold: nan", [&] { adam.set_clip_threshold(NAN); });
}

/// The settings are variables, and change no number.
void settings_in_variables() {
  ParameterCollection m;
  LSTMBuilder lstm(1, 2, 3, m);
  const auto before = autobatch_flag;
  V losses;
  for (int flag = 0; flag < 3; ++flag) {
    autobatch_flag = flag;
    ComputationGraph cg;
    lstm.new_graph(cg);
    vector<Expression> xs;
    for (int i = 0; i < 4; ++i) {
      lstm.start_new_sequence();
      xs.push_back(squared_norm(lstm.add_input(input(cg, {2}, V{1, float(i)}))));
    }
    losses.push_back(as_scalar(cg.forward(sum(xs))));
  }
  autobatch_flag = before;
  check(losses[0] == losses[1] && losses[1] == losses[2] && autobatch_flag == 1, "batching");
  default_weight_decay_lambda = 0.125f;
  check(ParameterCollection().get_weight_decay_lambda() == 0.125f, "weight decay");
  default_weight_decay_lambda = 0;
  check_throws<domain_error>("lambda", [] { default_weight_decay_lambda = 2; });
  check(default_weight_decay_lambda == 0 && profiling_flag == 0, "as they were");
}

/// The masks of a sparse LSTM rest: they have no gradient, and do not decay.
void masks_of_sparse_lstms() {
  ParameterCollection m;
  m.set_weight_decay_lambda(0.25f);
  SparseLSTMBuilder lstm(1, 2, 2, m);
  ComputationGraph cg;
  lstm.new_graph(cg);
  lstm.start_new_sequence();
  lstm.add_input(input(cg, {2}, V{1, 2}));
  Expression loss = squared_norm(lstm.add_input(input(cg, {2}, V{2, 1})));
  check(check_grad(m, loss, 0), "no gradient of masks is looked at");
  SimpleSGDTrainer trainer(m);
  cg.backward(loss);
  trainer.update();
  check(near(*lstm.params[0][3].values(), V(16, 1)) && !lstm.params[0][3].is_updated(), "no decay");
}

/// Statistics of a program whose members are not const where they could be.
struct Loss {
  float sum = 0;
  unsigned count = 0;
  Loss& operator+=(const Loss& other) {
    sum += other.sum, count += other.count;
    return *this;
  }
  bool operator<(const Loss& other) { return sum < other.sum; }
  friend ostream& operator<<(ostream& out, Loss& loss) { return out << loss.sum << " of " << loss.count; }
};

struct Learner : public mp::ILearner<float, Loss> {
  explicit Learner(ParameterCollection& m) : p(m.add_parameters({1}, ParameterInitConst(0))) {}
  Loss LearnFromDatum(const float& datum, bool learn) {
    ComputationGraph cg;
    const Expression loss = squared_distance(parameter(cg, p), input(cg, datum));
    const float value = as_scalar(cg.forward(loss));
    if (learn) cg.backward(loss);
    return {value, 1};
  }
  void SaveModel() { ++saved; }

  Parameter p;
  int saved = 0;
};

void statistics_that_are_not_const() {
  ParameterCollection m;
  Learner learner(m);
  SimpleSGDTrainer trainer(m, 0.1f);
  const V data(8, 1.f), dev(2, 1.f);
  mp::run_multi_process<float>(2, &learner, &trainer, data, dev, 3, 8, 8);
  mp::run_single_process<float>(&learner, &trainer, data, dev, 3, 8, 8, 2);
  Loss loss = mp::run_mp_minibatch<float>(2, &learner, data);
  check(loss.count == 8 && loss.sum < 0.5f && learner.saved > 0 && trainer.updates == 36, "both loops");
  m.reset_gradient();
}

/// Processes that a program forks by itself share the values, and give back what they like by pipes.
void workloads() {
  ParameterCollection m;
  Learner learner(m);
  Parameter seen = m.add_parameters({2}, ParameterInitConst(0));
  SimpleSGDTrainer trainer(m, 0.1f);
  vector<mp::Workload> children = mp::create_workloads(2);
  const unsigned child = mp::spawn_children(children);
  if (child < children.size()) {
    for (int i = 0; i < 20; ++i) learner.LearnFromDatum(1, true), trainer.update();
    seen.get_storage().values.v[child] = 1;
    const float value = learner.p.values()->v[0];
    const bool sent = write(children[child].c2p[1], &value, sizeof value) == ssize_t(sizeof value);
    _exit(sent ? 0 : 1);
  }
  for (mp::Workload& w : children) {
    float value = 0;
    check(read(w.c2p[0], &value, sizeof value) == ssize_t(sizeof value) && value > 0.5f, "what a child says");
  }
  check(mp::cleanup(children) == 0, "all have ended well");
  check(learner.p.values()->v[0] > 0.5f && near(*seen.values(), {1, 1}), "shared values");
  ComputationGraph cg;
  check(as_vector(parameter(cg, seen).value()) == V{1, 1}, "in graphs");
}

}  // namespace

int main(int argc, char** argv) {
  dynet::initialize(argc, argv, true);
  shadows_of_each(), shadows_are_the_state(), scaled_updates();
  rates_that_are_no_numbers(), settings_in_variables();
  masks_of_sparse_lstms();
  statistics_that_are_not_const(), workloads();
  return test::finish();
}
