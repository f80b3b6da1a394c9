// Records functions in a graph of their own.
#include "dynet/nn/cell.h"

#include <algorithm>
#include <mutex>

#include "dynet/ops/input.h"

namespace dynet {

using namespace engine;

namespace {

/// Stands where the values of a recording would be computed.
struct NoValues : Evaluator {
  bool batch_size_asked = false;

  Tensor value(unsigned) override { refuse(); }
  Tensor gradient(unsigned) override { refuse(); }
  void backward(unsigned, bool) override { refuse(); }
  void invalidate() override {}
  void renew() override {}
  void checkpoint() override {}
  void revert(unsigned) override {}
  void evaluate(std::span<const uint32_t>) override { refuse(); }
  bool is_known(unsigned) const override { return false; }
  bool has_gradient(unsigned) const override { refuse(); }
  void describe_plan(std::ostream&) const override { refuse(); }
  size_t step_count() const override { refuse(); }
  void check_asked() const override { refuse(); }
  void ask_batch_size() override { batch_size_asked = true; }
  [[noreturn]] static void refuse() {
    failed(
        "the function of a cell asked for a value or for its graph; while it is recorded there are none, ask "
        "outside");
  }
};

/// A graph for recordings.
struct SpareGraph {
  Graph graph{Graph::Tracing{}};
  NoValues evaluator;

  SpareGraph() { graph.evaluator = &evaluator; }
};

/// These graphs are never destroyed, since handles of their nodes may outlive a recording.
class SpareGraphs {
 public:
  static SpareGraphs& get() {
    static SpareGraphs& spare = *new SpareGraphs;
    return spare;
  }
  SpareGraph& take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return *all_.emplace_back(std::make_unique<SpareGraph>());
    SpareGraph& graph = *free_.back();
    free_.pop_back();
    return graph;
  }
  void give_back(SpareGraph& graph) {
    const std::lock_guard lock(mutex_);
    free_.push_back(&graph);
  }

 private:
  ForkedMutex mutex_;
  std::vector<std::unique_ptr<SpareGraph>> all_;
  std::vector<SpareGraph*> free_;
};

/// The current graph while a function is recorded.
class Recording {
 public:
  Recording() : spare_(SpareGraphs::get().take()) {
    graph().clear();
    spare_.evaluator.batch_size_asked = false;
    stay_ = enter_graph(graph());
  }
  ~Recording() {
    leave_graph(stay_);
    // A cell whose function has called this one depends on what this one depends on, also where it failed.
    if (Graph* outer = batch_size_asked() ? current_graph_or_null() : nullptr)
      outer->evaluator->ask_batch_size();
    graph().end();
    graph().retire();
    SpareGraphs::get().give_back(spare_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Graph& graph() { return spare_.graph; }
  bool batch_size_asked() const { return spare_.evaluator.batch_size_asked; }
  /// Whether the function has made a batch of a size of its own, which others may fit or not.
  bool has_own_batch(const std::vector<Expression>& inputs) {
    for (auto id = static_cast<uint32_t>(inputs.size()); id < graph().size(); ++id) {
      const unsigned batch = graph().dim(id).bd;
      const auto has_it = [&](uint32_t arg) { return graph().dim(arg).bd == batch; };
      if (batch > 1 && std::ranges::none_of(graph().args(graph()[id]), has_it)) return true;
    }
    return false;
  }
  std::vector<Expression> arguments(const std::vector<Dim>& dims) {
    std::vector<Expression> inputs;
    for (const Dim& dim : dims) inputs.push_back(leaf_of<Input>(graph(), {dim, 0, nullptr}));
    return inputs;
  }

 private:
  SpareGraph& spare_;
  uint64_t stay_;
};

constexpr size_t most_recordings = 256;  // of a function; those made first are forgotten

}  // namespace

SharedProgram engine::record_cell(const std::vector<Dim>& shapes, const CellFunction& function) {
  Recording recording;
  const std::vector<Expression> inputs = recording.arguments(shapes);
  const std::vector<Expression> outputs = function(inputs);
  return std::make_shared<CellTrace>(recording.graph(), inputs, outputs);
}

namespace {

/// Sorts the outputs of a function while its graph is there.
class OutputSorter {
 public:
  OutputSorter(Graph& graph, const std::vector<Expression>& inputs) : graph_(graph), inputs_(inputs) {}

  CellRecording::Output sort(const Expression& e) {
    if (e.is_parameter()) return {none, e};
    const uint32_t id = graph_.resolve(e);
    const Node& node = graph_[id];
    if (const uint32_t input = place_of(id, inputs_); input < inputs_.size()) return {input};
    if (node.op == &parameter_op)
      return {none, Expression::of_parameter(parameter_storage(node), node.needs_gradient)};
    return {none, {}, id};  // its place is known when all are
  }
  /// The nodes of each batch size, of which those without batch come last.
  std::vector<std::vector<Expression>> groups(std::vector<CellRecording::Output>& outputs) const {
    std::vector<uint32_t> batches;
    for (const auto& o : outputs)
      if (o.place != none && std::ranges::find(batches, graph_.dim(o.place).bd) == batches.end())
        batches.push_back(graph_.dim(o.place).bd);
    std::ranges::stable_partition(batches, [](uint32_t batch) { return batch > 1; });
    std::vector<std::vector<Expression>> groups;
    std::vector<uint32_t> places(outputs.size(), none);
    uint32_t count = 0;
    for (const uint32_t batch : batches) {
      std::vector<Expression>& nodes = groups.emplace_back();
      for (size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].place == none || graph_.dim(outputs[i].place).bd != batch) continue;
        places[i] = count + place_of(outputs[i].place, nodes);
        if (places[i] == count + nodes.size()) nodes.push_back(graph_.expression(outputs[i].place));
      }
      count += static_cast<uint32_t>(nodes.size());
    }
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i].place = places[i];
    return groups;
  }

 private:
  static constexpr uint32_t none = CellRecording::none;

  static uint32_t place_of(uint32_t id, const std::vector<Expression>& among) {
    return static_cast<uint32_t>(std::ranges::find(among, id, &Expression::i) - among.begin());
  }

  Graph& graph_;
  const std::vector<Expression>& inputs_;
};

}  // namespace

engine::CellRecording::CellRecording(const std::vector<Dim>& arguments, const CellFunction& function,
                                     const std::function<SharedProgram(SharedProgram)>& known) {
  Recording recording;
  const std::vector<Expression> inputs = recording.arguments(arguments);
  const std::vector<Expression> outputs = function(inputs);
  if (outputs.empty()) invalid("a cell returned no expression; at least one is needed");
  OutputSorter sorter(recording.graph(), inputs);
  for (const Expression& e : outputs) outputs_.push_back(sorter.sort(e));
  for (const Output& output : outputs_)
    if (output.parameter.is_parameter()) held_.push_back(output.parameter.storage()->shared_from_this());
  for (const std::vector<Expression>& nodes : sorter.groups(outputs_))
    programs_.push_back(known(std::make_shared<CellTrace>(recording.graph(), inputs, nodes)));
  depends_on_batch_size_ = recording.batch_size_asked() || recording.has_own_batch(inputs);
}

std::vector<Expression> CellRecording::call(Expressions xs) const {
  std::vector<Expression> made, outputs;
  Graph& graph = graph_of(xs);
  if (depends_on_batch_size_) graph.evaluator->ask_batch_size();
  for (const SharedProgram& program : programs_) {
    const Expression node = CellTrace::add(program, xs);
    for (size_t i = 0; i < program->output_count(); ++i) made.push_back(program->output(node, i));
  }
  for (const Output& o : outputs_)
    outputs.push_back(o.argument != none ? xs[o.argument]
                      : o.place != none  ? made[o.place]
                                         : graph.expression(graph.resolve(o.parameter)));
  return outputs;
}

namespace {

/// Whether a function does with these arguments what was recorded: of batches that fit each other it only
/// counts that they are some, unless the function has looked at their size.
template <class T>
bool fits(const std::vector<Dim>& shapes, const T& made, Expressions xs) {
  if (shapes.size() != xs.size()) return false;
  BatchPattern before, now;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Dim &was = shapes[i], &is = dim_of(xs[i]);
    if (!(was.with_batch(is.bd) == is)) return false;
    if constexpr (std::same_as<T, CellRecording>)
      if (before.next(was.bd) != now.next(is.bd) || (made.depends_on_batch_size() && was.bd != is.bd))
        return false;
  }
  return true;
}

/// What was recorded for such arguments; made if there is none.
template <class Recordings, class Make>
const auto& recorded(Recordings& all, Expressions xs, Make&& make) {
  const auto found = std::ranges::find_if(all, [&](const auto& r) { return fits(r.shapes, *r.made, xs); });
  if (found != all.end()) return found->made;
  std::vector<Dim> shapes;
  for (const Expression& x : xs) shapes.push_back(dim_of(x));
  auto made = make(shapes);  // the function may call the cell
  if (all.size() == most_recordings) all.erase(all.begin());
  return all.emplace_back(std::move(shapes), std::move(made)).made;
}

}  // namespace

const SharedProgram& Cell::program(Expressions xs) {
  return recorded(nodes_, xs, [&](std::vector<Dim>& shapes) {
    for (Dim& dim : shapes) dim.bd = 1;
    return record_cell(shapes, function_);
  });
}

std::vector<Expression> Cell::operator()(Expressions xs) {
  const auto known = [&](const SharedProgram& made) {
    for (const auto& call : calls_)
      for (const SharedProgram& program : call.made->programs())
        if (*program == *made) return program;
    return made;
  };
  const auto& recording = recorded(calls_, xs, [&](const std::vector<Dim>& shapes) {
    return std::make_shared<const CellRecording>(shapes, function_, known);
  });
  return recording->call(xs);
}

}  // namespace dynet
