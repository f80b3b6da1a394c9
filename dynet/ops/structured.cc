// What the operations over structures compute, from the programs of dynet/structured.
#include "dynet/ops/structured.h"

#include <algorithm>
#include <cmath>

#include "dynet/structured/all.h"

namespace dynet::engine {
namespace {

constexpr real no_number = std::numeric_limits<real>::quiet_NaN();

/// All arguments of an item, one after another.
const double* scores_of(const Call& c, size_t item, size_t arguments) {
  thread_local std::vector<double> room;
  room.clear();
  for (size_t k = 0; k < arguments; ++k) {
    const real* x = c.x[k][item];
    room.insert(room.end(), x, x + c.x_dims[k].batch_size());
  }
  return room.data();
}
double* counts_room(size_t parts) {
  thread_local std::vector<double> room;
  room.resize(parts);
  return room.data();
}

/// dx += dy * what was kept for an argument
void add_kept(const Call& c, const Items& kept, const Items* factor, unsigned argument) {
  size_t at = 0;
  for (unsigned k = 0; k < argument; ++k) at += c.x_dims[k].batch_size();
  const size_t n = c.x_dims[argument].batch_size();
  for (size_t item = 0; item < c.count; ++item) {
    const real* from = kept[item] + at;
    real* to = c.dx[item];
    const real by = factor ? *(*factor)[item] : 1;
    for (size_t i = 0; i < n; ++i) to[i] += by * from[i];
  }
}

void keep(const double* from, size_t n, real* to) {
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<real>(from[i]);
}

bool is_no_number(double score) { return std::isnan(score); }

/// Whether a score that some structure has is not a number: then no sum is, nor any share of it.
template <class Program>
bool has_no_number(const Program& p, const double* scores) {
  if (std::none_of(scores, scores + p.parts(), is_no_number)) return false;
  bool used = false;
  const auto look = [&](size_t part) { used |= part < p.parts() && is_no_number(scores[part]); };
  const auto look_at_item = [&](auto, auto&& edges) {
    edges([&](const structured::Edge& e) { look(e.part[0]), look(e.part[1]); });
  };
  if constexpr (requires { p.template visit<false>(look_at_item); })
    p.template visit<false>(look_at_item);
  else
    for (size_t part = 0; part < p.parts(); ++part)
      if (!p.is_ignored(part)) look(part);
  return used;
}
template <class Program>
bool spoils(const Program& p, const double* scores, double* counts) {
  const bool spoiled = has_no_number(p, scores);
  if (spoiled) std::fill_n(counts, p.parts(), static_cast<double>(no_number));
  return spoiled;
}

template <class Program>
double sum_of_all(const Program& p, const double* scores, double* counts) {
  using namespace structured;
  if constexpr (requires { partition(p, scores, counts); })
    return partition(p, scores, counts);
  else
    failed("no sum over these structures is known");
}

/// The value of a likelihood; counts becomes its gradient.
template <class Program>
double likelihood(const Program& p, Likelihood asked, std::span<const uint32_t> given, const double* scores,
                  double* counts) {
  double sum = 0;
  if (asked == Likelihood::score)
    std::fill_n(counts, p.parts(), 0.0);
  else if (spoils(p, scores, counts))
    return no_number;
  else
    sum = sum_of_all(p, scores, counts);
  if (asked == Likelihood::log_partition) return sum;
  if (asked == Likelihood::loss || asked == Likelihood::finite_loss) {
    for (size_t i = 0; i < p.parts(); ++i) counts[i] = 0 - counts[i];
    return sum == -structured::infinity && asked == Likelihood::finite_loss ? 0 : -sum;
  }
  const double sign = asked == Likelihood::score ? 1 : -1;
  double score = 0;
  p.each_part(given, [&](uint32_t part) {
    score += scores[part];
    if (scores[part] > -structured::infinity && sum > -structured::infinity) counts[part] += sign;
  });
  if (asked == Likelihood::score) return score;
  return score == -structured::infinity ? structured::infinity : sum - score;
}

/// Writes a structure as a column: its score, and what tells it.
template <class Program>
void write(const Program& p, const structured::Scored& s, real* to) {
  *to++ = static_cast<real>(s.score);
  std::fill_n(to, p.told(), real(-1));
  p.tell(s, [&](size_t place, size_t told) { to[place] = static_cast<real>(told); });
}

template <class Form>
size_t told(const StructureAttrs& a, Dims x) {
  const std::vector<uint32_t> blanks(a.target, 0);
  const auto p = Form::program(a, x, blanks.data());
  if (p.parts() >> 24) invalid("scores of ", p.parts(), " parts; fewer than 16,777,216 have exact numbers");
  return 1 + p.told();
}

}  // namespace

template <class Form>
void StructureLikelihood<Form>::forward(const Attrs& a, Engine&, const Call& c) {
  for (size_t item = 0; item < c.count; ++item) {
    const uint32_t* words = a.target + a.given ? c.words[item] : nullptr;
    const auto p = Form::program(a, c.x_dims, words);
    const double* scores = scores_of(c, item, c.x.size());
    double* counts = counts_room(p.parts());
    const std::span<const uint32_t> given(words ? words + a.target : nullptr, a.given);
    *c.y[item] = static_cast<real>(likelihood(p, Likelihood{a.asked}, given, scores, counts));
    keep(counts, p.parts(), c.saved[item]);
  }
}
template <class Form>
void StructureLikelihood<Form>::backward(const Attrs&, Engine&, const Call& c, unsigned i) {
  add_kept(c, c.saved, &c.dy, i);
}

/// log Z - Σ score · probability, whose gradient is minus the second derivatives times the scores.
template <class Form>
void StructureEntropy<Form>::forward(const Attrs& a, Engine&, const Call& c) {
  using namespace structured;
  for (size_t item = 0; item < c.count; ++item) {
    const auto p = Form::program(a, c.x_dims, a.target ? c.words[item] : nullptr);
    const double* scores = scores_of(c, item, c.x.size());
    double* counts = counts_room(p.parts());
    if (spoils(p, scores, counts)) {
      *c.y[item] = no_number;
      keep(counts, p.parts(), c.saved[item]);
      continue;
    }
    double entropy = partition(p, scores, counts);
    const bool some = entropy > -infinity;
    for (size_t i = 0; i < p.parts(); ++i)
      if (counts[i] != 0) entropy -= scores[i] * counts[i];
    second_derivative(p, scores, scores, counts);
    for (size_t i = 0; i < p.parts(); ++i) counts[i] = 0 - counts[i];
    *c.y[item] = !some ? no_number : entropy < 0 ? 0 : static_cast<real>(entropy);
    keep(counts, p.parts(), c.saved[item]);
  }
}
template <class Form>
void StructureEntropy<Form>::backward(const Attrs&, Engine&, const Call& c, unsigned i) {
  add_kept(c, c.saved, &c.dy, i);
}

template <class Form>
void StructureMarginals<Form>::forward(const Attrs& a, Engine&, const Call& c) {
  using namespace structured;
  size_t at = 0;
  for (unsigned k = 0; k < a.asked; ++k) at += c.x_dims[k].batch_size();
  for (size_t item = 0; item < c.count; ++item) {
    const auto p = Form::program(a, c.x_dims, a.target ? c.words[item] : nullptr);
    const double* scores = scores_of(c, item, c.x.size());
    double* counts = counts_room(p.parts());
    if (!spoils(p, scores, counts)) partition(p, scores, counts);
    keep(counts + at, c.dim.batch_size(), c.y[item]);
  }
}
template <class Form>
void StructureMarginals<Form>::prepare_backward(const Attrs& a, Engine&, const Call& c) {
  using namespace structured;
  thread_local std::vector<double> direction;
  size_t at = 0;
  for (unsigned k = 0; k < a.asked; ++k) at += c.x_dims[k].batch_size();
  for (size_t item = 0; item < c.count; ++item) {
    const auto p = Form::program(a, c.x_dims, a.target ? c.words[item] : nullptr);
    direction.assign(p.parts(), 0);
    std::copy_n(c.dy[item], c.dim.batch_size(), direction.begin() + static_cast<ptrdiff_t>(at));
    const double* scores = scores_of(c, item, c.x.size());
    double* counts = counts_room(p.parts());
    if (!spoils(p, scores, counts)) second_derivative(p, scores, direction.data(), counts);
    keep(counts, p.parts(), c.workspace[item]);
  }
}
template <class Form>
void StructureMarginals<Form>::backward(const Attrs&, Engine&, const Call& c, unsigned i) {
  add_kept(c, c.workspace, nullptr, i);
}

template <class Form>
Dim StructureBest<Form>::shape(const Attrs& a, Dims x) {
  Form::check(a, x);
  return Dim({size_of_axis(told<Form>(a, x)), std::max(a.asked, 1u)}, common_batch(x));
}
template <class Form>
void StructureBest<Form>::forward(const Attrs& a, Engine&, const Call& c) {
  using namespace structured;
  for (size_t item = 0; item < c.count; ++item) {
    const auto p = Form::program(a, c.x_dims, a.target ? c.words[item] : nullptr);
    const double* scores = scores_of(c, item, c.x.size());
    real* to = c.y[item];
    const size_t rows = 1 + p.told();
    if (has_no_number(p, scores)) {
      std::fill_n(to, c.dim.batch_size(), no_number);
      continue;
    }
    if constexpr (requires { best(p, scores); }) {
      if (a.asked == 1) {
        write(p, best(p, scores), to);
        continue;
      }
    } else {
      if (a.asked == 0) {
        if constexpr (requires { greedy(p, scores); }) write(p, greedy(p, scores), to);
        continue;
      }
    }
    std::vector<Scored> found = best_of(p, scores, a.asked);
    found.resize(a.asked);
    for (const Scored& one : found) write(p, one, to), to += rows;
  }
}

template <class Form>
Dim StructureSample<Form>::shape(const Attrs& a, Dims x) {
  const Dims own = a.target ? x.first(x.size() - 1) : x;
  Form::check(a, own);
  return Dim({size_of_axis(told<Form>(a, own))}, common_batch(x));
}
template <class Form>
void StructureSample<Form>::forward(const Attrs& a, Engine&, const Call& c) {
  using namespace structured;
  const size_t arguments = c.x.size() - (a.target ? 1 : 0);
  for (size_t item = 0; item < c.count; ++item) {
    std::vector<uint32_t> target(a.target);
    for (size_t i = 0; i < target.size(); ++i) target[i] = static_cast<uint32_t>(c.x[arguments][item][i]);
    const auto p = Form::program(a, c.x_dims.first(arguments), target.data());
    const double* scores = scores_of(c, item, arguments);
    if (has_no_number(p, scores))
      std::fill_n(c.y[item], c.dim.batch_size(), no_number);
    else
      write(p, sample(p, scores, Draws(c.key, c.words[item])), c.y[item]);
  }
}

Dim LabelDecoding::shape(const Attrs& a, Dims x) {
  LabelPathsForm::check({a.option, 0, 0, 0}, x);
  return Dim({x[0].cols() + 1, std::max(a.given, 1u)}, x[0].bd);
}
void LabelDecoding::forward(const Attrs& a, Engine&, const Call& c) {
  const unsigned labels = c.x_dims[0].rows(), frames = c.x_dims[0].cols();
  for (size_t item = 0; item < c.count; ++item) {
    real* to = c.y[item];
    const double* scores = scores_of(c, item, 1);
    if (std::any_of(scores, scores + size_t{labels} * frames, is_no_number)) {
      std::fill_n(to, c.dim.batch_size(), no_number);
      continue;
    }
    auto found = structured::decode_labels(scores, labels, frames, a.option, a.asked, a.given);
    found.resize(std::max(a.given, 1u));
    for (const structured::Scored& one : found) {
      *to++ = static_cast<real>(one.score);
      std::fill_n(std::copy(one.parts.begin(), one.parts.end(), to), frames - one.parts.size(), real(-1));
      to += frames;
    }
  }
}

template struct StructureLikelihood<AssignmentsForm>;
template struct StructureBest<AssignmentsForm>;
template struct StructureLikelihood<LinearChainForm>;
template struct StructureEntropy<LinearChainForm>;
template struct StructureMarginals<LinearChainForm>;
template struct StructureBest<LinearChainForm>;
template struct StructureSample<LinearChainForm>;
template struct StructureLikelihood<SegmentsForm>;
template struct StructureEntropy<SegmentsForm>;
template struct StructureMarginals<SegmentsForm>;
template struct StructureBest<SegmentsForm>;
template struct StructureSample<SegmentsForm>;
template struct StructureLikelihood<LabelPathsForm>;
template struct StructureEntropy<LabelPathsForm>;
template struct StructureMarginals<LabelPathsForm>;
template struct StructureBest<LabelPathsForm>;
template struct StructureSample<LabelPathsForm>;
template struct StructureLikelihood<CellPathsForm>;
template struct StructureEntropy<CellPathsForm>;
template struct StructureMarginals<CellPathsForm>;
template struct StructureBest<CellPathsForm>;
template struct StructureSample<CellPathsForm>;
template struct StructureLikelihood<EditsForm>;
template struct StructureEntropy<EditsForm>;
template struct StructureMarginals<EditsForm>;
template struct StructureBest<EditsForm>;
template struct StructureSample<EditsForm>;
template struct StructureLikelihood<BracketsForm>;
template struct StructureEntropy<BracketsForm>;
template struct StructureMarginals<BracketsForm>;
template struct StructureBest<BracketsForm>;
template struct StructureSample<BracketsForm>;
template struct StructureLikelihood<ArcsForm>;
template struct StructureEntropy<ArcsForm>;
template struct StructureMarginals<ArcsForm>;
template struct StructureBest<ArcsForm>;
template struct StructureSample<ArcsForm>;
template struct StructureLikelihood<SpanningTreesForm>;
template struct StructureEntropy<SpanningTreesForm>;
template struct StructureMarginals<SpanningTreesForm>;
template struct StructureBest<SpanningTreesForm>;
template struct StructureSample<SpanningTreesForm>;

}  // namespace dynet::engine
