// Random programs: whatever the schedule, values and gradients are the same bits.
#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "dynet/core/watch.h"
#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;

namespace {

struct Model {
  ParameterCollection all;
  Parameter square = all.add_parameters({6, 6}), wide = all.add_parameters({6, 12}),
            bias = all.add_parameters({6});
  LookupParameter table = all.add_lookup_parameters(9, {6});
  VanillaLSTMBuilder lstm{2, 6, 6, all};
  GRUBuilder gru{1, 6, 6, all};
};

Expression of(const Parameter& p) { return Expression::of_parameter(&p.get_storage(), true); }

/// What a program does between its operations, with what it has made so far; nothing of it stays.
using Excursion = std::function<void(const std::vector<Expression>&)>;

/// A loss of random operations on vectors of 6 with batch sizes 1 and 3; the same for the same seed.
Expression program(ComputationGraph& cg, Model& m, unsigned seed, const Excursion& excursion = {}) {
  std::mt19937 random(seed);
  const auto pick_one = [&](size_t n) { return random() % n; };
  std::vector<Expression> v;
  for (unsigned i = 0; i < 4; ++i) v.push_back(lookup(cg, m.table, static_cast<unsigned>(pick_one(9))));
  v.push_back(lookup(cg, m.table, std::vector<unsigned>{1, 8, 1}));
  m.lstm.new_graph(cg), m.gru.new_graph(cg);
  const auto any = [&] { return v[v.size() - 1 - pick_one(std::min<size_t>(v.size(), 7))]; };
  for (int i = 0; i < 40; ++i) {
    if (excursion) excursion(v);
    switch (pick_one(14)) {
      case 0: v.push_back(tanh(any())); break;
      case 1: v.push_back(any() + any()); break;
      case 2: v.push_back(cmult(any(), any())); break;
      case 3: v.push_back(affine_transform({of(m.bias), of(m.square), any()})); break;
      case 4: v.push_back(tanh(of(m.wide) * concatenate({any(), any()}))); break;
      case 5: v.push_back(softmax(any())); break;
      case 6: v.push_back(concatenate({pick_range(any(), 0, 2), pick_range(any(), 2, 6)})); break;
      case 7: v.push_back(sum({any(), any(), any()})); break;
      case 8: v.push_back(logistic(reshape(any(), {6}))); break;
      case 9: v.push_back(tanh(sum_batches(any()))); break;
      case 10: v.push_back(dropout(any(), real(0.3))); break;
      case 11: {
        m.lstm.start_new_sequence();
        for (unsigned n = 1 + pick_one(3); n > 0; --n) v.push_back(m.lstm.add_input(any()));
        break;
      }
      case 12: {
        m.gru.start_new_sequence();
        for (unsigned n = 1 + pick_one(3); n > 0; --n) v.push_back(m.gru.add_input(any()));
        break;
      }
      case 13: {
        const Expression a = any(), b = any();
        if (a.dim().bd == 1) v.push_back(tanh(concatenate({a, a, a, a, a, a}, 1) * b));
        break;
      }
    }
  }
  std::vector<Expression> losses;
  for (size_t i = v.size() / 2; i < v.size(); ++i)
    losses.push_back(sum_batches(pickneglogsoftmax(v[i], std::vector<unsigned>(v[i].dim().bd, i % 6))));
  return sum(losses);
}

/// The loss of several programs, which know nothing of one another.
Expression programs(ComputationGraph& cg, Model& m, unsigned seed, unsigned count) {
  std::vector<Expression> losses;
  for (unsigned i = 0; i < count; ++i) losses.push_back(program(cg, m, seed + i));
  return count == 1 ? losses[0] : sum(losses);
}

struct Result {
  real loss;
  std::vector<std::vector<real>> gradients;
  size_t steps;
};

Result result_of(Model& m, ComputationGraph& cg, const Expression& loss) {
  Result r{as_scalar(loss.value()), {}, 0};
  loss.backward();
  const auto keep = [&](auto& storage) {
    r.gradients.emplace_back(storage.gradient.begin(), storage.gradient.end());
    storage.clear_gradient();
  };
  for (const auto& p : m.all.parameters_list()) keep(*p);
  for (const auto& p : m.all.lookup_parameters_list()) keep(*p);
  r.steps = cg.step_count();
  return r;
}

Result run(Model& m, unsigned seed, Policy policy, bool in_pieces, unsigned count = 1) {
  settings().policy = policy;
  reset_random(5);
  ComputationGraph cg;
  reset_random(5);
  const Expression loss = programs(cg, m, seed, count);
  if (in_pieces)
    for (unsigned i = 0; i < loss.i; i += 7) cg.at(i).value();
  return result_of(m, cg, loss);
}

/// Adds nodes after a checkpoint, evaluates and differentiates some of them, and goes back; removed ones are
/// refused for good.
class Excursions {
 public:
  Excursions(ComputationGraph& cg, Model& m, unsigned seed) : cg_(cg), m_(m), random_(seed) {}

  void operator()(const std::vector<Expression>& given) {
    if (pick_one(3) == 0) any_of(given).value();
    if (pick_one(3) > 0) return;
    cg_.checkpoint();
    std::vector<Expression> made = given;
    for (unsigned n = pick_one(8); n > 0; --n) {
      made.push_back(next(made));
      if (pick_one(4) == 0) any_of(made).value();
      if (pick_one(6) == 0) differentiate(any_of(made));
      if (pick_one(6) == 0) (*this)(made);
    }
    cg_.revert();
    removed_.insert(removed_.end(), made.begin() + static_cast<ptrdiff_t>(given.size()), made.end());
  }
  bool all_refused() const {
    return std::ranges::all_of(removed_, [](const Expression& e) { return e.is_stale(); });
  }

 private:
  size_t pick_one(size_t n) { return random_() % n; }
  Expression any_of(const std::vector<Expression>& list) { return list[pick_one(list.size())]; }
  Expression next(const std::vector<Expression>& made) {
    const Expression a = any_of(made), b = any_of(made);
    switch (pick_one(6)) {
      case 0: return tanh(a);
      case 1: return cmult(a, tanh(b));
      case 2: return affine_transform({of(m_.bias), of(m_.square), a});
      case 3: return concatenate({pick_range(a, 3, 6), pick_range(b, 0, 3)});
      case 4: return dropout(a + lookup(cg_, m_.table, static_cast<unsigned>(pick_one(9))), real(0.5));
      default: m_.lstm.start_new_sequence(); return m_.lstm.add_input(a);
    }
  }
  void differentiate(const Expression& e) {
    sum_batches(sum_elems(e)).backward();
    m_.all.reset_gradient();
  }

  ComputationGraph& cg_;
  Model& m_;
  std::mt19937 random_;
  std::vector<Expression> removed_;
};

bool same_bits(const Result& a, const Result& b) {
  if (std::memcmp(&a.loss, &b.loss, sizeof(real)) != 0) return false;
  for (size_t i = 0; i < a.gradients.size(); ++i)
    if (std::memcmp(a.gradients[i].data(), b.gradients[i].data(), a.gradients[i].size() * sizeof(real)) != 0)
      return false;
  return true;
}

void check_schedules() {
  Model m;
  size_t single_steps = 0, agenda_steps = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const Result single = run(m, seed, Policy::single, false);
    const std::string which = text("program ", seed, ": ");
    check(single.loss == single.loss, which + "the loss is not a number");
    check(same_bits(single, run(m, seed, Policy::depth, false)), which + "depth differs from single");
    const Result agenda = run(m, seed, Policy::agenda, false);
    check(same_bits(single, agenda), which + "agenda differs from single");
    check(same_bits(single, run(m, seed, Policy::agenda, true)), which + "evaluating in pieces differs");
    single_steps += single.steps, agenda_steps += agenda.steps;
  }
  check(4 * agenda_steps < 3 * single_steps, text("little was merged: ", agenda_steps, " of ", single_steps));
}

/// Going back to checkpoints leaves no trace, nor do earlier backward passes.
void check_excursions() {
  Model m;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const Result plain = run(m, seed, Policy::agenda, false);
    for (const Policy policy : {Policy::single, Policy::agenda}) {
      settings().policy = policy;
      reset_random(5);
      ComputationGraph cg;
      reset_random(5);
      Excursions excursions(cg, m, seed);
      const Expression loss = program(cg, m, seed, std::ref(excursions));
      const std::string which = text("program ", seed, ": ");
      check(same_bits(plain, result_of(m, cg, loss)), which + "going back has left a trace");
      check(same_bits(plain, result_of(m, cg, loss)), which + "a second pass differs");
      check(excursions.all_refused(), which + "a removed expression is not refused");
    }
  }
}

/// A graph that comes again has the same gradients from the plans that were kept, also where a pass from
/// elsewhere came first, or the gradients of all nodes are wanted.
void check_kept_plans() {
  Model m;
  ComputationGraph cg;
  for (unsigned seed = 0; seed < 30; ++seed) {
    const Result plain = run(m, seed, Policy::agenda, false);
    for (unsigned time = 0; time < 12; ++time) {
      cg.clear();
      reset_random(5);
      const Expression loss = program(cg, m, seed);
      if (time % 3 == 1) {
        loss.value();
        sum_batches(sum_elems(cg.at(loss.i / 2))).backward();
        m.all.reset_gradient();
      }
      check(same_bits(plain, result_of(m, cg, loss)), text("program ", seed, " at time ", time));
    }
  }
}

/// The same where what is constant and what is learned change places, which the shapes do not show.
void check_kept_plans_of_constants() {
  Model m;
  const auto gradients = [&](ComputationGraph& cg, bool constant, bool full) {
    const Expression bias = constant ? const_parameter(cg, m.bias) : parameter(cg, m.bias);
    const Expression row = constant ? lookup(cg, m.table, 3u) : const_lookup(cg, m.table, 3u);
    const Expression read = tanh(bias) + sin(row), loss = sum_elems(cmult(read, read));
    loss.value();
    loss.backward(full);
    std::vector<std::vector<real>> all{as_vector(*m.bias.gradients())};
    for (const Expression& e : {row, bias, read}) all.push_back(as_vector(e.gradient()));
    m.all.reset_gradient();
    return all;
  };
  std::vector<std::vector<std::vector<real>>> right;
  ComputationGraph apart[4];
  for (unsigned kind = 0; kind < 4; ++kind) {
    right.push_back(gradients(apart[kind], kind / 2, kind % 2));
    check(std::ranges::count(right, right.back()) == 1, "they differ");
  }
  ComputationGraph cg;
  for (unsigned time = 0; time < 40; ++time) {
    cg.clear();
    const bool constant = time / 5 % 2, full = time / 2 % 2;
    check(gradients(cg, constant, full) == right[2 * constant + full],
          text("constant ", constant, ", full ", full, " at time ", time));
  }
}

/// Ends a pass where the members of a call have contributions that wait for a sum, and readers of parts.
void end_pass(ComputationGraph& cg, Parameter& p, int64_t work) {
  struct End : Watch {
    struct Reached {};
    void look() override { throw Reached(); }
  };
  cg.clear();
  const Expression x = parameter(cg, p), whole = tanh(x), read = tanh(x + x);
  std::vector<Expression> parts{sum_elems(cmult(sin(whole), sin(whole)))};
  for (unsigned i = 0; i < 10; ++i) parts.push_back(pick(read, i));
  const Expression loss = sum(parts);
  loss.value();
  try {
    const End end;
    Work::here().left = work, Work::here().last = 0;
    loss.backward();
  } catch (End::Reached) {
  }
}

/// What a pass has not done when it was ended is no part of the next one.
void check_ended_passes() {
  Model m;
  ParameterCollection other;
  Parameter p = other.add_parameters({100});
  ComputationGraph cg;
  const auto next = [&](unsigned seed) {
    cg.clear();
    reset_random(5);
    return result_of(m, cg, program(cg, m, seed));
  };
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Result plain = next(seed);
    for (int64_t work = 0; work < 10; ++work) {
      end_pass(cg, p, work << 20);
      check(same_bits(plain, next(seed)), text("ended after ", work, " calls"));
    }
  }
}

/// Threads that share an evaluation change nothing, whatever is evaluated before.
void check_lanes() {
  Model m;
  Engine& engine = chosen_engine();
  settings().worth_partitioning = 0;
  engine.set_most_threads(1);
  size_t divided = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const unsigned count = 2 + seed % 5;
    const std::string which = text(count, " programs from ", seed, ": ");
    const Result one = run(m, seed, Policy::agenda, false, count);
    for (unsigned threads : {2u, 3u}) {
      engine.set_most_threads(threads);
      const Result shared = run(m, seed, Policy::agenda, false, count);
      check(same_bits(one, shared), which + text(threads, " threads differ from one"));
      check(same_bits(one, run(m, seed, Policy::depth, true, count)), which + "evaluating in pieces differs");
      divided += shared.steps != one.steps;
    }
    engine.set_most_threads(1);
  }
  settings().worth_partitioning = worth_partitioning;
  check(divided > 60, text("few evaluations were shared: ", divided));
}

/// Gradients against differences of the loss, for some numbers of each parameter.
void check_gradients() {
  Model m;
  const real step = sizeof(real) == 8 ? real(1e-6) : real(1e-2);
  const double tolerance = sizeof(real) == 8 ? 1e-6 : 5e-2;
  for (unsigned seed = 100; seed < 106; ++seed) {
    const Result r = run(m, seed, Policy::agenda, false);
    size_t which = 0;
    for (const auto& p : m.all.parameters_list()) {
      const size_t i = seed % p->values.size();
      const real value = p->values[i];
      const auto loss_at = [&](real x) {
        p->values[i] = x;
        p->changed();
        return double(run(m, seed, Policy::agenda, false).loss);
      };
      const double slope = (loss_at(value + step) - loss_at(value - step)) / (2.0 * step);
      loss_at(value);
      const double given = r.gradients[which++][i];
      check(std::abs(slope - given) <= tolerance * (1 + std::abs(slope)),
            text(p->name, " of program ", seed, ": gradient ", given, ", difference ", slope));
    }
  }
}

/// Gradients of nodes behind nobackprop, of long chains of views, and of overlapping views.
void check_views() {
  Model m;
  ComputationGraph cg;
  const Expression x = lookup(cg, m.table, 3u);
  Expression chain = x + x;
  for (int i = 0; i < 200000; ++i) chain = reshape(chain, i % 2 ? Dim{6} : Dim{6, 1});
  const Expression head = pick_range(chain, 0, 4), tail = pick_range(chain, 2, 6);
  const Expression still = nobackprop(x);
  const Expression loss =
      sum({sum_elems(head), sum_elems(tail), sum_elems(cmult(still, still)), sum_elems(tanh(still))});
  loss.value();
  loss.backward(true);
  check(as_vector(x.gradient()) == std::vector<real>({2, 2, 4, 4, 2, 2}), "gradient through views");
  const std::vector<real> v = as_vector(x.value()), behind = as_vector(still.gradient());
  for (unsigned i = 0; i < 6; ++i) {
    const double t = std::tanh(double(v[i]));
    check(std::abs(behind[i] - (2 * v[i] + 1 - t * t)) < 1e-5, "gradient behind nobackprop");
  }
}

void check_snapshots() {
  Model m;
  ComputationGraph cg;
  const Expression x = input(cg, {6}, std::vector<real>(6, 1));
  const Expression y = of(m.square) * x;
  const std::vector<real> before = as_vector(y.value());
  for (real& w : m.square.get_storage().values) w += 1;
  m.square.get_storage().changed();
  check(as_vector((of(m.square) * x).value()) == before, "an evaluated graph sees a later update");
  {
    ComputationGraph other;
    const Expression z = of(m.square) * input(other, {6}, std::vector<real>(6, 1));
    check(as_vector(z.value()) != before, "a new graph sees old values");
  }
  check(as_vector(of(m.square).value())[0] != m.square.get_storage().values[0],
        "the plain value is not of this graph");
}

/// An update writes the panels of the next graph, and leaves those of graphs that are still alive.
void check_updates() {
  Model m;
  SimpleSGDTrainer trainer(m.all, 0.5);
  std::vector<std::unique_ptr<ComputationGraph>> graphs;
  std::vector<std::vector<real>> values, gradients;
  std::vector<Expression> losses;
  const auto loss_in = [&](ComputationGraph& cg) {
    Expression x = lookup(cg, m.table, 0u);
    for (int i = 0; i < 3; ++i) x = tanh(of(m.square) * x);
    return sum_elems(x);
  };
  const auto gradient_of = [&](const Expression& loss) {
    loss.backward();
    const Buffer& g = m.square.get_storage().gradient;
    std::vector<real> numbers(g.begin(), g.end());
    m.all.reset_gradient();
    return numbers;
  };
  for (int i = 0; i < 4; ++i) {
    if (i == 2) m.square.scale(2);  // a change that is not an update
    graphs.push_back(std::make_unique<ComputationGraph>());
    losses.push_back(loss_in(*graphs[i]));
    values.push_back(as_vector(losses[i].value()));
    gradients.push_back(gradient_of(losses[i]));
    const auto& storage = m.square.get_storage();
    check(i == 0 || values[i] != values[i - 1], "a new graph sees the update");
    losses[i].backward();
    trainer.update();
    check(storage.packed_version == storage.version, "an update packs what was packed");
    if (i == 1) graphs[0] = nullptr, losses[0] = {};  // its panels are free to be written
  }
  for (int i = 1; i < 4; ++i)
    check(gradient_of(losses[i]) == gradients[i], "a graph sees the weights that it was evaluated with");
  ComputationGraph updated, anew;
  const std::vector<real> value = as_vector(loss_in(updated).value());
  m.square.get_storage().changed();  // to pack anew
  check(as_vector(loss_in(anew).value()) == value, "an update leaves the panels that packing makes");
}

/// A graph shares the tables it uses until it starts anew, and again each time it does.
void check_ownership() {
  ComputationGraph cg;
  auto m = std::make_unique<Model>();
  const std::weak_ptr<LookupParameterStorage> table = m->table.p;
  for (int i = 0; i < 2; ++i) {
    cg.clear();
    lookup(cg, m->table, 0u);
  }
  m = nullptr;
  check(!table.expired(), "a graph keeps the tables that it uses");
  cg.clear();
  check(table.expired(), "a graph that starts anew keeps none");
}

void check_errors() {
  Model m;
  ComputationGraph cg;
  const Expression x = lookup(cg, m.table, 0u);
  test::check_throws<std::invalid_argument>("scalar", [&] { x.backward(); });
  test::check_throws<std::runtime_error>("backward was not run", [&] { x.gradient(); });
  const Expression twelve = concatenate({x, x});
  const unsigned before = cg.size();
  test::check_throws<std::exception>("{6,6}", [&] { of(m.square) * twelve; });
  check(cg.size() == before, "a call that fails leaves the graph as it was");
  cg.clear();
  test::check_throws<std::runtime_error>("Stale", [&] { x.value(); });
  test::check_throws<std::invalid_argument>("stale", [&] { tanh(x); });
}

}  // namespace

/// The third graph of a kind runs by the plan of the second: with numbers, indices and parameters of its own.
void repeated_graphs() {
  ParameterCollection m;
  Parameter weights = m.add_parameters({3});
  for (unsigned time = 0; time < 5; ++time) {
    weights.set_value({real(1), real(2), real(time)});
    ComputationGraph cg;
    const Expression x = input(cg, {3}, {real(time), real(10), real(20)});
    const Expression y = cmult(parameter(cg, weights), x);
    const Expression loss = pick(y, time % 3) + pick(tanh(x * real(0)) + y, 2);
    const real picked[] = {real(time), 20, real(20 * time)};
    check(as_scalar(cg.forward(loss)) == picked[time % 3] + 20 * time, text("forward, graph ", time));
    cg.backward(loss);
    const real slope[] = {real(time), 10, 20};
    check(weights.gradients()->v[time % 3] == slope[time % 3] + (time % 3 == 2 ? 20 : 0),
          text("backward, graph ", time));
    m.reset_gradient();
  }
}

void nothing_wanted() {
  ComputationGraph cg;
  cg.evaluate({});
  check(cg.size() == 0 && cg.step_count() == 0, "evaluating nothing");
}

int main() {
  nothing_wanted();
  repeated_graphs();
  check_schedules();
  check_excursions();
  check_kept_plans();
  check_kept_plans_of_constants();
  check_ended_passes();
  check_lanes();
  check_gradients();
  check_views();
  check_snapshots();
  check_updates();
  check_ownership();
  check_errors();
  return test::finish();
}
