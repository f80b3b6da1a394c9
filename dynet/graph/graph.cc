// Appending nodes: staleness and shape checks, payloads, signatures, and binding of parameters.
#include "dynet/graph/graph.h"

#include <utility>

#include "dynet/params/init.h"

namespace dynet::engine {
namespace {

// Beyond this the tables of kinds start anew with the next graph, so that memory stays bounded.
constexpr size_t most_kinds = 1 << 14, most_key_words = 1 << 19;

/// A leaf that stands for a parameter; its value is bound by the executor.
struct ParameterAttrs {
  Storage* storage;
  uint64_t uid;  // of the storage, which need not be read to make a key
  uint64_t trained;
};

const ParameterAttrs& parameter_attrs(const Node& node) {
  return *reinterpret_cast<const ParameterAttrs*>(node.payload);
}

/// The word of a key that stands for a certain parameter instead of a shape.
inline uint64_t parameter_word(const Node& node) {
  return parameter_attrs(node).uid << 1 | node.needs_gradient | uint64_t{1} << 63;
}

inline bool is_shared_matrix(const Op& op, const void* attrs, unsigned i, const Node& arg) {
  return op.has_matrix && arg.op == &parameter_op && op.is_matrix(attrs, i);
}

}  // namespace

const Op parameter_op{
    .name = "parameter",
    .attr_size = sizeof(ParameterAttrs),
    .differentiable = true,
    .leaf = true,
    .copy_attrs = [](std::byte* to, const void* attrs) { std::memcpy(to, attrs, sizeof(ParameterAttrs)); }};

Storage* parameter_storage(const Node& node) { return parameter_attrs(node).storage; }

void Graph::refuse_use() const {
  if (is_lost())
    failed("graph ", id_,
           " was being evaluated when this process was forked, by a thread that the child does not have; "
           "make the expressions again in another graph");
  failed(
      "graph ", id_,
      " is being evaluated by another thread, or by the one that calls this function; wait for that thread, "
      "or give each thread a graph of its own");
}

void Graph::clear() {
  if (is_in_use()) refuse_use();
  check_outside_tasks("renew");
  renew(is_tracing_ ? next_stamp() : next_graph_id());
}

void Graph::wait() {
  if (is_in_use()) refuse_use();
  renew(0);
  state_ |= waiting;
}

void Graph::retire() {
  if (is_in_use()) refuse_use();
  renew(next_stamp());
  ended_ = true;
}

void Graph::renew(unsigned number) {
  auto kept = std::exchange(kept_, {});  // freed last, when all is in order again
  nodes_.shrink(0);
  args_.shrink(0);
  sources_.clear();
  immediate_compute = check_validity = false;
  payload_.reset();
  if (interned_.size() > most_kinds || interned_.key_words() + signatures_.key_words() > most_key_words) {
    interned_.clear(), signatures_.clear(), signature_cache_.clear(), dims_.clear();
    items_.resize(1), item_dims_.reset();
    ++intern_epoch_;
  }
  for (const Held& held : held_) bound_[held.place] = {};
  held_.clear();
  last_held_ = nullptr;
  checkpoints_.clear(), task_marks_.clear(), first_uses_.clear(), places_.clear();
  tasks_.reset();
  kept_before_ = 0;
  set_number(number);
  if (evaluator) evaluator->renew();
  kept.clear();
  if (kept_.empty()) kept_ = std::move(kept);  // its memory
}

/// A graph that waits for its number takes one.
void Graph::start() {
  if (is_in_use()) refuse_use();
  if (state_ & waiting) set_number(next_graph_id());
}

void Graph::set_number(unsigned id) {
  id_ = id;
  stamp_ = id;
  segments_.assign(1, {0, id});
  first_stamp_ = next_stamp();
  ended_ = false;
  state_ &= static_cast<uint8_t>(~waiting);
}

/// Not where it is called: most arguments are right.
[[noreturn, gnu::cold, gnu::noinline]] static void refuse_stale(const Expression& e) {
  invalid("Attempt to use a stale expression: ", why_stale(e));
}

unsigned Graph::resolve(const Expression& e) {
  if (e.is_parameter()) return add_parameter(*e.storage(), e.is_trained());
  if (!e.pg) invalid("an argument is an empty expression; make it with an operation first");
  if (e.pg != this) refuse_other_graph(e);
  if (holds(e)) return e.i;
  refuse_stale(e);
}

/// The graph of a cell that is recorded has arguments of the cell; whose turn it is when the others are met
/// depends on their order.
void Graph::refuse_other_graph(const Expression& e) const {
  const auto belongs = [](const Graph& graph) {
    return graph.is_tracing_ ? std::string("belongs to another cell")
                             : text("belongs to graph ", graph.number());
  };
  const bool is_stale = e.is_stale();
  const std::string owner = (*e.pg).has_removed(e) ? "was removed by going back to a checkpoint"
                            : is_stale             ? "belongs to a graph that was renewed or has ended"
                                                   : belongs(*e.pg);
  if (is_tracing_ || ((*e.pg).is_tracing_ && !is_stale))
    invalid("the function of a cell uses an expression that is no argument of it and ",
            is_tracing_ ? owner : belongs(*this), "; pass it as an argument");
  if (is_stale)
    invalid("an argument ", owner, "; make it again in graph ", id_,
            ", as all arguments must come from one graph");
  invalid("an argument ", owner, ", another one to graph ", id_,
          "; all arguments of an operation must come from one graph");
}

/// Adds the word of an argument to a key. A matrix argument that is a parameter is shared by all items of a
/// call: its identity counts, not its shape. So do the other parameters of such an op, which saves asking it
/// which ones are matrices.
inline void add_argument(KeyBuilder& key, const Op& op, const Node& arg) {
  if (op.has_matrix && arg.op == &parameter_op)
    key.matrix_argument(parameter_word(arg));
  else
    key.argument(arg.dim_id);
}

/// Has an op compute some of its arguments itself, where it can and nothing else has used these so far.
inline uint32_t Graph::fuse(const Op& op, std::span<const uint32_t> args) {
  unsigned fusible = 0;
  for (const uint32_t id : args) fusible |= may_fuse(id) ? nodes_[id].fusible_into : 0;
  return fusible & op.absorbs ? op.fuse(*this, args) : no_node;
}

/// The common case is apart from the others, whose calls and errors would take its registers: few arguments,
/// all of them nodes of this graph, and a signature that was seen lately.
Expression Graph::add(const Op& op, const Expressions& xs, const void* attrs,
                      std::span<const unsigned> words) {
  check_idle();
  const size_t count = xs.size();
  if (count >= SignatureCache::most_words || KeyBuilder::room(op, count) > SignatureCache::most_words)
    return add_any(op, xs, attrs, words);
  uint64_t room[SignatureCache::most_words];
  KeyBuilder key(room, op, count, attrs);
  uint32_t* args = args_.room(count);
  bool needs_gradient = op.trained && op.trained(attrs);
#pragma GCC unroll 6
  for (size_t i = 0; i < count; ++i) {
    const Expression& x = xs[i];
    const uint32_t id = is_current(x) ? x.i : known_node(x);
    if (id == none) return add_any(op, xs, attrs, words);
    args[i] = id;
    const Node& arg = nodes_[id];
    add_argument(key, op, arg);
    needs_gradient |= arg.needs_gradient;
  }
  if (tasks_ && !may_use({args, count})) [[unlikely]]
    return add_any(op, xs, attrs, words);
  if (op.absorbs)
    if (const uint32_t fused = fuse(op, {args, count}); fused != no_node) return {this, fused, stamp()};
  const Interned* interned = signature_cache_.find(key);
  if (!interned) return add_any(op, xs, attrs, words);
  return append(op, *interned, count, attrs, words, needs_gradient & op.differentiable);
}

Expression Graph::add_any(const Op& op, const Expressions& xs, const void* attrs,
                          std::span<const unsigned> words) {
  const Mark before = mark();
  try {
    const size_t count = xs.size();
    if (count > most_arguments)
      invalid(count, " arguments were given; at most ", most_arguments, " are possible");
    uint32_t* args = args_.room(count);
    // A parameter's own node comes first, where it is not in the graph yet.
    for (size_t i = 0; i < count; ++i) args[i] = is_current(xs[i]) ? xs[i].i : resolve(xs[i]);
    if (tasks_ && !may_use({args, count})) refuse_other_task({args, count});
    if (op.absorbs)
      if (const uint32_t fused = fuse(op, {args, count}); fused != no_node) return {this, fused, stamp()};
    return append_any(op, {args, count}, attrs, words);
  } catch (const std::invalid_argument& error) {
    take_back(before);
    invalid(op.name, ": ", error.what());
  } catch (const std::out_of_range& error) {
    take_back(before);
    bad_index(op.name, ": ", error.what());
  } catch (...) {
    take_back(before);
    throw;
  }
}

/// What could not be added may fit other batch sizes.
void Graph::take_back(const Mark& before) {
  undo(before);
  if (is_tracing_) evaluator->ask_batch_size();
}

/// The ids of the arguments are in the room at the end of args_.
inline Expression Graph::append(const Op& op, Interned interned, size_t arg_count, const void* attrs,
                                std::span<const unsigned> words, bool needs_gradient) {
  const std::byte* payload = nullptr;
  if (op.random) [[unlikely]]
    payload = add_random_payload(op, attrs, dims_[interned.dim_id].bd);
  else if (op.attr_size || !words.empty())
    payload = add_payload(op, attrs, words);
  const uint32_t first = edge_count();
  if (!checkpoints_.empty()) [[unlikely]]
    log_uses({args_.data() + first, arg_count});
  for (size_t i = 0; i < arg_count; ++i) nodes_.at(args_.data()[first + i]).used = true;
  *nodes_.room(1) = {.op = &op,
                     .payload = payload,
                     .args = first,
                     .signature = interned.signature,
                     .dim_id = interned.dim_id,
                     .arg_count = static_cast<uint16_t>(arg_count),
                     .needs_gradient = needs_gradient,
                     .fusible_into = op.fusible_into,
                     .used = false,
                     .fused_away = false};
  args_.extend(arg_count);
  nodes_.extend(1);
  if (tasks_) [[unlikely]]
    tasks_->add_node(&op == &parameter_op ? Tasks::before : tasks_->current());
  return {this, size() - 1, stamp()};
}

Expression Graph::append_any(const Op& op, std::span<const uint32_t> args, const void* attrs,
                             std::span<const unsigned> words) {
  KeyBuilder key = key_builder(op, args.size(), attrs);
  bool needs_gradient = op.trained && op.trained(attrs);
  for (const uint32_t arg : args) {
    add_argument(key, op, nodes_[arg]);
    needs_gradient |= nodes_[arg].needs_gradient;
  }
  const Interned* known = interned_.find(key.finish());
  if (known) signature_cache_.set(key, *known);
  const Interned interned = known ? *known : infer_and_intern(op, args, attrs);
  return append(op, interned, args.size(), attrs, words, needs_gradient & op.differentiable);
}

KeyBuilder Graph::key_builder(const Op& op, size_t arg_count, const void* attrs) {
  const size_t most = KeyBuilder::room(op, arg_count);
  if (key_.size() < most) key_.resize(most);
  return {key_.data(), op, arg_count, attrs};
}

/// Computes shape and signature of a node of a signature not seen before.
Interned Graph::infer_and_intern(const Op& op, std::span<const uint32_t> args, const void* attrs) {
  shape_args_.clear();
  for (uint32_t arg : args) shape_args_.push_back(dim(arg));
  const Dim shape = op.shape(attrs, shape_args_);
  if (shape.number_count() == 0)
    invalid("the result would have shape ", shape, "; every size must be at least 1");
  check_memory(op.name, shape);
  Interned interned{0, dims_.intern(shape)};
  if (!op.leaf) interned.signature = signature(op, args, attrs, shape);

  KeyBuilder key = key_builder(op, args.size(), attrs);
  for (const uint32_t arg : args) add_argument(key, op, nodes_[arg]);
  interned_.add(key.finish(), interned);
  return interned;
}

/// The number of a signature: op, attributes and shapes, without batch sizes where the op allows.
uint32_t Graph::signature(const Op& op, std::span<const uint32_t> args, const void* attrs, const Dim& shape) {
  const bool with_batch = op.batching == Batching::nodes;
  KeyBuilder key = key_builder(op, args.size() + 1, attrs);
  for (unsigned i = 0; i < args.size(); ++i) {
    const Node& arg = nodes_[args[i]];
    if (is_shared_matrix(op, attrs, i, arg))
      key.argument(parameter_word(arg));
    else if (with_batch)
      key.argument(arg.dim_id);
    else
      key.argument(dims_.intern(shape_args_[i].single_batch()));
  }
  key.argument(dims_.intern(with_batch ? shape : shape.single_batch()));
  if (const Interned* known = signatures_.find(key.finish())) return known->signature;
  add_item(op, attrs, shape);
  signatures_.add(key.finish(), {signature_count() - 1, 0});
  return signature_count() - 1;
}

/// Keeps what calls of a new signature share; the shapes of the arguments are in shape_args_.
void Graph::add_item(const Op& op, const void* attrs, const Dim& shape) {
  Dim* dims = item_dims_.take_small<Dim>(shape_args_.size());
  std::ranges::copy(shape_args_, dims);
  Item item{{dims, shape_args_.size()}, shape};
  if (op.batching == Batching::elements) {
    for (size_t i = 0; i < shape_args_.size(); ++i) dims[i].bd = 1;
    item.dim.bd = 1;
  }
  item.size = item.dim.size();
  item.saved_size = op.saved_size(attrs, item.x_dims);
  item.workspace_size = op.workspace_size(attrs, item.x_dims);
  if (op.view) item.view_offset = op.view_offset(attrs, item.x_dims);
  for (unsigned i = 0; i < item.x_dims.size(); ++i) {
    const uint32_t bit = uint32_t{1} << std::min(i, 31u);
    if (op.has_matrix && op.is_matrix(attrs, i)) {
      item.matrices |= bit;
      item.multiply_adds += item.x_dims[i].batch_size() * item.dim.cols();
    }
    if (op.identity & bit && item.x_dims[i].same_sizes(item.dim)) item.identity |= bit;
  }
  items_.push_back(item);
}

inline std::byte* Graph::add_payload(const Op& op, const void* attrs, std::span<const unsigned> words) {
  const size_t head = (op.attr_size + 3) & ~size_t{3};
  std::byte* payload = payload_.take_bytes(head + 4 * (words.size() + 1), 8);
  if (op.attr_size) op.copy_attrs(payload, attrs);
  auto* to = reinterpret_cast<uint32_t*>(payload + head);
  *to = static_cast<uint32_t>(words.size());
  if (words.size() == 1)
    to[1] = words[0];
  else if (!words.empty())
    std::memcpy(to + 1, words.data(), 4 * words.size());
  return payload;
}

/// The words of a random node say for each batch element which node and element of it this is, and of which
/// part.
std::byte* Graph::add_random_payload(const Op& op, const void* attrs, unsigned batch) {
  random_words_.clear();
  const Tasks::Name name = tasks_ ? tasks_->next_random() : Tasks::Name{size(), 0};
  for (unsigned b = 0; b < batch; ++b) random_words_.insert(random_words_.end(), {name.number, b, name.part});
  return add_payload(op, attrs, random_words_);
}

size_t Graph::place_of(const Storage& storage) const {
  const size_t mask = bound_.size() - 1;
  size_t at = storage.uid * 0x9E3779B97F4A7C15u >> 20 & mask;
  while (bound_[at].storage && bound_[at].storage != &storage) at = (at + 1) & mask;
  return at;
}

inline Graph::Bound& Graph::bound(Storage& storage) {
  if (bound_.size() < 4 * (held_.size() + 1)) [[unlikely]]
    grow_bound();
  const size_t at = place_of(storage);
  if (!bound_[at].storage) [[unlikely]] {
    held_.push_back({storage.shared_from_this(), at});
    bound_[at].storage = &storage;
  }
  return bound_[at];
}

void Graph::hold_another(Storage& storage) {
  check_idle();
  bound(storage);
  last_held_ = &storage;
}

/// Not inline, as it would take the registers of add().
[[gnu::noinline]] unsigned Graph::known_node(const Expression& e) const {
  if (!e.is_parameter()) return older_node(e);
  if (held_.empty()) return none;
  return bound_[place_of(*e.storage())].node[e.is_trained()];
}

unsigned Graph::add_parameter(Storage& storage, bool trained) {
  check_idle();
  unsigned& node = bound(storage).node[trained];
  if (node != none) [[likely]]
    return node;
  const ParameterAttrs attrs{&storage, storage.uid, trained};
  return node = append(parameter_op, {0, dims_.intern(storage.dim)}, 0, &attrs, {}, trained).i;
}

void Graph::grow_bound() {
  const std::vector<Bound> old = std::move(bound_);
  bound_.assign(std::max<size_t>(64, 2 * old.size()), {});
  for (Held& held : held_) {
    const size_t before = held.place;
    held.place = place_of(*held.storage);
    bound_[held.place] = old[before];
  }
}

void Graph::set_words(unsigned node, std::span<const unsigned> words) {
  check_idle();
  check_outside_tasks("set");
  const std::span<const uint32_t> old = nodes_[node].words();
  if (old.size() != words.size())
    invalid("set: ", words.size(), " indices were given; the node was made with ", old.size());
  std::memcpy(const_cast<uint32_t*>(old.data()), words.data(), 4 * words.size());
  if (evaluator) evaluator->invalidate();
}

void Graph::evaluate_eagerly(unsigned node) {
  const Tensor value = evaluator->value(node);
  if (!check_validity) return;
  for (const uint32_t arg : args(nodes_[node]))
    if (nodes_[arg].op == &parameter_op && !evaluator->value(arg).is_valid())
      failed("NaN or Inf detected in the parameter ", parameter_storage(nodes_[arg])->name, ", node ", arg);
  if (!value.is_valid()) failed("NaN or Inf detected in ", nodes_[node].written().name, ", node ", node);
}

void Graph::refresh_words(std::span<const uint32_t> nodes) {
  if (nodes.size() > sources_.size()) {
    for (const Source& source : sources_)
      if (std::ranges::binary_search(nodes, source.node)) refresh(source);
    return;
  }
  for (const uint32_t node : nodes) {
    const auto source = std::ranges::lower_bound(sources_, node, {}, &Source::node);
    if (source != sources_.end() && source->node == node) refresh(*source);
  }
}

/// The words of a node may be the list several times over, once for each batch element.
void Graph::refresh(const Source& source) {
  const Indices given = source.one ? std::span(source.one, 1) : Indices(*source.many);
  const std::span<const uint32_t> words = nodes_[source.node].words();
  const std::string_view name = nodes_[source.node].op->name;
  if (given.size() != source.count)
    invalid(name, ": there are now ", given.size(), " indices; the node was made with ", source.count);
  for (unsigned index : given)
    if (index >= source.limit)
      bad_index(name, ": index ", index, " is out of range; 0 to ", source.limit - 1, " would be right");
  auto* to = const_cast<uint32_t*>(words.data());
  for (size_t at = 0; at < words.size(); at += given.size()) std::ranges::copy(given, to + at);
}

namespace {

/// The graph of the first argument that has one, or null.
inline Graph* graph_among(const Expressions& xs) {
  for (size_t i = 0; i < xs.size(); ++i)
    if (!xs[i].is_parameter() && xs[i].pg) return xs[i].pg;
  return nullptr;
}

Expression add_and_compute(Graph& graph, const Op& op, const Expressions& xs, const void* attrs,
                           std::span<const unsigned> words) {
  const Expression node = graph.add(op, xs, attrs, words);
  if (graph.immediate_compute) graph.evaluate_eagerly(node.i);
  return node;
}

}  // namespace

Graph& graph_of(const Expressions& xs) {
  Graph* graph = graph_among(xs);
  return graph ? *graph : current_graph();
}

Expression add_node(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words) {
  Graph* graph = graph_among(xs);
  if (graph && !graph->immediate_compute) [[likely]]
    return graph->add(op, xs, attrs, words);
  return add_and_compute(graph ? *graph : current_graph(), op, xs, attrs, words);
}

}  // namespace dynet::engine
