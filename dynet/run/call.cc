// Binding: leaves get their values, and merged calls their tables of addresses.
#include <algorithm>
#include <mutex>

#include "dynet/ops/input.h"
#include "dynet/run/worker.h"

namespace dynet::engine {

/// Memory of the same size, if some is spare: the same parameters come again and again.
real* ParameterMemory::take(size_t size) {
  for (size_t i = spare_.size(); i-- > 0;) {
    if (spare_[i].size != size) continue;
    real* const memory = spare_[i].memory;
    spare_.erase(spare_.begin() + static_cast<ptrdiff_t>(i));
    return memory;
  }
  return arena_.take<real>(size);
}

void RunMemory::bind_leaves(std::span<const uint32_t> leaves) {
  size_t rows = 0;
  for (uint32_t id : leaves)
    if (graph[id].op == &op<Lookup>) rows += graph.dim(id).size();
  real* row = rows ? values.take<real>(rows) : nullptr;
  for (uint32_t id : leaves) {
    const Node& node = graph[id];
    Buffers& at = buffers[id];
    const size_t size = graph.dim(node).batch_size();
    at = {};
    at.stride = static_cast<uint32_t>(size);
    if (node.op == &op<Input>) {
      at.value = attrs_of<Input>(node.payload).values;
      if (engine->memory()) {
        real* const uploaded = values.take<real>(graph.dim(node).size());
        engine->copy(graph.dim(node).size(), at.value, uploaded);
        at.value = uploaded;
      }
    } else if (node.op == &op<Lookup>) {
      LookupParameterStorage& table = *attrs_of<Lookup>(node.payload).table;
      at.value = row;
      for (uint32_t index : node.words()) {
        engine->copy(size, table.numbers.data() + index * size, row);
        if (const real factor = table.decay_factor; factor != 1) engine->scale(size, factor, row);
        row += size;
      }
    }
  }
}

/// std::runtime_error for a table that has got more rows than the node knows.
void RunMemory::check_size(uint32_t id, const Storage& storage) const {
  if (storage.dim != graph.dim(id))
    failed("the table ", storage.name, " has got more rows since node ", id, " was made of it, of shape ",
           graph.dim(id), "; renew the graph after add_rows");
}

/// A parameter's values, as they were when this graph first used it.
void RunMemory::bind_value(uint32_t id) {
  const std::lock_guard lock(binding_);
  Buffers& at = buffers[id];
  if (at.value) return;
  Storage& storage = *parameter_storage(graph[id]);
  check_size(id, storage);
  const size_t size = storage.dim.size();
  real* const value = parameters.take(size);
  at.stride = static_cast<uint32_t>(size);
  if (at.panels && !(storage.packed.get() == at.panels && storage.packed_version == storage.version)) {
    engine->unpack(*at.panels, value);
  } else {
    storage.read(value);
  }
  std::atomic_ref(at.value).store(value, std::memory_order_release);
}

PackedMatrix* RunMemory::packed_of(uint32_t id) {
  const std::atomic_ref known(buffers[id].panels);
  if (PackedMatrix* const panels = known.load(std::memory_order_acquire)) return panels;
  const std::lock_guard lock(binding_);
  if (!buffers[id].panels) {
    Storage& storage = *parameter_storage(graph[id]);
    check_size(id, storage);
    const std::lock_guard packing(storage.packing);
    if (!storage.is_packed(engine)) {
      const bool transposed = storage.packed && storage.packed->wants_transposed();
      engine->pack(storage.numbers.data(), storage.dim.rows(), storage.dim.cols(), storage.decay_factor,
                   transposed, storage.free_panels());
      storage.packed_version = storage.version;
    }
    packed.push_back(storage.packed);
    known.store(storage.packed.get(), std::memory_order_release);
  }
  return buffers[id].panels;
}

void RunMemory::release(uint32_t id) {
  Buffers& at = buffers[id];
  if (at.value) parameters.give_back(at.value, graph.dim(id).size());
  const auto last =
      std::find_if(packed.rbegin(), packed.rend(), [&](const auto& p) { return p.get() == at.panels; });
  if (at.panels && last != packed.rend()) packed.erase(std::next(last).base());
  at = {};
}

/// The second call that reads the transposed matrix makes its panels; one alone does as well without.
void RunMemory::transpose(uint32_t parameter, PackedMatrix& panels) {
  const std::lock_guard lock(parameter_storage(graph[parameter])->packing);
  ++panels.transposed_reads;
  if (panels.wants_transposed() && !panels.has_transposed) engine->pack_transposed(panels);
}

/// From the first address of each node and its distance between batch elements; a table only where the items
/// do not lie evenly.
template <class Address, class Stride>
Items Worker::items_of(std::span<const uint32_t> nodes, size_t items, Arena& tables, Address&& address,
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
      for (unsigned b = 0, count = memory_.graph.dim(id).bd; b < count; ++b)
        table[at++] = first + b * distance;
    }
  }
  const ptrdiff_t step = table[1] - table[0];
  if (step < 0) return {nullptr, table, 0};
  for (size_t i = 2; i < items; ++i)
    if (table[i] - table[i - 1] != step) return {nullptr, table, 0};
  return {table[0], nullptr, static_cast<size_t>(step)};
}

/// Items of equal size, those of one node one after another.
template <class Address>
Items Worker::items_at(std::span<const uint32_t> nodes, size_t items, size_t size, Address&& address) {
  return items_of(nodes, items, tables_, address, [&](uint32_t) { return size; });
}

Words Worker::words_of(std::span<const uint32_t> nodes, size_t items, bool whole, Arena& tables) {
  if (memory_.graph[nodes[0]].words().empty()) return {};
  const uint32_t** table = tables.take_small<const uint32_t*>(items);
  size_t at = 0;
  for (uint32_t id : nodes) {
    const std::span<const uint32_t> words = memory_.graph[id].words();
    if (whole || items == nodes.size()) {
      table[at++] = words.data();
      continue;
    }
    const unsigned count = memory_.graph.dim(id).bd;
    for (unsigned b = 0; b < count; ++b) table[at++] = words.data() + b * (words.size() / count);
  }
  return {table};
}

Tensor Worker::contiguous(const Dim& dim, const real* from, uint32_t stride) {
  const size_t size = dim.batch_size();
  if (dim.bd == 1 || stride == size) return {dim, const_cast<real*>(from)};
  real* to = values_.take<real>(dim.size());
  for (unsigned b = 0; b < dim.bd; ++b) memory_.engine->copy(size, from + b * size_t{stride}, to + b * size);
  return {dim, to};
}

Tensor Worker::whole_value(uint32_t id) {
  real* const value = memory_.value_of(id);
  return contiguous(memory_.graph.dim(id), value, memory_.buffers[id].stride);
}

/// The values of argument i of the members of a call.
Items Worker::argument_items(std::span<const uint32_t> nodes, size_t items, unsigned i, Arena& tables) {
  const Graph& graph = memory_.graph;
  const auto argument = [&](uint32_t id) { return graph.args(graph[id])[i]; };
  const auto stride = [&](uint32_t id) {
    return graph.dim(argument(id)).bd == 1 ? 0 : memory_.buffers[argument(id)].stride;
  };
  if (graph[nodes[0]].op->batching == Batching::nodes) {
    uint32_t last = none;  // many may read one argument, which is copied together once
    real* value = nullptr;
    const auto whole = [&](uint32_t id) {
      if (argument(id) != last) last = argument(id), value = whole_value(last).v;
      return value;
    };
    return items_of(nodes, items, tables, whole, stride);
  }
  return items_of(nodes, items, tables, [&](uint32_t id) { return memory_.value_of(argument(id)); }, stride);
}

/// Of the arguments in `shared` all nodes have the same.
void Worker::make_call(std::span<const uint32_t> nodes, size_t items, uint32_t shared, Arena& tables,
                       Call& call) {
  const Graph& graph = memory_.graph;
  const Node& example = graph[nodes[0]];
  const Item& item = graph.item(example);
  const unsigned arg_count = example.arg_count;
  Items* x = tables.take_small<Items>(arg_count);
  PackedMatrix** packed = tables.take_small<PackedMatrix*>(arg_count);
  for (unsigned i = 0; i < arg_count; ++i) {
    const uint32_t arg = graph.args(example)[i];
    const bool packs = item.is_matrix(example, i) && graph[arg].op == &parameter_op;
    packed[i] = packs ? memory_.packed_of(arg) : nullptr;
    x[i] = packs                            ? Items{}
           : is_shared_parameter(shared, i) ? Items{memory_.value_of(arg), nullptr, 0}
                                            : argument_items(nodes, items, i, tables);
  }
  call.attrs = example.payload;
  call.count = items;
  call.x_dims = item.x_dims;
  call.dim = item.dim;
  call.x = {x, arg_count};
  call.packed = {packed, arg_count};
  call.words = words_of(nodes, items, example.op->batching == Batching::nodes, tables);
  call.key = memory_.key;
}

/// Where these nodes have put their values and what they keep.
void Worker::add_results(Call& call, std::span<const uint32_t> nodes) {
  const Item& item = memory_.graph.item(nodes[0]);
  call.y = items_at(nodes, call.count, item.size, [&](uint32_t id) { return memory_.buffers[id].value; });
  if (item.saved_size)
    call.saved =
        items_at(nodes, call.count, item.saved_size, [&](uint32_t id) { return memory_.buffers[id].saved; });
}

/// The gradients of these nodes, which begin at a place if they lie one after another.
void Worker::add_gradients(Call& call, std::span<const uint32_t> nodes, Location gradients) {
  const size_t size = memory_.graph.item(nodes[0]).size;
  call.dy = gradients.is_none()
                ? items_at(nodes, call.count, size, [&](uint32_t id) { return memory_.gradient_of(id); })
                : Items{memory_.gradients + gradients.offset(), nullptr, size};
}

/// What prepare_backward has left for these nodes.
void Worker::add_workspace(Call& call, std::span<const uint32_t> nodes) {
  const Item& item = memory_.graph.item(nodes[0]);
  if (item.workspace_size && !memory_.graph[nodes[0]].op->reads_part)
    call.workspace = items_at(nodes, call.count, item.workspace_size,
                              [&](uint32_t id) { return memory_.buffers[id].workspace; });
}

/// Where the contributions of the members of subset_ go, for each batch element.
Items Worker::targets_of(size_t items, unsigned i) {
  const auto stride = [&](uint32_t id) { return target_stride(memory_.graph.args(memory_.graph[id])[i]); };
  const real* const* target = targets_.data();
  return items_of(subset_, items, tables_, [&](uint32_t) { return const_cast<real*>(*target++); }, stride);
}

/// Nodes add to targets_, of which the batch elements lie `stride` apart.
Items Worker::targets_at(std::span<const uint32_t> nodes, size_t items, size_t stride) {
  real* const* target = targets_.data();
  return items_of(
      nodes, items, tables_, [&](uint32_t) { return *target++; }, [=](uint32_t) { return stride; });
}

}  // namespace dynet::engine
