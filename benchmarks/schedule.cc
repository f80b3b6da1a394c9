// Prints what it costs to schedule and plan the graphs of a task, in nanoseconds a node: schedule TASK
// CORPUS.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "benchmarks/models/program.h"
#include "dynet/plan/cache.h"

namespace {

using namespace benchmarks;

constexpr unsigned samples = 51;

/// Everything that lies between a graph and its first kernel.
struct Planner {
  std::vector<uint8_t> done;
  Marks marks;
  Compiler compiler;
  ExecutionPlan plan;
  PlanCache cache;

  void plan_afresh(const Graph& graph, uint32_t wanted) {
    done.assign(graph.size(), 0);
    marks.resize(graph.size());
    compiler.compile({graph, {&wanted, 1}, Policy::agenda, 1}, done, marks, 0, chosen_engine(), plan);
  }
  bool look_up(const Graph& graph, uint32_t wanted) {
    return cache.find({graph, {&wanted, 1}, Policy::agenda, 1});
  }
  /// Has the plan of a graph kept; false if it has no room.
  bool keep(const Graph& graph, uint32_t wanted) {
    cache = {};
    plan_afresh(graph, wanted);
    for (int time = 0; time < 2; ++time)
      if (!look_up(graph, wanted)) cache.insert({graph, {&wanted, 1}, Policy::agenda, 1}, plan);
    return look_up(graph, wanted);
  }
};

double median(std::vector<double>& all) {
  std::ranges::sort(all);
  return all.empty() ? 0 : all[all.size() / 2];
}

/// The median over several runs, of the graphs of all minibatches.
void measure(const char* task, Program& program) {
  Planner planner;
  std::vector<double> fresh, cached;
  size_t nodes = 0, batches = program.sizes.size();
  for (size_t batch = 0; batch < batches; ++batch) {
    ComputationGraph cg;
    const Expression loss = program.loss(cg, batch);
    const unsigned id = cg.graph().resolve(loss);
    nodes += cg.graph().size();
    const auto sample = [&](std::vector<double>& times, auto&& work) {
      for (unsigned i = 0; i < samples; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
        times.push_back(elapsed.count() / cg.graph().size());
      }
    };
    planner.plan_afresh(cg.graph(), id);
    sample(fresh, [&] { planner.plan_afresh(cg.graph(), id); });
    if (planner.keep(cg.graph(), id)) sample(cached, [&] { planner.look_up(cg.graph(), id); });
  }
  std::printf("{\"graph\": \"%s\", \"sentences\": %u, \"nodes\": %zu, \"fresh\": %.2f, \"cached\": %.2f}\n",
              task, program.sizes[0].sentences, nodes / batches, median(fresh), median(cached));
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
