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
  Tensor value(unsigned) override { refuse(); }
  Tensor gradient(unsigned) override { refuse(); }
  void backward(unsigned, bool) override { refuse(); }
  void invalidate() override {}
  void renew() override {}
  void checkpoint() override {}
  void revert(unsigned) override {}
  [[noreturn]] static void refuse() {
    failed("the function of a cell asked for a value; while it is recorded there are none, compute outside");
  }
};

/// Graphs for recordings. They are never destroyed, since handles of their nodes may outlive a recording.
class SpareGraphs {
 public:
  static SpareGraphs& get() {
    static SpareGraphs& spare = *new SpareGraphs;
    return spare;
  }
  Graph& take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      all_.push_back(std::make_unique<Graph>(Graph::Aside{}));
      all_.back()->evaluator = &no_values_;
      return *all_.back();
    }
    Graph& graph = *free_.back();
    free_.pop_back();
    return graph;
  }
  void give_back(Graph& graph) {
    const std::lock_guard lock(mutex_);
    free_.push_back(&graph);
  }

 private:
  std::mutex mutex_;
  NoValues no_values_;
  std::vector<std::unique_ptr<Graph>> all_;
  std::vector<Graph*> free_;
};

/// The current graph while a function is recorded.
class Recording {
 public:
  Recording() : graph_(SpareGraphs::get().take()) {
    graph_.clear();
    stay_ = enter_graph(graph_);
  }
  ~Recording() {
    leave_graph(stay_);
    graph_.end();
    graph_.retire();
    SpareGraphs::get().give_back(graph_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  uint64_t stay_;
};

}  // namespace

std::shared_ptr<const CellProgram> record_cell(const std::vector<Dim>& shapes,
                                               const Cell::Function& function) {
  Recording recording;
  Graph& graph = recording.graph();
  std::vector<Expression> inputs;
  for (const Dim& dim : shapes) inputs.push_back(leaf_of<Input>(graph, {dim, 0, nullptr}));
  const std::vector<Expression> outputs = function(inputs);
  return std::make_shared<CellProgram>(graph, inputs, outputs);
}

const std::shared_ptr<const CellProgram>& Cell::program(Expressions xs) {
  const auto fits = [&](const Recorded& r) {
    return std::ranges::equal(
        r.shapes, xs, [](const Dim& dim, const Expression& x) { return dim == x.dim().single_batch(); });
  };
  const auto found = std::ranges::find_if(recorded_, fits);
  if (found != recorded_.end()) return found->program;
  std::vector<Dim> shapes;
  for (const Expression& x : xs) shapes.push_back(x.dim().single_batch());
  auto program = record_cell(shapes, function_);
  return recorded_.emplace_back(std::move(shapes), std::move(program)).program;
}

std::vector<Expression> Cell::operator()(Expressions xs) {
  const auto& recorded = program(xs);
  const Expression node = CellProgram::add(recorded, xs);
  std::vector<Expression> outputs;
  for (size_t i = 0; i < recorded->output_count(); ++i) outputs.push_back(recorded->output(node, i));
  return outputs;
}

}  // namespace dynet
