// What the programs that run in windows share: their command line, clocks, and a driver that feeds
// minibatches and reports.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "benchmarks/models/program.h"

namespace benchmarks {

constexpr size_t reported_losses = 8;

inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Feeds the minibatches of a pass to a program, round and round.
class Driver {
 public:
  /// run(batch) runs a minibatch and returns its loss.
  Driver(Program& program, bool cpu_clock, std::function<double(size_t batch)> run)
      : program_(program), run_(std::move(run)), seconds_(cpu_clock ? cpu_seconds : wall_seconds) {
    unsigned words = 0, sentences = 0;
    for (const Size& size : program.sizes) words += size.words, sentences += size.sentences;
    sentences_per_word_ = static_cast<double>(sentences) / words;
  }

  /// Runs the next minibatch; returns its loss.
  double step() {
    current_ = next_;
    next_ = (next_ + 1) % program_.sizes.size();
    return run_(current_);
  }
  unsigned words() const { return program_.sizes[current_].words; }

  /// Runs every minibatch once, or until the limit; reports the first losses.
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
        chosen_engine().name());
    std::fflush(stdout);
  }

  /// Runs for about these seconds; counts sentences of mean length, from the words.
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
  std::function<double(size_t)> run_;
  double (*seconds_)();
  double sentences_per_word_;
  size_t current_ = 0, next_ = 0;
};

/// What a command line asks for: TASK CORPUS THREADS wall|cpu WARMUP_SECONDS.
struct Start {
  std::unique_ptr<Program> program;
  bool cpu_clock = false;
  double warm_up_seconds = 0;

  Start(int argc, char** argv) {
    if (argc < 6) {
      std::fprintf(stderr, "usage: %s TASK CORPUS THREADS wall|cpu WARMUP_SECONDS\n", argv[0]);
      std::exit(2);
    }
    std::ifstream corpus(argv[2]);
    if (!corpus) {
      std::fprintf(stderr, "%s cannot be read\n", argv[2]);
      std::exit(2);
    }
    chosen_engine().set_most_threads(static_cast<unsigned>(std::atoi(argv[3])));
    reset_random(1);
    program = make_program(argv[1], corpus);
    cpu_clock = std::string(argv[4]) == "cpu";
    warm_up_seconds = std::atof(argv[5]);
  }
};

}  // namespace benchmarks
