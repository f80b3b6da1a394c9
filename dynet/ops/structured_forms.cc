// What each kind of structure takes, and its program.
#include "dynet/ops/structured.h"
#include "dynet/structured/all.h"

namespace dynet::engine {
namespace {

void check_count(Dims x, size_t least, size_t most) {
  if (x.size() < least || x.size() > most) invalid(x.size(), " arguments; ", most, " at most are taken");
}
/// One size for each axis, 0 where any will do.
void check_shape(const char* what, const Dim& x, std::initializer_list<unsigned> sizes, const char* wanted) {
  bool fits = x.nd <= sizes.size();
  unsigned axis = 0;
  for (const unsigned size : sizes) {
    if (size != 0 && x[axis] != size) fits = false;
    ++axis;
  }
  if (!fits) invalid(what, " of shape ", x.single_batch(), "; ", wanted, " is needed");
}

}  // namespace

void LinearChainForm::check(const StructureAttrs&, Dims x) {
  check_count(x, 2, 4);
  check_shape("emissions", x[0], {0, 0}, "a matrix (tags, words)");
  const unsigned tags = x[0].rows();
  const std::string square = text("a matrix (tags, tags) = ({", tags, ",", tags, "})"),
                    column = text("a vector of ", tags, " tags");
  check_shape("transitions", x[1], {tags, tags}, square.c_str());
  if (x.size() == 2) return;
  check_shape("start", x[2], {tags}, column.c_str());
  check_shape("end", x[3], {tags}, column.c_str());
}
structured::Chain LinearChainForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0].rows(), x[0].cols(), x.size() > 2};
}

void SegmentsForm::check(const StructureAttrs&, Dims x) {
  check_count(x, 1, 2);
  check_shape("segments", x[0], {0, 0, 0}, "a tensor (labels, longest, words)");
  if (x.size() == 1) return;
  const std::string square = text("a matrix (labels, labels) = ({", x[0].rows(), ",", x[0].rows(), "})");
  check_shape("transitions", x[1], {x[0].rows(), x[0].rows()}, square.c_str());
}
structured::Segments SegmentsForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0][0], x[0][1], x[0][2], x.size() > 1};
}

void LabelPathsForm::check(const StructureAttrs& a, Dims x) {
  check_shape("log_probs", x[0], {0, 0}, "a matrix (labels, frames)");
  if (a.option >= x[0].rows())
    invalid("the blank is ", a.option, " of ", x[0].rows(), " labels; 0 to ", x[0].rows() - 1,
            " would be right");
}
/// Targets that are shorter than the longest of the mini-batch end in blanks.
structured::LabelPaths LabelPathsForm::program(const StructureAttrs& a, Dims x, const uint32_t* target) {
  size_t length = target ? a.target : 0;
  while (length > 0 && target[length - 1] == a.option) --length;
  return {x[0].rows(), x[0].cols(), a.option, {target, length}};
}

void CellPathsForm::check(const StructureAttrs&, Dims x) {
  check_shape("scores", x[0], {0, 0}, "a matrix (rows, columns)");
}
structured::CellPaths CellPathsForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0].rows(), x[0].cols()};
}

void EditsForm::check(const StructureAttrs&, Dims x) {
  check_count(x, 3, 3);
  check_shape("match", x[0], {0, 0}, "a matrix (rows, columns)");
  const std::string rows = text("a vector of ", x[0].rows(), " rows"),
                    columns = text("a vector of ", x[0].cols(), " columns");
  check_shape("delete", x[1], {x[0].rows()}, rows.c_str());
  check_shape("insert", x[2], {x[0].cols()}, columns.c_str());
}
structured::Edits EditsForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0].rows(), x[0].cols()};
}

void BracketsForm::check(const StructureAttrs&, Dims x) {
  const std::string wanted = text("(words, words, labels) or (words, words)");
  check_shape("spans", x[0], {0, x[0].rows(), 0}, wanted.c_str());
}
structured::Brackets BracketsForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0].rows(), x[0][2]};
}

void ArcsForm::check(const StructureAttrs&, Dims x) {
  check_shape("arcs", x[0], {0, x[0].rows() - 1}, "(words + 1, words): heads with the root first, words");
  if (x[0].rows() < 2) invalid("arcs of shape ", x[0].single_batch(), "; a word at least is needed");
}
structured::Arcs ArcsForm::program(const StructureAttrs& a, Dims x, const uint32_t*) {
  return {x[0].cols(), a.option != 0};
}

void SpanningTreesForm::check(const StructureAttrs& a, Dims x) { ArcsForm::check(a, x); }
structured::SpanningTrees SpanningTreesForm::program(const StructureAttrs& a, Dims x, const uint32_t*) {
  return {x[0].cols(), a.option != 0};
}

void AssignmentsForm::check(const StructureAttrs&, Dims x) {
  check_shape("scores", x[0], {0, 0}, "a matrix (rows, columns)");
}
structured::Assignments AssignmentsForm::program(const StructureAttrs&, Dims x, const uint32_t*) {
  return {x[0].rows(), x[0].cols()};
}

}  // namespace dynet::engine
