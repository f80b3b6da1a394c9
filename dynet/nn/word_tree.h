// Softmax layers that reach a word by decisions along a tree of classes.
#pragma once

#include <filesystem>

#include "dynet/core/dict.h"
#include "dynet/nn/softmax.h"

namespace dynet::engine {

/// A word, and the names of the classes on the way to it from the root on.
struct WordPath {
  std::vector<std::string> classes;
  std::string word;
};
using WordPaths = std::vector<WordPath>;

}  // namespace dynet::engine

namespace dynet {

/// What is common to the softmax builders with classes: −log p(word) is the sum over the decisions on its
/// way. A class with one outcome decides nothing and has no parameters.
class WordTreeBuilder : public SoftmaxBuilder {
 public:
  /// std::invalid_argument for a word that is in no class.
  Expression neg_log_softmax(const Expression& x, unsigned word) override;
  /// Elements that meet the same decision are computed together.
  Expression neg_log_softmax(const Expression& x, engine::Indices words) override;
  unsigned sample(const Expression& x) override;
  /// In order of the vocabulary; −10000 for words in no class.
  Expression full_log_distribution(const Expression& x) override;
  /// The same: logarithms of probabilities are logits.
  Expression full_logits(const Expression& x) override { return full_log_distribution(x); }

  unsigned rep_dim() const { return rep_dim_; }
  /// What the tree was made of: files of classes hold no more.
  const engine::WordPaths& word_paths() const { return paths_; }
  const std::vector<std::string>& vocabulary() const { return vocabulary_; }

 protected:
  /// How a class decides: whether two outcomes share one logistic unit, and whether there are biases.
  struct Form {
    const char* collection;
    bool logistic, bias;
  };
  WordTreeBuilder(const Form&, unsigned rep_dim, engine::WordPaths paths, Dict& dict,
                  ParameterCollection& model);

  struct Outcome {
    bool is_word;
    unsigned id;  // of a word in the vocabulary, or of a class in classes_
  };
  struct Class {
    std::vector<Outcome> outcomes;
    Parameter weights, bias;
  };
  /// {n} for n outcomes.
  Expression logits(const Class& decision, const Expression& x) const;
  Expression log_distribution(const Class& decision, const Expression& x) const;

  std::vector<Class> classes_;  // the root first, each class before those in it

 private:
  struct Step {
    unsigned decision, outcome;  // a place in classes_, and which of its outcomes
  };
  struct Word {
    bool known = false;
    std::vector<Step> steps;  // without those that decide nothing
  };

  void add_paths(Dict& dict);
  void add_parameters(const Form&);
  void find_steps();
  const Word& word_of(unsigned id) const;
  Expression losses_at(size_t depth, const Expression& x, engine::Indices words) const;

  unsigned rep_dim_;
  engine::WordPaths paths_;
  std::vector<std::string> vocabulary_;
  std::vector<Word> words_;
};

class ClassFactoredSoftmaxBuilder : public WordTreeBuilder {
 public:
  static constexpr auto doc = R"(
      A softmax in two steps, p(word | x) = p(class | x) p(word | class, x); with √n classes of √n words a
      word costs 2 √n scores instead of n. A line of cluster_file is a class, white space and a word; dic
      maps the words to 0, 1, 2, … and must know all words of the file. A word in no class is a ValueError
      in neg_log_softmax and has the log probability -10000 elsewhere. Without bias, decisions have none.
      (Goodman 2001)

      >>> with open("classes.txt", "w") as file: _ = file.write("noun dog\nnoun cat\nverb runs\n")
      >>> m, ids = dy.ParameterCollection(), {"dog": 0, "cat": 1, "runs": 2}
      >>> softmax = dy.ClassFactoredSoftmaxBuilder(3, "classes.txt", ids, m)
      >>> round(dy.exp(softmax.full_log_distribution(dy.inputVector([1, 2, 3]))).npvalue().sum().item(), 4)
      1.0)";

  /// A line of the file is CLASS, white space, and a word; what follows has no meaning. Words that the
  /// vocabulary does not know are added to it; std::runtime_error if it is frozen.
  ClassFactoredSoftmaxBuilder(unsigned rep_dim, const std::filesystem::path& cluster_file, Dict& dict,
                              ParameterCollection& model, bool bias = true);
  /// From paths of one class each.
  ClassFactoredSoftmaxBuilder(unsigned rep_dim, engine::WordPaths paths, Dict& dict,
                              ParameterCollection& model, bool bias = true);
  const char* name() const override { return "ClassFactoredSoftmaxBuilder"; }

  /// Of the classes, numbered as they come in the file: {K}.
  Expression class_log_distribution(const Expression& x) const { return log_distribution(classes_[0], x); }
  Expression class_logits(const Expression& x) const { return logits(classes_[0], x); }
  /// Of the words of a class, in order of the file.
  Expression subclass_log_distribution(const Expression& x, unsigned c) const;
  Expression subclass_logits(const Expression& x, unsigned c) const;

  bool has_bias() const { return bias_; }

 private:
  const Class& words_of(unsigned c) const;

  bool bias_;
};

class HierarchicalSoftmaxBuilder : public WordTreeBuilder {
 public:
  static constexpr auto doc = R"(
      A softmax by decisions along a tree of classes, of any depth: the cost of a word is that of the
      classes on its way. A line of cluster_file is the names of the classes from the root on, separated by
      spaces, a tab and a word; dic maps the words to 0, 1, 2, … and must know all words of the file. A
      class of two outcomes has one logistic unit, any other a softmax. Words in no class are as in
      ClassFactoredSoftmaxBuilder. (Morin and Bengio 2005)

      >>> with open("tree.txt", "w") as file: _ = file.write("thing animal\tdog\nthing\tstone\ndeed\truns\n")
      >>> m, ids = dy.ParameterCollection(), {"dog": 0, "stone": 1, "runs": 2}
      >>> softmax = dy.HierarchicalSoftmaxBuilder(3, "tree.txt", ids, m)
      >>> round(dy.exp(softmax.full_log_distribution(dy.inputVector([1, 2, 3]))).npvalue().sum().item(), 4)
      1.0)";

  /// A line of the file is the names of the classes from the root on, separated by spaces, a tab, and a word.
  /// Words that the vocabulary does not know are added to it; std::runtime_error if it is frozen.
  HierarchicalSoftmaxBuilder(unsigned rep_dim, const std::filesystem::path& cluster_file, Dict& dict,
                             ParameterCollection& model);
  HierarchicalSoftmaxBuilder(unsigned rep_dim, engine::WordPaths paths, Dict& dict,
                             ParameterCollection& model);
  const char* name() const override { return "HierarchicalSoftmaxBuilder"; }
};

}  // namespace dynet
