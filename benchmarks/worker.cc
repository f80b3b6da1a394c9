// Runs a task in C++ as worker.py does in Python: worker TASK CORPUS THREADS CLOCK WARMUP_SECONDS
// [MODEL_FILE].
//
// After its warm-up it says so, and runs a window for each line "window SECONDS" on its input. The line
// "count STEPS" makes it run so many steps inside counted_steps, which callgrind can single out.
#include <iostream>

#include "benchmarks/driver.h"

/// Its name is known outside.
extern "C" [[gnu::noinline]] void counted_steps(benchmarks::Driver& driver, unsigned count) {
  while (count-- > 0) driver.step();
}

int main(int argc, char** argv) {
  using namespace benchmarks;
  const Start start(argc, argv);
  if (argc > 6) TextFileLoader(argv[6]).populate(start.program->collection);
  const auto trainer = make_trainer(*start.program);
  Driver driver(*start.program, start.cpu_clock,
                [&](size_t batch) { return train(*start.program, *trainer, batch); });
  driver.warm_up(start.warm_up_seconds);
  std::string command;
  double value;
  while (std::cin >> command >> value) {
    if (command == "window") driver.window(value);
    if (command == "count") counted_steps(driver, static_cast<unsigned>(value));
  }
}
