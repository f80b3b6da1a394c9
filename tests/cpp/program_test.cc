// What a program has around its model: options of the command line, and processes that learn together.
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace dynet;
using test::check;
using test::check_throws;

namespace {

/// A command line; initialize takes its own options out of it.
struct CommandLine {
  explicit CommandLine(std::vector<std::string> words) : words(std::move(words)) {
    for (std::string& word : this->words) pointers.push_back(word.data());
    count = static_cast<int>(pointers.size());
    start = pointers.data();
  }
  std::vector<std::string> words;
  std::vector<char*> pointers;
  int count;
  char** start;
};

DynetParams parsed(std::vector<std::string> words) {
  CommandLine line(std::move(words));
  return extract_dynet_params(line.count, line.start);
}

void options() {
  CommandLine line({"program", "--dynet-seed", "7", "mine", "--dynet_autobatch=0", "--dynet-mem", "512,1,1,1",
                    "--dynet-weight-decay", "0.25", "--mine", "--dynet-threads=2", "--dynet-profiling", "1"});
  const DynetParams params = extract_dynet_params(line.count, line.start, true);
  check(line.count == 3 && std::string(line.start[1]) == "mine" && std::string(line.start[2]) == "--mine",
        "what is the program's own stays");
  check(params.random_seed == 7 && params.autobatch == 0 && params.weight_decay == 0.25f, "values");
  check(params.threads == 2 && params.profiling == 1 && params.shared_parameters, "more values");
  check(parsed({"program"}).autobatch == 1, "batching is on from the start");
  check(parsed({"program", "--dynet-devices", "CPU"}).cpu_requested, "the CPU");
  check_throws<std::invalid_argument>("--dynet-seed expects an argument",
                                      [] { parsed({"p", "--dynet-seed"}); });
  check_throws<std::invalid_argument>("'x' was given; a whole number is needed",
                                      [] { parsed({"p", "--dynet-seed", "x"}); });
  check_throws<std::invalid_argument>("a number from 0 on is needed",
                                      [] { parsed({"p", "--dynet-seed=-1"}); });
  check_throws<std::invalid_argument>("a number is needed", [] { parsed({"p", "--dynet-weight-decay=x"}); });
  check_throws<std::invalid_argument>("'CPU' is needed", [] { parsed({"p", "--dynet-devices=TPU"}); });
  check_throws<std::runtime_error>("without GPUs", [] { parsed({"p", "--dynet-gpus", "1"}); });
  DynetParams wrong;
  wrong.requested_gpus = 2;
  check_throws<std::runtime_error>("2 GPUs were asked for", [&] { initialize(wrong); });
}

/// Words whose sum of table rows shall be the number.
struct Datum {
  unsigned row;
  real number;
};

class Learner : public mp::ILearner<Datum, real> {
 public:
  explicit Learner(ParameterCollection& m)
      : table(m.add_lookup_parameters(4, {1})), scale(m.add_parameters({1})) {}
  real LearnFromDatum(const Datum& datum, bool learn) override {
    if (datum.row == 98) engine::invalid("a datum that cannot be learned");
    if (datum.row == 99) std::raise(SIGKILL);
    ComputationGraph cg;
    const Expression y = cmult(parameter(cg, scale), lookup(cg, table, datum.row));
    const Expression loss = squared_distance(y, input(cg, datum.number));
    const real number = as_scalar(loss.value());
    if (learn) loss.backward();
    return number;
  }
  void SaveModel() override {}

  LookupParameter table;
  Parameter scale;
};

std::vector<real> gradients(const Learner& learner) {
  std::vector<real> all = as_vector(*learner.scale.gradients());
  for (const Tensor& row : *learner.table.gradients()) all.push_back(*row.v);
  return all;
}

/// Reads a value while it learns, which multiplies the decay so far into the values.
struct Reader : Learner {
  using Learner::Learner;
  real LearnFromDatum(const Datum& datum, bool learn) override {
    scale.values();
    return Learner::LearnFromDatum(datum, learn);
  }
};

void decay_of_workers(const std::vector<Datum>& data) {
  ParameterCollection m;
  m.set_weight_decay_lambda(real(0.1));
  Reader reader(m);
  SimpleSGDTrainer trainer(m, 0);
  const real before = reader.scale.values()->v[0];
  mp::run_mp_minibatch_trainer<Datum, real>(1, &reader, &trainer, data);
  const double expected = before * std::pow(0.9, static_cast<double>(trainer.updates));
  check(trainer.updates == 5 && std::abs(reader.scale.values()->v[0] - expected) < 1e-6,
        "decay of all updates");
}

void workers() {
  const std::vector<Datum> data = {{0, 1}, {1, 2}, {0, 3}, {3, 4}, {1, 5}};
  {
    ParameterCollection m;
    Learner learner(m);
    check_throws<std::runtime_error>("initialize(argc, argv, true)",
                                     [&] { mp::run_mp_minibatch(2, &learner, data); });
  }
  DynetParams params;
  params.shared_parameters = true;
  initialize(params);
  ParameterCollection m;
  Learner learner(m);
  const real one_loss = mp::run_mp_minibatch(1, &learner, data);
  const std::vector<real> expected = gradients(learner);
  m.reset_gradient();
  const real loss = mp::run_mp_minibatch(3, &learner, data);
  const std::vector<real> got = gradients(learner);
  check(std::abs(loss - one_loss) < 1e-4, "the losses of all workers");
  for (size_t i = 0; i < got.size(); ++i) check(std::abs(got[i] - expected[i]) < 1e-3, "and their gradients");
  check(learner.table.get_storage().touched.size() == 3, "rows that were used");
  m.reset_gradient();

  AdamTrainer trainer(m, 0.05);
  for (int i = 0; i < 5; ++i) mp::run_mp_minibatch_trainer<Datum, real>(2, &learner, &trainer, data);
  check(
      trainer.updates == 25 && mp::run_sp_minibatch_trainer<Datum, real>(&learner, &trainer, data) < one_loss,
      "no update is lost");
  check(m.gradient_l2_norm() == 0, "no gradient is left");
  check_throws<std::runtime_error>("a worker process failed: a datum that cannot be learned",
                                   [&] { mp::run_mp_minibatch(2, &learner, {{98, 0}, {0, 1}}); });
  check_throws<std::runtime_error>("ended by signal 9",
                                   [&] { mp::run_mp_minibatch(2, &learner, {{99, 0}, {0, 1}}); });
  check_throws<std::invalid_argument>("must be positive", [&] {
    mp::run_single_process<Datum, real>(&learner, &trainer, data, data, 1, 0, 1);
  });
  decay_of_workers(data);
  trainer.restart();
  SimpleSGDTrainer averaged(m);
  averaged.cumulative_moving_average();
  check_throws<std::runtime_error>(
      "moving averages", [&] { mp::run_mp_minibatch_trainer<Datum, real>(2, &learner, &averaged, data); });
  initialize(DynetParams());
}

void vectors() {
  std::ofstream("program.vectors") << "2 3\na 1 2 3\nb 4 5 6\n";
  Dict dict;
  std::unordered_map<int, std::vector<real>> read;
  read_pretrained_embeddings("program.vectors", dict, read);
  check(dict.size() == 2 && read.at(dict.convert("b")) == std::vector<real>{4, 5, 6}, "with a first line");
  std::ofstream("program.vectors") << "a 1 2 3\nb 4 x 6\n";
  check_throws<std::runtime_error>("line 2: a word and 3 numbers are needed",
                                   [&] { read_pretrained_embeddings("program.vectors", dict, read); });
  std::remove("program.vectors");
  check_throws<std::runtime_error>("Could not read word vectors from program.vectors",
                                   [&] { read_pretrained_embeddings("program.vectors", dict, read); });
}

}  // namespace

int main() {
  options(), workers(), vectors();
  return test::finish();
}
