// The tree of states behind every recurrent builder, and the order its calls must come in.
#include "dynet/nn/rnn.h"

#include <algorithm>

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
RNNBuilder::RNNBuilder(const Traits& traits, unsigned layer_count, unsigned input_size, unsigned hidden_size,
                       ParameterCollection& model)
    : layers(layer_count),
      input_dim(input_size),
      hidden_dim(hidden_size),
      dropout_(layer_count, input_size, hidden_size, traits.masks),
      // Checked before anything is added, so that the collection stays as it was.
      collection_((check_builder_sizes(traits.collection, layer_count, input_size, hidden_size), model)
                      .add_subcollection(traits.collection)),
      components_(traits.has_cells ? 2 * layer_count : layer_count) {
  params.reserve(layers);
  dropout_.set_builder(number());
}

void RNNBuilder::bind_all(const std::vector<std::vector<Parameter>>& from, bool update,
                          std::vector<std::vector<Expression>>& to) {
  to.resize(from.size());
  for (size_t layer = 0; layer < from.size(); ++layer) {
    to[layer].clear();
    for (const Parameter& p : from[layer])
      to[layer].push_back(Expression::of_parameter(&p.get_storage(), update));
  }
}

/// Tells builders apart, however often the program is run in a process, and whichever task comes first.
uint32_t RNNBuilder::number() const {
  Hash hash;
  for (const char c : collection_.get_fullname()) hash.add(static_cast<unsigned char>(c));
  return static_cast<uint32_t>(hash.number());
}

void RNNBuilder::new_graph(Graph& graph, bool update) {
  const Tasks::Apart apart(graph.tasks(), Tasks::before, graph.tasks() ? number() : 0);
  if (graph.tasks() && graph.tasks()->in_task() && now_.stage == Stage::reading && resume(graph.id()))
    return bind_anew(update);
  if (now_.bound.id != graph.id()) put_aside();
  now_.bound = {GraphHandle(graph), graph.id()};
  now_.stage = Stage::bound;
  now_.current = now_.last_first = -1;
  dropout_.forget();
  bind_anew(update);
  now_.stamp = graph.stamp();
}

void RNNBuilder::bind_anew(bool update) {
  now_.update = update;
  bind_all(params, update, param_vars);
  bind(update);
}

/// Changes places with what the builder has in another graph.
void RNNBuilder::exchange(Sequence& other) {
  exchange_bound(now_);
  std::swap(now_, other);
  exchange_bound(now_);
}

/// Changes places with what waits in a sequence.
void RNNBuilder::exchange_bound(Sequence& sequence) {
  std::swap(param_vars, sequence.variables);
  if (auto* more = bound_variables()) std::swap(*more, sequence.bound_variables);
  dropout_.exchange(sequence.masks);
}

void RNNBuilder::put_aside() {
  if (now_.stage != Stage::reading || !now_.bound.is_there()) return;
  Sequence none;
  exchange(none);
  waiting_.put(std::move(none));
}

bool RNNBuilder::resume_waiting(unsigned graph_id) {
  Sequence other;
  if (!waiting_.take(graph_id, other)) return false;
  exchange(other);
  if (other.stage == Stage::reading) waiting_.put(std::move(other));
  return true;
}

bool RNNBuilder::is_removed(ConstCells state) {
  return std::ranges::any_of(state, [](const Expression& e) { return given(e) && e.is_stale(); });
}

/// Where the graph went back to a checkpoint: forgets the last states, if they were removed, and makes anew
/// what the class has made of the parameters.
void RNNBuilder::forget_removed() {
  if (!now_.bound.is_there()) return;
  const unsigned stamp = now_.bound.handle.get().stamp();
  if (stamp == now_.stamp) return;
  for (; !now_.links.empty() && is_removed(cells_at(now_.links.size())); now_.links.pop_back())
    now_.cells.resize(now_.cells.size() - components_);
  if (std::ranges::any_of(param_vars, is_removed)) {
    bind_anew(now_.update);
  }
  now_.stamp = stamp;
}

void RNNBuilder::start_new_sequence(Expressions h0) {
  check_order("start_new_sequence", now_.stage != Stage::created);
  if (!h0.empty() && h0.size() != components_)
    invalid(name(), "::start_new_sequence: ", h0.size(), " expressions were given for ", layers, " layers; ",
            components_, " or none are needed");
  if (now_.bound.tasks() && now_.bound.tasks()->in_task()) return begin_another(h0);
  now_.cells.assign(components_, Expression());
  std::ranges::copy(h0, now_.cells.begin());
  now_.links.clear();
  now_.current = now_.last_first = -1, now_.count = 0;
  dropout_.forget();
  now_.part = now_.bound.part();
  dropout_.begin_sequence(now_.part);
  now_.stage = Stage::reading;
}

/// The states of other tasks stay; an initial state becomes one that was set.
void RNNBuilder::begin_another(Expressions h0) {
  if (now_.stage != Stage::reading) {
    now_.cells.assign(components_, Expression());
    now_.links.clear();
    now_.last_first = 0, now_.count = 0;
    dropout_.forget();
    now_.stage = Stage::reading;
  }
  now_.current = next_first();
  now_.part = now_.bound.part();
  if (h0.empty()) return;
  next_.assign(h0.begin(), h0.end());
  push(now_.current, output_of(next_));
}

RNNPointer RNNBuilder::next_first() {
  dropout_.begin_sequence(now_.bound.part());
  return --now_.last_first;
}

/// The last state, if it is one of this task.
RNNPointer RNNBuilder::own_current() const {
  if (now_.bound.is_of_another_task(now_.part))
    failed(name(),
           "::add_input: another task of run_batched has begun a sequence with this builder since; "
           "call start_new_sequence() in each task, and give the state: add_input(state, x)");
  return now_.current;
}

void RNNBuilder::check_update(bool update) const {
  if (now_.update != update)
    invalid(name(), ": update is ", update,
            "; another task of run_batched, which shares the builder, has begun ", "with ", now_.update);
}

RNNPointer RNNBuilder::add_sequence() {
  check_order("add_sequence", now_.stage == Stage::reading);
  return dropout_.is_per_sequence() ? next_first() : -1;
}

Expression RNNBuilder::add_input(RNNPointer prev, const Expression& x) {
  check_order("add_input", now_.stage == Stage::reading);
  const Graph* const graph = now_.bound.handle.get_or_null();
  const bool whole = is_whole(graph);
  if (!whole) [[unlikely]]
    forget_removed();
  check_pointer(prev, whole);
  const size_t place = prev < 0 ? 0 : place_of(prev) + 1;
  if (x.pg != graph) check_graph(x);
  check_builder_input(name(), x, input_dim);
  next_.resize(components_);
  if (dropout_.active()) dropout_.enter(first_of(prev));
  try {
    return push(prev, step(cells_at(place), x, next_));
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
}

/// An error of an operation becomes one of the builder, which is what the program called.
void RNNBuilder::refuse(std::string_view error) const {
  const size_t operation = error.find_first_of(": ");
  const bool names_one = operation != error.npos && error[operation] == ':';
  invalid(name(), ": ", error.substr(names_one ? operation + 2 : 0));
}

void RNNBuilder::transduce(Expressions xs, std::vector<Expression>& outputs) {
  outputs.clear();
  for (const Expression& x : xs) outputs.push_back(add_input(x));
}

std::vector<Expression> RNNBuilder::transduce(Expressions xs) {
  std::vector<Expression> outputs;
  transduce(xs, outputs);
  return outputs;
}

std::vector<RNNPointer> RNNBuilder::add_inputs(Expressions xs) {
  std::vector<RNNPointer> states;
  for (const Expression& x : xs) {
    add_input(x);
    states.push_back(now_.current);
  }
  return states;
}

Expression RNNBuilder::set_h(RNNPointer prev, Expressions hs) { return set_outputs("set_h", prev, hs); }

Expression RNNBuilder::set_outputs(const char* call, RNNPointer prev, Expressions hs) {
  check_order(call, now_.stage == Stage::reading);
  forget_removed();
  check_pointer(prev);
  check_given(call, hs, true);
  const ConstCells before = cells(prev);
  next_.assign(before.begin(), before.end());
  const unsigned first_h = components_ - layers;
  for (unsigned i = 0; i < layers; ++i) {
    next_[first_h + i] = hs[i];
    if (first_h && !given(next_[i])) next_[i] = zeros(graph_of(hs[i]), dim_of(hs[i]));
  }
  check_batches(call);
  return push(prev, output_of(next_));
}

Expression RNNBuilder::set_s(RNNPointer prev, Expressions ss) {
  if (components_ == layers) return set_outputs("set_s", prev, ss);
  check_order("set_s", now_.stage == Stage::reading);
  forget_removed();
  check_pointer(prev);
  check_given("set_s", ss);
  const ConstCells before = cells(prev);
  next_.assign(before.begin(), before.end());
  std::ranges::copy(ss, next_.begin());
  for (unsigned i = 0; i < layers; ++i)
    if (!given(next_[layers + i])) next_[layers + i] = zeros(graph_of(ss[i]), dim_of(ss[i]));
  check_batches("set_s");
  return push(prev, output_of(next_));
}

Expression RNNBuilder::push(RNNPointer prev, Expression output) {
  for (const Expression& e : next_) now_.cells.push_back(e);  // one by one, as they were just written
  const RNNPointer first = first_of(prev);
  now_.links.emplace_back(now_.count, prev, first, output);  // in place: a copy would wait for its parts
  now_.current = now_.count++;
  return output;
}

void RNNBuilder::rewind_one_step() {
  if (now_.current < 0) invalid(name(), "::rewind_one_step: there is no step to go back over");
  now_.current = get_head(now_.current);
}

RNNPointer RNNBuilder::get_head(RNNPointer p) const {
  check_pointer(p);
  return p < 0 ? -1 : now_.links[place_of(p)].before;
}

Expression RNNBuilder::back() const {
  check_pointer(now_.current);
  const ConstCells s = now_.cells.empty() ? ConstCells() : cells(now_.current);
  return s.empty() || !given(s[0]) ? Expression() : output_of(s);
}

Expression RNNBuilder::output(RNNPointer p) const {
  check_pointer(p);
  return p < 0 ? Expression() : now_.links[place_of(p)].output;
}

std::vector<Expression> RNNBuilder::get_h(RNNPointer p) const {
  std::vector<Expression> s = get_s(p);
  if (!s.empty()) s.erase(s.begin(), s.end() - layers);
  return s;
}

std::vector<Expression> RNNBuilder::get_s(RNNPointer p) const {
  check_pointer(p);
  if (now_.cells.empty() || !given(cells(p)[0])) return {};
  const ConstCells s = cells(p);
  return {s.begin(), s.end()};
}

void RNNBuilder::set_dropout_masks(unsigned batch_size) {
  Graph* graph = current_graph_or_null();
  if (now_.stage == Stage::created || !graph || !resume(graph->number()))
    invalid("Using stale builder: it reads no sequence in the current graph; call initial_state() ",
            "first, in C++ new_graph() and start_new_sequence()");
  graph->check_outside_tasks("set_dropout_masks");
  dropout_.forget();
  dropout_.begin_sequence(now_.bound.part());
  dropout_.draw(*graph, batch_size);
}

void RNNBuilder::copy(const RNNBuilder& other) {
  const bool same = layers == other.layers && input_dim == other.input_dim &&
                    hidden_dim == other.hidden_dim && std::string_view(name()) == other.name();
  if (!same)
    invalid("copy: the builders differ: ", name(), '(', layers, ", ", input_dim, ", ", hidden_dim, ") and ",
            other.name(), '(', other.layers, ", ", other.input_dim, ", ", other.hidden_dim, ')');
  params = other.params;
  now_.stage = Stage::created;
}

const std::vector<std::vector<Expression>>& RNNBuilder::parameter_expressions() {
  const Graph* graph = current_graph_or_null();
  if (now_.stage == Stage::created || !graph || !resume(graph->number()))
    invalid("the builder is stale: it reads no sequence in the current graph; call initial_state() ",
            "first, in C++ new_graph() and start_new_sequence()");
  forget_removed();
  return param_vars;
}

void RNNBuilder::check_order(const char* call, bool allowed) const {
  static constexpr const char* stages[] = {"being made", "new_graph", "start_new_sequence"};
  if (!allowed)
    invalid("State transition error: ", name(), "::", call, " came after ",
            stages[static_cast<int>(now_.stage)], "; the order is new_graph, start_new_sequence, add_input");
}

void RNNBuilder::refuse_pointer(RNNPointer p) const {
  bad_index(name(), ": there is no state ", p, "; the states are ", now_.last_first, " to ", now_.count - 1);
}

void RNNBuilder::check_kept(RNNPointer p) const {
  if (now_.cells.empty() || !now_.bound.is_there()) return;
  const size_t place = p < 0 ? 0 : place_of(p) + 1;
  if (place > now_.links.size() || is_removed(cells_at(place)))
    invalid(name(), ": state ", p, " was removed by going back to a checkpoint; make it again");
}

size_t RNNBuilder::place_after_removals(RNNPointer p) const {
  const auto found = std::ranges::lower_bound(now_.links, p, {}, &Link::number);
  if (found == now_.links.end() || found->number != p) return now_.links.size();
  return static_cast<size_t>(found - now_.links.begin());
}

void RNNBuilder::check_graph(const Expression& x) const {
  if (x.is_parameter() || !x.pg || x.pg == now_.bound.handle.get_or_null()) return;
  if ((*x.pg).is_tracing() && now_.bound.is_there()) return;  // a cell says what it lacks itself
  if ((*x.pg).number() > now_.bound.id) refuse_stale();
  if (now_.bound.is_there() && !now_.bound.handle.get().is_tracing() && !x.is_stale())
    invalid(name(), ": the input belongs to graph ", (*x.pg).number(), ", the state to graph ", now_.bound.id,
            "; both must belong to one");
}

void RNNBuilder::refuse_stale() {
  invalid(
      "Using stale builder: the graph of the state was renewed or has ended; begin again with the builder's "
      "initial_state(), in C++ with new_graph() and start_new_sequence()");
}

void RNNBuilder::check_count(const char* call, size_t count, bool outputs_only) const {
  const bool has_cells = components_ > layers && !outputs_only;
  if (count == layers || (has_cells && count == components_)) return;
  invalid(call, ": ", count, count == 1 ? " expression was" : " expressions were", " given for the ", layers,
          layers == 1 ? " layer of " : " layers of ", name(), "; ", layers,
          has_cells ? text(" (memory cells) or ", components_, " (memory cells, then outputs)") : "",
          layers == 1 && !has_cells ? " is needed" : " are needed");
}

void RNNBuilder::check_given(const char* call, Expressions given, bool outputs_only) const {
  for (const Expression& e : given) {
    check_graph(e);
    if (e.is_parameter() || !now_.bound.is_there()) continue;
    try {
      static_cast<void>(now_.bound.handle.get().resolve(e));
    } catch (const std::invalid_argument& error) {
      invalid(call, ": ", error.what());
    }
  }
  check_count(call, given.size(), outputs_only);
  for (size_t i = 0; i < given.size(); ++i)
    if (const Dim& dim = dim_of(given[i]); dim.rows() != hidden_dim || !dim.is_vector())
      invalid(call, ": expression ", i, " has shape ", dim_of(given[i]).single_batch(), "; a vector of ",
              hidden_dim, " is needed");
}

/// Throws unless the parts of the state that is being made have one batch size, where 1 is any.
void RNNBuilder::check_batches(const char* call) const {
  unsigned batch = 1;
  for (const Expression& e : next_) {
    const unsigned own = dim_of(e).bd;
    if (own != 1 && batch != 1 && own != batch)
      invalid(call, ": the state would have batches of ", batch, " and of ", own,
              "; cells and outputs of all layers need one batch size, or 1");
    batch = std::max(batch, own);
  }
}

}  // namespace dynet
