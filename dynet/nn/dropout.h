// Dropout of recurrent builders: masks drawn once per sequence and used at each of its steps.
#pragma once

#include <array>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {

/// Throws unless a builder can have these sizes: its largest matrices are some times as large.
void check_builder_sizes(const char* builder, unsigned input_size, unsigned hidden_size);

/// The graph an expression lies in, or is used in if it is a parameter.

/// Masks for each layer's input, its last output and its memory cell (Gal and Ghahramani 2016).
class DropoutMasks {
 public:
  enum Kind : unsigned { input, output, cell };

  DropoutMasks() = default;
  /// `kinds` is how many of the three kinds the builder masks.
  DropoutMasks(unsigned layers, unsigned input_dim, unsigned hidden_dim, unsigned kinds)
      : layers_(layers), input_dim_(input_dim), hidden_dim_(hidden_dim), kinds_(kinds) {
    masks_.resize(static_cast<size_t>(kinds) * layers);
  }

  real rate(Kind kind) const { return rates_[kind]; }
  /// Probabilities of a zero; std::invalid_argument outside [0, 1].
  void set_rates(real input, real output, real cell);
  /// The next masks are drawn anew.
  void forget();
  /// Draws the masks that are wanted and missing, for this batch size if they are the first.
  void draw(Graph& graph, unsigned batch);
  /// The same for the batch size of x.
  void prepare(const Expression& x) {
    if (active() && !ready_) draw(graph_of(x), x.dim().bd);
  }
  /// x times its mask, or x itself where nothing is dropped.
  Expression apply(Kind kind, unsigned layer, const Expression& x) const;

 private:
  /// Something is dropped.
  bool active() const { return rates_[input] > 0 || rates_[output] > 0 || rates_[cell] > 0; }

  unsigned layers_ = 0, input_dim_ = 0, hidden_dim_ = 0, kinds_ = 0;
  std::array<real, 3> rates_{};
  std::vector<Expression> masks_;  // kind by kind, layer by layer
  unsigned batch_ = 0;             // of the masks; 0 until the sequence has some
  bool ready_ = true;
};

}  // namespace dynet::engine
