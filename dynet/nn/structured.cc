// Distributions over structures: which operations answer which question.
#include "dynet/nn/structured.h"

#include "dynet/ops/input.h"
#include "dynet/ops/structured_given.h"

namespace dynet::engine {

struct StructureKind {
  const char* name;  // of the class
  void (*check)(const StructureAttrs&, Dims);
  void (*check_given)(std::string_view, const StructureAttrs&, Dims, const uint32_t* target, Indices given);
  /// Words of a given structure; 0: it depends on the structure.
  size_t (*given_size)(const StructureAttrs&, Dims);
  /// Nodes of the operations; null: there is no such.
  Expression (*likelihood)(const Expressions&, const StructureAttrs&, std::span<const unsigned>);
  Expression (*entropy)(const Expressions&, const StructureAttrs&, std::span<const unsigned>);
  Expression (*marginals)(const Expressions&, const StructureAttrs&, std::span<const unsigned>);
  Expression (*best)(const Expressions&, const StructureAttrs&, std::span<const unsigned>);
  Expression (*sample)(const Expressions&, const StructureAttrs&, std::span<const unsigned>);
};

namespace {

template <class Op>
Expression add(const Expressions& xs, const StructureAttrs& a, std::span<const unsigned> words) {
  return apply<Op>(xs, a, words);
}

template <class Form>
constexpr StructureKind kind_without_sum(const char* name) {
  StructureKind kind{};
  kind.name = name;
  kind.check = Form::check;
  kind.check_given = [](std::string_view call, const StructureAttrs& a, Dims x, const uint32_t* target,
                        Indices given) { check_given(call, Form::program(a, x, target), given); };
  kind.given_size = [](const StructureAttrs& a, Dims x) -> size_t {
    using Program = typename Form::Program;
    constexpr bool varies = std::is_same_v<Program, structured::Segments> ||
                            std::is_same_v<Program, structured::CellPaths> ||
                            std::is_same_v<Program, structured::Edits>;
    return varies ? 0 : Form::program(a, x, nullptr).told();
  };
  kind.likelihood = add<StructureLikelihood<Form>>;
  kind.best = add<StructureBest<Form>>;
  return kind;
}
template <class Form>
constexpr StructureKind kind_of(const char* name) {
  StructureKind kind = kind_without_sum<Form>(name);
  kind.entropy = add<StructureEntropy<Form>>;
  kind.marginals = add<StructureMarginals<Form>>;
  kind.sample = add<StructureSample<Form>>;
  return kind;
}
constexpr StructureKind chains = kind_of<LinearChainForm>("LinearChain"),
                        segments = kind_of<SegmentsForm>("Segments"), paths = kind_of<LabelPathsForm>("CTC"),
                        cells = kind_of<CellPathsForm>("Alignment"),
                        edits = kind_of<EditsForm>("EditLattice"),
                        brackets = kind_of<BracketsForm>("BinaryTrees"),
                        arcs = kind_of<ArcsForm>("ProjectiveTrees"),
                        spanning = kind_of<SpanningTreesForm>("SpanningTrees"),
                        assignments = kind_without_sum<AssignmentsForm>("Assignment");

}  // namespace
}  // namespace dynet::engine

namespace dynet::structured {

using engine::Indices;
using engine::invalid;
using engine::Likelihood;
using engine::StructureAttrs;

namespace {

/// The shapes of the arguments, and the size of the mini-batch.
struct Shapes {
  std::vector<Dim> dims;
  unsigned batch = 1;

  Shapes(std::string_view call, const std::vector<Expression>& xs) {
    for (const Expression& x : xs) {
      dims.push_back(engine::shape_of(call, x).single_batch());
      batch = std::max(batch, engine::shape_of(call, x).bd);
    }
  }
};

}  // namespace

std::vector<std::vector<Found>> found(const Expression& told) {
  const Dim dim = told.dim();
  const std::vector<real> numbers = as_vector(told.value());
  std::vector<std::vector<Found>> all(dim.bd);
  const real* at = numbers.data();
  for (auto& structures : all)
    for (unsigned k = 0; k < dim.cols(); ++k, at += dim.rows()) {
      Found& one = structures.emplace_back(Found{*at, {}});
      for (unsigned i = 1; i < dim.rows(); ++i) one.told.push_back(static_cast<int>(at[i]));
    }
  return all;
}

Distribution::Distribution(const engine::StructureKind& kind, std::vector<Expression> arguments,
                           unsigned option)
    : kind_(kind), arguments_(std::move(arguments)), option_(option) {
  const Shapes shapes(kind_.name, arguments_);
  try {
    kind_.check({option_, 0, 0, 0}, shapes.dims);
  } catch (const std::invalid_argument& e) {
    invalid(kind_.name, ": ", std::string(e.what()));
  }
}

StructureAttrs Distribution::attributes(unsigned asked, size_t given) const {
  return {option_, target_, asked, static_cast<unsigned>(given)};
}

void Distribution::check_sums(const char* call) const {
  if (!kind_.entropy)
    invalid(kind_.name, ".", call, ": no sum over all assignments is known that takes less than exponential ",
            "time; score(), best(), k_best() and greedy() are there");
}

std::span<const unsigned> Distribution::target_of(size_t element) const {
  const size_t at = targets_.size() > target_ ? element * target_ : 0;
  return std::span(targets_).subspan(at, target_);
}

/// The target and the given structure of each element of the mini-batch.
std::vector<unsigned> Distribution::words_of(const char* call, Indices given, size_t& each) const {
  std::vector<unsigned> words;
  if (target_ == 0 && !given.given) return words;
  const std::string full = std::string(kind_.name) + "." + call;
  const Shapes shapes(full, arguments_);
  const StructureAttrs a = attributes(0, 0);
  const size_t wanted = kind_.given_size(a, shapes.dims);
  const bool for_each = wanted != 0 && given.size() == wanted * shapes.batch;
  each = for_each ? wanted : given.size();
  for (size_t b = 0; b < shapes.batch; ++b) {
    const Indices own(given.subspan(for_each ? b * each : 0, each));
    const auto target = target_of(b);
    if (given.given && (b == 0 || for_each || targets_.size() > target_))
      kind_.check_given(full, a, shapes.dims, target.data(), own);
    words.insert(words.end(), target.begin(), target.end());
    words.insert(words.end(), own.begin(), own.end());
  }
  return words;
}

Expression Distribution::likelihood(Likelihood asked, Indices given) const {
  static constexpr const char* calls[] = {"log_partition", "score", "nll", "loss", "loss"};
  const char* const call = calls[static_cast<unsigned>(asked)];
  if (asked != Likelihood::score) check_sums(call);
  size_t each = 0;
  const std::vector<unsigned> words = words_of(call, given, each);
  return kind_.likelihood(arguments_, attributes(static_cast<unsigned>(asked), each), words);
}

Expression Distribution::log_partition() const { return likelihood(Likelihood::log_partition, {}); }
Expression Distribution::score(Indices given) const {
  return likelihood(Likelihood::score, std::span<const unsigned>(given));
}
Expression Distribution::nll(Indices given) const {
  return likelihood(Likelihood::nll, std::span<const unsigned>(given));
}

Expression Distribution::loss(bool zero_infinity) const {
  return likelihood(zero_infinity ? Likelihood::finite_loss : Likelihood::loss, {});
}
Expression Distribution::entropy() const {
  check_sums("entropy");
  size_t each = 0;
  const auto words = words_of("entropy", {}, each);
  return kind_.entropy(arguments_, attributes(0, 0), words);
}
Expression Distribution::marginals(unsigned argument) const {
  check_sums("marginals");
  if (argument >= arguments_.size())
    engine::bad_index(kind_.name, ".marginals: argument ", argument, " of ", arguments_.size());
  size_t each = 0;
  const auto words = words_of("marginals", {}, each);
  return kind_.marginals(arguments_, attributes(argument, 0), words);
}
Expression Distribution::best_structures(unsigned k) const {
  size_t each = 0;
  const auto words = words_of("k_best", {}, each);
  return kind_.best(arguments_, attributes(k, 0), words);
}
Expression Distribution::k_best(unsigned k) const {
  if (k == 0) invalid(kind_.name, ".k_best: the 0 best; 1 or more are needed");
  return best_structures(k);
}
Expression Distribution::greedy() const {
  if (kind_.entropy) invalid(kind_.name, ".greedy: it is for assignments; k_best() finds the best here");
  return best_structures(0);
}
Expression Distribution::sample() const {
  check_sums("sample");
  if (target_ == 0) return kind_.sample(arguments_, attributes(0, 0), {});
  std::vector<Expression> all = arguments_;
  engine::Graph& graph = engine::graph_of(arguments_);
  const auto batch = static_cast<unsigned>(targets_.size() / target_);
  all.push_back(input(graph, Dim({target_}, batch), std::vector<real>(targets_.begin(), targets_.end())));
  return kind_.sample(all, attributes(0, 0), {});
}

LinearChain::LinearChain(const Expression& emissions, const Expression& transitions)
    : Distribution(engine::chains, {emissions, transitions}) {}
LinearChain::LinearChain(const Expression& emissions, const Expression& transitions, const Expression& start,
                         const Expression& end)
    : Distribution(engine::chains, {emissions, transitions, start, end}) {}

Segments::Segments(const Expression& scores) : Distribution(engine::segments, {scores}) {}
Segments::Segments(const Expression& scores, const Expression& transitions)
    : Distribution(engine::segments, {scores, transitions}) {}

namespace {

void check_target(const Expression& log_probs, Indices target, unsigned blank) {
  engine::check_indices("CTC", target, engine::shape_of("CTC", log_probs).rows(), "the target's labels");
  if (std::ranges::find(target, blank) != target.end())
    invalid("CTC: the target has the blank, label ", blank, "; labels without it are needed");
}

}  // namespace

CTC::CTC(const Expression& log_probs, Indices target, unsigned blank)
    : Distribution(engine::paths, {log_probs}, blank) {
  check_target(log_probs, target, blank);
  set_targets({target.begin(), target.end()}, static_cast<unsigned>(target.size()));
}
CTC CTC::of_batch(const Expression& log_probs, std::span<const std::vector<unsigned>> targets,
                  unsigned blank) {
  const unsigned batch = engine::shape_of("CTC", log_probs).bd;
  if (targets.size() != batch)
    invalid("CTC: ", targets.size(), " targets for a mini-batch of ", batch, "; one for each is needed");
  CTC made(log_probs, {}, blank);
  size_t longest = 0;
  for (const auto& target : targets) longest = std::max(longest, target.size());
  std::vector<unsigned> words;
  for (const auto& target : targets) {
    check_target(log_probs, std::span<const unsigned>(target), blank);
    words.insert(words.end(), target.begin(), target.end());
    words.resize(words.size() + longest - target.size(), blank);  // which no target has
  }
  made.set_targets(std::move(words), static_cast<unsigned>(longest));
  return made;
}
Expression CTC::decode(const Expression& log_probs, unsigned beam, unsigned k, unsigned blank) {
  if (k == 0 || (k > 1 && k > beam))
    invalid("ctc_decode: the ", k, " best of a beam of ", beam, "; 1 to ", std::max(beam, 1u),
            " would be right");
  return engine::apply<engine::LabelDecoding>(log_probs, {blank, 0, beam, k});
}

Alignment::Alignment(const Expression& scores) : Distribution(engine::cells, {scores}) {}
EditLattice::EditLattice(const Expression& matches, const Expression& deletions, const Expression& insertions)
    : Distribution(engine::edits, {matches, deletions, insertions}) {}
BinaryTrees::BinaryTrees(const Expression& spans) : Distribution(engine::brackets, {spans}) {}
ProjectiveTrees::ProjectiveTrees(const Expression& scores, bool single_root)
    : Distribution(engine::arcs, {scores}, single_root ? 1 : 0) {}
SpanningTrees::SpanningTrees(const Expression& scores, bool single_root)
    : Distribution(engine::spanning, {scores}, single_root ? 1 : 0) {}
Assignment::Assignment(const Expression& scores) : Distribution(engine::assignments, {scores}) {}

unsigned edit_distance(Indices a, Indices b) { return engine::structured::edit_distance(a, b); }

}  // namespace dynet::structured
