// Tells psalms, proverbs and gospels apart: the model of the quick start, in C++, with the same file.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "dynet/dynet.h"

// [data]
struct Verse {
  std::vector<std::string> words;
  std::string kind;
};

std::vector<Verse> read_verses(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::vector<Verse> verses;
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    std::istringstream text(line.substr(tab + 1));
    Verse verse;
    verse.kind = line.substr(0, tab);
    for (std::string word; text >> word;) verse.words.push_back(word);
    verses.push_back(verse);
  }
  return verses;
}
// [end of data]

// [model]
class KindOfBook {
 public:
  explicit KindOfBook(const std::vector<Verse>& verses, unsigned size = 32) {
    std::map<std::string, unsigned> counts, kinds;
    for (const Verse& verse : verses) {
      for (const std::string& word : verse.words) ++counts[word];
      kinds.emplace(verse.kind, 0);
    }
    for (const Verse& verse : verses)
      for (const std::string& word : verse.words)
        if (counts[word] >= 2) rows_.emplace(word, rows_.size() + 1);  // row 0 is for all others
    for (auto& [kind, row] : kinds) row = kinds_.size(), kinds_.push_back(kind);
    table_ = parameters.add_lookup_parameters(rows_.size() + 1, {size}, "words");
    weights_ = parameters.add_parameters({unsigned(kinds_.size()), size}, "weights");
    bias_ = parameters.add_parameters({unsigned(kinds_.size())}, dynet::ParameterInitConst(0), "bias");
  }

  /// A score of each kind; the greater, the likelier.
  dynet::Expression scores(dynet::ComputationGraph& graph, const Verse& verse) {
    std::vector<dynet::Expression> vectors;
    for (const std::string& word : verse.words) vectors.push_back(dynet::lookup(graph, table_, row(word)));
    return dynet::parameter(graph, weights_) * dynet::average(vectors) + dynet::parameter(graph, bias_);
  }

  dynet::Expression loss(dynet::ComputationGraph& graph, const Verse& verse) {
    const auto kind = std::find(kinds_.begin(), kinds_.end(), verse.kind);
    return dynet::pickneglogsoftmax(scores(graph, verse), unsigned(kind - kinds_.begin()));
  }

  double accuracy(const std::vector<Verse>& verses) {
    dynet::ComputationGraph graph;
    std::vector<dynet::Expression> all;
    for (const Verse& verse : verses) all.push_back(scores(graph, verse));
    graph.incremental_forward(dynet::concatenate_cols(all));  // one batch, not one run for each verse
    unsigned right = 0;
    for (size_t i = 0; i < verses.size(); ++i) {
      const std::vector<float> values = dynet::as_vector(all[i].value());
      const auto best = std::max_element(values.begin(), values.end());
      right += kinds_[best - values.begin()] == verses[i].kind;
    }
    return double(right) / verses.size();
  }

  dynet::ParameterCollection parameters;

 private:
  unsigned row(const std::string& word) const {
    const auto found = rows_.find(word);
    return found == rows_.end() ? 0 : found->second;
  }

  std::map<std::string, unsigned> rows_;
  std::vector<std::string> kinds_;
  dynet::LookupParameter table_;
  dynet::Parameter weights_, bias_;
};
// [end of model]

// [training]
void train(KindOfBook& model, std::vector<Verse> verses, unsigned epochs, size_t batch) {
  dynet::AdamTrainer trainer(model.parameters, 0.005);
  for (unsigned epoch = 0; epoch < epochs; ++epoch) {
    std::shuffle(verses.begin(), verses.end(), *dynet::rndeng);
    double total = 0;
    for (size_t start = 0; start < verses.size(); start += batch) {
      dynet::ComputationGraph graph;
      std::vector<dynet::Expression> losses;
      for (size_t i = start; i < std::min(start + batch, verses.size()); ++i)
        losses.push_back(model.loss(graph, verses[i]));
      const dynet::Expression loss = dynet::sum(losses);
      total += dynet::as_scalar(graph.forward(loss));
      graph.backward(loss);
      trainer.update();
    }
    std::cout << "epoch " << epoch + 1 << ": loss " << total / verses.size() << " a verse\n";
  }
}
// [end of training]

// [main]
int main(int argc, char** argv) {
  dynet::initialize(argc, argv);  // takes --dynet-seed and the like out of the command line
  if (argc != 3) {
    std::cerr << "usage: verses verses.tsv FILE.model\n";
    return 2;
  }
  std::vector<Verse> training, held_out;
  for (const Verse& verse : read_verses(argv[1]))
    ((training.size() + held_out.size()) % 5 ? training : held_out).push_back(verse);
  KindOfBook model(training);
  train(model, training, 8, 16);
  dynet::TextFileSaver(argv[2]).save(model.parameters);
  std::cout << "held out: " << model.accuracy(held_out) << " right\n";
}
// [end of main]
