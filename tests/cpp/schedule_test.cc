// Schedules and plans as data: random graphs against slow, obvious references.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "dynet/ops/row.h"
#include "dynet/plan/cache.h"
#include "dynet/plan/needed.h"
#include "dynet/plan/partition.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;

namespace {

struct Source : OpDefaults {
  struct Attrs {
    unsigned size;
  };
  static constexpr auto name = "source", doc = "A tensor from nowhere.";
  static Dim shape(const Attrs& a, Dims) { return {a.size}; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};
struct Mix : OpDefaults {
  struct Attrs {
    unsigned kind;
  };
  static constexpr auto name = "mix", doc = "Anything of arguments of one shape.";
  static Dim shape(const Attrs&, Dims x) { return x[0]; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};
struct View : OpDefaults {
  static constexpr auto name = "view", doc = "The argument's memory.";
  static constexpr bool view = true;
  static Dim shape(const NoAttrs&, Dims x) { return x[0]; }
  static void forward(const NoAttrs&, Engine&, const Call&) {}
};

/// A graph of sources, mixes of one to three older nodes, and some views.
void fill(Graph& graph, std::mt19937& random, unsigned size) {
  graph.clear();
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto handle = [&](unsigned id) { return graph.expression(id); };
  for (unsigned i = 0; i < 3; ++i) {
    const Source::Attrs attrs{4};
    graph.add(op<Source>, {}, &attrs, {});
  }
  while (graph.size() < size) {
    if (pick(8) == 0) {
      graph.add(op<View>, handle(pick(graph.size())), nullptr, {});
      continue;
    }
    std::vector<Expression> args;
    for (unsigned n = 1 + pick(3); n > 0; --n)
      args.push_back(handle(graph.size() - 1 - pick(std::min(graph.size(), 12u))));
    const Mix::Attrs attrs{pick(3)};
    graph.add(op<Mix>, args, &attrs, {});
  }
}

std::set<uint32_t> ancestors(const Graph& graph, uint32_t id) {
  std::set<uint32_t> all{id};
  for (uint32_t arg : graph.args(graph[id])) all.merge(ancestors(graph, arg));
  return all;
}

using Batches = std::vector<std::vector<uint32_t>>;

/// Arguments of a node among `nodes`, seen through views.
std::vector<uint32_t> needs(const Graph& graph, uint32_t id, const std::set<uint32_t>& nodes) {
  std::vector<uint32_t> result;
  for (uint32_t arg : graph.args(graph[id]))
    if (nodes.contains(origin(graph, arg))) result.push_back(origin(graph, arg));
  return result;
}

std::map<uint32_t, unsigned> depths(const Graph& graph, const std::set<uint32_t>& nodes) {
  std::map<uint32_t, unsigned> depth;
  for (uint32_t id : nodes) {
    depth[id] = 0;
    for (uint32_t arg : needs(graph, id, nodes)) depth[id] = std::max(depth[id], depth[arg] + 1);
  }
  return depth;
}

Batches reference_depth(const Graph& graph, const std::set<uint32_t>& nodes) {
  std::map<std::pair<unsigned, uint32_t>, std::vector<uint32_t>> groups;
  for (const auto& [id, depth] : depths(graph, nodes)) groups[{depth, graph[id].signature}].push_back(id);
  Batches result;
  for (auto& [key, ids] : groups) result.push_back(ids);
  return result;
}

Batches reference_agenda(const Graph& graph, const std::set<uint32_t>& nodes) {
  std::map<uint32_t, std::pair<double, unsigned>> total;  // by signature
  for (const auto& [id, depth] : depths(graph, nodes)) {
    total[graph[id].signature].first += depth;
    ++total[graph[id].signature].second;
  }
  Batches result;
  std::set<uint32_t> left = nodes;
  while (!left.empty()) {
    std::map<std::pair<double, uint32_t>, std::vector<uint32_t>> ready;
    for (uint32_t id : left) {
      const auto args = needs(graph, id, left);
      const auto& [sum, count] = total[graph[id].signature];
      if (args.empty()) ready[{sum / count, graph[id].signature}].push_back(id);
    }
    result.push_back(ready.begin()->second);
    for (uint32_t id : result.back()) left.erase(id);
  }
  return result;
}

Batches as_batches(const Schedule& s) {
  Batches result;
  for (size_t i = 0; i < s.size(); ++i) result.emplace_back(s.batch(i).begin(), s.batch(i).end());
  return result;
}

void check_layout(const Graph& graph, const Schedule& s) {
  Layout l;
  layout(graph, s, l);
  size_t end = 0;
  for (const Step& step : l.steps) {
    check(step.value >= end, "steps overlap");
    check(step.value % 16 == 0, "a step starts inside a cache line");
    end = step.value + step.items * step.value_size;
  }
  check(l.steps.size() == s.size() && l.size >= end,
        "the plan has another number of steps, or too little room");
}

void check_random_graphs() {
  std::mt19937 random(7);
  Graph graph;
  Marks marks;
  ScheduleScratch scratch;
  Needed found;
  Schedule s;
  for (int section = 0; section < 60; ++section) {
    fill(graph, random, 4 + random() % 60);
    const uint32_t wanted = static_cast<uint32_t>(random() % graph.size());
    std::vector<uint8_t> done(graph.size(), 0);
    marks.resize(graph.size());
    for (uint32_t id : ancestors(graph, static_cast<uint32_t>(random() % graph.size()))) done[id] = 1;
    needed(graph, std::span(&wanted, 1), done, marks, found);
    std::set<uint32_t> kernels, all = ancestors(graph, wanted);
    for (uint32_t id : all)
      if (!done[id] && !graph[id].op->view) kernels.insert(id);
    check(std::set(found.kernels.begin(), found.kernels.end()) == kernels, "needed finds other nodes");
    check(std::ranges::is_sorted(found.kernels), "needed nodes do not ascend");
    schedule(graph, found.kernels, Policy::depth, scratch, s);
    check(as_batches(s) == reference_depth(graph, kernels), "depth policy differs from its reference");
    check_layout(graph, s);
    schedule(graph, found.kernels, Policy::agenda, scratch, s);
    check(as_batches(s) == reference_agenda(graph, kernels), "agenda policy differs from its reference");
    check_layout(graph, s);
    schedule(graph, found.kernels, Policy::single, scratch, s);
    check(s.order == found.kernels && s.size() == kernels.size(), "single policy merges or reorders");
  }
}

/// Groups of nodes that grow in turns, a few nodes of parameters for all, and some nodes across groups.
void fill_groups(Graph& graph, Storage& storage, std::mt19937& random, unsigned size) {
  graph.clear();
  const auto pick = [&](size_t n) { return static_cast<unsigned>(random() % n); };
  const auto add = [&](const std::vector<Expression>& args) {
    const Mix::Attrs attrs{pick(3)};
    return graph.add(op<Mix>, args, &attrs, {});
  };
  const Expression common = add({Expression::of_parameter(&storage, true)});
  std::vector<std::vector<Expression>> groups(2 + pick(5));
  for (auto& group : groups) {
    const Source::Attrs attrs{4};
    group.push_back(graph.add(op<Source>, {}, &attrs, {}));
  }
  while (graph.size() < size) {
    auto& group = groups[pick(groups.size())];
    std::vector<Expression> args{group[pick(group.size())], group.back()};
    if (pick(4) == 0) args.push_back(common);
    if (pick(8) == 0) args[0] = graph.add(op<View>, args[0], nullptr, {});
    if (pick(40) == 0) args.push_back(groups[pick(groups.size())].back());
    group.push_back(add(args));
  }
}

/// No part needs another one or the epilogue; the prologue needs none of them.
void check_division() {
  std::mt19937 random(11);
  Graph graph;
  const auto storage = std::make_shared<ParameterStorage>(Dim{4});
  PartitionScratch scratch;
  Partition partition;
  unsigned partitioned = 0;
  for (int section = 0; section < 200; ++section) {
    fill_groups(graph, *storage, random, 20 + random() % 200);
    std::vector<uint32_t> kernels;
    for (uint32_t id = 0; id < graph.size(); ++id)
      if (!graph[id].op->view && !graph[id].op->leaf) kernels.push_back(id);
    const unsigned most = 1 + random() % 8;
    engine::partition(graph, kernels, most, 0, scratch, partition);
    if (partition.parts() == 0) continue;
    ++partitioned;
    check(partition.parts() > 1 && partition.parts() <= most, "another number of parts");
    std::map<uint32_t, size_t> list_of;
    const size_t last = partition.parts() + 1;
    for (size_t i = 0; i <= last; ++i)
      for (uint32_t id : partition.list(i)) list_of[id] = i;
    check(list_of.size() == kernels.size() && partition.nodes.size() == kernels.size(), "nodes are lost");
    const std::set<uint32_t> all(kernels.begin(), kernels.end());
    for (const auto& [id, list] : list_of)
      for (uint32_t arg : needs(graph, id, all))
        check(list_of[arg] == list || list_of[arg] == 0 || list == last, "a part needs another list");
    for (size_t i = 0; i <= last; ++i)
      check(std::ranges::is_sorted(partition.list(i)), "nodes do not ascend");
    engine::partition(graph, kernels, most, ~uint64_t{0}, scratch, partition);
    check(partition.parts() == 0, "too little work is partitioned");
  }
  check(partitioned > 50, text("few graphs were partitioned: ", partitioned));
}

void check_signatures() {
  Graph graph;
  graph.clear();
  const auto add_source = [&](unsigned size) {
    const Source::Attrs attrs{size};
    return graph.add(op<Source>, {}, &attrs, {});
  };
  const auto signature = [&](const Expression& x, unsigned kind) {
    const Mix::Attrs attrs{kind};
    return graph[graph.add(op<Mix>, x, &attrs, {}).i].signature;
  };
  const Expression four = add_source(4), five = add_source(5), other_four = add_source(4);
  check(signature(four, 1) == signature(other_four, 1), "equal calls have different signatures");
  check(signature(four, 1) != signature(five, 1), "different shapes share a signature");
  check(signature(four, 1) != signature(four, 2), "different attributes share a signature");
  std::set<uint32_t> many;
  for (unsigned kind = 0; kind < 2000; ++kind) many.insert(signature(four, kind));
  check(many.size() == 2000, "signatures are lost when the table grows");
  check(many.contains(signature(four, 77)), "a signature changed when the table grew");
  graph.clear();
  check(signature(add_source(4), 77) == *std::next(many.begin(), 77),
        "a signature changed with the next graph");
}

void check_errors() {
  Graph a, b;
  a.clear(), b.clear();
  const Source::Attrs attrs{4};
  const Expression x = a.add(op<Source>, {}, &attrs, {});
  const Expression y = b.add(op<Source>, {}, &attrs, {});
  const Mix::Attrs mix{0};
  const unsigned before = a.size();
  test::check_throws<std::invalid_argument>("belongs to graph", [&] { a.add(op<Mix>, {x, y}, &mix, {}); });
  test::check_throws<std::invalid_argument>("empty expression",
                                            [&] { a.add(op<Mix>, {x, Expression()}, &mix, {}); });
  const Source::Attrs nothing{0};
  test::check_throws<std::invalid_argument>("source: the result would have shape {0}",
                                            [&] { a.add(op<Source>, {}, &nothing, {}); });
  check(a.size() == before && a.edge_count() == 0, "a failed call left something in the graph");
  a.clear();
  test::check_throws<std::invalid_argument>("stale", [&] { a.add(op<Mix>, {x}, &mix, {}); });
}

}  // namespace

/// A plan is kept for graphs that came twice, and given only to the same graph and the same key.
void check_cache() {
  Graph graph;
  PlanCache cache;
  Compiler compiler;
  ExecutionPlan plan;
  const auto build = [&](unsigned seed, unsigned size) {
    std::mt19937 random(seed);
    fill(graph, random, size);
    return graph.size() - 1;
  };
  const auto find = [&](uint32_t wanted, Policy policy = Policy::agenda) {
    return cache.find({graph, {&wanted, 1}, policy, 1});
  };
  const auto plan_it = [&](uint32_t wanted) {
    std::vector<uint8_t> done(graph.size());
    Marks marks;
    marks.resize(graph.size());
    compiler.compile({graph, {&wanted, 1}, Policy::agenda, 1}, done, marks, 0, chosen_engine(), plan);
    cache.insert({graph, {&wanted, 1}, Policy::agenda, 1}, plan);
  };
  for (int time = 0; time < 2; ++time) {
    const uint32_t wanted = build(1, 60);
    check(!find(wanted), "not kept yet");
    plan_it(wanted);
  }
  const uint32_t wanted = build(1, 60);
  const KeptPlan* kept = find(wanted);
  check(kept && kept->execution.schedule.order == plan.schedule.order, "kept at the second time");
  check(kept && kept->execution.layout.size == plan.layout.size, "with its layout");
  check(!find(wanted - 1) && !find(wanted, Policy::depth), "another key");
  for (unsigned seed = 2; seed < 40; ++seed) check(!find(build(seed, 60)), "another graph");
  for (unsigned seed = 2; seed < 40; ++seed)
    for (int time = 0; time < 2; ++time)
      if (const uint32_t last = build(seed, 4000); !find(last)) plan_it(last);
  check(find(build(1, 60)), "what was used lately stays, however many others come");
}

int main() {
  check_cache();
  check_random_graphs();
  check_division();
  check_signatures();
  check_errors();
  return test::finish();
}
