// The handle of one state of a builder: values that may be kept, compared and branched from.
#pragma once

#include <optional>
#include <vector>

#include "dynet/nn/rnn.h"

namespace dynet {

/// A state belongs to the graph that was the current one when it was made: calls on it end in
/// std::invalid_argument once that was renewed or has ended. The builder may be used in other graphs
/// meanwhile.
struct RNNState {
  RNNBuilder* builder = nullptr;
  RNNPointer position = -1;
  unsigned graph_id = 0;
  Expression result;  // what the builder returned for this state; null before the first input

  RNNState add_input(const Expression& x) const;
  std::vector<RNNState> add_inputs(engine::Expressions xs) const;
  std::vector<Expression> transduce(engine::Expressions xs) const;
  RNNState set_h(engine::Expressions hs) const;
  RNNState set_s(engine::Expressions ss) const;

  bool has_output() const { return result.pg != nullptr; }
  const Expression& output() const { return result; }
  std::vector<Expression> h() const;
  std::vector<Expression> s() const;
  std::optional<RNNState> prev() const;

  bool operator==(const RNNState& o) const {
    return builder == o.builder && position == o.position && graph_id == o.graph_id;
  }

 private:
  void check() const;
};

/// An initial state of a builder in the current graph, which the first call binds it to. With dropout, each
/// begins a sequence with masks of its own.
RNNState initial_state(RNNBuilder& builder, bool update = true);
/// The state after the initial one that has these cells and outputs (RNNBuilder::set_s).
RNNState initial_state(RNNBuilder& builder, engine::Expressions cells, bool update = true);

}  // namespace dynet
