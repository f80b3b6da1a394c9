// States as handles: each call brings the builder back to the graph the state was made in.
#include "dynet/nn/state.h"

namespace dynet {

using namespace engine;

void RNNState::check() const {
  if (!builder || !builder->resume(graph_id)) RNNBuilder::refuse_stale();
  if (!builder->is_whole() && has_output() && result.is_stale())
    invalid("the state was removed by going back to a checkpoint; make it again");
}

RNNState RNNState::add_input(const Expression& x) const {
  check();
  const Expression output = builder->add_input(position, x);
  return {builder, builder->state(), graph_id, output};
}

std::vector<RNNState> RNNState::add_inputs(Expressions xs) const {
  std::vector<RNNState> states;
  states.reserve(xs.size());
  RNNState last = *this;
  for (const Expression& x : xs) states.push_back(last = last.add_input(x));
  return states;
}

std::vector<Expression> RNNState::transduce(Expressions xs) const {
  std::vector<Expression> outputs;
  outputs.reserve(xs.size());
  RNNState last = *this;
  for (const Expression& x : xs) {
    last = last.add_input(x);
    outputs.push_back(last.result);
  }
  return outputs;
}

RNNState RNNState::set_h(Expressions hs) const {
  check();
  const Expression output = builder->set_h(position, hs);
  return {builder, builder->state(), graph_id, output};
}

RNNState RNNState::set_s(Expressions ss) const {
  check();
  const Expression output = builder->set_s(position, ss);
  return {builder, builder->state(), graph_id, output};
}

std::vector<Expression> RNNState::h() const {
  check();
  return builder->get_h(position);
}

std::vector<Expression> RNNState::s() const {
  check();
  return builder->get_s(position);
}

std::optional<RNNState> RNNState::prev() const {
  if (position < 0) return std::nullopt;
  check();
  const RNNPointer head = builder->get_head(position);
  return RNNState{builder, head, graph_id, builder->output(head)};
}

RNNState initial_state(RNNBuilder& builder, bool update) {
  Graph& graph = current_graph();
  if (builder.resume(graph.id())) {
    if (graph.tasks() && graph.tasks()->in_task()) builder.check_update(update);
    return {&builder, builder.add_sequence(), graph.id(), {}};
  }
  builder.new_graph(graph, update);
  builder.start_new_sequence();
  return {&builder, -1, graph.id(), {}};
}

RNNState initial_state(RNNBuilder& builder, Expressions cells, bool update) {
  const RNNState first = initial_state(builder, update);
  builder.check_given("initial_state", cells);
  return first.set_s(cells);
}

}  // namespace dynet
