// Bidirectional LSTM tagger, the program of the DyNet paper; rare words may be spelled by a character LSTM.
#include "benchmarks/models/program.h"

namespace benchmarks {
namespace {

struct Sentence {
  Ids words, tags;
  std::vector<Ids> spellings;  // empty for words that are not rare
};

Sentence read_sentence(std::istream& corpus) {
  Sentence sentence{read_ids(corpus), read_ids(corpus), {}};
  for (size_t i = 0; i < sentence.words.size(); ++i) sentence.spellings.push_back(read_ids(corpus));
  return sentence;
}

class Tagger final : public Program {
 public:
  Tagger(std::istream& corpus, bool spells) : spells_rare_words_(spells) {
    read_batches(corpus, [&](unsigned sentences) {
      batches_.emplace_back();
      while (sentences-- > 0) batches_.back().push_back(read_sentence(corpus));
    });
    if (!spells) return;
    table_of_characters_ = collection.add_lookup_parameters(characters, {character_embedding});
    first_ = VanillaLSTMBuilder(1, character_embedding, character_hidden, collection);
    last_ = VanillaLSTMBuilder(1, character_embedding, character_hidden, collection);
  }

  Expression loss(ComputationGraph& cg, size_t batch) override {
    forward_.new_graph(cg);
    backward_.new_graph(cg);
    if (spells_rare_words_) {
      first_.new_graph(cg);
      last_.new_graph(cg);
    }
    const Expression inner = parameter(cg, inner_), outer = parameter(cg, outer_);
    losses_.clear();
    for (const Sentence& sentence : batches_[batch]) {
      read_in_both_directions(cg, sentence);
      const size_t length = sentence.words.size();
      for (size_t i = 0; i < length; ++i) {
        const Expression both = concatenate({from_left_[i], from_right_[length - 1 - i]});
        losses_.push_back(pickneglogsoftmax(outer * tanh(inner * both), sentence.tags[i]));
      }
    }
    return sum(losses_);
  }

 private:
  void read_in_both_directions(ComputationGraph& cg, const Sentence& sentence) {
    inputs_.clear();
    for (size_t i = 0; i < sentence.words.size(); ++i) {
      const Ids& spelling = sentence.spellings[i];
      const bool spelled = spells_rare_words_ && !spelling.empty();
      inputs_.push_back(spelled ? spell(cg, spelling) : lookup(cg, table_of_words_, sentence.words[i]));
    }
    forward_.start_new_sequence();
    forward_.transduce(inputs_, from_left_);
    std::reverse(inputs_.begin(), inputs_.end());
    backward_.start_new_sequence();
    backward_.transduce(inputs_, from_right_);
  }

  Expression spell(ComputationGraph& cg, const Ids& spelling) {
    first_.start_new_sequence();
    for (const unsigned character : spelling) first_.add_input(lookup(cg, table_of_characters_, character));
    last_.start_new_sequence();
    for (size_t i = spelling.size(); i-- > 0;) last_.add_input(lookup(cg, table_of_characters_, spelling[i]));
    return concatenate({first_.back(), last_.back()});
  }

  std::vector<std::vector<Sentence>> batches_;
  bool spells_rare_words_;
  LookupParameter table_of_words_ = collection.add_lookup_parameters(tagger_vocabulary, {tagger_embedding});
  Parameter inner_ = collection.add_parameters({tagger_perceptron, 2 * tagger_hidden});
  Parameter outer_ = collection.add_parameters({tags, tagger_perceptron});
  VanillaLSTMBuilder forward_{1, tagger_embedding, tagger_hidden, collection};
  VanillaLSTMBuilder backward_{1, tagger_embedding, tagger_hidden, collection};
  LookupParameter table_of_characters_;
  VanillaLSTMBuilder first_, last_;
  std::vector<Expression> inputs_, from_left_, from_right_, losses_;
};

}  // namespace

std::unique_ptr<Program> make_tagger(std::istream& corpus, bool spells_rare_words) {
  return std::make_unique<Tagger>(corpus, spells_rare_words);
}

}  // namespace benchmarks
