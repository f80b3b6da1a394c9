// What C++ alone has of the operations: DyNet's names and overloads, inputs read from memory, sparsemax_loss.
#include <cmath>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace std;    // as DyNet's programs have both,
using namespace dynet;  // no name may be ambiguous
using test::check;
using test::check_throws;

namespace {

bool near(real a, double b) { return std::abs(static_cast<double>(a) - b) < 1e-5; }

/// The elements of x are `numbers`.
bool holds(const Expression& x, const vector<double>& numbers) {
  const vector<real> actual = as_vector(x.value());
  if (actual.size() != numbers.size()) return false;
  for (size_t i = 0; i < numbers.size(); ++i)
    if (!near(actual[i], numbers[i])) return false;
  return true;
}

void check_operators() {
  ComputationGraph cg;
  const Expression x = input(cg, {2}, {1, -2}), y = input(cg, {2}, {3, 5});
  const Expression a = input(cg, {2, 2}, {1, 2, 3, 4});
  check(holds(-x, {-1, 2}) && holds(x + y, {4, 3}) && holds(x - y, {-2, -7}), "+ and -");
  check(holds(x + 1, {2, -1}) && holds(1 + x, {2, -1}) && holds(x - 1, {0, -3}) && holds(1 - x, {0, 3}),
        "numbers");
  check(holds(2 * x, {2, -4}) && holds(x * 2, {2, -4}) && holds(x / 2, {0.5, -1}), "scaling");
  check(holds(a * x, {-5, -6}) && holds(x / y, {1. / 3, -0.4}), "product and quotient");
}

void check_overloads() {
  ComputationGraph cg;
  const Expression x = input(cg, {3}, {1, -2, 3}), y = input(cg, {3}, {0, 4, 3});
  check(holds(exp(x), {exp(1), exp(-2), exp(3)}) && holds(abs(x), {1, 2, 3}), "names that std has too");
  check(holds(max(x, y), {1, 4, 3}) && holds(min(x, y), {0, -2, 3}) && holds(max({x, y, x}), {1, 4, 3}),
        "max, min");
  check(holds(pow(y, input(cg, 2)), {0, 16, 9}) && holds(pow(x, 2), {1, 4, 9}), "pow");
  check(holds(sum({x, y}), {1, 2, 6}) && holds(average(vector<Expression>{x, y}), {0.5, 1, 3}), "lists");
  check(holds(pick(x, 2), {3}) && holds(pick(x, {0u, 1u}), {1, -2}), "pick");
  check(holds(pick_range(x, 1, 3), {-2, 3}) && holds(select_rows(x, {2, 0}), {3, 1}), "ranges and lists");
  check(holds(concatenate({x, y}), {1, -2, 3, 0, 4, 3}) && concatenate_cols({x, y}).dim() == Dim({3, 2}),
        "concatenate");
  check(holds(sum_dim(concatenate_cols({x, y}), {0}), {2, 7}) &&
            holds(sum_cols(concatenate_cols({x, y})), {1, 2, 6}),
        "sums of axes");
  check(holds(average_cols(concatenate_cols({x, y})), {0.5, 1, 3}) && holds(transpose(x), {1, -2, 3}),
        "cols");
  check(reshape(input(cg, Dim({2}, 3), {1, 2, 3, 4, 5, 6}), Dim({3}, 2)).dim() == Dim({3}, 2), "reshape");
  check(holds(round(x * real(0.4), straight_through_gradient), {0, -1, 1}), "gradient modes");
  check(holds(hinge(x, 0u), {3}) && holds(pickneglogsoftmax(x, 2u), {log(1 + exp(-2) + exp(-5))}), "losses");
  check(holds(one_hot(cg, 3, 1u), {0, 1, 0}) && holds(input(cg, {3}, {2}, {5.f}, 1), {1, 1, 5}),
        "sparse inputs");
  check(holds(zeros(cg, {2}), {0, 0}) && holds(ones(cg, {1}), {1}) && holds(constant(cg, {1}, 7), {7}),
        "constants");
}

/// Programs keep a graph and change what it reads.
void check_memory() {
  ComputationGraph cg;
  real number = 2;
  vector<real> numbers{1, 2};
  const Expression loss = sum_elems(input(cg, {2}, &numbers) * input(cg, &number));
  check(near(as_scalar(cg.forward(loss)), 6), "first numbers");
  number = 3, numbers = {5, 6};
  check(near(as_scalar(cg.forward(loss)), 33), "changed numbers");
  numbers.push_back(1);
  check_throws<invalid_argument>("input_from_memory: 3 numbers", [&] { cg.forward(loss); });
}

void check_sparsemax_loss() {
  const vector<real> x{real(0.3), real(-0.4), real(0.8), real(0.1)};
  const auto loss = [&](const vector<real>& numbers) {
    ComputationGraph cg;
    return static_cast<double>(as_scalar(sparsemax_loss(input(cg, {4}, numbers), {0, 2}).value()));
  };
  // By hand: the threshold is that of the support {0, 2, 3}, (1.2 - 1) / 3.
  const double threshold = 0.2 / 3, squares = 0.09 + 0.64 + 0.01 - 3 * threshold * threshold;
  check(std::abs(loss(x) - (squares / 2 + 0.25 - 0.55)) < 1e-6, "value");
  ComputationGraph cg;
  const Expression e = input(cg, {4}, x), y = sparsemax_loss(e, {0, 2});
  y.backward(true);
  const vector<real> gradient = as_vector(e.gradient());
  for (unsigned i = 0; i < 4; ++i) {
    vector<real> up = x, down = x;
    up[i] += real(1e-2), down[i] -= real(1e-2);
    check(std::abs((loss(up) - loss(down)) / 2e-2 - static_cast<double>(gradient[i])) < 1e-3, "gradient");
  }
  check_throws<std::out_of_range>("sparsemax_loss: index 4", [&] { sparsemax_loss(e, {4}); });
}

/// Only distances between scores count, however large these are.
void check_sparsemax_loss_of_large_scores() {
  const vector<real> small{real(0.25), real(-0.5), real(0.75), 0};
  vector<real> large = small;
  for (real& v : large) v += 1048576;
  const auto loss_and_slopes = [](const vector<real>& x, int passes) {
    ComputationGraph cg;
    const Expression e = input(cg, {4}, x), y = sparsemax_loss(e, {0, 2});
    vector<real> found = as_vector(y.value());
    for (int i = 0; i < passes; ++i) y.backward(true);
    for (real slope : as_vector(e.gradient())) found.push_back(slope);
    return found;
  };
  const vector<real> expected = loss_and_slopes(small, 1);
  check(loss_and_slopes(large, 1) == expected, "large scores");
  check(loss_and_slopes(small, 2) == expected, "a second backward pass");
  check(std::isnan(loss_and_slopes({0, NAN, 1, 2}, 1)[0]), "a score that is not a number");
}

}  // namespace

int main() {
  check_operators();
  check_overloads();
  check_memory();
  check_sparsemax_loss();
  check_sparsemax_loss_of_large_scores();
  return test::finish();
}
