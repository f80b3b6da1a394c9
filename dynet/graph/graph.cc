// Appending nodes: staleness and shape checks, payloads, signatures, and binding of parameters.
#include "dynet/graph/graph.h"

#include <atomic>
#include <bit>
#include <utility>

namespace dynet::engine {
namespace {

std::atomic<unsigned> last_graph_id{0}, last_aside_id{~0u};

constexpr double most_numbers = 1e13;  // no machine holds more, and sizes of more could overflow

// Beyond this the tables of kinds start anew with the next graph, so that memory stays bounded.
constexpr size_t most_kinds = 1 << 14, most_key_words = 1 << 19;

// Set in the word of a key that stands for a certain matrix instead of a shape.
constexpr uint64_t matrix_key = uint64_t{1} << 63;

/// A leaf that stands for a parameter; its value is bound by the executor.
struct ParameterAttrs {
  Storage* storage;
  uint64_t uid;  // of the storage, which need not be read to make a key
  uint64_t trained;
};

const ParameterAttrs& parameter_attrs(const Node& node) {
  return *reinterpret_cast<const ParameterAttrs*>(node.payload);
}

constexpr bool no_matrix(const void*, unsigned) { return false; }

inline bool is_shared_matrix(const Op& op, const void* attrs, unsigned i, const Node& arg) {
  return op.has_matrix && arg.op == &parameter_op && op.is_matrix(attrs, i);
}

}  // namespace

const Op parameter_op{.name = "parameter",
                      .attr_size = sizeof(ParameterAttrs),
                      .key_size = 0,
                      .batching = Batching::elements,
                      .view = false,
                      .differentiable = true,
                      .random = false,
                      .leaf = true,
                      .has_matrix = false,
                      .overwrites = false,
                      .passes = 0,
                      .shape = nullptr,
                      .trained = nullptr,
                      .forward = nullptr,
                      .prepare_backward = nullptr,
                      .backward = nullptr,
                      .aux_size = nullptr,
                      .d_aux_size = nullptr,
                      .view_offset = nullptr,
                      .is_matrix = no_matrix,
                      .outer = nullptr};

unsigned newest_graph_id() { return last_graph_id; }

Storage* parameter_storage(const Node& node) { return parameter_attrs(node).storage; }

void Graph::refuse_use() const {
  failed(
      "graph ", id_,
      " is being evaluated by another thread, or by the one that calls this function; wait for that thread, "
      "or give each thread a graph of its own");
}

void Graph::clear() {
  check_idle();
  auto kept = std::exchange(kept_, {});  // freed last, when all is in order again
  nodes_.shrink(0);
  args_.shrink(0);
  sources_.clear();
  immediate_compute = check_validity = false;
  payload_.reset();
  if (kinds_.size() > most_kinds || kinds_.key_words() + signatures_.key_words() > most_key_words) {
    kinds_.clear(), signatures_.clear(), recent_.clear(), dims_.clear();
    items_.resize(1), item_dims_.reset();
    ++numbering_;
  }
  for (const Held& held : held_) bound_[held.place] = {};
  held_.clear();
  id_ = is_aside_ ? --last_aside_id : ++last_graph_id;
  if (evaluator) evaluator->invalidate(0);
  kept.clear();
  if (kept_.empty()) kept_ = std::move(kept);  // its memory
}

unsigned Graph::resolve(const Expression& e) {
  if (e.is_parameter()) return add_parameter(*e.storage(), e.graph_id != 0);
  if (!e.pg) invalid("an argument is an empty expression; make it with an operation first");
  if (e.pg != this)
    invalid("an argument belongs to graph ", e.graph_id, ", another one to graph ", id_,
            "; all arguments of an operation must come from one graph");
  if (e.graph_id != id_)
    invalid("Attempt to use a stale expression: it was made in graph ", e.graph_id, ", the current graph is ",
            id_, "; make it again after renewing the computation graph");
  if (e.i >= size()) [[unlikely]]
    invalid("an argument is node ", e.i, ", which was removed by going back to a checkpoint; make it again");
  return e.i;
}

/// Adds the word of an argument to a key. A matrix argument that is a parameter is shared by all items of a
/// call: its identity counts, not its shape.
inline void add_argument(KeyWriter& key, const Op& op, const void* attrs, unsigned i, const Node& arg) {
  if (is_shared_matrix(op, attrs, i, arg))
    key.matrix_argument(parameter_attrs(arg).uid << 1 | arg.needs_gradient | matrix_key);
  else
    key.argument(arg.dim_id);
}

unsigned Graph::add(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words) {
  check_idle();
  const Mark before = mark();
  try {
    const size_t count = xs.size();
    if (count > most_arguments)
      invalid(count, " arguments were given; at most ", most_arguments, " are possible");
    bool needs_gradient = op.trained && op.trained(attrs);
    uint32_t* args = args_.room(count);
    KeyWriter key(key_, op, count, attrs);
    for (unsigned i = 0; i < count; ++i) {
      // A parameter's own node comes first, where it is not in the graph yet.
      const Expression& x = xs[i];
      args[i] = is_current(x) ? x.i : resolve(x);
      const Node& arg = nodes_[args[i]];
      add_argument(key, op, attrs, i, arg);
      needs_gradient |= arg.needs_gradient;
    }
    const Kind* recent = recent_.find(key);
    const Kind kind = recent ? *recent : kind_of(op, key, {args, count}, attrs);
    args_.extend(count);
    return append(op, kind, before.args, count, attrs, words, needs_gradient && op.differentiable);
  } catch (const std::invalid_argument& error) {
    revert(before);
    invalid(op.name, ": ", error.what());
  } catch (const std::out_of_range& error) {
    revert(before);
    bad_index(op.name, ": ", error.what());
  } catch (...) {
    revert(before);
    throw;
  }
}

inline unsigned Graph::append(const Op& op, Kind kind, uint32_t first_arg, size_t arg_count,
                              const void* attrs, std::span<const unsigned> words, bool needs_gradient) {
  const std::byte* payload = nullptr;
  if (op.attr_size || op.random || !words.empty())
    payload = keep_payload(op, attrs, words, dims_[kind.dim_id].bd);
  Node& node = *nodes_.room(1);
  node.op = &op;
  node.payload = payload;
  node.args = first_arg;
  node.signature = kind.signature;
  node.dim_id = kind.dim_id;
  node.arg_count = static_cast<uint16_t>(arg_count);
  node.needs_gradient = needs_gradient;
  nodes_.extend(1);
  return size() - 1;
}

Kind Graph::kind_of(const Op& op, KeyWriter& key, std::span<const uint32_t> args, const void* attrs) {
  const Kind* known = kinds_.find(key.finish());
  if (!known) return learn(op, args, attrs);
  recent_.set(key, *known);
  return *known;
}

/// Computes shape and signature of a node of a kind not seen before.
Kind Graph::learn(const Op& op, std::span<const uint32_t> args, const void* attrs) {
  shape_args_.clear();
  for (uint32_t arg : args) shape_args_.push_back(dim(arg));
  const Dim shape = op.shape(attrs, shape_args_);
  if (shape.size() == 0) invalid("the result would have shape ", shape, "; every size must be at least 1");
  double numbers = shape.bd;  // not size(), which may overflow
  for (unsigned i = 0; i < shape.nd; ++i) numbers *= shape.d[i];
  if (numbers > most_numbers)
    throw out_of_memory(
        text(op.name, ": out of memory: a tensor of shape ", shape, " has ", numbers, " numbers"));
  Kind kind{0, dims_.intern(shape)};
  if (!op.leaf) kind.signature = signature(op, args, attrs, shape);

  KeyWriter key(key_, op, args.size(), attrs);
  for (unsigned i = 0; i < args.size(); ++i) add_argument(key, op, attrs, i, nodes_[args[i]]);
  kinds_.add(key.finish(), kind);
  return kind;
}

/// The number of a signature: op, attributes and shapes, without batch sizes where the op allows.
uint32_t Graph::signature(const Op& op, std::span<const uint32_t> args, const void* attrs, const Dim& shape) {
  const bool with_batch = op.batching == Batching::nodes;
  KeyWriter key(key_, op, args.size() + 1, attrs);
  for (unsigned i = 0; i < args.size(); ++i) {
    const Node& arg = nodes_[args[i]];
    if (with_batch || is_shared_matrix(op, attrs, i, arg))
      add_argument(key, op, attrs, i, arg);
    else
      key.argument(dims_.intern(shape_args_[i].single_batch()));
  }
  key.argument(dims_.intern(with_batch ? shape : shape.single_batch()));
  if (const Kind* known = signatures_.find(key.finish())) return known->signature;
  add_item(op, attrs, shape);
  signatures_.add(key.finish(), {signature_count() - 1, 0});
  return signature_count() - 1;
}

/// Keeps what calls of a new signature share; the shapes of the arguments are in shape_args_.
void Graph::add_item(const Op& op, const void* attrs, const Dim& shape) {
  Dim* dims = item_dims_.take_small<Dim>(shape_args_.size());
  std::ranges::copy(shape_args_, dims);
  Item item{{dims, shape_args_.size()}, shape, 0, 0, 0, 0, 0, 0};
  if (op.batching == Batching::elements) {
    for (size_t i = 0; i < shape_args_.size(); ++i) dims[i].bd = 1;
    item.dim.bd = 1;
  }
  item.size = item.dim.size();
  item.aux_size = op.aux_size(attrs, item.x_dims);
  item.d_aux_size = op.d_aux_size(attrs, item.x_dims);
  if (op.view) item.view_offset = op.view_offset(attrs, item.x_dims);
  for (unsigned i = 0; i < item.x_dims.size(); ++i) {
    const uint32_t bit = uint32_t{1} << std::min(i, 31u);
    if (op.has_matrix && op.is_matrix(attrs, i)) item.matrices |= bit;
    if (op.passes & bit && item.x_dims[i].same_sizes(item.dim)) item.passing |= bit;
  }
  items_.push_back(item);
}

const std::byte* Graph::keep_payload(const Op& op, const void* attrs, std::span<const unsigned> words,
                                     unsigned batch) {
  const size_t word_count = op.random ? 2 * size_t{batch} : words.size();
  const size_t head = (op.attr_size + 3) & ~size_t{3};
  std::byte* payload = payload_.take_bytes(head + 4 * (word_count + 1), 8);
  if (op.attr_size) std::memcpy(payload, attrs, op.attr_size);
  auto* to = reinterpret_cast<uint32_t*>(payload + head);
  *to++ = static_cast<uint32_t>(word_count);
  if (op.random) {
    for (unsigned b = 0; b < batch; ++b) to[2 * b] = size(), to[2 * b + 1] = b;
  } else if (word_count) {
    std::memcpy(to, words.data(), 4 * word_count);
  }
  return payload;
}

inline size_t Graph::place_of(const Storage& storage) const {
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

void Graph::hold(Storage& storage) {
  check_idle();
  bound(storage);
}

unsigned Graph::add_parameter(Storage& storage, bool trained) {
  check_idle();
  unsigned& node = bound(storage).node[trained];
  if (node != none) [[likely]]
    return node;
  const ParameterAttrs attrs{&storage, storage.uid, trained};
  return node = append(parameter_op, {0, dims_.intern(storage.dim)}, edge_count(), 0, &attrs, {}, trained);
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
  const std::span<const uint32_t> old = nodes_[node].words();
  if (old.size() != words.size())
    invalid("set: ", words.size(), " indices were given; the node was made with ", old.size());
  std::memcpy(const_cast<uint32_t*>(old.data()), words.data(), 4 * words.size());
  if (evaluator) evaluator->invalidate(0);
}

void Graph::compute_now(unsigned node) {
  const Tensor value = evaluator->value(node);
  if (check_validity && !value.is_valid())
    failed(nodes_[node].op->name, ": the value of node ", node, " has infinite or undefined numbers");
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

void Graph::revert(const Mark& m) {
  if (size() == m.nodes && edge_count() == m.args) return;
  check_idle();
  args_.shrink(m.args);
  if (size() == m.nodes) return;
  nodes_.shrink(m.nodes);
  std::erase_if(sources_, [&](const Source& source) { return source.node >= m.nodes; });
  for (const Held& held : held_)
    for (unsigned& node : bound_[held.place].node)
      if (node != none && node >= m.nodes) node = none;
  if (evaluator) evaluator->invalidate(m.nodes);
}

Expression add_node(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words) {
  Graph* graph = nullptr;
  for (const Expression& e : xs)
    if (!e.is_parameter() && e.pg) {
      graph = e.pg;
      break;
    }
  if (!graph) graph = &current_graph();
  const unsigned id = graph->add(op, xs, attrs, words);
  if (graph->immediate_compute) [[unlikely]]
    graph->compute_now(id);
  return {graph, id, graph->id()};
}

}  // namespace dynet::engine
