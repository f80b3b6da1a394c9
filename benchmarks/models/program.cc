// Makes the programs by name, and trains them.
#include "benchmarks/models/program.h"

#include <stdexcept>

namespace benchmarks {

Ids read_ids(std::istream& corpus) {
  size_t count = 0;
  corpus >> count;
  Ids ids(count);
  for (unsigned& id : ids) corpus >> id;
  return ids;
}

std::unique_ptr<Program> make_program(const std::string& task, std::istream& corpus) {
  if (task == "rnnlm") return make_rnnlm(corpus, false);
  if (task == "rnnlm_bulk") return make_rnnlm(corpus, true);
  if (task == "tagger") return make_tagger(corpus, false);
  if (task == "tagger_char") return make_tagger(corpus, true);
  if (task == "treelstm") return make_treelstm(corpus);
  throw std::invalid_argument("no task has the name " + task);
}

double train(Program& program, Trainer& trainer, size_t batch) {
  ComputationGraph cg;
  const Expression loss = program.loss(cg, batch);
  const double value = as_scalar(cg.forward(loss));
  cg.backward(loss);
  trainer.update();
  return value;
}

std::unique_ptr<Trainer> make_trainer(Program& program) {
  auto trainer = std::make_unique<AdamTrainer>(program.collection);
  trainer->clipping_enabled = false;
  trainer->set_sparse_updates(true);
  return trainer;
}

}  // namespace benchmarks
