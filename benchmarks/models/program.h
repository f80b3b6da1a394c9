// What the benchmark programs in C++ share: a model that makes the loss of a minibatch, written as a user
// would.
#pragma once

#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "dynet/dynet.h"

namespace benchmarks {

using namespace dynet;
using namespace dynet::engine;

// Layer sizes and vocabularies as in models/sizes.py and data.py.
constexpr unsigned rnnlm_vocabulary = 10000, rnnlm_embedding = 128, rnnlm_hidden = 256;
constexpr unsigned tagger_vocabulary = 100000, tagger_embedding = 128, tagger_hidden = 50;
constexpr unsigned tagger_perceptron = 32, tags = 9;
constexpr unsigned characters = 150, character_embedding = 20, character_hidden = tagger_embedding / 2;
constexpr unsigned tree_vocabulary = 18280, tree_embedding = 128, tree_hidden = 128, tree_labels = 5;

using Ids = std::vector<unsigned>;

/// How much is in a minibatch.
struct Size {
  unsigned sentences, words;
};

/// A model and the minibatches of its corpus. The parameters are made in the order of the Python programs.
class Program {
 public:
  virtual ~Program() = default;
  /// The summed loss of a minibatch.
  virtual Expression loss(ComputationGraph& cg, size_t batch) = 0;

  ParameterCollection collection;
  std::vector<Size> sizes;  // of the minibatches

 protected:
  /// Reads the corpus: read(sentences) is called at the content of each minibatch.
  template <class Read>
  void read_batches(std::istream& corpus, Read&& read) {
    size_t count = 0;
    corpus >> count;
    sizes.resize(count);
    for (Size& size : sizes) {
      corpus >> size.sentences >> size.words;
      read(size.sentences);
    }
  }
};

/// A list that begins with its length.
Ids read_ids(std::istream& corpus);

/// The model of a task of tasks.py, with a corpus that corpus.py wrote.
std::unique_ptr<Program> make_program(const std::string& task, std::istream& corpus);

// One for each file of this folder.
std::unique_ptr<Program> make_rnnlm(std::istream& corpus, bool in_bulk);
std::unique_ptr<Program> make_tagger(std::istream& corpus, bool spells_rare_words);
std::unique_ptr<Program> make_treelstm(std::istream& corpus);

/// One training step on a minibatch, as all benchmarks make it; returns the loss before the update.
double train(Program& model, Trainer& trainer, size_t batch);
/// Adam without clipping, updating only the looked-up rows of lookup tables.
std::unique_ptr<Trainer> make_trainer(Program& model);

}  // namespace benchmarks
