// Graphs as text, dumps and timing, and use of a graph by one thread at a time.
#include <sstream>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;

namespace {

std::string dumped(ComputationGraph& cg, const DumpOptions& options = {}) {
  std::ostringstream out;
  dump(cg.graph(), out, options);
  return out.str();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void test_text() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2, 3}, ParameterInitConst(0.5f), "join");
  LookupParameter table = m.add_lookup_parameters(4, {3}, ParameterInitConst(1), "words");
  ComputationGraph cg;
  const Expression w = parameter(cg, p), y = pick(tanh(w * lookup(cg, table, 2u)), 1u);
  check(describe(cg, 0) == "v0 = parameter(/join, {2,3})", describe(cg, 0));
  check(describe(cg, 1) == "v1 = lookup(/words, 2)", describe(cg, 1));
  check(describe(cg, y.i) == "v4 = pick(v3, 1)", describe(cg, y.i));
  std::ostringstream dot;
  print_graphviz(cg, dot);
  check(holds(dot.str(), "  N3 -> N4;\n}\n"), dot.str());
  check(holds(dumped(cg), "Gradient: (not computed)\n"), "no gradient yet");
  y.backward();
  check(holds(dumped(cg), "Node 4: v4 = pick(v3, 1), shape {1}\nValue:\n0.905148\nGradient:\n1\n"),
        dumped(cg));
  const std::string short_form = dumped(cg, {.gradients = false, .only_check = true});
  check(holds(short_form, "Value: valid\n") && !holds(short_form, "Gradient"), short_form);
}

void test_profile() {
  Profile profile;
  chosen_profile() = &profile;
  {
    ComputationGraph cg;
    const Expression x = input(cg, 1);
    cg.evaluate({tanh(x), tanh(x)});
  }
  chosen_profile() = nullptr;
  {
    ComputationGraph cg;
    exp(input(cg, 1)).value();
  }
  std::ostringstream out;
  profile.print(out, true);
  check(holds(out.str(), "FWD tanh") && holds(out.str(), "BatchSize:2 x 1\n"), out.str());
  check(!holds(out.str(), "FWD exp"), "only what ran while it was on");
}

void test_use() {
  ComputationGraph cg;
  const Expression x = input(cg, 1);
  {
    const Graph::BusyGuard use(cg.graph());
    check_throws<std::runtime_error>("another thread", [&] { tanh(x); });
    check_throws<std::runtime_error>("another thread", [&] { input(cg, 2); });
    check_throws<std::runtime_error>("another thread", [&] { cg.clear(); });
    check_throws<std::runtime_error>("another thread", [&] { const Graph::BusyGuard again(cg.graph()); });
    check(cg.graph().size() == 1, "nothing was added");
  }
  check(tanh(x).i == 1, "the graph is free again");
}

void test_removed_nodes() {
  ComputationGraph cg;
  input(cg, 1);
  cg.checkpoint();
  const Expression y = input(cg, 2);
  cg.revert();
  check_throws<std::invalid_argument>("checkpoint", [&] { tanh(y); });
  check_throws<std::runtime_error>("checkpoint", [&] { y.value(); });
}

}  // namespace

int main() {
  test_text();
  test_profile();
  test_use();
  test_removed_nodes();
  return test::finish();
}
