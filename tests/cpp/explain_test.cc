// Tests what is told of operations, of schedules, and of calls that are recorded.
#include "dynet/plan/explain.h"

#include <algorithm>

#include "dynet/dynet.h"
#include "dynet/run/recorder.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;

namespace {

Kind kind(const Expression& e) { return kind_of(*e.pg, e.i); }

void test_attributes() {
  ComputationGraph cg;
  const Expression x = input(cg, {4, 2}, std::vector<real>(8, 1));
  const auto attributes = kind(pick_range(x, 1, 3, 0)).attributes;
  check(attributes.size() == 3, "the fields of the struct");
  check(attributes[1].name == "end" && attributes[1].numbers == std::vector{3.0}, "a number");
  check(attributes[1].is_whole && !attributes[1].is_list, "a whole one");
  const auto factor = kind(x * real(0.5)).attributes;
  check(factor.size() == 1 && factor[0].name == "factor" && !factor[0].is_whole, "a real one");
  const auto axes = kind(sum_dim(x, {1})).attributes;
  check(axes[0].name == "axes" && axes[0].is_list && axes[0].numbers == std::vector{1.0}, "what an op tells");
  check(kind(tanh(x)).attributes.empty(), "none");
}

void test_schedule() {
  ParameterCollection model;
  Parameter w = model.add_parameters({2, 2}, ParameterInitConst(1), "W");
  ComputationGraph cg;
  Expression x = input(cg, {2}, {1, 2});
  std::vector<Expression> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(exp(x));
    x = tanh(parameter(cg, w) * x);
  }
  const Expression last = sum(all) + x;
  const ExplainedSchedule found = explain_schedule(cg.graph(), last.i, Policy::agenda);
  check(found.schedule.order.size() == 11 && cg.graph().evaluator->step_count() == 0, "nothing is computed");
  check(found.kinds.size() == found.chains.size(), "a chain of each kind");
  for (size_t k = 0; k < found.kinds.size(); ++k) {
    const bool in_chain = found.kinds[k].operation == "tanh" || found.kinds[k].operation == "matmul";
    check(found.chains[k] == (in_chain ? 3u : 1u) || found.kinds[k].operation == "exp", "chains");
    if (found.kinds[k].operation == "matmul")
      check(found.kinds[k].matrices == std::vector<std::string>{"/W", ""}, "the matrix that is shared");
  }
  last.value();
  check(cg.graph().evaluator->step_count() == found.schedule.size(), "the schedule is that which runs");
}

void test_recorder() {
  static Recorder recorder;
  check(recorder.start() && !recorder.start(), "one record at a time");
  {
    ComputationGraph cg;
    const Expression x = input(cg, {3}, {1, 2, 3});
    cg.graph().begin_places(1);
    const Expression a = tanh(x);
    cg.graph().place_new_nodes(1, 7);
    const Expression b = tanh(exp(x));
    cg.graph().place_new_nodes(1, 8);
    cg.evaluate({a, b});
  }
  recorder.stop();
  uint32_t nodes = 0;
  for (const RecordedCall& call : recorder.calls())
    if (recorder.kinds()[call.kind].operation == "tanh") nodes += call.nodes;
  check(nodes == 2, "both");
  check(recorder.lines()[7].nodes == 1 && recorder.lines()[8].nodes == 2, "lines");
  check(recorder.lines()[8].bytes == 2 * 3 * sizeof(real), "memory of values");
  const size_t count = recorder.calls().size();
  {
    ComputationGraph cg;
    tanh(input(cg, 1)).value();
  }
  check(recorder.calls().size() == count, "nothing after the end");
}

}  // namespace

int main() {
  test_attributes();
  test_schedule();
  test_recorder();
  return test::finish();
}
