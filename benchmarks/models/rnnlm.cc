// Recurrent language model, the program of the DyNet paper: one softmax per time step, or one over all of
// them.
#include "benchmarks/models/program.h"

namespace benchmarks {
namespace {

/// A minibatch, time step by time step.
struct Step {
  Ids words, targets;
  std::vector<real> mask;  // 0 where a sentence has ended
};

/// Pads sentences, of which the first is the longest; the word before the first is the sentence boundary, 0.
std::vector<Step> pad(const std::vector<Ids>& sentences) {
  std::vector<Step> steps(sentences[0].size());
  Ids words(sentences.size(), 0);
  for (size_t i = 0; i < steps.size(); ++i) {
    steps[i].words = words;
    for (size_t column = 0; column < sentences.size(); ++column) {
      const bool goes_on = i < sentences[column].size();
      words[column] = goes_on ? sentences[column][i] : 0;
      steps[i].mask.push_back(goes_on ? real(1) : real(0));
    }
    steps[i].targets = words;
  }
  return steps;
}

class LanguageModel final : public Program {
 public:
  LanguageModel(std::istream& corpus, bool in_bulk) : in_bulk_(in_bulk) {
    read_batches(corpus, [&](unsigned count) {
      std::vector<Ids> sentences(count);
      for (Ids& sentence : sentences) sentence = read_ids(corpus);
      batches_.push_back(pad(sentences));
    });
  }

  Expression loss(ComputationGraph& cg, size_t batch) override {
    lstm_.new_graph(cg);
    lstm_.start_new_sequence();
    const Expression weights = parameter(cg, weights_), bias = parameter(cg, bias_);
    return in_bulk_ ? loss_in_bulk(cg, weights, bias, batches_[batch])
                    : loss_by_step(cg, weights, bias, batches_[batch]);
  }

 private:
  Expression loss_by_step(ComputationGraph& cg, const Expression& weights, const Expression& bias,
                          const std::vector<Step>& steps) {
    losses_.clear();
    for (const Step& step : steps) {
      const Expression hidden = lstm_.add_input(lookup(cg, embeddings_, step.words));
      Expression loss = pickneglogsoftmax(affine_transform({bias, weights, hidden}), step.targets);
      if (step.mask.back() == 0) loss = masked(cg, loss, step.mask);
      losses_.push_back(loss);
    }
    return sum_batches(sum(losses_));
  }

  Expression loss_in_bulk(ComputationGraph& cg, const Expression& weights, const Expression& bias,
                          const std::vector<Step>& steps) {
    Ids targets;
    std::vector<real> mask;
    std::vector<Expression> inputs;
    for (const Step& step : steps) {
      inputs.push_back(lookup(cg, embeddings_, step.words));
      targets.insert(targets.end(), step.targets.begin(), step.targets.end());
      mask.insert(mask.end(), step.mask.begin(), step.mask.end());
    }
    const Expression hidden = concatenate_to_batch(lstm_.transduce(inputs));
    Expression loss = pickneglogsoftmax(affine_transform({bias, weights, hidden}), targets);
    if (steps.back().mask.back() == 0) loss = masked(cg, loss, mask);
    return sum_batches(loss);
  }

  /// Zeroes the losses of padding.
  static Expression masked(ComputationGraph& cg, const Expression& loss, const std::vector<real>& mask) {
    return cmult(loss, input(cg, Dim({1}, static_cast<unsigned>(mask.size())), mask));
  }

  std::vector<std::vector<Step>> batches_;
  bool in_bulk_;
  LookupParameter embeddings_ = collection.add_lookup_parameters(rnnlm_vocabulary, {rnnlm_embedding});
  VanillaLSTMBuilder lstm_{1, rnnlm_embedding, rnnlm_hidden, collection};
  Parameter weights_ = collection.add_parameters({rnnlm_vocabulary, rnnlm_hidden});
  Parameter bias_ = collection.add_parameters({rnnlm_vocabulary});
  std::vector<Expression> losses_;
};

}  // namespace

std::unique_ptr<Program> make_rnnlm(std::istream& corpus, bool in_bulk) {
  return std::make_unique<LanguageModel>(corpus, in_bulk);
}

}  // namespace benchmarks
