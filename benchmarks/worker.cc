// Runs a task in C++ as worker.py does in Python: worker TASK CORPUS THREADS CLOCK WARMUP_SECONDS
// [MODEL_FILE].
//
// After its warm-up it says so, and runs a window for each line "window SECONDS" on its input. The line
// "count STEPS" makes it run so many steps inside counted_steps, which callgrind can single out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>

#include "benchmarks/models/program.h"

namespace {

using namespace benchmarks;

constexpr size_t reported_losses = 8;

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Feeds the minibatches of a pass to a model, round and round.
class Driver {
 public:
  Driver(Program& program, bool cpu_clock)
      : program_(program), seconds_(cpu_clock ? cpu_seconds : wall_seconds) {
    unsigned words = 0, sentences = 0;
    for (const Size& size : program.sizes) words += size.words, sentences += size.sentences;
    sentences_per_word_ = static_cast<double>(sentences) / words;
  }

  /// Trains on the next minibatch; returns its loss.
  double step() {
    current_ = next_;
    next_ = (next_ + 1) % program_.sizes.size();
    return train(program_, *trainer_, current_);
  }
  unsigned words() const { return program_.sizes[current_].words; }

  /// Trains on every minibatch once, or until the limit; reports the first losses.
  void warm_up(double limit) {
    const double start = wall_seconds();
    std::ostringstream losses;
    losses.precision(9);
    double per_word = 0;
    for (size_t i = 0; i < program_.sizes.size() && (i == 0 || wall_seconds() - start < limit); ++i) {
      const double loss = step();
      if (i == 0) per_word = loss / words();
      if (i < reported_losses) losses << (i ? ", " : "") << loss;
    }
    std::printf(
        "{\"event\": \"ready\", \"losses\": [%s], \"loss_per_word\": %g, \"warmup_seconds\": %.3f, "
        "\"version\": \"dynet %s, C++\", \"compiler\": \"%s\", \"instruction_set\": \"%s\"}\n",
        losses.str().c_str(), per_word, wall_seconds() - start, DYNET_VERSION, __VERSION__,
        settings().engine().name());
    std::fflush(stdout);
  }

  /// Trains for about these seconds; counts sentences of mean length, from the words.
  void window(double seconds) {
    const double start = seconds_(), wall = wall_seconds(), cpu = cpu_seconds();
    double elapsed = 0, total = 0;
    while (elapsed < seconds) {
      step();
      total += words();
      elapsed = seconds_() - start;
    }
    std::printf(
        "{\"event\": \"window\", \"sentences_per_second\": %.6g, \"seconds\": %.6g, \"cores_used\": %.4g}\n",
        total * sentences_per_word_ / elapsed, elapsed, (cpu_seconds() - cpu) / (wall_seconds() - wall));
    std::fflush(stdout);
  }

 private:
  Program& program_;
  double (*seconds_)();
  std::unique_ptr<Trainer> trainer_ = make_trainer(program_);
  double sentences_per_word_;
  size_t current_ = 0, next_ = 0;
};

}  // namespace

/// Its name is known outside.
extern "C" [[gnu::noinline]] void counted_steps(Driver& driver, unsigned count) {
  while (count-- > 0) driver.step();
}

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s TASK CORPUS THREADS wall|cpu WARMUP_SECONDS [MODEL_FILE]\n", argv[0]);
    return 2;
  }
  std::ifstream corpus(argv[2]);
  if (!corpus) {
    std::fprintf(stderr, "%s cannot be read\n", argv[2]);
    return 2;
  }
  settings().engine().set_most_threads(static_cast<unsigned>(std::atoi(argv[3])));
  reset_random(1);
  const auto program = make_program(argv[1], corpus);
  if (argc > 6) TextFileLoader(argv[6]).populate(program->collection);
  Driver driver(*program, std::string(argv[4]) == "cpu");
  driver.warm_up(std::atof(argv[5]));
  std::string command;
  double value;
  while (std::cin >> command >> value) {
    if (command == "window") driver.window(value);
    if (command == "count") counted_steps(driver, static_cast<unsigned>(value));
  }
}
