// Binary TreeLSTM with a label loss at every node.
#include <array>

#include "benchmarks/models/program.h"

namespace benchmarks {
namespace {

/// A node: a word, or two children.
struct Tree {
  unsigned label = 0, word = 0;
  std::unique_ptr<Tree> left, right;
};

/// Reads the label, and then 1 and the word, or 0 and both children.
std::unique_ptr<Tree> read_tree(std::istream& corpus) {
  auto tree = std::make_unique<Tree>();
  bool is_leaf = false;
  corpus >> tree->label >> is_leaf;
  if (is_leaf) {
    corpus >> tree->word;
  } else {
    tree->left = read_tree(corpus);
    tree->right = read_tree(corpus);
  }
  return tree;
}

constexpr size_t gates = 3;  // input, output, update

class TreeProgram final : public Program {
 public:
  explicit TreeProgram(std::istream& corpus) {
    read_batches(corpus, [&](unsigned trees) {
      batches_.emplace_back();
      while (trees-- > 0) batches_.back().push_back(read_tree(corpus));
    });
    words_ = collection.add_lookup_parameters(tree_vocabulary, {tree_embedding});
    for (Parameter& weights : leaf_weights_)
      weights = collection.add_parameters({tree_hidden, tree_embedding});
    for (Parameter& weights : inner_weights_)
      weights = collection.add_parameters({tree_hidden, 2 * tree_hidden});
    for (Parameter& bias : biases_) bias = collection.add_parameters({tree_hidden});
    left_forget_ = collection.add_parameters({tree_hidden, tree_hidden});
    right_forget_ = collection.add_parameters({tree_hidden, tree_hidden});
    forget_bias_ = collection.add_parameters({tree_hidden});
    label_weights_ = collection.add_parameters({tree_labels, tree_hidden});
  }

  Expression loss(ComputationGraph& cg, size_t batch) override {
    const Weights weights(cg, *this);
    losses_.clear();
    for (const auto& tree : batches_[batch]) encode(cg, weights, *tree);
    return sum(losses_);
  }

 private:
  /// The parameters in a graph.
  struct Weights {
    std::array<Expression, gates> leaf, inner, bias;
    Expression left_forget, right_forget, forget_bias, label;

    Weights(ComputationGraph& cg, const TreeProgram& program)
        : left_forget(parameter(cg, program.left_forget_)),
          right_forget(parameter(cg, program.right_forget_)),
          forget_bias(parameter(cg, program.forget_bias_)),
          label(parameter(cg, program.label_weights_)) {
      for (size_t i = 0; i < gates; ++i) {
        leaf[i] = parameter(cg, program.leaf_weights_[i]);
        inner[i] = parameter(cg, program.inner_weights_[i]);
        bias[i] = parameter(cg, program.biases_[i]);
      }
    }
  };
  struct State {
    Expression hidden, cell;
  };

  /// The state of a node; its loss and those below it are added to the list.
  State encode(ComputationGraph& cg, const Weights& weights, const Tree& tree) {
    Expression output, cell;
    if (!tree.left) {
      std::tie(output, cell) = gated(weights, weights.leaf, lookup(cg, words_, tree.word));
    } else {
      const State left = encode(cg, weights, *tree.left), right = encode(cg, weights, *tree.right);
      std::tie(output, cell) = gated(weights, weights.inner, concatenate({left.hidden, right.hidden}));
      const Expression left_kept = cmult(forget(weights, weights.left_forget, left.hidden), left.cell);
      const Expression right_kept = cmult(forget(weights, weights.right_forget, right.hidden), right.cell);
      cell = cell + left_kept + right_kept;
    }
    const Expression hidden = cmult(output, tanh(cell));
    losses_.push_back(pickneglogsoftmax(weights.label * hidden, tree.label));
    return {hidden, cell};
  }

  /// The output gate and the new part of the cell.
  static std::pair<Expression, Expression> gated(const Weights& weights,
                                                 const std::array<Expression, gates>& matrices,
                                                 const Expression& x) {
    const Expression accept = affine_transform({weights.bias[0], matrices[0], x});
    const Expression output = affine_transform({weights.bias[1], matrices[1], x});
    const Expression update = affine_transform({weights.bias[2], matrices[2], x});
    const Expression open = logistic(output);
    return {open, cmult(logistic(accept), tanh(update))};
  }

  /// The forget gate of one child.
  static Expression forget(const Weights& weights, const Expression& matrix, const Expression& hidden) {
    return logistic(affine_transform({weights.forget_bias, matrix, hidden}));
  }

  std::vector<std::vector<std::unique_ptr<Tree>>> batches_;
  LookupParameter words_;
  std::array<Parameter, gates> leaf_weights_, inner_weights_, biases_;
  Parameter left_forget_, right_forget_, forget_bias_, label_weights_;
  std::vector<Expression> losses_;
};

}  // namespace

std::unique_ptr<Program> make_treelstm(std::istream& corpus) { return std::make_unique<TreeProgram>(corpus); }

}  // namespace benchmarks
