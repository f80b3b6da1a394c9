// What all recurrent builders share: the states of a sequence, which form a tree, and the calls on them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dynet/graph/graph.h"
#include "dynet/nn/dropout.h"
#include "dynet/nn/per_graph.h"
#include "dynet/params/collection.h"

namespace dynet {

/// A state of a sequence; -1 is the one before its first input, and -2, -3, … are those of further sequences
/// of the same graph.
using RNNPointer = int;

class RNNBuilder {
 public:
  virtual ~RNNBuilder() = default;
  /// The name of the class.
  virtual const char* name() const = 0;

  /// Binds the parameters to a graph, as constants if they are not to be trained there.
  void new_graph(engine::Graph& graph, bool update = true);
  /// Forgets all states; in a task of run_batched, whose builders others use as well, those of the task. h0
  /// is an initial state in the order of get_s, or empty.
  void start_new_sequence(engine::Expressions h0 = {});
  /// The initial state of a further sequence, which has dropout masks of its own; the states of the others
  /// stay. Where nothing is dropped, sequences need not be told apart, and it is that of the first one.
  RNNPointer add_sequence();
  /// Reads x after the last state, or after `prev`; returns the output.
  Expression add_input(const Expression& x) { return add_input(own_current(), x); }
  Expression add_input(RNNPointer prev, const Expression& x);
  /// Reads one input after another; returns the outputs.
  std::vector<Expression> transduce(engine::Expressions xs);
  void transduce(engine::Expressions xs, std::vector<Expression>& outputs);
  /// Reads one input after another; returns the states.
  std::vector<RNNPointer> add_inputs(engine::Expressions xs);
  /// Adds a state after `prev` with these outputs (one a layer), and its memory cells.
  Expression set_h(RNNPointer prev, engine::Expressions hs);
  /// Adds a state after `prev`: all cells, or all cells and then all outputs; without cells, all outputs.
  Expression set_s(RNNPointer prev, engine::Expressions ss);
  /// Back to the state before the last one.
  void rewind_one_step();

  RNNPointer state() const { return now_.current; }
  RNNPointer get_head(RNNPointer p) const;
  /// The output in the last state: the top layer's, or what the class makes of the layers.
  Expression back() const;
  /// What add_input returned for a state; null for one without input.
  Expression output(RNNPointer p) const;
  /// Each layer's output; empty before the first input if there is no initial state.
  std::vector<Expression> final_h() const { return get_h(now_.current); }
  std::vector<Expression> get_h(RNNPointer p) const;
  /// Each layer's memory cell, if the builder has any, and then each layer's output.
  std::vector<Expression> final_s() const { return get_s(now_.current); }
  std::vector<Expression> get_s(RNNPointer p) const;
  unsigned num_h0_components() const { return components_; }

  /// Sets all dropout rates. The masks in use are kept: those of a sequence are drawn when it needs them
  /// first.
  void set_dropout(real rate) { dropout_.set_rates(rate, rate, rate); }
  void disable_dropout() { dropout_.set_rates(0, 0, 0); }
  /// Of inputs, of the last output and of memory cells, whichever the builder has.
  using DropoutRates = std::array<real, 3>;
  DropoutRates dropout_rates() const {
    using M = engine::DropoutMasks;
    return {dropout_.rate(M::input), dropout_.rate(M::output), dropout_.rate(M::cell)};
  }
  void set_dropout_rates(const DropoutRates& rates) { dropout_.set_rates(rates[0], rates[1], rates[2]); }
  /// Draws masks anew, for inputs of this batch size, and for all sequences until start_new_sequence or a new
  /// graph.
  void set_dropout_masks(unsigned batch_size = 1);

  /// Shares the parameters of another builder of the same class and sizes.
  virtual void copy(const RNNBuilder& other);
  ParameterCollection& get_parameter_collection() { return collection_; }
  /// The parameters as used in the graph; std::invalid_argument if that is not the current one.
  const std::vector<std::vector<Expression>>& parameter_expressions();
  /// The graph the builder is bound to; 0 if it never was.
  unsigned graph_id() const { return now_.bound.id; }
  /// Goes back to the sequence in another graph, which waits there until the graph ends or is renewed; false
  /// if there is none.
  bool resume(unsigned graph_id) {
    return now_.bound.id == graph_id ? now_.bound.is_there() : resume_waiting(graph_id);
  }
  /// Throws unless the parameters are bound so; a task cannot bind them in another way for all.
  void check_update(bool update) const;
  /// The graph is there, and nothing was ever removed from it.
  bool is_whole() const { return is_whole(now_.bound.handle.get_or_null()); }
  /// Throws unless the builder's graph has these expressions, so many of them are a layer's outputs, or cells
  /// and outputs, and each is as large as a layer; the call is named in the error.
  void check_given(const char* call, engine::Expressions given, bool outputs_only = false) const;
  /// Throws what is said of states of graphs that have ended.
  [[noreturn]] static void refuse_stale();

  unsigned layers = 0, input_dim = 0, hidden_dim = 0;
  std::vector<std::vector<Parameter>> params;       // per layer, in the order of the class's comment
  std::vector<std::vector<Expression>> param_vars;  // the same in the graph

 protected:
  /// What a class says about itself: whether it has memory cells, and how many kinds of masks it uses.
  struct Traits {
    const char* collection;
    bool has_cells;
    unsigned masks;
  };
  RNNBuilder() = default;
  RNNBuilder(const Traits&, unsigned layers, unsigned input_dim, unsigned hidden_dim,
             ParameterCollection& model);

  using Cells = std::span<Expression>;
  using ConstCells = std::span<const Expression>;
  /// One step of all layers from the state `before` (null expressions: none); sets all of `after`.
  virtual Expression step(ConstCells before, Expression x, Cells after) = 0;
  /// What a state that was set puts out.
  virtual Expression output_of(ConstCells state) const { return state.empty() ? Expression() : state.back(); }
  /// Called when the parameters have been bound to a graph.
  virtual void bind(bool /*update*/) {}
  /// What bind() sets, if anything.
  virtual std::vector<std::vector<Expression>>* bound_variables() { return nullptr; }

  unsigned layer_input_dim(unsigned layer) const { return layer ? hidden_dim : input_dim; }
  Parameter matrix(unsigned rows, unsigned cols) { return collection_.add_parameters({rows, cols}); }
  Parameter bias(unsigned size) { return collection_.add_parameters({size}, ParameterInitConst(0)); }
  /// The parameters as expressions.
  static void bind_all(const std::vector<std::vector<Parameter>>& from, bool update,
                       std::vector<std::vector<Expression>>& to);
  static bool given(const Expression& e) { return e.pg != nullptr; }
  void check_order(const char* call, bool allowed) const;
  /// Checks that there is such a state, and that going back to a checkpoint has not removed it.
  void check_pointer(RNNPointer p) const { check_pointer(p, is_whole()); }
  void check_graph(const Expression& x) const;
  Expression push(RNNPointer prev, Expression output);

  engine::DropoutMasks dropout_;

 private:
  void check_pointer(RNNPointer p, bool whole) const {
    if (p < now_.last_first || p >= now_.count) refuse_pointer(p);
    if (!whole) check_kept(p);
  }
  /// A state's number, which no other one gets, that of the state before it, and of the sequence's first.
  struct Link {
    RNNPointer number, before, first;
    Expression output;
  };
  /// The initial state of the sequence that a state is in.
  RNNPointer first_of(RNNPointer p) const { return p < 0 ? p : now_.links[place_of(p)].first; }
  /// Where a state lies; the number of states if it was removed.
  size_t place_of(RNNPointer p) const {
    const auto at = static_cast<size_t>(p);
    return at < now_.links.size() && now_.links[at].number == p ? at : place_after_removals(p);
  }
  bool is_whole(const engine::Graph* graph) const { return graph && graph->stamp() == now_.bound.id; }
  size_t place_after_removals(RNNPointer p) const;
  [[noreturn]] void refuse_pointer(RNNPointer p) const;
  void check_kept(RNNPointer p) const;
  bool resume_waiting(unsigned graph_id);
  ConstCells cells_at(size_t place) const { return {now_.cells.data() + place * components_, components_}; }
  ConstCells cells(RNNPointer p) const { return cells_at(p < 0 ? 0 : place_of(p) + 1); }
  static bool is_removed(ConstCells state);
  void forget_removed();
  [[noreturn]] void refuse(std::string_view error) const;
  void check_count(const char* call, size_t count, bool outputs_only) const;
  void check_batches(const char* call) const;
  Expression set_outputs(const char* call, RNNPointer prev, engine::Expressions hs);

  enum class Stage : unsigned char { created, bound, reading };
  /// What the builder has in one graph.
  struct Sequence {
    engine::BoundGraph bound;
    unsigned stamp = 0;  // the graph's when it was last looked at
    bool update = true;
    Stage stage = Stage::created;
    std::vector<Expression> cells;  // states from -1 on, each in the order of get_s
    std::vector<Link> links;
    RNNPointer current = -1, count = 0;  // states so far, with those that were removed
    RNNPointer last_first = -1;          // the initial state of the last sequence
    uint32_t part = 0;                   // of the task that has begun it
    // While it waits, what lies elsewhere in the builder otherwise.
    std::vector<std::vector<Expression>> variables, bound_variables;
    engine::DropoutMasks::Drawn masks;
  };
  uint32_t number() const;
  void bind_anew(bool update);
  RNNPointer own_current() const;
  void begin_another(engine::Expressions h0);
  RNNPointer next_first();
  void exchange(Sequence& other);
  void exchange_bound(Sequence& sequence);
  void put_aside();
  ParameterCollection collection_;
  unsigned components_ = 0;       // expressions of one state
  std::vector<Expression> next_;  // of the state being made
  Sequence now_;
  engine::Waiting<Sequence> waiting_;
};

}  // namespace dynet
