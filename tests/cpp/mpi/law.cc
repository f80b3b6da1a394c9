// Trains a small network over the processes of MPI and prints the bits of what was learned.
#include <cstdio>
#include <cstring>
#include <string>

#include "dynet/dynet.h"
#include "dynet/mpi/trainer.h"

using namespace dynet;

namespace {

struct Example {
  std::vector<unsigned> rows;
  unsigned label;
};

std::vector<Example> examples() {
  std::vector<Example> all;
  uint32_t state = 7;
  const auto draw = [&](unsigned below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 90; ++i) {
    Example& example = all.emplace_back();
    example.label = draw(4);
    for (unsigned n = 1 + draw(8); n > 0; --n) example.rows.push_back(draw(16));
  }
  return all;
}

uint64_t bits_of(const ParameterCollection& model) {
  uint64_t sum = 14695981039346656037u;
  const auto add = [&](const engine::Storage& s) {
    for (const real x : s.numbers) {
      uint32_t word;
      std::memcpy(&word, &x, sizeof(word));
      sum = (sum ^ word) * 1099511628211u;
    }
  };
  for (const auto& p : model.parameters_list()) add(*p);
  for (const auto& l : model.lookup_parameters_list()) add(*l);
  return sum;
}

void train(bool exact, unsigned shards) {
  reset_rng(3);
  ParameterCollection model;
  const LookupParameter table = model.add_lookup_parameters(16, {6});
  const Parameter weights = model.add_parameters({4, 6}), bias = model.add_parameters({4});
  AdamTrainer adam(model);
  mpi::DistributedTrainer trainer(adam, MPI_COMM_WORLD, shards, exact);
  const std::vector<Example> all = examples();
  double loss = 0;
  for (size_t begin = 0; begin < all.size(); begin += 18) {
    const std::vector<Example> batch(all.begin() + static_cast<ptrdiff_t>(begin),
                                     all.begin() + static_cast<ptrdiff_t>(std::min(begin + 18, all.size())));
    loss += trainer.step(batch, [&](ComputationGraph& graph, std::span<const Example> part) {
      const Expression w = parameter(graph, weights), b = parameter(graph, bias);
      std::vector<Expression> losses;
      for (const Example& example : part) {
        std::vector<Expression> vectors;
        for (const unsigned row : example.rows) vectors.push_back(lookup(graph, table, row));
        losses.push_back(pickneglogsoftmax(w * dropout(tanh(sum(vectors)), 0.2f) + b, example.label));
      }
      return sum(losses);
    });
  }
  if (trainer.rank() == 0) std::printf("%d %016llx %.17g\n", exact, (unsigned long long)bits_of(model), loss);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  train(false, 8);
  train(true, 1);
  MPI_Finalize();
}
