// The stack-LSTM parser of asking.py, which looks at its scores before each move.
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "benchmarks/models/program.h"

namespace benchmarks {

enum Move : unsigned { shift, left, right };

struct ParserSentence {
  unsigned number;
  Ids words;
  std::vector<int> heads;  // -1: the root
};

struct Layer {
  Layer(ParameterCollection& model, unsigned inputs, unsigned outputs)
      : bias(model.add_parameters({outputs}, ParameterInitConst(0))),
        weights(model.add_parameters({outputs, inputs})) {}
  Expression operator()(ComputationGraph& cg, const Expression& x) const {
    return affine_transform({parameter(cg, bias), parameter(cg, weights), x});
  }
  Parameter bias, weights;
};

struct AskingParser {
  static constexpr unsigned vocabulary = 1000, mean_length = 20;

  AskingParser(unsigned size, unsigned count);

  const unsigned size;
  ParameterCollection collection;
  LookupParameter words = collection.add_lookup_parameters(vocabulary, {size});
  VanillaLSTMBuilder ahead{1, size, size, collection}, stack{1, size, size, collection};
  Layer left_layer{collection, 2 * size, size}, right_layer{collection, 2 * size, size};
  Layer hidden{collection, 2 * size, size}, output{collection, size, 3};
  Parameter root = collection.add_parameters({size});
  std::vector<ParserSentence> sentences;
};

/// A sentence half parsed.
class Parse {
 public:
  Parse(ComputationGraph& cg, AskingParser& model, const ParserSentence& sentence, bool training);
  bool is_over() const { return place_ == sentence_.words.size() && stack_.size() < 2; }
  /// A score of each move.
  Expression scores();
  /// Makes the best move, or in training at times the right one.
  void go_on(const real* scores) { follow(chosen(scores)); }
  /// Makes a move that is known.
  void follow(unsigned move);

  Ids moves;
  std::vector<Expression> losses;

 private:
  unsigned chosen(const real* scores);
  Move right_move() const;
  bool may(Move move) const { return move == shift ? place_ < sentence_.words.size() : stack_.size() > 1; }
  void make(Move move);

  ComputationGraph& cg_;
  AskingParser& model_;
  const ParserSentence& sentence_;
  const bool training_;
  std::minstd_rand random_;
  std::vector<Expression> vectors_, ahead_;
  std::vector<RNNPointer> states_;
  Ids stack_;
  size_t place_ = 0;
  Expression scores_;
};

}  // namespace benchmarks
