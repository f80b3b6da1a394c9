// Distributions over structures in C++: what they sum to, find, draw and refuse.
#include "dynet/nn/structured.h"

#include <cmath>

#include "dynet/run/computation_graph.h"
#include "tests/cpp/check.h"

using namespace dynet;
using test::check;
using test::check_throws;
namespace ds = dynet::structured;

namespace {

bool near(real a, double b) { return std::abs(static_cast<double>(a) - b) < 1e-4; }

}  // namespace

int main() {
  ComputationGraph cg;
  const Expression emissions = input(cg, {2, 3}, {1, 0, 0, 2, 0, 2});
  const Expression steps = input(cg, {2, 2}, {0, 0, 0, 0});
  const ds::LinearChain chain(emissions, steps);
  const double sum = std::log(std::exp(1) + 1) + 2 * std::log(std::exp(2) + 1);
  check(near(as_scalar(chain.log_partition().value()), sum), "log partition");
  check(near(as_scalar(chain.score({0, 1, 1}).value()), 5), "score");
  check(near(as_scalar(chain.nll({0, 1, 1}).value()), sum - 5), "nll");
  const auto best = ds::found(chain.k_best(2));
  check(best.size() == 1 && best[0].size() == 2, "two best");
  check(best[0][0].told == std::vector<int>({0, 1, 1}) && near(best[0][0].score, 5), "the best");
  check(near(best[0][1].score, 4), "the second");
  const auto drawn = ds::found(chain.sample());
  check(drawn[0][0].told.size() == 3 && drawn[0][0].score <= 5, "a sample");
  check(chain.marginals().dim() == Dim({2, 3}), "shape of marginals");
  check(as_scalar(chain.entropy().value()) > 0, "entropy");
  check_throws<std::invalid_argument>("2 tags for 3", [&] { static_cast<void>(chain.nll({0, 1})); });
  check_throws<std::out_of_range>("index 2", [&] { static_cast<void>(chain.nll({0, 1, 2})); });
  check_throws<std::invalid_argument>("transitions of shape",
                                      [&] { static_cast<void>(ds::LinearChain(emissions, emissions)); });

  const Expression arcs = input(cg, {4, 3}, std::vector<real>(12, 0));
  check(near(std::exp(as_scalar(ds::ProjectiveTrees(arcs).log_partition().value())), 7), "projective trees");
  check(near(std::exp(as_scalar(ds::SpanningTrees(arcs).log_partition().value())), 9), "spanning trees");
  check(near(std::exp(as_scalar(ds::SpanningTrees(arcs, false).log_partition().value())), 16),
        "any number of roots");

  const Expression frames = log_softmax(input(cg, {3, 4}, std::vector<real>(12, 0)));
  check(near(as_scalar(ds::CTC(frames, {1, 2}).loss().value()), std::log(81.0 / 15)), "ctc loss");
  check(ds::found(ds::CTC::decode(frames, 3)).size() == 1, "ctc decoding");
  const Expression batch = log_softmax(input(cg, Dim({3, 4}, 2), std::vector<real>(24, 0)));
  const std::vector<std::vector<unsigned>> targets{{1, 2}, {1}};
  const std::vector<real> losses = as_vector(ds::CTC::of_batch(batch, targets).loss().value());
  check(near(losses[0], std::log(81.0 / 15)) && near(losses[1], std::log(81.0 / 10)), "a target of each");
  check_throws<std::invalid_argument>("CTC: 2 targets for a mini-batch of 1",
                                      [&] { static_cast<void>(ds::CTC::of_batch(frames, targets)); });
  const ds::Assignment pairs(input(cg, {2, 2}, {3, 2, 2, -1}));
  check(ds::found(pairs.best())[0][0].told == std::vector<int>({1, 0}), "the best pairs");
  check(ds::found(pairs.greedy())[0][0].told == std::vector<int>({0, 1}), "greedy pairs");
  check_throws<std::invalid_argument>("exponential time", [&] { static_cast<void>(pairs.log_partition()); });
  check(ds::edit_distance({1, 2, 3}, {2, 3, 4}) == 2, "edit distance");
  return test::finish();
}
