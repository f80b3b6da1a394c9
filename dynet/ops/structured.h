// Operations over all structures of a kind at once: sums, scores, entropies, marginals, the best and samples.
//
// A form says what a kind of structure needs: its arguments, its program in dynet/structured, and what a
// given structure has to look like. Its five operations are the same for all. Their public names are the
// methods of dynet/nn/structured.h.
#pragma once

#include <array>

#include "dynet/ops/check.h"

namespace dynet::engine::structured {

struct Chain;
struct Segments;
struct LabelPaths;
struct CellPaths;
struct Edits;
struct Brackets;
struct Arcs;
struct SpanningTrees;
struct Assignments;

}  // namespace dynet::engine::structured

namespace dynet::engine {

/// What is asked of the scores of all structures.
enum class Likelihood : unsigned { log_partition, score, nll, loss, finite_loss };

/// The words of each batch element are the target, then the given structure.
struct StructureAttrs {
  unsigned option;  // the blank, or whether there is a single root
  unsigned target;  // words of the target
  unsigned asked;   // a Likelihood, the argument whose marginals are asked for, or how many of the best
  unsigned given;   // words of the given structure
};

struct LinearChainForm {
  using Program = structured::Chain;
  static constexpr auto names =
      std::to_array({"linear_chain_likelihood", "linear_chain_entropy", "linear_chain_marginals",
                     "linear_chain_best", "linear_chain_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct SegmentsForm {
  using Program = structured::Segments;
  static constexpr auto names = std::to_array(
      {"segments_likelihood", "segments_entropy", "segments_marginals", "segments_best", "segments_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct LabelPathsForm {
  using Program = structured::LabelPaths;
  static constexpr auto names =
      std::to_array({"ctc_likelihood", "ctc_entropy", "ctc_marginals", "ctc_best", "ctc_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct CellPathsForm {
  using Program = structured::CellPaths;
  static constexpr auto names = std::to_array({"alignment_likelihood", "alignment_entropy",
                                               "alignment_marginals", "alignment_best", "alignment_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct EditsForm {
  using Program = structured::Edits;
  static constexpr auto names =
      std::to_array({"edits_likelihood", "edits_entropy", "edits_marginals", "edits_best", "edits_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct BracketsForm {
  using Program = structured::Brackets;
  static constexpr auto names =
      std::to_array({"binary_tree_likelihood", "binary_tree_entropy", "binary_tree_marginals",
                     "binary_tree_best", "binary_tree_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct ArcsForm {
  using Program = structured::Arcs;
  static constexpr auto names =
      std::to_array({"projective_tree_likelihood", "projective_tree_entropy", "projective_tree_marginals",
                     "projective_tree_best", "projective_tree_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
struct SpanningTreesForm {
  using Program = structured::SpanningTrees;
  static constexpr auto names =
      std::to_array({"spanning_tree_likelihood", "spanning_tree_entropy", "spanning_tree_marginals",
                     "spanning_tree_best", "spanning_tree_sample"});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};
/// No sum over all assignments is known that takes less than exponential time: they are scored and the best
/// are found.
struct AssignmentsForm {
  using Program = structured::Assignments;
  static constexpr auto names = std::to_array({"assignment_likelihood", "", "", "assignment_best", ""});
  static void check(const StructureAttrs&, Dims x);
  static Program program(const StructureAttrs&, Dims x, const uint32_t* target);
};

/// What all five have.
struct StructureDefaults : OpDefaults {
  using Attrs = StructureAttrs;
  static constexpr bool on_host = true, hidden = true;
  static constexpr auto doc = "A quantity of all structures of a kind: see dynet/nn/structured.h.";
  static constexpr Arg args[] = {"scores"};
  /// Numbers of all arguments of one batch element.
  static size_t parts(Dims x) {
    size_t n = 0;
    for (const Dim& d : x) n += d.batch_size();
    return n;
  }
};

/// The log of the sum over all structures, the score of one, or what the loss makes of both: {1}. Its
/// gradient is computed with it and kept.
template <class Form>
struct StructureLikelihood : StructureDefaults {
  static constexpr auto name = Form::names[0];
  static Dim shape(const Attrs& a, Dims x) {
    Form::check(a, x);
    return Dim({1}, common_batch(x));
  }
  static size_t saved_size(const Attrs&, Dims x) { return parts(x); }
  static void forward(const Attrs& a, Engine& e, const Call& c);
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i);
};

/// The entropy of the distribution over structures: {1}; its gradient is kept.
template <class Form>
struct StructureEntropy : StructureDefaults {
  static constexpr auto name = Form::names[1];
  static Dim shape(const Attrs& a, Dims x) {
    Form::check(a, x);
    return Dim({1}, common_batch(x));
  }
  static size_t saved_size(const Attrs&, Dims x) { return parts(x); }
  static void forward(const Attrs& a, Engine& e, const Call& c);
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i);
};

/// How often each part of one argument is expected in a structure: the argument's shape.
template <class Form>
struct StructureMarginals : StructureDefaults {
  static constexpr bool writes_workspace = true;
  static constexpr auto name = Form::names[2];
  static Dim shape(const Attrs& a, Dims x) {
    Form::check(a, x);
    return x[a.asked].with_batch(common_batch(x));
  }
  static size_t workspace_size(const Attrs&, Dims x) { return parts(x); }
  static void forward(const Attrs& a, Engine& e, const Call& c);
  static void prepare_backward(const Attrs& a, Engine& e, const Call& c);
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i);
};

/// The best structures, a column each: the score, then what tells the structure, -1 where nothing is told.
template <class Form>
struct StructureBest : StructureDefaults {
  static constexpr bool differentiable = false;
  static constexpr auto name = Form::names[3];
  static Dim shape(const Attrs& a, Dims x);
  static void forward(const Attrs& a, Engine& e, const Call& c);
};

/// A structure drawn by its probability, told in the same way. Of a form with a target that is the last
/// argument, as the words are those of the random numbers.
template <class Form>
struct StructureSample : StructureDefaults {
  static constexpr bool differentiable = false, random = true;
  static constexpr auto name = Form::names[4];
  static Dim shape(const Attrs& a, Dims x);
  static void forward(const Attrs& a, Engine& e, const Call& c);
};

/// The label sequences that a beam of prefixes finds, told in the same way: frames rows after the score.
struct LabelDecoding : StructureDefaults {
  static constexpr bool differentiable = false;
  static constexpr auto name = "ctc_decode";
  static Dim shape(const Attrs& a, Dims x);
  static void forward(const Attrs& a, Engine& e, const Call& c);
};

template <class Form>
using StructureOps = Ops<StructureLikelihood<Form>, StructureEntropy<Form>, StructureMarginals<Form>,
                         StructureBest<Form>, StructureSample<Form>>;
using Structures =
    decltype(StructureOps<LinearChainForm>{} + StructureOps<SegmentsForm>{} + StructureOps<LabelPathsForm>{} +
             StructureOps<CellPathsForm>{} + StructureOps<EditsForm>{} + StructureOps<BracketsForm>{} +
             StructureOps<ArcsForm>{} + StructureOps<SpanningTreesForm>{} +
             Ops<StructureLikelihood<AssignmentsForm>, StructureBest<AssignmentsForm>, LabelDecoding>{});

}  // namespace dynet::engine
