// Distributions over structures, and what can be asked of them: chains of tags, segments, alignments, trees.
//
// A structure's score is the sum of the scores of its parts, and its probability is proportional to e^score.
// Scores of -inf forbid parts, which then have no gradient. Where no structure is allowed the log partition
// is -inf, the negative log likelihood inf, and gradients are 0.
#pragma once

#include "dynet/ops/structured.h"

namespace dynet::engine {

/// The operations of a kind of structure.
struct StructureKind;

}  // namespace dynet::engine

namespace dynet::structured {

/// A structure as it was found: its score, and what tells it. A score of -inf: there is none.
struct Found {
  real score;
  std::vector<int> told;
};
/// What best(), k_best() or sample() found: for each element of the mini-batch the structures, best first.
std::vector<std::vector<Found>> found(const Expression& told);

/// All structures of a kind over some scores.
class Distribution {
 public:
  /// log Σ e^score over all structures, {1}. Its gradient is the probability of each part.
  Expression log_partition() const;
  /// The score of a structure, {1}. Structures are given as the classes below say: one for each element of a
  /// mini-batch, one after another, or one for all.
  Expression score(engine::Indices given) const;
  /// −log of its probability, {1}.
  Expression nll(engine::Indices given) const;
  /// −log Σ e^score, {1}: a loss where all of the structures are right. It is inf where there is none, or 0
  /// with zero_infinity; without gradient either way.
  Expression loss(bool zero_infinity = false) const;
  /// The entropy, {1}, in nats.
  Expression entropy() const;
  /// How often each part of an argument is expected, in its shape.
  Expression marginals(unsigned argument = 0) const;
  /// The best structure; of equals the same one always. To be read by found().
  Expression best() const { return k_best(1); }
  /// The best k, a column each.
  Expression k_best(unsigned k) const;
  /// What is found by taking the best part that still fits, again and again: of assignments only.
  Expression greedy() const;
  /// One drawn by its probability.
  Expression sample() const;

 protected:
  Distribution(const engine::StructureKind& kind, std::vector<Expression> arguments, unsigned option = 0);
  /// What a kind has besides its scores, and for each element of a mini-batch, or once for all of them.
  void set_targets(std::vector<unsigned> words, unsigned each) {
    targets_ = std::move(words), target_ = each;
  }
  Expression likelihood(engine::Likelihood asked, engine::Indices given) const;

 private:
  void check_sums(const char* call) const;
  Expression best_structures(unsigned k) const;
  engine::StructureAttrs attributes(unsigned asked, size_t given) const;
  std::vector<unsigned> words_of(const char* call, engine::Indices given, size_t& each) const;
  std::span<const unsigned> target_of(size_t element) const;

  const engine::StructureKind& kind_;
  std::vector<Expression> arguments_;
  unsigned option_, target_ = 0;  // words of one target
  std::vector<unsigned> targets_;
};

/// Tags of words: emissions {tags, words}, transitions {tags, tags} of which (to, from) scores `to` after
/// `from`, and scores of the first and the last tag. A structure is the tag of each word.
struct LinearChain : Distribution {
  LinearChain(const Expression& emissions, const Expression& transitions);
  LinearChain(const Expression& emissions, const Expression& transitions, const Expression& start,
              const Expression& end);
};

/// Words cut into labelled segments: scores {labels, longest, words} of which (k, l − 1, t) scores the
/// segment of label k and length l that begins with word t; with transitions {labels, labels}, (to, from). A
/// structure is given as length and label of each segment, and told as (length − 1) · labels + label at its
/// first word, −1 at the others.
struct Segments : Distribution {
  explicit Segments(const Expression& scores);
  Segments(const Expression& scores, const Expression& transitions);
};

/// Connectionist temporal classification (Graves et al. 2006): paths of labels over frames that give a target
/// when repeats, then blanks, are removed; log_probs {labels, frames}. A structure is the label of each
/// frame; loss() is −log of the probability of the target.
struct CTC : Distribution {
  CTC(const Expression& log_probs, engine::Indices target, unsigned blank = 0);
  /// With a target of its own, of any length, for each element of the mini-batch.
  static CTC of_batch(const Expression& log_probs, std::span<const std::vector<unsigned>> targets,
                      unsigned blank = 0);
  /// The label sequence of the best path, or, of a beam of prefixes, the k of the greatest probability.
  static Expression decode(const Expression& log_probs, unsigned beam = 0, unsigned k = 1,
                           unsigned blank = 0);
};

/// Paths from the first cell of a matrix {rows, columns} to the last, by steps down, right or both. A
/// structure is the numbers of its cells, column · rows + row.
struct Alignment : Distribution {
  explicit Alignment(const Expression& scores);
};

/// The ways to edit a sequence into another: matches {rows, columns}, deletions {rows}, insertions {columns}.
/// A structure is its edits in order: column · rows + row, then numbers of deletions, then of insertions.
struct EditLattice : Distribution {
  EditLattice(const Expression& matches, const Expression& deletions, const Expression& insertions);
};

/// Binary trees over words, with a label for each span: {words, words, labels}, (first, last, label). A
/// structure is its 2 · words − 1 spans, (label · words + last) · words + first.
struct BinaryTrees : Distribution {
  explicit BinaryTrees(const Expression& spans);
};

/// Dependency trees without crossing arcs: {words + 1, words}, (head, word), the root first among heads. A
/// structure is the head of each word, 0 for the root.
struct ProjectiveTrees : Distribution {
  explicit ProjectiveTrees(const Expression& arcs, bool single_root = true);
};

/// All dependency trees, in the same form.
struct SpanningTrees : Distribution {
  explicit SpanningTrees(const Expression& arcs, bool single_root = true);
};

/// Pairs of rows and columns: only score(), best(), k_best() and greedy(). A structure is the column of each
/// row; what is no column: none.
struct Assignment : Distribution {
  explicit Assignment(const Expression& scores);
};

/// The least number of insertions, deletions and substitutions that make b of a.
unsigned edit_distance(engine::Indices a, engine::Indices b);

}  // namespace dynet::structured
