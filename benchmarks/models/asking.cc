// The moves of the parser, and the sentences that it parses.
#include "benchmarks/models/asking.h"

#include <numeric>

namespace benchmarks {

namespace {

/// A random tree without crossing arcs.
std::vector<int> random_tree(unsigned count, std::minstd_rand& random) {
  std::vector<int> heads(count, -1);
  Ids roots(count);
  std::iota(roots.begin(), roots.end(), 0u);
  while (roots.size() > 1) {
    const size_t i = random() % (roots.size() - 1);
    const size_t child = random() % 2;
    heads[roots[i + child]] = static_cast<int>(roots[i + 1 - child]);
    roots.erase(roots.begin() + static_cast<std::ptrdiff_t>(i + child));
  }
  return heads;
}

}  // namespace

AskingParser::AskingParser(unsigned numbers, unsigned count) : size(numbers) {
  std::minstd_rand random(1);
  for (unsigned number = 0; number < count; ++number) {
    const unsigned shortest = mean_length * 2 / 3, longest = mean_length * 4 / 3;
    Ids ids(shortest + random() % (longest - shortest + 1));
    for (unsigned& id : ids) id = random() % vocabulary;
    std::vector<int> heads = random_tree(static_cast<unsigned>(ids.size()), random);
    sentences.push_back({number, std::move(ids), std::move(heads)});
  }
}

Parse::Parse(ComputationGraph& cg, AskingParser& model, const ParserSentence& sentence, bool training)
    : cg_(cg), model_(model), sentence_(sentence), training_(training), random_(sentence.number + 1) {
  for (const unsigned word : sentence.words) vectors_.push_back(lookup(cg, model.words, word));
  std::vector<Expression> backwards(vectors_.rbegin(), vectors_.rend());
  RNNPointer state = -1;
  for (const Expression& x : backwards) {
    ahead_.push_back(model.ahead.add_input(state, x));
    state = model.ahead.state();
  }
  std::ranges::reverse(ahead_);
  const Expression root = parameter(cg, model.root);
  ahead_.push_back(root);
  model.stack.add_input(-1, root);
  states_.push_back(model.stack.state());
}

Expression Parse::scores() {
  const Expression seen = concatenate({model_.stack.output(states_.back()), ahead_[place_]});
  return scores_ = model_.output(cg_, tanh(model_.hidden(cg_, seen)));
}

unsigned Parse::chosen(const real* scores) {
  Move best = shift;
  bool any = false;
  for (const Move move : {shift, left, right})
    if (may(move) && (!any || scores[move] > scores[best])) best = move, any = true;
  return training_ && random_() % 10 == 0 ? right_move() : best;
}

void Parse::follow(unsigned move) {
  if (training_) losses.push_back(pickneglogsoftmax(scores_, right_move()));
  make(static_cast<Move>(move));
}

/// A move towards the tree: a word is attached when nothing that is ahead belongs to it.
Move Parse::right_move() const {
  if (may(left)) {
    const unsigned below = stack_[stack_.size() - 2], top = stack_.back();
    if (sentence_.heads[below] == static_cast<int>(top)) return left;
    const auto begin = sentence_.heads.begin() + static_cast<std::ptrdiff_t>(place_);
    if (sentence_.heads[top] == static_cast<int>(below) &&
        std::find(begin, sentence_.heads.end(), static_cast<int>(top)) == sentence_.heads.end())
      return right;
  }
  return may(shift) ? shift : right;
}

void Parse::make(Move move) {
  moves.push_back(move);
  if (move == shift) {
    stack_.push_back(static_cast<unsigned>(place_++));
  } else {
    const unsigned top = stack_.back(), below = stack_[stack_.size() - 2];
    const unsigned head = move == left ? top : below, child = move == left ? below : top;
    const Layer& layer = move == left ? model_.left_layer : model_.right_layer;
    vectors_[head] = tanh(layer(cg_, concatenate({vectors_[head], vectors_[child]})));
    states_.resize(states_.size() - 2);
    stack_.pop_back();
    stack_.back() = head;
  }
  model_.stack.add_input(states_.back(), vectors_[stack_.back()]);
  states_.push_back(model_.stack.state());
}

}  // namespace benchmarks
