// The checks of given structures, kind by kind.
#include "dynet/ops/structured_given.h"

#include <set>

namespace dynet::engine {
namespace {

void check_length(std::string_view call, Indices given, size_t wanted, const char* what) {
  if (given.size() != wanted)
    invalid(call, ": ", given.size(), " ", what, " for ", wanted, "; one for each is needed");
}

/// A tree: from each word the heads lead to the root.
void check_heads(std::string_view call, unsigned words, bool single_root, Indices heads) {
  check_length(call, heads, words, "heads");
  check_indices(call, heads, words + 1, "the heads");
  if (single_root && std::count(heads.begin(), heads.end(), 0u) != 1)
    invalid(call, ": ", std::count(heads.begin(), heads.end(), 0u),
            " words hang on the root; one does, unless single_root is false");
  for (unsigned d = 1; d <= words; ++d) {
    unsigned head = heads[d - 1], steps = 0;
    while (head != 0 && steps++ <= words) head = heads[head - 1];
    if (head != 0) invalid(call, ": the heads of word ", d, " lead back to it; a tree is needed");
  }
}

}  // namespace

void check_given(std::string_view call, const structured::Chain& p, Indices given) {
  check_length(call, given, p.words, "tags");
  check_indices(call, given, p.tags, "the tags");
}

void check_given(std::string_view call, const structured::Segments& p, Indices given) {
  size_t words = 0;
  if (given.size() % 2) invalid(call, ": a segment without a label; pairs of length and label are needed");
  for (size_t i = 0; i < given.size(); i += 2) {
    if (given[i] == 0 || given[i] > p.longest)
      invalid(call, ": a segment of length ", given[i], "; 1 to ", p.longest, " would be right");
    check_indices(call, given.subspan(i + 1, 1), p.labels, "the labels");
    words += given[i];
  }
  if (words != p.words)
    invalid(call, ": the segments have ", words, " words together; they must have ", p.words);
}

void check_given(std::string_view call, const structured::LabelPaths& p, Indices given) {
  check_length(call, given, p.frames, "labels");
  check_indices(call, given, p.labels, "the labels");
  std::vector<unsigned> left;
  for (size_t t = 0; t < given.size(); ++t)
    if (given[t] != p.blank && (t == 0 || given[t] != given[t - 1])) left.push_back(given[t]);
  if (!std::ranges::equal(left, p.target))
    invalid(call, ": a path that gives ", left.size(), " labels, which are not the ", p.target.size(),
            " of the target");
}

void check_given(std::string_view call, const structured::CellPaths& p, Indices given) {
  const auto cells = static_cast<unsigned>(p.parts());
  check_indices(call, given, cells, "the cells");
  if (given.empty() || given.front() != 0 || given.back() != cells - 1)
    invalid(call, ": a path that does not lead from the first cell to the last");
  for (size_t k = 1; k < given.size(); ++k) {
    const unsigned down = given[k] % p.rows - given[k - 1] % p.rows,
                   right = given[k] / p.rows - given[k - 1] / p.rows;
    if (down > 1 || right > 1 || down + right == 0)
      invalid(call, ": a step from cell ", given[k - 1], " to cell ", given[k],
              "; one down, right, or both is needed");
  }
}

void check_given(std::string_view call, const structured::Edits& p, Indices given) {
  check_indices(call, given, static_cast<unsigned>(p.parts()), "the edits");
  unsigned i = 0, j = 0;
  for (const unsigned part : given) {
    const bool match = part < p.deletions_at(), deletion = !match && part < p.insertions_at();
    const unsigned wanted = match ? j * p.rows + i : deletion ? p.deletions_at() + i : p.insertions_at() + j;
    if (part != wanted) invalid(call, ": edit ", part, " does not follow from row ", i, " and column ", j);
    if (match || deletion) ++i;
    if (match || !deletion) ++j;
  }
  if (i != p.rows || j != p.columns)
    invalid(call, ": the edits end at row ", i, " and column ", j, "; at ", p.rows, " and ", p.columns,
            " would be right");
}

void check_given(std::string_view call, const structured::Brackets& p, Indices given) {
  check_length(call, given, p.told(), "spans");
  check_indices(call, given, static_cast<unsigned>(p.parts()), "the spans");
  std::set<std::pair<unsigned, unsigned>> spans;
  for (const unsigned part : given) spans.insert({part % p.words, part / p.words % p.words});
  std::vector<std::pair<unsigned, unsigned>> open{{0, p.words - 1}};
  size_t seen = 0;
  while (!open.empty()) {
    const auto [i, j] = open.back();
    open.pop_back();
    bool whole = spans.contains({i, j}), split = i == j;
    seen += whole ? 1 : 0;
    for (unsigned k = i; k < j && !split; ++k) {
      split = spans.contains({i, k}) && spans.contains({k + 1, j});
      if (split) open.push_back({i, k}), open.push_back({k + 1, j});
    }
    if (!whole || !split)
      invalid(call, ": the span from word ", i, " to ", j, " is not there or not split in two; the spans of ",
              "a binary tree are needed");
  }
  if (seen != p.told()) invalid(call, ": spans that are no binary tree");
}

void check_given(std::string_view call, const structured::Arcs& p, Indices given) {
  check_heads(call, p.words, p.single_root, given);
  for (unsigned d = 1; d <= p.words; ++d) {
    const unsigned h = given[d - 1], low = std::min(d, h), high = std::max(d, h);
    for (unsigned k = low + 1; k < high; ++k)
      if (given[k - 1] < low || given[k - 1] > high)
        invalid(call, ": the arcs of words ", d, " and ", k, " cross; a projective tree is needed");
  }
}

void check_given(std::string_view call, const structured::SpanningTrees& p, Indices given) {
  check_heads(call, p.words, p.single_root, given);
}

void check_given(std::string_view call, const structured::Assignments& p, Indices given) {
  check_length(call, given, p.rows, "columns");
  std::vector<unsigned> taken;
  for (const unsigned j : given)
    if (j < p.columns) taken.push_back(j);
  if (has_repeats(std::span<const unsigned>(taken))) invalid(call, ": a column has two rows");
  if (taken.size() != std::min(p.rows, p.columns))
    invalid(call, ": ", taken.size(), " pairs; there are ", std::min(p.rows, p.columns));
}

}  // namespace dynet::engine
