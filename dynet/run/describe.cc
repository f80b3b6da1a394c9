// Writes nodes by operation, arguments, indices and shape; parameters and tables by name.
#include "dynet/run/describe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dynet/graph/graph.h"
#include "dynet/ops/input.h"

namespace dynet {

using namespace engine;
namespace {

constexpr size_t most_words = 8;  // longer lists of indices are cut

/// The words that a user gave: indices. Those of random nodes are counters.
void write_words(const Node& node, std::ostream& out, const char* before) {
  if (node.op->random) return;
  const std::span<const uint32_t> words = node.words();
  for (size_t i = 0; i < std::min(words.size(), most_words); ++i) {
    out << before << words[i];
    before = ", ";
  }
  if (words.size() > most_words) out << ", ... " << words.size() << " in all";
}

void write_tensor(const Tensor& t, std::ostream& out) {
  const unsigned rows = t.d.rows();
  const size_t columns = t.d.batch_size() / rows;
  const std::vector<real> numbers = as_vector(t);
  for (unsigned b = 0; b < t.d.bd; ++b) {
    if (t.d.bd > 1) out << "batch element " << b << ":\n";
    const real* first = numbers.data() + b * t.d.batch_size();
    for (unsigned r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns; ++c) out << (c ? " " : "") << first[r + c * rows];
      out << '\n';
    }
  }
}

void write_numbers(const char* name, const Tensor& t, bool only_check, std::ostream& out) {
  out << name << ":";
  if (only_check) {
    out << (t.is_valid() ? " valid\n" : " invalid\n");
  } else {
    out << '\n';
    write_tensor(t, out);
  }
}

}  // namespace

std::string describe(const Graph& graph, unsigned id) {
  const Node& node = graph[id];
  std::ostringstream out;
  out << "v" << id << " = " << node.written().name << "(";
  const char* between = "";
  for (const uint32_t arg : graph.original_args(node)) {
    out << between << "v" << arg;
    between = ", ";
  }
  if (node.op == &parameter_op)
    out << parameter_storage(node)->name << ", " << graph.dim(id);
  else if (node.op == &op<Lookup>)
    out << attrs_of<Lookup>(node.payload).table->name, write_words(node, out, ", ");
  else if (node.arg_count == 0)
    out << graph.dim(id);
  else
    write_words(node, out, between);
  out << ")";
  return out.str();
}

void print_graphviz(const Graph& graph, std::ostream& out) {
  out << "digraph G {\n  rankdir=LR;\n  nodesep=.05;\n";
  for (unsigned id = 0; id < graph.size(); ++id) {
    out << "  N" << id << " [label=\"" << describe(graph, id) << "\"];\n";
    for (const uint32_t arg : graph.original_args(graph[id])) out << "  N" << arg << " -> N" << id << ";\n";
  }
  out << "}\n";
}

void dump(Graph& graph, std::ostream& out, const DumpOptions& options) {
  std::vector<uint32_t> all(graph.size());
  std::iota(all.begin(), all.end(), 0u);
  Evaluator& evaluator = *graph.evaluator;
  evaluator.evaluate(all);
  for (const uint32_t id : all) {
    out << "Node " << id << ": " << describe(graph, id) << ", shape " << graph.dim(id) << '\n';
    if (options.values) write_numbers("Value", evaluator.value(id), options.only_check, out);
    if (!options.gradients) continue;
    if (evaluator.has_gradient(id))
      write_numbers("Gradient", evaluator.gradient(id), options.only_check, out);
    else
      out << "Gradient: (not computed)\n";
  }
  if (options.plan) evaluator.describe_plan(out);
}

}  // namespace dynet
