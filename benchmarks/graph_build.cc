// Prints what a node costs when a graph is built from C++, as lines of JSON; graph_build.py --cpp runs it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "dynet/dynet.h"

namespace {

using namespace dynet;
using namespace dynet::engine;

constexpr unsigned width = 16, rows = 1000, nodes_per_sample = 20000, samples = 101;

/// What the graphs are made of.
struct Weights {
  ParameterCollection collection;
  Parameter vector = collection.add_parameters({width});
  Parameter bias = collection.add_parameters({width});
  Parameter matrix = collection.add_parameters({width, width});
  LookupParameter table = collection.add_lookup_parameters(rows, {width});
};

using Build = std::function<Expression(ComputationGraph&, Weights&, unsigned count)>;

Expression chain_of_tanh(ComputationGraph& cg, Weights& weights, unsigned count) {
  Expression node = parameter(cg, weights.vector);
  for (unsigned i = 0; i < count; ++i) node = tanh(node);
  return pickneglogsoftmax(node, 0u);
}

Expression chain_of_sums(ComputationGraph& cg, Weights& weights, unsigned count) {
  const Expression other = tanh(parameter(cg, weights.vector));
  Expression node = other;
  for (unsigned i = 1; i < count; ++i) node = node + other;
  return pickneglogsoftmax(node, 0u);
}

Expression chain_of_layers(ComputationGraph& cg, Weights& weights, unsigned count) {
  const Expression bias = parameter(cg, weights.bias), matrix = parameter(cg, weights.matrix);
  Expression node = parameter(cg, weights.vector);
  for (unsigned i = 0; i < count; ++i) node = affine_transform({bias, matrix, node});
  return pickneglogsoftmax(node, 0u);
}

Expression sum_of_rows(ComputationGraph& cg, Weights& weights, unsigned count) {
  std::vector<Expression> all(count);
  for (unsigned i = 0; i < count; ++i) all[i] = lookup(cg, weights.table, i % rows);
  return pickneglogsoftmax(sum(all), 0u);
}

/// Nanoseconds a node, over several graphs in a row.
double nanoseconds(const Build& build, Weights& weights, unsigned count, bool train) {
  const unsigned repetitions = std::max(1u, nodes_per_sample / count);
  const auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < repetitions; ++i) {
    ComputationGraph cg;
    const Expression loss = build(cg, weights, count);
    if (train) cg.backward(loss);
  }
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / repetitions / count;
}

double median_nanoseconds(const Build& build, Weights& weights, unsigned count, bool train) {
  std::vector<double> all(samples);
  for (double& one : all) one = nanoseconds(build, weights, count, train);
  std::ranges::sort(all);
  return all[samples / 2];
}

}  // namespace

int main(int argc, char** argv) {
  Weights weights;
  const std::pair<const char*, Build> graphs[] = {{"tanh(x)", chain_of_tanh},
                                                  {"x + y", chain_of_sums},
                                                  {"affine_transform({b, W, x})", chain_of_layers},
                                                  {"lookup(table, i)", sum_of_rows}};
  for (const auto& [name, build] : graphs)
    for (int i = 1; i < argc; ++i) {
      const auto count = static_cast<unsigned>(std::atoi(argv[i]));
      if (count == 0) continue;
      std::printf("{\"graph\": \"%s\", \"nodes\": %u, \"construct\": %.1f, \"train\": %.1f}\n", name, count,
                  median_nanoseconds(build, weights, count, false),
                  median_nanoseconds(build, weights, count, true));
    }
}
