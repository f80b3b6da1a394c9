// A parser in C++ that looks at its scores, one sentence after another and in coroutines that take turns:
// values SIZE ROUNDS prints the seconds of each way as JSON; values round, what a round costs beside kernels.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "benchmarks/models/asking.h"
#include "benchmarks/null_engine.h"
#include "dynet/program/run_batched.h"

namespace {

using namespace benchmarks;

constexpr unsigned examples = 128, batch = 64;
constexpr double least_seconds = 0.15;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Ways to parse all sentences: with a graph for each, one after another in one, in turns, and without a look
/// at any score, as the moves are given: no program can gain more.
enum Way : unsigned { each, together, in_turns, given, ways };
constexpr const char* names[] = {"each", "together", "coroutines", "given"};

class Passes {
 public:
  Passes(unsigned size, bool training) : model_(size, examples), training_(training) {}

  /// The moves of all sentences; in training the losses of the updates.
  std::vector<double> run(Way way) {
    std::vector<double> results;
    const size_t step = training_ ? batch : examples;
    for (size_t first = 0; first < examples; first += step) {
      const std::span part = std::span(model_.sentences).subspan(first, step);
      if (way == each)
        for (const ParserSentence& sentence : part) over(std::span(&sentence, 1), way, results);
      else
        over(part, way, results);
      if (training_) trainer_.update();
    }
    return results;
  }

 private:
  void over(std::span<const ParserSentence> part, Way way, std::vector<double>& results) {
    ComputationGraph cg;
    model_.ahead.new_graph(cg), model_.ahead.start_new_sequence();
    model_.stack.new_graph(cg), model_.stack.start_new_sequence();
    std::vector<Parse> parses;
    std::vector<Expression> scores;
    moves_.resize(examples);
    for (const ParserSentence& sentence : way == in_turns ? std::span<const ParserSentence>() : part) {
      Parse parse(cg, model_, sentence, training_);
      if (way == given)
        for (const unsigned move : moves_[sentence.number])
          scores.push_back(parse.scores()), parse.follow(move);
      else
        while (!parse.is_over()) parse.go_on(parse.scores().value().v);
      moves_[sentence.number] = parse.moves;
      parses.push_back(std::move(parse));
    }
    if (way == given && !training_) {
      std::vector<uint32_t> nodes;
      for (const Expression& e : scores) nodes.push_back(e.i);
      cg.graph().evaluator->evaluate(nodes);
    }
    if (way == in_turns)
      for (std::unique_ptr<Parse>& parse :
           run_batched(cg, [&](const ParserSentence& s) { return parse_in_turns(cg, s); }, part))
        parses.push_back(std::move(*parse));
    std::vector<Expression> losses;
    for (const Parse& parse : parses) {
      for (const unsigned move : parse.moves) results.push_back(move);
      losses.insert(losses.end(), parse.losses.begin(), parse.losses.end());
    }
    if (!training_) return;
    const Expression loss = sum(losses);
    cg.forward(loss);
    cg.backward(loss);
  }

  Task<std::unique_ptr<Parse>> parse_in_turns(ComputationGraph& cg, const ParserSentence& sentence) {
    auto parse = std::make_unique<Parse>(cg, model_, sentence, training_);
    while (!parse->is_over()) parse->go_on((co_await known(parse->scores())).v);
    co_return parse;
  }

  AskingParser model_;
  AdamTrainer trainer_{model_.collection};
  std::vector<Ids> moves_;  // of the last loop, by sentence
  bool training_;
};

void measure(unsigned size, unsigned rounds, bool training) {
  Passes passes(size, training);
  if (!training && (passes.run(each) != passes.run(in_turns) || passes.run(each) != passes.run(together) ||
                    passes.run(each) != passes.run(given)))
    std::fprintf(stderr, "THE MOVES DIFFER\n"), std::exit(1);
  unsigned counts[ways];
  const auto seconds = [&](unsigned way, unsigned count) {
    const double start = cpu_seconds();
    for (unsigned i = 0; i < count; ++i) passes.run(static_cast<Way>(way));
    return (cpu_seconds() - start) / count;
  };
  for (unsigned way = 0; way < ways; ++way) {
    seconds(way, 2);
    counts[way] = static_cast<unsigned>(least_seconds / seconds(way, 1)) + 1;
  }
  std::string measured[ways];
  for (unsigned round = 0; round < rounds; ++round)
    for (unsigned way = 0; way < ways; ++way)
      measured[way] += (round ? ", " : "") + std::to_string(seconds(way, counts[way]));
  std::printf("{\"program\": \"parser\", \"size\": %u, \"training\": %s, \"examples\": %u, \"seconds\": {",
              size, training ? "true" : "false", examples);
  for (unsigned way = 0; way < ways; ++way)
    std::printf("%s\"%s\": [%s]", way ? ", " : "", names[way], measured[way].c_str());
  std::printf("}}\n");
}

/// Microseconds of a round in which each of some tasks makes a product and waits for it, without kernels;
/// all but the building of the nodes, which is measured alone.
void measure_round() {
  choose_engine(*new NullEngine);
  ParameterCollection model;
  const Parameter weights = model.add_parameters({64, 64});
  constexpr unsigned steps = 100, rounds = 51;
  const std::vector<real> numbers(64, 0.f);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  for (const unsigned tasks : {1u, 8u, 32u}) {
    std::vector<double> building, all;
    for (unsigned round = 0; round < rounds; ++round) {
      const std::vector<unsigned> many(tasks);
      for (const bool waits : {false, true}) {
        ComputationGraph cg;
        const Expression w = parameter(cg, weights);
        const auto task = [&](unsigned) -> Task<> {
          Expression x = input(cg, {64}, numbers);
          for (unsigned i = 0; i < steps; ++i) {
            x = w * x;
            if (waits) co_await known(x);
          }
        };
        const auto start = now();
        run_batched(cg, task, many, tasks);
        const std::chrono::duration<double, std::micro> elapsed = now() - start;
        (waits ? all : building).push_back(elapsed.count() / steps);
      }
    }
    std::ranges::sort(building), std::ranges::sort(all);
    std::printf("{\"tasks\": %u, \"microseconds\": %.3f, \"building\": %.3f}\n", tasks,
                all[rounds / 2] - building[rounds / 2], building[rounds / 2]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "round") == 0) {
    measure_round();
  } else if (argc == 3) {
    chosen_engine().set_most_threads(1);
    reset_random(1);
    for (const bool training : {false, true})
      measure(static_cast<unsigned>(std::atoi(argv[1])), static_cast<unsigned>(std::atoi(argv[2])), training);
  } else {
    std::fprintf(stderr, "usage: %s SIZE ROUNDS, or %s round\n", argv[0], argv[0]);
    return 2;
  }
}
