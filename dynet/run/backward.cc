// Backprop: the steps of the forward pass in reverse, then what parameters and lookup rows receive.
#include <algorithm>
#include <mutex>

#include "dynet/ops/input.h"
#include "dynet/run/executor.h"
#include "dynet/run/profile.h"

namespace dynet::engine {

void Executor::backward(unsigned loss, bool full) {
  if (const Dim& dim = graph_.dim(loss); dim.size() != 1)
    invalid("backward() can only be called on scalar nodes, but node ", loss, " has shape ", dim,
            "; reduce it first, for example with sum_elems and sum_batches");
  if (loss >= done_.size() || !done_[loss]) evaluate(std::span<const uint32_t>(&loss, 1));
  backward_from_ = none;
  trace(loss, full);
  const struct Unmark {
    Executor& e;
    ~Unmark() {
      for (uint32_t id : e.path_) e.marks_[id] = 0;
    }
  } unmark{*this};
  place_gradients();
  if (real* gradient = place_[loss].gradient) *gradient = 1, flow_[loss].ready = true;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    members_.clear();
    for (uint32_t id : std::span(order_).subspan(step->first, step->count))
      if (marks_[id]) members_.push_back(id);
    if (members_.empty()) continue;
    for (uint32_t id : members_) finish(id);
    const Timed timed(Timed::backward, graph_[members_[0]].op->name, members_.size());
    run_backward(members_, *step);
  }
  for (uint32_t id : loose_)  // views of memory that has no gradient itself
    if (graph_[id].op->view && !marks_[views_[id].origin]) finish_one(id);
  deliver();
  backward_from_ = loss;
}

size_t Executor::items_in(std::span<const uint32_t> nodes) const {
  if (graph_[nodes[0]].op->batching == Batching::nodes) return nodes.size();
  size_t items = 0;
  for (uint32_t id : nodes) items += graph_.dim(id).bd;
  return items;
}

void Executor::run_backward(std::span<const uint32_t> nodes, const StepRecord& step) {
  const Node& example = graph_[nodes[0]];
  const Op& op = *example.op;
  if (!op.differentiable) return;
  tables_.reset();
  const bool whole = step.call.count && nodes.size() == step.count;
  Call call = whole ? step.call : make_call(nodes, items_in(nodes), tables_);
  add_gradients(call, nodes, whole ? &step : nullptr);
  if (const size_t size = graph_.item(example).d_aux_size) {
    real* d_aux = zeroed(size * call.count);
    call.d_aux = {d_aux, nullptr, size};
    for (uint32_t id : nodes) {
      place_[id].d_aux = d_aux;
      d_aux += size * (op.batching == Batching::nodes ? 1 : graph_.dim(id).bd);
    }
  }
  transpose_matrices(call, example);
  if (op.prepare_backward) op.prepare_backward(*engine_, call);
  for (unsigned i = 0; i < example.arg_count; ++i)
    if (!call.packed[i]) backward_argument(call, nodes, i);
}

/// The products of the backward pass read transposed panels.
void Executor::transpose_matrices(const Call& call, const Node& example) {
  for (unsigned i = 0; i < example.arg_count; ++i)
    if (call.packed[i]) bind_transposed(*call.packed[i], *parameter_storage(graph_[graph_.args(example)[i]]));
}

/// Runs the kernel for those members whose contribution needs one.
void Executor::backward_argument(const Call& all, std::span<const uint32_t> nodes, unsigned i) {
  find_targets(nodes, i);
  if (subset_.empty()) return;
  const Op& op = *graph_[nodes[0]].op;
  Call call = all;
  if (subset_.size() < nodes.size()) {
    call = make_call(subset_, items_in(subset_), tables_);
    add_gradients(call, subset_, nullptr);
  }
  call.accumulate = start_targets(op, i);
  call.dx = targets_of(call.count, i);
  op.backward(*engine_, call, i);
}

/// Collects the members whose contribution to argument i is still to be computed, and where it goes. Those
/// that are the member's gradient as it is need not be.
void Executor::find_targets(std::span<const uint32_t> nodes, unsigned i) {
  subset_.clear(), targets_.clear();
  const Node& example = graph_[nodes[0]];
  const bool matrix = graph_.item(example).is_matrix(example, i);
  for (uint32_t id : nodes) {
    const uint32_t arg = graph_.args(graph_[id])[i];
    if (!marks_[arg] || (matrix && graph_.dim(arg).bd == 1)) continue;
    const Flow& flow = flow_[arg];
    if (flow.shared) continue;
    real* const target = flow.slots ? part_of(id, i) : place_[arg].gradient;
    if (!target) continue;
    subset_.push_back(id);
    targets_.push_back(target);
  }
}

/// A place for the contribution of a node to its argument i; null where there is one already.
real* Executor::part_of(uint32_t id, unsigned i) {
  const Node& node = graph_[id];
  const uint32_t arg = graph_.args(node)[i];
  const bool is_own = passes(node, i);
  real* const part = is_own ? place_[id].gradient : zeroed(graph_.dim(arg).size());
  append_part(arg, {part, none, id, none});
  return is_own ? nullptr : part;
}

/// True if the contributions to argument i must be added to what its gradients hold. Where none holds
/// anything yet they are written by ops that can; otherwise those that hold nothing are set to zero first.
bool Executor::start_targets(const Op& op, unsigned i) {
  bool accumulate = !op.overwrites, all_ready = true;
  for (uint32_t id : subset_) {
    const Flow& flow = flow_[graph_.args(graph_[id])[i]];
    accumulate |= flow.ready || flow.slots || flow.broadcast;
    all_ready &= flow.ready || flow.slots;
  }
  if (all_ready) return true;
  for (uint32_t id : subset_) {
    const uint32_t arg = graph_.args(graph_[id])[i];
    Flow& flow = flow_[arg];
    if (flow.ready || flow.slots) continue;
    if (accumulate) clear_gradient(arg);
    flow.ready = true;
  }
  return accumulate;
}

void Executor::clear_gradient(uint32_t id) {
  const Dim& dim = graph_.dim(id);
  const size_t size = dim.batch_size(), stride = gradient_stride(id);
  real* gradient = place_[id].gradient;
  if (stride == size) return std::fill_n(gradient, dim.size(), real(0)), void();
  for (unsigned b = 0; b < dim.bd; ++b) std::fill_n(gradient + b * stride, size, real(0));
}

/// Completes the gradients of a node and, before it, of all views of its memory.
void Executor::finish(uint32_t id) {
  if (flow_[id].has_views)
    for (uint32_t v = views_[id].first; v != none; v = views_[v].next) finish_one(v);
  finish_one(id);
}

/// Adds what waits: parts in their order, then the uses as a matrix.
void Executor::finish_one(uint32_t id) {
  Flow& flow = flow_[id];
  if (!flow.ready && place_[id].gradient) clear_gradient(id), flow.ready = true;
  if (flow.lists == none) return;
  if (lists_[flow.lists].first_part != none) add_parts(id);
  if (lists_[flow.lists].first_outer != none && graph_[id].op != &parameter_op)
    add_outer(id, place_[id].gradient, true);
}

/// The parts of a node in canonical order; they came call by call.
std::span<const Executor::Part> Executor::sorted_parts(uint32_t id) {
  sorted_.clear();
  for (uint32_t at = lists_[flow_[id].lists].first_part; at != none; at = parts_[at].next) {
    sorted_.push_back(parts_[at]);
    sorted_.back().next = at;
  }
  const auto newest_first = [](const Part& a, const Part& b) {
    return a.consumer != b.consumer ? a.consumer > b.consumer : a.next < b.next;
  };
  if (!std::ranges::is_sorted(sorted_, newest_first)) std::ranges::sort(sorted_, newest_first);
  return sorted_;
}

void Executor::add_parts(uint32_t id) {
  const Dim& dim = graph_.dim(id);
  const size_t size = dim.batch_size();
  const uint32_t stride = gradient_stride(id);
  addresses_.clear();
  const auto add_whole = [&] {
    if (!addresses_.empty())
      engine_->add_each(dim.size(), addresses_.size(), addresses_.data(), place_[id].gradient);
    addresses_.clear();
  };
  for (const Part& part : sorted_parts(id)) {
    const real* from = part.from;
    size_t n = size, offset = 0;
    if (part.view != none) {
      offset = graph_.item(part.view).view_offset;
      from = place_[part.view].gradient;
      n = graph_.dim(part.view).batch_size();
    }
    if (n == size && (stride == size || dim.bd == 1)) {
      addresses_.push_back(from);
      continue;
    }
    add_whole();
    for (unsigned b = 0; b < dim.bd; ++b)
      engine_->add_scaled(n, 1, from + b * n, place_[id].gradient + b * size_t{stride} + offset);
  }
  add_whole();
}

/// target (or zero, unless `accumulate`) + Σ over the uses of matrix `id` of dy xᵀ.
void Executor::add_outer(uint32_t id, real* target, bool accumulate) {
  const Dim& dim = graph_.dim(id);
  const unsigned m = dim.rows(), k = dim.cols();
  addresses_.clear(), outer_x_.clear();
  for (uint32_t at = lists_[flow_[id].lists].first_outer; at != none; at = outer_uses_[at].next) {
    const OuterUse& use = outer_uses_[at];
    const Node& node = graph_[use.node];
    const std::span<const uint32_t> args = graph_.args(node);
    const Item& item = graph_.item(node);
    view_x_.resize(args.size());
    for (unsigned b = 0; b < graph_.dim(node).bd; ++b) {
      for (unsigned i = 0; i < args.size(); ++i)
        view_x_[i] =
            place_[args[i]].value + (graph_.dim(args[i]).bd == 1 ? 0 : b * size_t{place_[args[i]].stride});
      const Place& place = place_[use.node];
      const NodeView view{item.x_dims.data(),
                          view_x_.data(),
                          place.value + b * item.size,
                          place.aux + b * item.aux_size,
                          place.gradient + b * item.size,
                          place.d_aux + b * item.d_aux_size};
      const OuterPair pair = node.op->outer(node.payload, view, use.arg);
      for (unsigned c = 0; c < pair.columns; ++c) {
        addresses_.push_back(pair.dy + c * size_t{m});
        outer_x_.push_back(pair.x + c * size_t{k});
      }
    }
  }
  engine_->outer_sum({m, k, addresses_.size(), addresses_.data(), outer_x_.data(), target, accumulate});
}

namespace {
std::mutex delivery;  // graphs of several threads may lead to the same parameters
}

/// Adds the gradients of leaves to parameters and lookup rows, oldest leaf first.
void Executor::deliver() {
  const std::lock_guard lock(delivery);
  const Timed timed(Timed::backward, "gradients of parameters", 1);
  for (auto it = loose_.rbegin(); it != loose_.rend(); ++it) {
    const uint32_t id = *it;
    const Node& node = graph_[id];
    if (!node.op->leaf) continue;
    finish(id);
    if (!node.needs_gradient) continue;
    if (node.op == &parameter_op)
      deliver_parameter(id);
    else if (node.op == &op<Lookup>)
      deliver_rows(id);
  }
}

bool Executor::is_used_as_matrix(uint32_t id) const {
  return flow_[id].lists != none && lists_[flow_[id].lists].first_outer != none;
}

void Executor::deliver_parameter(uint32_t id) {
  Storage& storage = *parameter_storage(graph_[id]);
  if (const real* gradient = place_[id].gradient)
    engine_->add_scaled(storage.dim.size(), 1, gradient, storage.gradient.data());
  if (is_used_as_matrix(id)) {
    const bool accumulate = !storage.gradient.is_clear();
    add_outer(id, storage.gradient.overwrite(), accumulate);
  }
  storage.nonzero = true;
  if (storage.is_lookup) static_cast<LookupParameterStorage&>(storage).all_touched = true;
}

void Executor::deliver_rows(uint32_t id) {
  const Node& node = graph_[id];
  LookupParameterStorage& table = *attrs_of<Lookup>(node.payload).table;
  const size_t size = graph_.dim(node).batch_size();
  const real* from = place_[id].gradient;
  for (uint32_t row : node.words()) {
    engine_->add_scaled(size, 1, from, table.row_gradient(row));
    from += size;
  }
}

Tensor Executor::gradient(unsigned id) {
  if (!has_gradient(id))
    failed("Requested gradient for node ", id, ", but backward was ",
           backward_from_ == none ? "not run yet" : text("run from node ", backward_from_),
           "; call backward() on an expression that depends on it first");
  const Dim& dim = graph_.dim(id);
  const bool on_path = std::ranges::binary_search(path_, id, std::greater<>());
  if (on_path && graph_[id].op == &parameter_op && is_used_as_matrix(id)) {
    real* sum = zeroed(dim.size());
    if (place_[id].gradient) engine_->add_scaled(dim.size(), 1, place_[id].gradient, sum);
    add_outer(id, sum, true);
    return {dim, sum};
  }
  if (on_path && place_[id].gradient) return contiguous(dim, place_[id].gradient, gradient_stride(id));
  return {dim, zeroed(dim.size())};
}

}  // namespace dynet::engine
