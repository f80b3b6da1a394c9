// Plans of gradients as data: random graphs, whose plans are carried out on symbols instead of numbers.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "dynet/ops/row.h"
#include "dynet/plan/gradients.h"
#include "dynet/plan/layout.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;

namespace {

constexpr unsigned whole = 4, half = 2;

struct Source : OpDefaults {
  struct Attrs {
    unsigned rows, columns, learned;
  };
  static constexpr auto name = "source", doc = "A tensor from nowhere.";
  static constexpr bool leaf = true;
  static bool trained(const Attrs& a) { return a.learned; }
  static Dim shape(const Attrs& a, Dims) { return a.columns == 1 ? Dim{a.rows} : Dim{a.rows, a.columns}; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};
/// What its backward kernel makes of each argument's gradient is a symbol.
struct Mix : OpDefaults {
  struct Attrs {
    unsigned kind;
  };
  static constexpr auto name = "mix", doc = "Anything of arguments of one shape.";
  static Dim shape(const Attrs&, Dims x) { return x[0]; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};
struct Sum : Mix {
  static constexpr auto name = "total", doc = "Passes its gradient on to all arguments.";
  static constexpr uint32_t identity = ~0u;
};
struct Gates : Mix {
  static constexpr auto name = "gates", doc = "Turns what it saved into the gradient of argument 0.";
  static constexpr bool saved_becomes_gradient = true;
  static size_t saved_size(const Attrs&, Dims x) { return x[0].batch_size(); }
};
struct Times : Mix {
  static constexpr auto name = "times",
                        doc = "A matrix times a vector: what the matrix gets is delivered at the end.";
  static constexpr bool is_matrix(unsigned i) { return i == 0; }
  static Dim shape(const Attrs&, Dims x) { return x[1]; }
};
struct Slice : OpDefaults {
  struct Attrs {
    unsigned offset;
  };
  static constexpr auto name = "slice", doc = "A half of the argument's memory.";
  static constexpr bool view = true;
  static Dim shape(const Attrs&, Dims) { return {half}; }
  static size_t view_offset(const Attrs& a, Dims) { return a.offset; }
  static void forward(const Attrs&, Engine&, const Call&) {}
};

/// A graph that ends in one node of everything that nobody used.
void fill(Graph& graph, std::mt19937& random, unsigned size) {
  graph.clear();
  const auto pick = [&](size_t n) { return static_cast<unsigned>(random() % n); };
  std::vector<uint32_t> wholes, halves, matrices;
  std::set<uint32_t> unused;
  const auto add = [&](const Op& op, const std::vector<uint32_t>& args, const auto& attrs) {
    std::vector<Expression> xs;
    for (const uint32_t arg : args) xs.push_back(graph.expression(arg)), unused.erase(arg);
    const uint32_t id = graph.add(op, xs, &attrs, {}).i;
    (graph.dim(id).nd == 2 ? matrices : graph.dim(id).size() == whole ? wholes : halves).push_back(id);
    unused.insert(id);
  };
  for (unsigned i = 0; i < 6; ++i)
    add(op<Source>, {}, Source::Attrs{i % 3 ? half : whole, i % 3 == 2 ? half : 1, pick(4) > 0});
  const auto some = [&](const std::vector<uint32_t>& from, size_t count) {
    std::vector<uint32_t> chosen;
    while (chosen.size() < count)
      chosen.push_back(from[from.size() - 1 - pick(std::min<size_t>(from.size(), 8))]);
    return chosen;
  };
  const Op* const kernels[] = {&op<Mix>, &op<Sum>, &op<Gates>};
  while (graph.size() < size) {
    if (pick(4) == 0)
      add(op<Slice>, some(pick(3) ? wholes : matrices, 1), Slice::Attrs{pick(half + 1)});
    else if (pick(4) == 0)
      add(op<Times>, {some(matrices, 1)[0], some(halves, 1)[0]}, Mix::Attrs{0});
    else
      add(*kernels[pick(3)],
          some(pick(6) == 0 ? matrices
               : pick(2)    ? wholes
                            : halves,
               1 + pick(3)),
          Mix::Attrs{pick(2)});
  }
  for (auto* list : {&matrices, &wholes, &halves}) {
    std::vector<uint32_t> rest;
    std::ranges::copy_if(*list, std::back_inserter(rest), [&](uint32_t id) { return unused.contains(id); });
    if (!rest.empty()) add(op<Mix>, rest, Mix::Attrs{0});
  }
}

/// Each node has a call of its own, or those of a schedule.
Tape tape_of(const Graph& graph, Policy policy) {
  std::vector<uint32_t> kernels;
  for (uint32_t id = 0; id < graph.size(); ++id)
    if (!graph[id].op->leaf && !graph[id].op->view) kernels.push_back(id);
  ScheduleScratch scratch;
  Schedule order;
  schedule(graph, kernels, policy, scratch, order);
  Tape tape;
  tape.nodes = order.order;
  tape.entry_of.resize(graph.size());
  for (uint32_t i = 0, first = 0; i < order.size(); first = order.ends[i++]) {
    tape.entries.push_back({first, order.ends[i] - first});
    for (const uint32_t id : order.batch(i)) tape.entry_of[id] = i;
  }
  return tape;
}

/// A sum as its terms in their order. a + b + c is b + a + c, but not a + c + b.
using Terms = std::vector<std::string>;
std::string as_text(Terms terms) {
  if (terms.size() > 1 && terms[1] < terms[0]) std::swap(terms[0], terms[1]);
  std::string all;
  for (const std::string& term : terms) all += (all.empty() ? "" : "+") + term;
  return terms.empty() ? "0" : terms.size() == 1 ? all : "(" + all + ")";
}
std::string made_by(uint32_t consumer, unsigned i, size_t element) {
  return text("k", consumer, ".", i, "@", element);
}

/// What gradients are by their definition.
class Reference {
 public:
  Reference(const Graph& graph, uint32_t loss, const std::set<uint32_t>& nodes)
      : graph_(graph), loss_(loss), nodes_(nodes) {}

  std::string of(uint32_t id, size_t element) {
    const auto [known, is_new] = known_.try_emplace({id, element});
    if (!is_new) return known->second;
    Terms terms, outer;
    if (id == loss_) terms.push_back("1");
    for (auto consumer = nodes_.rbegin(); consumer != nodes_.rend() && *consumer > id; ++consumer)
      for (unsigned i = 0; i < graph_.args(graph_[*consumer]).size(); ++i)
        if (graph_.args(graph_[*consumer])[i] == id)
          add(graph_[*consumer].op == &op<Times> && i == 0 ? outer : terms, *consumer, i, element);
    terms.insert(terms.end(), outer.begin(), outer.end());
    return known_[{id, element}] = as_text(terms);
  }

 private:
  void add(Terms& terms, uint32_t consumer, unsigned i, size_t element) {
    const Op& op = *graph_[consumer].op;
    const size_t offset = graph_.item(consumer).view_offset;
    if (!op.view)
      terms.push_back(&op == &engine::op<Sum> ? of(consumer, element) : made_by(consumer, i, element));
    else if (element >= offset && element < offset + half)
      terms.push_back(of(consumer, element - offset));
  }

  const Graph& graph_;
  uint32_t loss_;
  const std::set<uint32_t>& nodes_;
  std::map<std::pair<uint32_t, size_t>, std::string> known_;
};

/// Carries out a plan on symbols.
class Symbolic {
 public:
  Symbolic(const Graph& graph, const Tape& tape, const Marks& marks, const GradientPlan& plan)
      : graph_(graph), tape_(tape), marks_(marks), plan_(plan), memory_(plan.size) {}

  void run(uint32_t loss) {
    for (Terms& number : memory_) number = {"?"};
    for (const uint32_t id : plan_.zeroed) clear(id);
    for (size_t e = 0; e < graph_.dim(loss).size(); ++e) at(plan_[loss].place, e) = {"1"};
    started_.insert(loss);
    for (const GradientCall& call : plan_.calls) {
      const auto nodes = plan_.members_of(call, tape_);
      for (const uint32_t id : nodes) {
        check(!plan_[id].needs_finish() || call.needs_finish, "a member that is to be finished is told");
        finish(id);
      }
      check_place(call, nodes);
      for (unsigned i = 0; i < graph_[nodes[0]].arg_count; ++i) {
        targets_.clear();
        for (const uint32_t id : nodes) contribute(id, i);
      }
    }
    for (const uint32_t id : plan_.leaves) finish(id);
  }
  std::string of(uint32_t id, size_t element) { return as_text(at(plan_[id].place, element)); }

 private:
  Terms& at(Location place, size_t element) {
    if (place.is_elsewhere()) return saved_[{place.node(), element}];
    return memory_.at(place.offset() + element);
  }
  void clear(uint32_t id) {
    for (size_t e = 0; e < graph_.dim(id).size(); ++e) at(plan_[id].place, e).clear();
    started_.insert(id);
  }
  void check_place(const GradientCall& call, std::span<const uint32_t> nodes) {
    if (call.gradient.is_none()) return;
    Location place = call.gradient;
    for (const uint32_t id : nodes) {
      check(plan_[id].place == place, "the gradients of a call lie one after another");
      place = place + graph_.dim(id).size();
    }
  }

  void finish(uint32_t id) {
    if (plan_[id].has(GradientEntry::with_views))
      for (uint32_t v = plan_.view_lists[id].first; v != ViewList::none; v = plan_.view_lists[v].next)
        finish_one(v);
    finish_one(id);
  }
  void finish_one(uint32_t id) {
    if (!finished_.insert(id).second) return;
    if (plan_[id].is_summed()) {
      if (!started_.contains(id)) clear(id);
      if (plan_[id].is(Accumulation::buffered)) add_terms(id, plan_[id]);
    }
    const DeferredList outer = plan_.deferred_of(id).outer;
    uint32_t count = 0;
    for (uint32_t use = outer.first; use != ~0u; use = plan_.deferred_uses[use].next, ++count)
      for (size_t e = 0; e < graph_.dim(id).size(); ++e)
        at(plan_[id].place, e).push_back(made_by(plan_.deferred_uses[use].node, 0, e));
    check(count == outer.count, "uses of a matrix are counted");
  }
  void add_terms(uint32_t id, const GradientEntry& entry) {
    for (uint32_t t = entry.terms; t != GradientTerm::none; t = plan_.terms[t].next) {
      const GradientTerm& term = plan_.terms[t];
      const bool is_view = graph_[term.consumer].op->view;
      const size_t offset = is_view ? graph_.item(term.consumer).view_offset : 0;
      for (size_t e = 0; e < graph_.dim(is_view ? term.consumer : id).size(); ++e)
        at(entry.place, offset + e)
            .push_back(as_text(at(is_view ? plan_[term.consumer].place : term.from, e)));
    }
  }

  void contribute(uint32_t id, unsigned i) {
    const uint32_t arg = graph_.args(graph_[id])[i];
    if (!marks_[arg] || (graph_[id].op == &op<Times> && i == 0)) return;
    const GradientEntry& entry = plan_[arg];
    if (entry.is(Accumulation::saved))
      for (size_t e = 0; e < graph_.dim(arg).size(); ++e) saved_[{id, e}] = {made_by(id, i, e)};
    if (!entry.is_summed()) return;
    const bool is_buffered = entry.is(Accumulation::buffered);
    const uint32_t t = is_buffered ? plan_.term_of[graph_[id].args + i] : 0;
    if (is_buffered && plan_.terms[t].is_gradient) return;
    const Location target = is_buffered ? plan_.terms[t].from : entry.place;
    check(targets_.insert(target.offset()).second, "the members of a call write to places of their own");
    if (!is_buffered && !started_.contains(arg)) clear(arg);
    for (size_t e = 0; e < graph_.dim(arg).size(); ++e) {
      const std::string term = graph_[id].op == &op<Sum> ? of(id, e) : made_by(id, i, e);
      if (is_buffered)
        at(target, e) = {term};
      else
        at(target, e).push_back(term);
    }
  }

  const Graph& graph_;
  const Tape& tape_;
  const Marks& marks_;
  const GradientPlan& plan_;
  std::vector<Terms> memory_;
  std::map<std::pair<uint32_t, size_t>, Terms> saved_;
  std::set<uint32_t> started_, finished_;
  std::set<uint64_t> targets_;  // of one argument of a call
};

/// The loss and all that it depends on which leads to a source that is learned.
std::set<uint32_t> reference_nodes(const Graph& graph, uint32_t loss, bool full) {
  std::set<uint32_t> nodes{loss};
  for (uint32_t id = loss; id != ~0u; --id)
    if (nodes.contains(id))
      for (const uint32_t arg : graph.args(graph[id]))
        if (full || graph[arg].needs_gradient) nodes.insert(arg);
  return nodes;
}

void check_plans(Graph& graph, std::mt19937& random, std::map<Accumulation, unsigned>& seen) {
  Marks marks;
  GradientPlan plan;
  fill(graph, random, 8 + random() % 60);
  const uint32_t loss = graph.size() - 1;
  for (const Policy policy : {Policy::single, Policy::depth, Policy::agenda})
    for (const bool full : {false, true}) {
      const Tape tape = tape_of(graph, policy);
      marks.resize(graph.size());
      plan_gradients(graph, tape, loss, full, marks, plan);
      const std::set<uint32_t> nodes = reference_nodes(graph, loss, full);
      check(std::ranges::equal(nodes, std::vector(plan.nodes.rbegin(), plan.nodes.rend())),
            "the backward set is what leads from the loss to what is learned");
      Symbolic symbolic(graph, tape, marks, plan);
      symbolic.run(loss);
      Reference reference(graph, loss, nodes);
      for (const uint32_t id : nodes) {
        ++seen[static_cast<Accumulation>(plan[id].accumulation)];
        for (size_t e = 0; e < graph.dim(id).size(); ++e)
          check(symbolic.of(id, e) == reference.of(id, e),
                text("node ", id, " gets ", symbolic.of(id, e), ", and not ", reference.of(id, e)));
        marks.clear(id);
      }
    }
}

}  // namespace

int main() {
  std::mt19937 random(1);
  std::map<Accumulation, unsigned> seen;
  Graph graph;
  for (int i = 0; i < 2000; ++i) check_plans(graph, random, seen);
  for (const Accumulation kind : {Accumulation::direct, Accumulation::buffered, Accumulation::alias,
                                  Accumulation::saved, Accumulation::sliced})
    check(seen[kind] > 100, "all ways of accumulation are met");
  return test::finish();
}
