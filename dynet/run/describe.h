// Graphs as text for people: one node, the whole graph for Graphviz, and all values and gradients.
#pragma once

#include <ostream>
#include <string>

#include "dynet/graph/graph.h"

namespace dynet {

/// What a node computes, with its arguments by number: "v3 = pick(v2, 1)".
std::string describe(const engine::Graph& graph, unsigned node);
/// The graph in Graphviz's language.
void print_graphviz(const engine::Graph& graph, std::ostream& out);

struct DumpOptions {
  bool values = true, gradients = true;
  bool only_check = false;  // says "valid" or "invalid" instead of the numbers
  bool plan = false;        // says which nodes ran together, and how each gradient came about
};
/// Every node with its value and its gradient, "(not computed)" where there is none; evaluates all of them.
void dump(engine::Graph& graph, std::ostream& out, const DumpOptions& options = {});

}  // namespace dynet
