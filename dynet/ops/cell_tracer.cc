// Makes programs of cells from graphs: places for all values and gradients, and who reads what.
#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "dynet/ops/cell.h"
#include "dynet/ops/input.h"

namespace dynet::engine {

class CellTracer {
 public:
  CellTracer(CellTrace& program, Graph& graph, std::span<const Expression> inputs,
             std::span<const Expression> outputs)
      : p_(program), graph_(graph), roots_(graph.size()) {
    for (const Expression& e : inputs) add_input(e);
    for (const Expression& e : outputs) place_output(graph.resolve(e));
    for (uint32_t id : reachable()) add_node(id);
    for (const Output& o : outputs_)
      if (!o.in_place) value_of(roots_[o.node]);  // what is copied is an argument, too
    add_matrices();
    place_gradients();
    connect_outputs();
    trace_outputs();
    if (p_.arguments_.empty()) invalid("the outputs of a cell depend on no argument and no parameter");
  }

 private:
  using Room = CellTrace::Room;
  using Location = CellTrace::Location;
  static constexpr uint32_t none = CellTrace::none;

  /// A leaf of the graph: an input of the function, or a parameter that it uses.
  struct LeafUse {
    Dim dim;
    uint32_t input = none;
    Expression parameter{};
    bool needs_gradient = true;
    bool has_gradient = false;  // some step adds to its gradient
    uint32_t argument = none;   // of the node, where it is read as a vector
  };
  /// What is known of a step beside the program: it has a gradient of its own if other steps add to it.
  struct StepUse {
    std::vector<uint32_t> args;  // nodes
    size_t workspace_size;
    bool has_gradient = false;
  };
  /// Whose memory the value of a node is: a leaf's or a step's, from an offset on.
  struct Root {
    uint32_t leaf = none, step = none;
    size_t offset = 0;
    bool stopped = false;             // no gradient passes
    std::optional<Location> place{};  // in the result
  };

  void add_input(const Expression& e) {
    const uint32_t id = graph_.resolve(e);
    roots_[id].leaf = count(leaves_);
    leaves_.push_back({graph_.dim(id).single_batch(), count(leaves_)});
  }

  /// An output that is the value of a step lies in the result; other outputs are copied there.
  void place_output(uint32_t id) {
    const Node& node = graph_[id];
    const Location at{Room::result, 0, result_size_};
    outputs_.push_back({id, at, !node.op->view && !node.op->leaf && !roots_[id].place});
    if (outputs_.back().in_place) roots_[id].place = at;
    p_.outputs_.push_back(graph_.dim(id).single_batch());
    result_size_ += graph_.dim(id).batch_size();
    p_.result_ = p_.outputs_.size() == 1 ? p_.outputs_[0] : Dim{static_cast<unsigned>(result_size_)};
  }

  /// What the outputs depend on, in ascending order.
  std::vector<uint32_t> reachable() const {
    std::vector<uint8_t> marked(graph_.size());
    std::vector<uint32_t> ids;
    for (const Output& o : outputs_) marked[o.node] = 1;
    for (uint32_t id = graph_.size(); id-- > 0;) {
      if (!marked[id]) continue;
      ids.push_back(id);
      for (uint32_t arg : graph_.args(graph_[id])) marked[arg] = 1;
    }
    std::ranges::reverse(ids);
    return ids;
  }

  void add_node(uint32_t id) {
    const Node& node = graph_[id];
    if (node.op == &parameter_op) return add_parameter(id);
    if (node.op->leaf) {
      if (roots_[id].leaf == none)
        invalid("a cell makes an expression without arguments (", node.op->name, "); pass it as an argument");
      return;
    }
    if (node.op == &op<RecordedCell>)
      p_.held_.push_back(attrs_of<RecordedCell>(node.payload).program->shared_from_this());
    else if (node.op->random || !node.words().empty() || node.op->batching == Batching::nodes ||
             (node.op->key_size != node.op->attr_size && !node.op->original))
      invalid("a cell cannot hold ", node.op->name,
              ", which is random, takes indices or looks at a whole batch; pass its result as an argument");
    if (node.op->view)
      add_view(id);
    else
      add_step(id);
  }

  void add_parameter(uint32_t id) {
    Storage* storage = parameter_storage(graph_[id]);
    const bool trained = graph_[id].needs_gradient;
    roots_[id].leaf = count(leaves_);
    leaves_.push_back({graph_.dim(id), none, Expression::of_parameter(storage, trained), trained});
    p_.held_.push_back(storage->shared_from_this());
  }

  void add_view(uint32_t id) {
    const Root& source = roots_[graph_.args(graph_[id])[0]];
    roots_[id] = {source.leaf, source.step, source.offset + graph_.item(id).view_offset,
                  source.stopped || !graph_[id].op->differentiable};
  }

  void add_step(uint32_t id) {
    const Node& node = graph_[id];
    const Item& item = graph_.item(id);
    const std::span<const uint32_t> args = graph_.args(node);
    CellTrace::Step step{};
    step.op = node.op;
    step.attrs.assign(node.payload, node.payload + node.op->attr_size);
    step.x_dims.assign(item.x_dims.begin(), item.x_dims.end());
    step.dim = item.dim;
    for (unsigned i = 0; i < args.size(); ++i) {
      step.needs_gradient |= node.op->differentiable && needs_gradient(roots_[args[i]]);
      step.uses.push_back(use_of(node, i));
    }
    step.y = roots_[id].place ? *roots_[id].place : kept(item.size);
    step.saved = kept(item.saved_size);
    roots_[id].step = count(p_.steps_);
    steps_.push_back({{args.begin(), args.end()}, item.workspace_size});
    p_.steps_.push_back(std::move(step));
  }

  CellTrace::Use use_of(const Node& node, unsigned i) {
    const uint32_t arg = graph_.args(node)[i];
    Root& root = roots_[arg];
    CellTrace::Use use;
    if (node.op->has_matrix && node.op->is_matrix(node.payload, i) && graph_[arg].op->leaf) {
      p_.matrices_.push_back({count(p_.steps_), i});
      matrix_leaves_.push_back(root.leaf);
      use.matrix = count(matrix_leaves_) - 1;  // until add_matrices
      return use;
    }
    use.x = value_of(root);
    use.has_gradient = node.op->differentiable && needs_gradient(root);
    if (use.has_gradient) add_to_gradient(root);
    return use;
  }

  /// Matrices are the last arguments of the node.
  void add_matrices() {
    p_.first_matrix_ = count(p_.arguments_);
    for (size_t k = 0; k < matrix_leaves_.size(); ++k) {
      p_.steps_[p_.matrices_[k].step].uses[p_.matrices_[k].use].matrix += p_.first_matrix_;
      add_argument(leaves_[matrix_leaves_[k]]);
    }
  }

  /// The gradient of an output that no step reads is that of the result; others are added to their roots'.
  void place_gradients() {
    for (const Output& o : outputs_)
      if (const Root& root = roots_[o.node]; !o.in_place && needs_gradient(root)) add_to_gradient(root);
    for (LeafUse& leaf : leaves_) {
      if (leaf.argument == none || !leaf.has_gradient) continue;
      p_.arguments_[leaf.argument].has_gradient = true;
      p_.arguments_[leaf.argument].gradient = gradient(leaf.dim.batch_size()).offset;
    }
    for (size_t s = 0; s < steps_.size(); ++s) {
      CellTrace::Step& step = p_.steps_[s];
      const bool own = step.y.room != Room::result || steps_[s].has_gradient;
      step.dy = own ? gradient(step.dim.batch_size()) : step.y;
      step.workspace = gradient(steps_[s].workspace_size);
    }
    for (size_t s = 0; s < steps_.size(); ++s)
      for (size_t i = 0; i < steps_[s].args.size(); ++i)
        if (CellTrace::Use& use = p_.steps_[s].uses[i]; use.has_gradient)
          use.dx = gradient_of(roots_[steps_[s].args[i]]);
  }

  void connect_outputs() {
    for (const Output& o : outputs_) {
      const Root& root = roots_[o.node];
      const size_t size = graph_.dim(o.node).batch_size();
      if (!o.in_place) p_.output_copies_.push_back({value_of(roots_[o.node]), o.at, size});
      if (!needs_gradient(root)) continue;
      if (const Location to = gradient_of(root); to.room != Room::result)
        p_.gradient_copies_.push_back({o.at, to, size});
    }
  }

  /// Which steps get a gradient through which outputs. A step of which that is not known without looking at
  /// what comes makes all outputs be looked at.
  void trace_outputs() {
    const auto reach = [&](uint32_t node, CellTrace::Outputs outputs) {
      const Root& root = roots_[node];
      if (root.step != none && !root.stopped) p_.steps_[root.step].outputs |= outputs;
    };
    CellTrace::Outputs all = 0;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const CellTrace::Outputs bit = CellTrace::output_bit(i);
      reach(outputs_[i].node, bit);
      if (needs_gradient(roots_[outputs_[i].node])) all |= bit;
    }
    bool partial = false;
    for (size_t s = steps_.size(); s-- > 0;) {
      CellTrace::Step& step = p_.steps_[s];
      step.needs_gradient &= step.outputs != 0;
      for (size_t i = 0; step.needs_gradient && i < step.uses.size(); ++i)
        if (step.uses[i].has_gradient) reach(steps_[s].args[i], step.outputs);
      partial |= step.needs_gradient && step.outputs != all;
    }
    if (!partial) return;
    for (size_t i = 0; i < outputs_.size(); ++i)
      p_.partial_.push_back(
          {outputs_[i].at.offset, graph_.dim(outputs_[i].node).batch_size(), CellTrace::output_bit(i)});
  }

  bool needs_gradient(const Root& root) const {
    if (root.stopped) return false;
    return root.leaf != none ? leaves_[root.leaf].needs_gradient : p_.steps_[root.step].needs_gradient;
  }

  /// Something adds to the gradient of this leaf or step.
  void add_to_gradient(const Root& root) {
    (root.leaf != none ? leaves_[root.leaf].has_gradient : steps_[root.step].has_gradient) = true;
  }

  Location value_of(const Root& root) {
    Location at;
    if (root.leaf == none) {
      at = p_.steps_[root.step].y;
    } else {
      LeafUse& leaf = leaves_[root.leaf];
      if (leaf.argument == none) leaf.argument = add_argument(leaf);
      at = {Room::argument, leaf.argument, 0};
    }
    at.offset += root.offset;
    return at;
  }

  Location gradient_of(const Root& root) const {
    Location at = root.leaf == none
                      ? p_.steps_[root.step].dy
                      : Location{Room::kept, 0, p_.arguments_[leaves_[root.leaf].argument].gradient};
    at.offset += root.offset;
    return at;
  }

  uint32_t add_argument(const LeafUse& leaf) {
    p_.arguments_.push_back({leaf.dim, leaf.input, leaf.parameter});
    return count(p_.arguments_) - 1;
  }

  /// Places start at whole cache lines, as long as the node's do.
  static size_t rounded(size_t size) { return (size + 15) / 16 * 16; }
  Location kept(size_t size) { return {Room::kept, 0, std::exchange(p_.kept_, p_.kept_ + rounded(size))}; }
  Location gradient(size_t size) {
    return {Room::kept, 0, std::exchange(p_.gradients_, p_.gradients_ + rounded(size))};
  }
  static uint32_t count(const auto& list) { return static_cast<uint32_t>(list.size()); }

  struct Output {
    uint32_t node;
    Location at;    // in the result
    bool in_place;  // it is a step's value, and that step writes it there
  };

  CellTrace& p_;
  Graph& graph_;
  std::vector<Root> roots_;  // by node
  std::vector<LeafUse> leaves_;
  std::vector<StepUse> steps_;
  std::vector<uint32_t> matrix_leaves_;  // by use as a matrix
  std::vector<Output> outputs_;
  size_t result_size_ = 0;
};

CellTrace::CellTrace(Graph& graph, std::span<const Expression> inputs, std::span<const Expression> outputs) {
  static std::atomic<uint64_t> last_id{0};
  id_ = ++last_id;
  if (outputs.empty()) invalid("a cell returned no expression; at least one is needed");
  CellTracer(*this, graph, inputs, outputs);
}

}  // namespace dynet::engine
