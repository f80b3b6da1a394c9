// Prints what it costs to schedule and plan the graphs of a task, in nanoseconds a node: schedule TASK
// CORPUS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "benchmarks/models/program.h"
#include "dynet/plan/plan.h"
#include "dynet/plan/reach.h"

namespace {

using namespace benchmarks;

constexpr unsigned samples = 51;

/// Everything that lies between a graph and its first kernel.
struct Planner {
  std::vector<uint8_t> done, marks;
  Reach found;
  ScheduleScratch scratch;
  Schedule schedule;
  Plan plan;

  void run(const Graph& graph, uint32_t wanted) {
    done.assign(graph.size(), 0);
    marks.assign(graph.size(), 0);
    reach(graph, {&wanted, 1}, done, marks, found);
    dynet::schedule(graph, found.kernels, Policy::agenda, scratch, schedule);
    dynet::plan(graph, schedule, plan);
  }
};

/// The median over several runs, of all graphs of the first minibatches.
void measure(const char* task, Program& program) {
  Planner planner;
  std::vector<double> all;
  size_t nodes = 0, batches = std::min<size_t>(8, program.sizes.size());
  for (size_t batch = 0; batch < batches; ++batch) {
    ComputationGraph cg;
    const Expression loss = program.loss(cg, batch);
    const unsigned id = cg.graph().resolve(loss);
    planner.run(cg.graph(), id);
    nodes += cg.graph().size();
    for (unsigned i = 0; i < samples; ++i) {
      const auto start = std::chrono::steady_clock::now();
      planner.run(cg.graph(), id);
      const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
      all.push_back(elapsed.count() / cg.graph().size());
    }
  }
  std::ranges::sort(all);
  std::printf("{\"graph\": \"%s\", \"sentences\": %u, \"nodes\": %zu, \"fresh\": %.2f}\n", task,
              program.sizes[0].sentences, nodes / batches, all[all.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s TASK CORPUS\n", argv[0]);
    return 2;
  }
  std::ifstream corpus(argv[2]);
  measure(argv[1], *make_program(argv[1], corpus));
}
