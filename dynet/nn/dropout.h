// Dropout of recurrent builders: masks drawn once per sequence and used at each of its steps.
#pragma once

#include <array>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// Throws unless a builder can have these sizes: its largest matrices are some times as large.
void check_builder_sizes(const char* builder, unsigned layers, unsigned input_size, unsigned hidden_size);

/// Throws unless a builder reads x: it would go on with others until their shape fits nothing else.
void check_builder_input(const char* builder, const Expression& x, unsigned size);

/// Masks for each layer's input, its last output and its memory cell (Gal and Ghahramani 2016).
class DropoutMasks {
 public:
  enum Kind : unsigned { input, output, cell };

  DropoutMasks() = default;
  /// `kinds` is how many of the three kinds the builder masks.
  DropoutMasks(unsigned layers, unsigned input_dim, unsigned hidden_dim, unsigned kinds)
      : layers_(layers), input_dim_(input_dim), hidden_dim_(hidden_dim), kinds_(kinds) {}

  real rate(Kind kind) const { return rates_[kind]; }
  /// Probabilities of a zero; std::invalid_argument outside [0, 1].
  void set_rates(real input, real output, real cell);
  /// Something is dropped.
  bool active() const { return is_active_; }
  /// The next masks are drawn anew.
  void forget();
  /// Another sequence has begun, in some part of the graph.
  void begin_sequence(uint32_t part) { drawn_.begun.push_back(part); }
  /// The masks are those of the sequence that begins with this state.
  void enter(int first) { drawn_.sequence = drawn_.fixed_batch ? 0 : static_cast<unsigned>(-1 - first); }
  /// Each sequence has masks of its own.
  bool is_per_sequence() const { return kinds_ > 0 && active() && !drawn_.fixed_batch; }
  /// Draws masks of this batch size, which are then for all inputs that they fit, of any sequence.
  void draw(Graph& graph, unsigned batch) {
    drawn_.fixed_batch = batch, drawn_.sequence = 0;
    complete(graph, batch);
  }
  /// Chooses the masks for the batch size of x, and draws those that are wanted and missing: never drawn, or
  /// removed from the graph.
  void prepare(const Expression& x) {
    if (active()) complete(graph_of(x), batch_for(x.dim().bd));
  }
  /// Tells the masks of builders apart that tasks share.
  void set_builder(uint32_t number) { builder_ = number; }
  /// Masks that were drawn, which go with their graph.
  struct Drawn;
  /// Changes places with those of another graph; rates that have changed meanwhile draw what is missing.
  void exchange(Drawn& other);
  /// x times its mask, or x itself where nothing is dropped.
  Expression apply(Kind kind, unsigned layer, const Expression& x) const {
    return is_active_ ? masked(kind, layer, x) : x;
  }

 private:
  Expression masked(Kind kind, unsigned layer, const Expression& x) const;
  /// The masks of a sequence for a batch size: kind by kind, layer by layer.
  struct Masks {
    unsigned sequence, batch;
    size_t next;  // of the same sequence; none: the last
    std::vector<Expression> all;
    Expression newest;  // of those drawn last
    bool ready = false;
  };

 public:
  struct Drawn {
    std::vector<Masks> masks;    // for each batch size that each sequence has had, with room for more
    std::vector<size_t> newest;  // of each sequence
    size_t count = 0, chosen = 0;
    std::vector<uint32_t> begun;  // by sequence: the part of the graph that has begun it
    unsigned sequence = 0;
    unsigned fixed_batch = 0;  // that was asked for; 0: none
  };

 private:
  unsigned batch_for(unsigned batch) const {
    const bool fits =
        drawn_.fixed_batch && (drawn_.fixed_batch == batch || drawn_.fixed_batch == 1 || batch == 1);
    return fits ? drawn_.fixed_batch : batch;
  }
  void choose(unsigned batch);
  void complete(Graph& graph, unsigned batch);
  void draw_missing(Graph& graph, Masks& masks) const;
  uint32_t number_of(const Masks& masks, uint32_t part) const;

  unsigned layers_ = 0, input_dim_ = 0, hidden_dim_ = 0, kinds_ = 0;
  std::array<real, 3> rates_{};
  bool is_active_ = false;
  uint32_t builder_ = 0;
  static constexpr size_t none = ~size_t{0};
  Drawn drawn_;
};

}  // namespace dynet::engine
