// Trainers: every rule against trajectories recorded from DyNet 2, clipping, sparse updates, weight decay,
// averages, and files.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <sstream>

#include "dynet/train/trainer.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;

static std::atomic<size_t> allocations{0};
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace {

bool near(double x, double y, double tolerance = 1e-5) {
  return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y));
}

/// A quadratic in a parameter and a lookup table, whose gradients are written by hand.
struct Toy {
  explicit Toy(real lambda) {
    collection.set_weight_decay_lambda(lambda);
    dense = collection.add_parameters({5});
    dense.set_value({0.1f, 0.2f, 0.3f, 0.4f, 0.5f});
    frozen = collection.add_parameters({2});
    frozen.set_value({0.25f, 0.5f});
    frozen.set_updated(false);
    table = collection.add_lookup_parameters(4, {3});
    for (unsigned i = 0; i < 12; ++i) table.p->values[i] = static_cast<real>(i / 10.0);
  }

  void add_gradients(unsigned step) {
    static constexpr real weight[] = {1, 2, 0.5f, 3, 0.1f}, goal[] = {3, -1, 2, 0.5f, -4},
                          row_goal[] = {1, -2, 0.5f};
    const real decay = dense.current_weight_decay();
    const auto slope = [&](const Storage& s, size_t i, real to) { return 2 * (s.values[i] * decay - to); };
    for (unsigned i = 0; i < 5; ++i) dense.p->gradient[i] += weight[i] * slope(*dense.p, i, goal[i]);
    if (step % 50 == 0)
      for (unsigned i = 0; i < 2; ++i) frozen.p->gradient[i] += slope(*frozen.p, i, 0);
    if (step % 7 == 0) return;
    for (unsigned row : {step % 4, step / 3 % 2}) {
      real* g = table.p->row_gradient(row);
      for (unsigned i = 0; i < 3; ++i) g[i] += slope(*table.p, 3 * row + i, row_goal[i]);
    }
  }

  ParameterCollection collection;
  Parameter dense, frozen;
  LookupParameter table;
};

std::unique_ptr<Trainer> make_trainer(const std::string& rule, const ParameterCollection& m) {
  if (rule == "SimpleSGD") return std::make_unique<SimpleSGDTrainer>(m);
  if (rule == "CyclicalSGD") return std::make_unique<CyclicalSGDTrainer>(m, 0.01, 0.1, 5, 0.99);
  if (rule == "MomentumSGD") return std::make_unique<MomentumSGDTrainer>(m);
  if (rule == "Adagrad") return std::make_unique<AdagradTrainer>(m);
  if (rule == "Adadelta") return std::make_unique<AdadeltaTrainer>(m);
  if (rule == "RMSProp") return std::make_unique<RMSPropTrainer>(m, 0.001, 1e-8, 0.9);
  if (rule == "Adam") return std::make_unique<AdamTrainer>(m);
  return std::make_unique<AmsgradTrainer>(m);
}

/// dense[1], table[4] and table[9] after 51 and after 200 updates, the state forgotten after 100.
struct Recorded {
  const char* rule;
  bool sparse;
  real lambda;
  double numbers[6];
};
constexpr Recorded recorded[] = {
    {"SimpleSGD", true, 0, {-0.99999994, -1.99778295, 0.987601638, -0.99999994, -1.99999988, 0.999992132}},
    {"SimpleSGD", false, 0.01f, {-1.62844849, -3.0638597, 1.3580302, -1.81880772, -3.43505335, 1.57860065}},
    {"CyclicalSGD",
     true,
     0,
     {-0.999851286, -1.84972632, 0.951579809, -0.999999821, -1.99871516, 0.990225732}},
    {"CyclicalSGD",
     false,
     0.01f,
     {-1.57019639, -2.67136097, 1.14691496, -1.62928915, -2.6054554, 0.893522561}},
    {"MomentumSGD", true, 0, {-1.05905521, -2.61381912, 0.954267204, -0.999983191, -1.9956789, 0.993006289}},
    {"MomentumSGD",
     false,
     0.01f,
     {-1.70631826, -3.18103099, 1.32260692, -1.81855416, -3.45291924, 1.52416134}},
    {"Adagrad", true, 0, {-0.789594948, -0.477123022, 1, -1, -1.76821077, 1}},
    {"Adagrad", false, 0.01f, {-1.06014526, -0.649695933, 1.51794744, -1.74982905, -1.56939662, 1.53226769}},
    {"Adadelta", true, 0, {-0.00101063936, 0.277551919, 0.94032377, -0.579327524, -0.069713138, 0.999730825}},
    {"Adadelta",
     false,
     0.01f,
     {-0.0578455627, 0.24662362, 0.984431267, -0.635789156, -0.256328285, 0.434048176}},
    {"RMSProp", true, 0, {0.141800568, 0.366471291, 0.916869164, -0.0136449374, 0.285747439, 0.956524611}},
    {"RMSProp",
     false,
     0.01f,
     {0.126579553, 0.351415843, 0.931517363, -0.116105586, -0.00998541433, 0.299139529}},
    {"Adam", true, 0, {0.150243178, 0.373609632, 0.910079479, -0.0617140867, 0.242371053, 0.974745214}},
    {"Adam", false, 0.01f, {0.135720342, 0.355290294, 0.933137298, -0.177466169, -0.0581941009, 0.342407674}},
    {"Amsgrad", true, 0, {0.150243178, 0.373609632, 0.910079479, -0.0617140867, 0.242371053, 0.974745214}},
    {"Amsgrad",
     false,
     0.01f,
     {0.135720357, 0.355308771, 0.933107138, -0.177465916, -0.0581308305, 0.342305332}},
};

void rules_follow_dynet2() {
  for (const Recorded& r : recorded) {
    Toy toy(r.lambda);
    const auto trainer = make_trainer(r.rule, toy.collection);
    trainer->set_sparse_updates(r.sparse);
    for (unsigned step = 0; step < 200; ++step) {
      toy.add_gradients(step);
      if (step == 100) trainer->restart();
      trainer->update();
      if (step != 50 && step != 199) continue;
      const double* expected = r.numbers + (step == 50 ? 0 : 3);
      const bool same = near(toy.dense.p->values[1], expected[0]) &&
                        near(toy.table.p->values[4], expected[1]) &&
                        near(toy.table.p->values[9], expected[2]);
      check(same,
            std::string(r.rule) + (r.sparse ? " sparse" : " dense") + " after step " + std::to_string(step));
    }
    check(trainer->updates == 200 && trainer->whoami() == std::string(r.rule) + "Trainer", "counts and name");
  }
}

void exponentiated_gradient_stays_on_simplex() {
  ParameterCollection m;
  Parameter p = m.add_parameters({3});
  LookupParameter l = m.add_lookup_parameters(2, {2});
  p.set_value({0.2f, 0.3f, 0.5f});
  for (unsigned row : {0u, 1u}) l.initialize(row, {0.25f, 0.75f});
  EGTrainer trainer(m, 0.1, 0.9);
  double w[] = {0.2, 0.3, 0.5}, v[3] = {};
  const real slope[] = {1, -0.5, 0.25};
  for (int step = 0; step < 20; ++step) {
    for (int i = 0; i < 3; ++i) p.p->gradient[i] = slope[i];
    l.p->row_gradient(1)[0] = 1;
    trainer.update();
    double sum = 0;
    for (int i = 0; i < 3; ++i) sum += w[i] *= std::exp(v[i] = 0.9 * v[i] - 0.1 * slope[i]);
    for (double& x : w) x /= sum;
  }
  for (int i = 0; i < 3; ++i) check(near(p.p->values[i], w[i]), "EG parameter");
  check(l.p->values[0] == real(0.25) && l.p->values[1] == real(0.75), "EG leaves untouched rows alone");
  check(l.p->values[2] < real(0.05) && near(l.p->values[2] + l.p->values[3], 1), "EG row");
  trainer.enableCyclicalLR(0.01, 0.1, 4, 0.9);
  const double rates[] = {0.01, 0.03025, 0.04645, 0.0592075};
  for (double rate : rates) {
    trainer.update();
    check(near(trainer.learning_rate, rate), "EG cyclical rate");
  }
}

void clipping() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2}, ParameterInitConst(0)),
            frozen = m.add_parameters({1}, ParameterInitConst(0));
  frozen.set_updated(false);
  SimpleSGDTrainer trainer(m, 1);
  check(trainer.get_clip_threshold() == 5, "default threshold");
  p.p->gradient[0] = 6, frozen.p->gradient[0] = 8;
  check(near(m.gradient_l2_norm(), 10), "norm");
  trainer.update();
  check(near(p.p->values[0], -3) && p.p->gradient[0] == 0,
        "a frozen parameter's gradient counts in the norm");
  check(frozen.p->values[0] == 0 && frozen.p->gradient[0] == 8,
        "a frozen parameter keeps value and gradient");
  check(trainer.status() == "[lr=1 clips=1 updates=1] " && trainer.clips == 1, "status");
  check(trainer.status() == "[lr=1 clips=0 updates=0] ", "status starts anew");
  m.reset_gradient();
  p.p->gradient[1] = std::numeric_limits<real>::quiet_NaN();
  const uint64_t version = p.p->version;
  check_throws<std::runtime_error>("Magnitude of gradient is bad", [&] { trainer.update(); });
  check(near(p.p->values[0], -3) && p.p->values[1] == 0 && p.p->version == version && trainer.updates == 1,
        "a bad gradient changes nothing");
  m.reset_gradient();
  trainer.set_clip_threshold(-1);
  check(!trainer.clipping_enabled && trainer.get_clip_threshold() == 0, "clipping off");
  p.p->gradient[1] = 100;
  trainer.update();
  check(near(p.p->values[1], -100), "no clipping");
}

void sparse_and_dense_updates() {
  ParameterCollection m;
  LookupParameter l = m.add_lookup_parameters(5, {2}, ParameterInitConst(1));
  MomentumSGDTrainer trainer(m, 1, 0.5);
  const uint64_t version = l.p->version;
  trainer.update();
  check(l.p->version == version, "nothing was touched, nothing changed");
  l.p->row_gradient(3)[1] = 1;
  l.p->row_gradient(1)[0] = 2;
  trainer.update();
  check(l.p->values[7] == 0 && l.p->values[2] == -1 && l.p->version != version, "touched rows change");
  check(l.p->touched.empty() && !l.p->is_touched[3] && l.p->gradient[7] == 0 && !l.p->nonzero, "cleared");
  trainer.update();
  check(l.p->values[7] == 0, "untouched rows rest");
  trainer.set_sparse_updates(false);
  trainer.update();
  check(l.p->values[7] == real(-0.5) && l.p->values[2] == -2, "momentum goes on in a dense update");
  trainer.set_sparse_updates(true);
  l.p->all_touched = l.p->nonzero = true;
  l.p->gradient[9] = 1;
  trainer.update();
  check(l.p->values[9] == 0 && l.p->values[7] == real(-0.75) && l.p->gradient[9] == 0 && !l.p->all_touched,
        "a table used as a matrix is updated as a whole");
  trainer.restart(0.25);
  check(trainer.learning_rate == 0.25 && trainer.updates == 5, "restart keeps the count");
  l.p->row_gradient(0)[0] = 4;
  trainer.update();
  check(l.p->values[0] == 0, "restart forgets momentum");
}

void norm_is_independent_of_order() {
  const auto norm = [](bool backwards) {
    ParameterCollection m;
    LookupParameter l = m.add_lookup_parameters(100, {3});
    for (unsigned i = 0; i < 100; ++i) {
      const unsigned row = backwards ? 99 - i : i;
      for (unsigned k = 0; k < 3; ++k) l.p->row_gradient(row)[k] = std::exp(static_cast<real>(row % 17) - 8);
    }
    return m.gradient_l2_norm();
  };
  check(norm(false) == norm(true), "the norm's bits do not depend on the order of use");
}

void trainers_are_independent() {
  ParameterCollection m;
  Parameter p = m.add_parameters({1}, ParameterInitConst(0));
  MomentumSGDTrainer first(m, 1, 1), second(m, 1, 1);
  p.p->gradient[0] = 1;
  first.update();
  second.update();
  check(p.p->values[0] == -1, "a trainer does not see another one's momentum");
  Parameter late = m.add_parameters({1}, ParameterInitConst(0));
  late.p->gradient[0] = 1;
  first.update();
  check(late.p->values[0] == -1 && p.p->values[0] == -2, "parameters may be added later");
}

void updates_do_not_allocate() {
  Toy toy(0.01f);
  AdamTrainer trainer(toy.collection);
  size_t before = 0;
  for (unsigned step = 0; step < 300; ++step) {
    if (step == 10) before = allocations;
    toy.add_gradients(step);
    trainer.update();
  }
  const size_t after = allocations;
  check(after == before, "updates allocate nothing");
}

void averages() {
  ParameterCollection model;
  Parameter p = model.add_parameters({1}, ParameterInitConst(0));
  SimpleSGDTrainer trainer(model, 1.0);
  trainer.exponential_moving_average(0.5);
  check(trainer.moving_average() == MovingAverage::Exponential, "the kind of average");
  for (int i = 0; i < 2; ++i) p.p->gradient[0] = -1, trainer.update();
  trainer.swap_params_to_moving_average(true, true);
  check(near(p.p->values[0], (0.25 * 1 + 0.5 * 2) / 0.75), "the average of 1 and 2");
  p.p->gradient[0] = -1;
  trainer.update();
  check(p.p->values[0] == 3, "an update goes on from the weights");
  check_throws<std::runtime_error>("before the first update", [&] { trainer.cumulative_moving_average(); });
  check_throws<std::runtime_error>("own weights", [&] { trainer.swap_params_to_weights(); });
}

void saved_trainers_go_on() {
  Toy toy(0.01f), copy(0.01f);
  AmsgradTrainer trainer(toy.collection), other(copy.collection);
  trainer.cumulative_moving_average(2);
  for (unsigned step = 0; step < 20; ++step) toy.add_gradients(step), trainer.update();
  std::stringstream text;
  trainer.save(text);
  other.populate(text, 0.5);
  check(other.learning_rate == 0.5 && other.updates == 20, "loaded, with another rate");
  std::stringstream again;
  other.learning_rate = trainer.learning_rate;
  other.save(again);
  check(again.str() == text.str(), "all of it");
  std::stringstream half(text.str().substr(0, text.str().size() / 2));
  check_throws<std::runtime_error>("Could not load the trainer", [&] { other.populate(half); });
  SimpleSGDTrainer simple(copy.collection);
  std::stringstream wrong(text.str());
  check_throws<std::runtime_error>("#SimpleSGDTrainer#", [&] { simple.populate(wrong); });
  check(simple.updates == 0, "nothing has changed");
}

}  // namespace

int main() {
  rules_follow_dynet2();
  exponentiated_gradient_stays_on_simplex();
  clipping();
  sparse_and_dense_updates();
  norm_is_independent_of_order();
  trainers_are_independent();
  updates_do_not_allocate();
  averages();
  saved_trainers_go_on();
  return test::finish();
}
