// Binding: leaves get their values, and merged calls their tables of addresses.
#include <mutex>

#include "dynet/ops/input.h"
#include "dynet/params/init.h"
#include "dynet/run/executor.h"

namespace dynet::engine {

void Executor::bind_leaves(std::span<const uint32_t> leaves) {
  size_t rows = 0;
  for (uint32_t id : leaves)
    if (graph_[id].op == &op<Lookup>) rows += graph_.dim(id).size();
  real* row = rows ? values_.take<real>(rows) : nullptr;
  for (uint32_t id : leaves) {
    const Node& node = graph_[id];
    Place& place = place_[id];
    const size_t size = graph_.dim(node).batch_size();
    place.stride = static_cast<uint32_t>(size);
    if (node.op == &op<Input>) {
      place.value = attrs_of<Input>(node.payload).values;
    } else if (node.op == &op<Lookup>) {
      LookupParameterStorage& table = *attrs_of<Lookup>(node.payload).table;
      place.value = row;
      for (uint32_t index : node.words()) {
        std::copy_n(table.values.data() + index * size, size, row);
        if (const real factor = table.decay->factor; factor != 1) engine_->scale(size, factor, row);
        row += size;
      }
    }
  }
}

/// Packs the matrices of a call, which all its members share.
void Executor::bind_matrices(const Node& example) {
  const Item& item = graph_.item(example);
  if (!item.matrices) return;
  const std::span<const uint32_t> args = graph_.args(example);
  for (unsigned i = 0; i < args.size(); ++i)
    if (item.is_matrix(example, i) && graph_[args[i]].op == &parameter_op) bind_packed(args[i]);
}

void Executor::bind_value(uint32_t id) {
  Place& place = place_[id];
  if (place.value) return;
  Storage& storage = *parameter_storage(graph_[id]);
  const size_t size = storage.dim.size();
  place.value = values_.take<real>(size);
  place.stride = static_cast<uint32_t>(size);
  const auto* packed = reinterpret_cast<const PackedMatrix*>(place.aux);
  if (packed && !(storage.packed.get() == packed && storage.packed_version == storage.version))
    return engine_->unpack(*packed, place.value);
  std::copy_n(storage.values.data(), size, place.value);
  if (storage.decay->factor != 1) engine_->scale(size, storage.decay->factor, place.value);
}

void Executor::bind_packed(uint32_t id) {
  Place& place = place_[id];
  if (place.aux) return;
  Storage& storage = *parameter_storage(graph_[id]);
  const std::lock_guard lock(storage.packing);
  if (!storage.is_packed(engine_)) {
    const bool transposed = storage.packed && storage.packed->wants_transposed();
    engine_->pack(storage.values.data(), storage.dim.rows(), storage.dim.cols(), storage.decay->factor,
                  transposed, storage.free_panels());
    storage.packed_version = storage.version;
  }
  packed_.push_back(storage.packed);
  place.aux = reinterpret_cast<real*>(storage.packed.get());
}

/// The second call that reads the transposed matrix makes its panels; one alone does as well without.
void Executor::bind_transposed(PackedMatrix& packed, Storage& storage) {
  const std::lock_guard lock(storage.packing);
  ++packed.turned;
  if (packed.wants_transposed() && !packed.has_transposed) engine_->pack_transposed(packed);
}

/// From the first address of each node and its distance between batch elements; a table only where the items
/// do not lie evenly.
template <class Address, class Stride>
Items Executor::items_of(std::span<const uint32_t> nodes, size_t items, Arena& tables, Address&& address,
                         Stride&& stride) {
  if (items == 1) return {address(nodes[0]), nullptr, 0};
  real** table = tables.take_small<real*>(items);
  size_t at = 0;
  if (items == nodes.size()) {
    for (uint32_t id : nodes) table[at++] = address(id);
  } else {
    for (uint32_t id : nodes) {
      real* const first = address(id);
      const size_t distance = stride(id);
      for (unsigned b = 0, count = graph_.dim(id).bd; b < count; ++b) table[at++] = first + b * distance;
    }
  }
  const ptrdiff_t step = table[1] - table[0];
  if (step < 0) return {nullptr, table, 0};
  for (size_t i = 2; i < items; ++i)
    if (table[i] - table[i - 1] != step) return {nullptr, table, 0};
  return {table[0], nullptr, static_cast<size_t>(step)};
}

Words Executor::words_of(std::span<const uint32_t> nodes, size_t items, bool whole, Arena& tables) {
  if (graph_[nodes[0]].words().empty()) return {};
  const uint32_t** table = tables.take_small<const uint32_t*>(items);
  size_t at = 0;
  for (uint32_t id : nodes) {
    const std::span<const uint32_t> words = graph_[id].words();
    if (whole || items == nodes.size()) {
      table[at++] = words.data();
      continue;
    }
    const unsigned count = graph_.dim(id).bd;
    for (unsigned b = 0; b < count; ++b) table[at++] = words.data() + b * (words.size() / count);
  }
  return {table};
}

/// The address of a value; parameters get theirs when they are first used as something else than a matrix.
real* Executor::value_of(uint32_t id) {
  if (!place_[id].value) [[unlikely]]
    bind_value(id);
  return place_[id].value;
}

/// A value as one item: copied together where batch elements lie apart.
Tensor Executor::whole_value(uint32_t id) {
  real* const value = value_of(id);
  return contiguous(graph_.dim(id), value, place_[id].stride);
}

Call Executor::make_call(std::span<const uint32_t> nodes, size_t items, Arena& tables) {
  const Node& example = graph_[nodes[0]];
  const bool whole = example.op->batching == Batching::nodes;
  const Item& item = graph_.item(example);
  const unsigned arg_count = example.arg_count;
  Items* x = tables.take_small<Items>(arg_count);
  PackedMatrix** packed = tables.take_small<PackedMatrix*>(arg_count);
  for (unsigned i = 0; i < arg_count; ++i) {
    packed[i] = nullptr;
    x[i] = {};
    if (item.is_matrix(example, i)) {
      const uint32_t arg = graph_.args(example)[i];
      packed[i] =
          reinterpret_cast<PackedMatrix*>(graph_[arg].op == &parameter_op ? place_[arg].aux : nullptr);
      if (packed[i]) continue;
    }
    const auto argument = [&](uint32_t id) { return graph_.args(graph_[id])[i]; };
    const auto stride = [&](uint32_t id) {
      return graph_.dim(argument(id)).bd == 1 ? 0 : place_[argument(id)].stride;
    };
    if (whole)
      x[i] = items_of(nodes, items, tables, [&](uint32_t id) { return whole_value(argument(id)).v; }, stride);
    else
      x[i] = items_of(nodes, items, tables, [&](uint32_t id) { return value_of(argument(id)); }, stride);
  }
  Call call{};
  call.attrs = example.payload;
  call.count = items;
  call.x_dims = item.x_dims;
  call.dim = item.dim;
  call.x = {x, arg_count};
  call.packed = {packed, arg_count};
  call.words = words_of(nodes, items, whole, tables);
  call.key = {{random_seed(), (graph_.id() - settings().first_graph) ^ round_ << 24}};
  return call;
}

/// What the backward pass of these nodes reads beside their arguments; of a whole step much is known.
void Executor::add_gradients(Call& call, std::span<const uint32_t> nodes, const StepRecord* step) {
  const auto items = [&](real* Place::* memory, size_t size) {
    return items_of(
        nodes, call.count, tables_, [&](uint32_t id) { return place_[id].*memory; },
        [&](uint32_t) { return size; });
  };
  const Item& item = graph_.item(nodes[0]);
  call.dy =
      step && step->gradient ? Items{step->gradient, nullptr, item.size} : items(&Place::gradient, item.size);
  if (step) return;
  call.y = items(&Place::value, item.size);
  if (item.aux_size) call.aux = items(&Place::aux, item.aux_size);
  if (item.d_aux_size) call.d_aux = items(&Place::d_aux, item.d_aux_size);
}

/// Where the contributions of the members of subset_ go, for each batch element.
Items Executor::targets_of(size_t items, unsigned i) {
  const auto stride = [&](uint32_t id) -> size_t {
    const uint32_t arg = graph_.args(graph_[id])[i];
    const Dim& dim = graph_.dim(arg);
    return dim.bd == 1 ? 0 : flow_[arg].slots ? dim.batch_size() : gradient_stride(arg);
  };
  const real* const* target = targets_.data();
  return items_of(subset_, items, tables_, [&](uint32_t) { return const_cast<real*>(*target++); }, stride);
}

}  // namespace dynet::engine
