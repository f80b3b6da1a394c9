// Coroutines that wait for values: the bits of one after another, and errors where a task waits.
#include "dynet/program/run_batched.h"

#include <numeric>

#include "dynet/nn/lstm.h"
#include "dynet/ops/all.h"
#include "tests/cpp/check.h"

using namespace dynet;
using test::check;
using test::check_throws;

namespace {

struct Model {
  ParameterCollection collection;
  Parameter weights = collection.add_parameters({4, 4}), bias = collection.add_parameters({4});
  LookupParameter table = collection.add_lookup_parameters(8, {4});
  VanillaLSTMBuilder lstm{1, 4, 4, collection};

  Model() { lstm.set_dropout(0.3f); }
};

std::vector<unsigned> numbers(unsigned count) {
  std::vector<unsigned> all(count);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

/// A task that another one calls.
Task<Expression> step(ComputationGraph& cg, Model& m, Expression x, unsigned number) {
  x = tanh(parameter(cg, m.weights) * x + parameter(cg, m.bias));
  if (as_scalar(co_await known(sum_elems(x))) > 0) x = dropout(x, 0.2f);
  const std::vector<Expression> both{x, x * 2};  // apart: gcc 12 refuses a list within co_await
  if (number % 3 == 0) co_await known(both);
  co_return x;
}

Task<Expression> loss(ComputationGraph& cg, Model& m, unsigned number) {
  m.lstm.start_new_sequence();
  Expression x = m.lstm.add_input(lookup(cg, m.table, number % 8));
  RNNPointer state = m.lstm.state();
  for (unsigned i = 0; i < 1 + number % 4; ++i) {
    x = co_await step(cg, m, x, number + i);
    x = m.lstm.add_input(state, x);
    state = m.lstm.state();
  }
  co_return pickneglogsoftmax(x, number % 4);
}

/// The sum of the losses, and all gradients.
std::vector<real> outcome(unsigned window) {
  reset_random(5);
  Model m;
  ComputationGraph cg;
  m.lstm.new_graph(cg);
  const std::vector<Expression> losses =
      run_batched(cg, [&](unsigned number) { return loss(cg, m, number); }, numbers(11), window);
  const Expression total = sum(losses);
  std::vector<real> all = as_vector(cg.forward(total));
  cg.backward(total);
  const auto add = [&](const Tensor& gradient) {
    const std::vector<real> g = as_vector(gradient);
    all.insert(all.end(), g.begin(), g.end());
  };
  for (const auto& storage : m.collection.parameters_list()) add(*Parameter(storage).gradients());
  return all;
}

void test_bits() {
  const std::vector<real> expected = outcome(1);
  for (const unsigned window : {2u, 3u, 7u, 64u})
    check(outcome(window) == expected, "the window is " + std::to_string(window));
}

void test_turns() {
  ComputationGraph cg;
  const auto doubled = [&](unsigned number) -> Task<real> {
    const Expression x = input(cg, static_cast<real>(number)) * 2;
    co_return as_scalar(co_await known(x));
  };
  const std::vector<real> results = run_batched(cg, doubled, numbers(20), 20);
  check(results[3] == 6 && results.size() == 20, "results come in the order of the examples");
  check(cg.graph().evaluator->step_count() == 1, "all that wait are answered by one call");
  check(run_batched(cg, doubled, std::vector<unsigned>()).empty(), "no examples, no results");
  check_throws<std::invalid_argument>("at least 1 is needed",
                                      [&] { run_batched(cg, doubled, numbers(2), 0); });
}

/// The first example that fails does so last.
void test_errors() {
  ComputationGraph cg;
  unsigned closed = 0;
  struct Count {
    unsigned& closed;
    ~Count() { ++closed; }
  };
  const auto task = [&](unsigned number) -> Task<> {
    const Count count{closed};
    Expression x = input(cg, real(1));
    for (unsigned i = 0; i < 8 - number; ++i) co_await known(x = x * 2);
    if (number >= 2) throw std::runtime_error("example " + std::to_string(number));
  };
  check_throws<std::runtime_error>("example 2", [&] { run_batched(cg, task, numbers(6)); });
  check(closed == 6, "what tasks hold is destroyed");
  run_batched(cg, task, numbers(2));
  const auto empty = [&](unsigned) -> Task<bool> {
    try {
      co_await known(Expression());
    } catch (const std::exception&) {
      co_return true;
    }
    co_return false;
  };
  check(run_batched(cg, empty, numbers(2))[1], "what cannot be evaluated is thrown where a task waits");
}

void test_refusals() {
  ComputationGraph cg;
  std::vector<Expression> made;
  const auto task = [&](unsigned number) -> Task<> {
    made.push_back(input(cg, real(1)) * 2);
    co_await known(made.back());
    if (number == 1) static_cast<void>(made[0] + made[1]);
  };
  check_throws<std::invalid_argument>("another task", [&] { run_batched(cg, task, numbers(2)); });
  const auto backward = [&](unsigned) -> Task<> {
    const Expression x = input(cg, real(1)) * 2;
    co_await known(x);
    cg.backward(x);
  };
  check_throws<std::runtime_error>("backward", [&] { run_batched(cg, backward, numbers(2)); });
  const auto renewal = [&](unsigned) -> Task<> {
    co_await known(input(cg, real(1)) * 2);
    cg.checkpoint();
  };
  check_throws<std::runtime_error>("checkpoint", [&] { run_batched(cg, renewal, numbers(2)); });
}

/// What ended tasks have made is forgotten where the program says so: random numbers and results are the
/// same.
void test_forgetting() {
  constexpr unsigned count = 1000;
  const auto outcome = [&](TaskNodes nodes, unsigned window, unsigned& most_nodes) {
    reset_random(5);
    Model m;
    ComputationGraph cg;
    m.lstm.new_graph(cg), m.lstm.start_new_sequence();
    const Expression shared = tanh(input(cg, {4}, {1, 2, 3, 4}));  // computed by the first task
    most_nodes = 0;
    const auto task = [&](unsigned number) -> Task<real> {
      const RNNPointer first = m.lstm.add_sequence();
      const Expression x = m.lstm.add_input(first, lookup(cg, m.table, number % 8) + shared);
      const RNNPointer state = m.lstm.state();
      most_nodes = std::max(most_nodes, cg.graph().size());
      const real sum = as_scalar(co_await known(sum_elems(x)));
      const Expression y = m.lstm.add_input(state, dropout(x, 0.5f) * sum);
      co_return as_scalar(co_await known(sum_elems(y)));
    };
    std::vector<real> results = run_batched(cg, task, numbers(count), window, nodes);
    results.push_back(as_scalar(cg.forward(sum_elems(dropout(shared, 0.5f)))));
    return results;
  };
  unsigned all = 0, most = 0;
  const std::vector<real> expected = outcome(TaskNodes::kept, 8, all);
  for (const unsigned window : {1u, 8u, 32u}) {
    check(outcome(TaskNodes::forgotten, window, most) == expected, "what is forgotten changes no number");
    check(most < all / 3, "a graph has no more than a few hundred examples");
  }
  ComputationGraph cg;
  Expression kept;
  const auto keeping = [&](unsigned number) -> Task<> {
    const Expression x = input(cg, real(1)) * 2;
    co_await known(x);
    if (number == 0) kept = x;
  };
  run_batched(cg, keeping, numbers(count), 8, TaskNodes::forgotten);
  check(kept.is_stale(), "expressions of what was forgotten are refused");
  run_batched(cg, keeping, numbers(count), 8);
  check(as_scalar(kept.value()) == 2, "by default all is kept");
}

}  // namespace

int main() {
  test_bits();
  test_turns();
  test_errors();
  test_refusals();
  test_forgetting();
  return test::finish();
}
