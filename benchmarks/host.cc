// Runs a task in C++ on an engine whose kernels do nothing: host TASK CORPUS THREADS CLOCK WARMUP_SECONDS.
//
// A minibatch is built, run forward and backward, and not learned from; the rest is as in worker.cc.
#include <iostream>

#include "benchmarks/driver.h"
#include "benchmarks/null_engine.h"

int main(int argc, char** argv) {
  using namespace benchmarks;
  Engine& engine = *new NullEngine;  // graphs and parameters may end after it
  choose_engine(engine);
  const Start start(argc, argv);
  Driver driver(*start.program, start.cpu_clock, [&](size_t batch) {
    ComputationGraph cg;
    const Expression loss = start.program->loss(cg, batch);
    cg.forward(loss);
    cg.backward(loss);
    return 0.0;  // nobody computed the loss
  });
  driver.warm_up(start.warm_up_seconds);
  std::string command;
  double value;
  while (std::cin >> command >> value)
    if (command == "window") driver.window(value);
}
