// LSTMs over trees: the state of a node follows from its input and from the states of its children.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "dynet/nn/cell.h"
#include "dynet/nn/lstm.h"

namespace dynet {

/// What the builders have in common. The nodes of a tree have ids from 0 on; a child comes before its parent.
class TreeLSTMBuilder {
 public:
  virtual ~TreeLSTMBuilder() = default;
  /// The name of the class.
  virtual const char* name() const = 0;

  /// Binds the parameters to a graph, as constants if they are not to be trained there.
  void new_graph(engine::Graph& graph, bool update = true);
  /// A new tree, or forest: forgets all nodes.
  void start_new_sequence();
  /// Announces that the tree has nodes 0 to num - 1, to come in any order; without it any id is welcome.
  void set_num_elements(unsigned num);
  /// The output of node `id`: {H}. Its children have been added before; std::invalid_argument if one was not,
  /// or if the node itself was.
  Expression add_input(int id, const std::vector<int>& children, const Expression& x);

  /// The output of the node added last; null before.
  Expression back() const { return last() < 0 ? Expression() : get_h(last()).back(); }
  /// Each layer's output in the node added last, or in node `id`.
  std::vector<Expression> final_h() const { return last() < 0 ? std::vector<Expression>() : get_h(last()); }
  std::vector<Expression> get_h(int id) const;

  /// Dropout rates of inputs and of children's outputs; masks are drawn once for a tree.
  void set_dropout(real rate) { set_dropout(rate, rate); }
  virtual void set_dropout(real input_rate, real output_rate) = 0;
  /// Those that set_dropout takes.
  virtual std::array<real, 2> dropout_rates() const = 0;
  void disable_dropout() { set_dropout(0); }

  ParameterCollection& get_parameter_collection() { return collection_; }
  /// The graph the builder is bound to; 0 if it never was.
  unsigned graph_id() const { return now_.bound.id; }
  /// Goes back to the tree in another graph, which waits there until the graph ends or is renewed; false if
  /// there is none.
  bool resume(unsigned graph_id);
  /// The parameters per layer, in the order of the class's comment.
  virtual std::vector<std::vector<Parameter>> parameters() const = 0;

  unsigned layers, input_dim, hidden_dim;

 protected:
  TreeLSTMBuilder(const char* collection, unsigned layers, unsigned input_dim, unsigned hidden_dim,
                  unsigned components, ParameterCollection& model);

  /// What the builder has in one graph.
  struct Tree {
    engine::BoundGraph bound;
    bool reading = false;
    uint32_t part = 0;              // of the task that has begun it
    unsigned announced = 0;         // by set_num_elements; 0: nothing was
    std::vector<int> added;         // ids in order
    std::vector<Expression> cells;  // node by node; null where a node has not come yet
    // While it waits, what lies elsewhere in the builder otherwise.
    std::vector<std::vector<Expression>> variables;
    engine::DropoutMasks::Drawn masks;
  };
  /// Changes places with what waits in a tree.
  virtual void exchange_bound(Tree& /*tree*/) {}
  /// Another tree was gone back to.
  virtual void resume_parts(unsigned /*graph_id*/) {}

  using Cells = std::span<Expression>;
  using ConstCells = std::span<const Expression>;
  virtual void bind(engine::Graph& graph, bool update) = 0;
  /// Of the graph, to which nodes go now.
  uint32_t part() const { return now_.bound.part(); }
  /// A new tree begins.
  virtual void begin() = 0;
  /// Computes all components of a node; the last `layers` of them are the outputs.
  virtual void step(const std::vector<int>& children, const Expression& x, Cells after) = 0;
  ConstCells cells(int id) const {
    return {now_.cells.data() + static_cast<size_t>(id) * components_, components_};
  }

  ParameterCollection collection_;

 private:
  /// Whether node `id` was added, and was not removed by going back to a checkpoint.
  bool has(int id) const;
  int last() const;
  void check_new(int id) const;
  void exchange(Tree& other);

  unsigned components_;
  std::vector<Expression> next_;  // of the node being made
  Tree now_;
  engine::Waiting<Tree> waiting_;
};

class NaryTreeLSTMBuilder : public TreeLSTMBuilder {
 public:
  static constexpr auto doc = R"(
      The N-ary tree LSTM with peepholes; h_j and c_j are child j's: i = σ(b + W x + Σ H_j h_j + C_j c_j);
      f_k = σ(b + W x + Σ H_jk h_j + C_jk c_j + 1); o as i; g = tanh(b + W x + Σ H_j h_j); c = i ∘ g + Σ f_k
      ∘ c_k; h = o ∘ tanh c. Children from the Nth on share matrices. Parameters of a layer: W ((3 + N) H,
      I), b ((3 + N) H,), then H_j ((3 + N) H, H) for each j, then C_j ((2 + N) H, H) for each j; rows are
      in the order i, f_1 … f_N, o, g. Nodes are added children first. (Tai, Socher and Manning 2015)

      >>> m = dy.ParameterCollection()
      >>> tree = dy.NaryTreeLSTMBuilder(N=2, layers=1, input_dim=3, hidden_dim=4, model=m)
      >>> x = dy.inputVector([1, 2, 3])
      >>> leaves = [tree.add_input(0, [], x), tree.add_input(1, [], x)]
      >>> tree.add_input(2, [0, 1], x).dim()
      ((4,), 1))";

  NaryTreeLSTMBuilder(unsigned N, unsigned layers, unsigned input_dim, unsigned hidden_dim,
                      ParameterCollection& model);
  const char* name() const override { return "NaryTreeLSTMBuilder"; }

  using TreeLSTMBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) override {
    dropout_.set_rates(input_rate, output_rate, 0);
  }
  std::array<real, 2> dropout_rates() const override {
    return {dropout_.rate(engine::DropoutMasks::input), dropout_.rate(engine::DropoutMasks::output)};
  }
  std::vector<std::vector<Parameter>> parameters() const override { return params; }

  unsigned N;
  std::vector<std::vector<Parameter>> params;
  std::vector<std::vector<Expression>> param_vars;

 private:
  void bind(engine::Graph& graph, bool update) override;
  void begin() override { dropout_.forget(), dropout_.begin_sequence(part()); }
  void exchange_bound(Tree& tree) override;
  void step(const std::vector<int>& children, const Expression& x, Cells after) override;
  static std::vector<Expression> inner_node(unsigned N, unsigned H, const std::vector<Expression>& x);

  Cell cell_{std::bind_front(inner_node, N, hidden_dim)};  // recorded for each number of children
  std::vector<Expression> arguments_;

  engine::DropoutMasks dropout_;
};

class UnidirectionalTreeLSTMBuilder : public TreeLSTMBuilder {
 public:
  static constexpr auto doc = R"(
      A tree LSTM that is a VanillaLSTMBuilder for each node: it reads x and then the outputs of the
      children, from the first to the last, and its last output is the node's. Children's outputs are inputs
      too, so input_dim must be hidden_dim; ValueError if not. A node may have any number of children.

      >>> m = dy.ParameterCollection()
      >>> tree = dy.UnidirectionalTreeLSTMBuilder(layers=1, input_dim=2, hidden_dim=2, model=m)
      >>> leaf = tree.add_input(0, [], dy.inputVector([1, 2]))
      >>> tree.add_input(1, [0], dy.inputVector([3, 4])).dim()
      ((2,), 1))";

  UnidirectionalTreeLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                                ParameterCollection& model);
  const char* name() const override { return "UnidirectionalTreeLSTMBuilder"; }

  using TreeLSTMBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) override {
    node_builder.set_dropout(input_rate, output_rate);
  }
  std::array<real, 2> dropout_rates() const override {
    return {node_builder.dropout_rates()[0], node_builder.dropout_rates()[1]};
  }
  std::vector<std::vector<Parameter>> parameters() const override { return node_builder.params; }

  LSTMBuilder node_builder;

 private:
  void bind(engine::Graph& graph, bool update) override { node_builder.new_graph(graph, update); }
  void begin() override { node_builder.start_new_sequence(); }
  void resume_parts(unsigned graph_id) override { node_builder.resume(graph_id); }
  void step(const std::vector<int>& children, const Expression& x, Cells after) override;
};

class BidirectionalTreeLSTMBuilder : public TreeLSTMBuilder {
 public:
  static constexpr auto doc = R"(
      A tree LSTM that is two LSTMs of half the size for each node, one of which reads x and the outputs of
      the children from the first to the last, the other from the last to the first; the node's output is
      theirs, one above the other. input_dim must be hidden_dim, and even; ValueError if not. The parameters
      of a layer are those of the forward LSTM and then those of the reverse one.

      >>> m = dy.ParameterCollection()
      >>> tree = dy.BidirectionalTreeLSTMBuilder(layers=1, input_dim=4, hidden_dim=4, model=m)
      >>> leaf = tree.add_input(0, [], dy.inputVector([1, 2, 3, 4]))
      >>> tree.add_input(1, [0], dy.inputVector([5, 6, 7, 8])).dim()
      ((4,), 1))";

  BidirectionalTreeLSTMBuilder(unsigned layers, unsigned input_dim, unsigned hidden_dim,
                               ParameterCollection& model);
  const char* name() const override { return "BidirectionalTreeLSTMBuilder"; }

  using TreeLSTMBuilder::set_dropout;
  void set_dropout(real input_rate, real output_rate) override {
    fwd_node_builder.set_dropout(input_rate, output_rate);
    rev_node_builder.set_dropout(input_rate, output_rate);
  }
  std::array<real, 2> dropout_rates() const override {
    return {fwd_node_builder.dropout_rates()[0], fwd_node_builder.dropout_rates()[1]};
  }
  std::vector<std::vector<Parameter>> parameters() const override;

  LSTMBuilder fwd_node_builder, rev_node_builder;

 private:
  void bind(engine::Graph& graph, bool update) override;
  void begin() override;
  void resume_parts(unsigned graph_id) override;
  void step(const std::vector<int>& children, const Expression& x, Cells after) override;
};

}  // namespace dynet
