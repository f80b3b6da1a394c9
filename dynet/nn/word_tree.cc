// Building trees of classes from files, and the probabilities of words along them.
#include "dynet/nn/word_tree.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "dynet/nn/dropout.h"
#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
namespace {

constexpr real impossible = -10000;  // the logarithm of the probability of words in no class

std::vector<std::string> split(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> parts;
  for (std::string part; in >> part;) parts.push_back(part);
  return parts;
}

/// Calls parse(line) for each line that is not empty; what it throws names the line.
template <class Parse>
WordPaths read_paths(const std::filesystem::path& file, const Parse& parse) {
  std::ifstream in(file);
  if (!in) failed("Could not read classes from ", file.string());
  WordPaths paths;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!parse(line, paths.emplace_back()))
      invalid("line ", number, " of ", file.string(), " has no class and word: ", line.substr(0, 200));
  }
  return paths;
}

bool parse_class(const std::string& line, WordPath& to) {
  std::vector<std::string> parts = split(line);
  if (parts.size() < 2) return false;
  to = {{parts[0]}, parts[1]};
  return true;
}

bool parse_path(const std::string& line, WordPath& to) {
  const size_t tab = line.find('\t');
  if (tab == std::string::npos) return false;
  std::vector<std::string> words = split(line.substr(tab));
  if (words.size() != 1) return false;
  to = {split(line.substr(0, tab)), words[0]};
  return true;
}

/// The paths, if each has one class.
WordPaths flat(WordPaths paths) {
  for (const WordPath& path : paths)
    if (path.classes.size() != 1)
      invalid("ClassFactoredSoftmaxBuilder: the word ", path.word, " has ", path.classes.size(),
              " classes; one is needed");
  return paths;
}

void check_count(const Expression& x, size_t count) {
  if (const Dim& dim = shape_of("neg_log_softmax", x); dim.bd != count)
    invalid("neg_log_softmax: ", count, " words for ", dim, "; one for each batch element is needed");
}

}  // namespace

WordTreeBuilder::WordTreeBuilder(const Form& form, unsigned rep_dim, WordPaths paths, Dict& dict,
                                 ParameterCollection& model)
    : rep_dim_(rep_dim), paths_(std::move(paths)) {
  if (rep_dim == 0) invalid(form.collection, ": input size 0 was given; it must be at least 1");
  if (paths_.empty()) invalid(form.collection, ": there is no word in any class; at least one is needed");
  add_paths(dict);
  vocabulary_ = dict.get_words();
  words_.resize(vocabulary_.size());
  find_steps();
  // Last, so that a tree that is wrong leaves the collection as it was.
  collection_ = model.add_subcollection(form.collection);
  add_parameters(form);
}

void WordTreeBuilder::add_paths(Dict& dict) {
  std::vector<std::unordered_map<std::string, unsigned>> inner(1);  // of each class: those in it by name
  std::unordered_set<unsigned> seen;
  classes_.resize(1);
  for (const WordPath& path : paths_) {
    unsigned at = 0;
    for (const std::string& name : path.classes) {
      const auto next = static_cast<unsigned>(classes_.size());
      const auto [known, is_new] = inner[at].try_emplace(name, next);
      const unsigned parent = at;
      at = known->second;
      if (!is_new) continue;
      classes_[parent].outcomes.push_back({false, next});
      classes_.emplace_back();
      inner.emplace_back();
    }
    const auto word = static_cast<unsigned>(dict.convert(path.word));
    if (!seen.insert(word).second)
      invalid("the word ", path.word, " is in two classes; each word must be in one");
    classes_[at].outcomes.push_back({true, word});
  }
}

/// Notes the steps to each word. A class comes before those in it: its own steps are known when it is
/// reached.
void WordTreeBuilder::find_steps() {
  struct Entry {
    unsigned parent = 0;
    Step step{};
    bool decides = false;
  };
  std::vector<Entry> entries(classes_.size());
  for (unsigned at = 0; at < classes_.size(); ++at) {
    const std::vector<Outcome>& outcomes = classes_[at].outcomes;
    const bool decides = outcomes.size() > 1;
    for (unsigned i = 0; i < outcomes.size(); ++i) {
      const Entry entry{at, {at, i}, decides};
      if (!outcomes[i].is_word) {
        entries[outcomes[i].id] = entry;
        continue;
      }
      Word& word = words_[outcomes[i].id];
      word.known = true;
      if (decides) word.steps.push_back(entry.step);
      for (unsigned c = at; c != 0; c = entries[c].parent)
        if (entries[c].decides) word.steps.push_back(entries[c].step);
      std::ranges::reverse(word.steps);
    }
  }
}

/// Depth first, so that the classes of a part of the tree lie together.
void WordTreeBuilder::add_parameters(const Form& form) {
  std::vector<unsigned> open{0};
  while (!open.empty()) {
    Class& c = classes_[open.back()];
    open.pop_back();
    if (const auto n = static_cast<unsigned>(c.outcomes.size()); n > 1) {
      const unsigned units = form.logistic && n == 2 ? 1 : n;
      c.weights = collection_.add_parameters({units, rep_dim_});
      if (form.bias) c.bias = collection_.add_parameters({units}, ParameterInitConst(0));
    }
    for (auto o = c.outcomes.rbegin(); o != c.outcomes.rend(); ++o)
      if (!o->is_word) open.push_back(o->id);
  }
}

const WordTreeBuilder::Word& WordTreeBuilder::word_of(unsigned id) const {
  if (id >= words_.size())
    bad_index("neg_log_softmax: there is no word ", id, "; the vocabulary has ", words_.size());
  if (!words_[id].known) invalid("neg_log_softmax: the word ", vocabulary_[id], " is in no class");
  return words_[id];
}

Expression WordTreeBuilder::logits(const Class& c, const Expression& x) const {
  if (c.outcomes.size() == 1) return zeros(graph_of(x), Dim({1}, shape_of("logits", x).bd));
  const Expression y = c.bias ? affine_transform({bound(c.bias), bound(c.weights), x}) : bound(c.weights) * x;
  // A logistic unit is a softmax in which the second logit stays 0.
  return c.outcomes.size() > c.weights.dim().rows() ? concatenate({y, zeros(graph_of(x), {1})}) : y;
}

Expression WordTreeBuilder::log_distribution(const Class& c, const Expression& x) const {
  return c.outcomes.size() == 1 ? logits(c, x) : log_softmax(logits(c, x));
}

Expression WordTreeBuilder::neg_log_softmax(const Expression& x, unsigned word) {
  check_count(x, 1);
  Expression sum;
  for (const Step& step : word_of(word).steps) {
    const Expression loss = pickneglogsoftmax(logits(classes_[step.decision], x), step.outcome);
    sum = sum.pg ? sum + loss : loss;
  }
  return sum.pg ? sum : zeros(graph_of(x), {1});
}

Expression WordTreeBuilder::neg_log_softmax(const Expression& x, Indices words) {
  check_count(x, words.size());
  size_t depth = 0;
  for (unsigned word : words) depth = std::max(depth, word_of(word).steps.size());
  if (depth == 0) return zeros(graph_of(x), Dim({1}, static_cast<unsigned>(words.size())));
  Expression sum = losses_at(0, x, words);
  for (size_t i = 1; i < depth; ++i) sum = sum + losses_at(i, x, words);
  return sum;
}

/// What the decisions at one depth contribute, a batch element each: every class is asked once for all
/// elements that come to it.
Expression WordTreeBuilder::losses_at(size_t depth, const Expression& x, Indices words) const {
  struct Group {
    unsigned decision;
    std::vector<unsigned> elements, outcomes;
  };
  std::vector<Group> groups;
  std::unordered_map<unsigned, size_t> group_of;
  for (unsigned b = 0; b < words.size(); ++b) {
    const std::vector<Step>& steps = words_[words[b]].steps;
    if (depth >= steps.size()) continue;
    const auto [at, is_new] = group_of.try_emplace(steps[depth].decision, groups.size());
    if (is_new) groups.push_back({steps[depth].decision, {}, {}});
    groups[at->second].elements.push_back(b);
    groups[at->second].outcomes.push_back(steps[depth].outcome);
  }
  std::vector<Expression> losses;
  std::vector<unsigned> place(words.size());
  unsigned count = 0;
  for (const Group& group : groups) {
    const bool all = group.elements.size() == words.size();
    const Expression part = all ? x : pick_batch_elems(x, group.elements);
    losses.push_back(pickneglogsoftmax(logits(classes_[group.decision], part), group.outcomes));
    if (all) return losses[0];
    for (unsigned b : group.elements) place[b] = count++;
  }
  if (count < words.size()) {
    losses.push_back(zeros(graph_of(x), {1}));
    for (unsigned b = 0; b < words.size(); ++b)
      if (depth >= words_[words[b]].steps.size()) place[b] = count;
  }
  return pick_batch_elems(concatenate_to_batch(losses), place);
}

unsigned WordTreeBuilder::sample(const Expression& x) {
  for (const Class* at = &classes_[0];;) {
    const bool free = at->outcomes.size() > 1;
    const Outcome next = at->outcomes[free ? sample_index(softmax(logits(*at, x))) : 0];
    if (next.is_word) return next.id;
    at = &classes_[next.id];
  }
}

Expression WordTreeBuilder::full_log_distribution(const Expression& x) {
  std::vector<Expression> parts{constant(graph_of(x), {1}, impossible)}, way(classes_.size());
  std::vector<unsigned> place(words_.size(), 0);
  unsigned count = 1;
  for (unsigned id = 0; id < classes_.size(); ++id) {
    const std::vector<Outcome>& outcomes = classes_[id].outcomes;
    const auto n = static_cast<unsigned>(outcomes.size());
    Expression all = way[id].pg && n == 1 ? way[id] : log_distribution(classes_[id], x);
    if (way[id].pg && n > 1) all = all + way[id];
    bool has_words = false;
    for (unsigned i = 0; i < n; ++i) {
      has_words |= outcomes[i].is_word;
      if (outcomes[i].is_word)
        place[outcomes[i].id] = count + i;
      else
        way[outcomes[i].id] = n == 1 ? all : pick(all, i);
    }
    if (!has_words) continue;
    parts.push_back(all);
    count += n;
  }
  return select_rows(concatenate(parts), place);
}

ClassFactoredSoftmaxBuilder::ClassFactoredSoftmaxBuilder(unsigned rep_dim,
                                                         const std::filesystem::path& cluster_file,
                                                         Dict& dict, ParameterCollection& model, bool bias)
    : ClassFactoredSoftmaxBuilder(rep_dim, read_paths(cluster_file, parse_class), dict, model, bias) {}

ClassFactoredSoftmaxBuilder::ClassFactoredSoftmaxBuilder(unsigned rep_dim, WordPaths paths, Dict& dict,
                                                         ParameterCollection& model, bool bias)
    : WordTreeBuilder({"class-factored-softmax-builder", false, bias}, rep_dim, flat(std::move(paths)), dict,
                      model),
      bias_(bias) {}

const WordTreeBuilder::Class& ClassFactoredSoftmaxBuilder::words_of(unsigned c) const {
  const std::vector<Outcome>& all = classes_[0].outcomes;
  if (c >= all.size()) bad_index("there is no class ", c, "; there are ", all.size(), " classes");
  return classes_[all[c].id];
}

Expression ClassFactoredSoftmaxBuilder::subclass_log_distribution(const Expression& x, unsigned c) const {
  return log_distribution(words_of(c), x);
}

Expression ClassFactoredSoftmaxBuilder::subclass_logits(const Expression& x, unsigned c) const {
  return logits(words_of(c), x);
}

HierarchicalSoftmaxBuilder::HierarchicalSoftmaxBuilder(unsigned rep_dim,
                                                       const std::filesystem::path& cluster_file, Dict& dict,
                                                       ParameterCollection& model)
    : HierarchicalSoftmaxBuilder(rep_dim, read_paths(cluster_file, parse_path), dict, model) {}

HierarchicalSoftmaxBuilder::HierarchicalSoftmaxBuilder(unsigned rep_dim, WordPaths paths, Dict& dict,
                                                       ParameterCollection& model)
    : WordTreeBuilder({"hierarchical-softmax-builder", true, true}, rep_dim, std::move(paths), dict, model) {}

}  // namespace dynet
