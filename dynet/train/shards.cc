// The order of additions is that of a tree over shards; what lies in one process it adds by itself.
#include "dynet/train/shards.h"

#include <algorithm>
#include <bit>

#include "dynet/core/error.h"
#include "dynet/core/random.h"
#include "dynet/device/on_host.h"
#include "dynet/train/exact.h"

namespace dynet::engine {
namespace {

void add_numbers(size_t n, const real* from, real* to) {
  for (size_t i = 0; i < n; ++i) to[i] += from[i];
}

std::span<const std::byte> bytes_of(const real* numbers, size_t n) {
  return std::as_bytes(std::span(numbers, n));
}
std::span<std::byte> room_in(real* numbers, size_t n) {
  return std::as_writable_bytes(std::span(numbers, n));
}

}  // namespace

void Message::check(size_t more) const {
  if (more > bytes_.size() - at_)
    failed("another process sent less than the model here needs; all must have the same model and version");
}

uint32_t ShardRandom::seed_of(uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard) {
  const auto low = static_cast<uint32_t>(update), high = static_cast<uint32_t>(update >> 32);
  return Philox{{seed, 0x73686172}}(low, high, pass, shard)[0];
}

ShardRandom::ShardRandom(uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard)
    : before_(random_position()) {
  set_random_position({seed_of(seed, update, pass, shard), 0, 0});
}

const char* library_version() { return DYNET_VERSION; }

ShardRandom::~ShardRandom() { set_random_position(before_); }

std::unique_ptr<GradientSum> GradientSum::make(const ParameterCollection& model, bool exact) {
  if (exact) return std::make_unique<ExactSum>(model);
  return std::make_unique<TreeSum>(model);
}

bool GradientSum::has_gradient() const {
  // Tables are large: none is read to see whether there are numbers that nobody told of.
  return std::ranges::any_of(model_.parameters_list(), [](const auto& p) { return p->is_used(); }) ||
         std::ranges::any_of(model_.lookup_parameters_list(), [](const auto& l) { return l->nonzero; });
}

void GradientSum::start() {
  places_.assign(1, 0);
  for (const auto& p : model_.parameters_list()) places_.push_back(places_.back() + p->size());
  has_before_ = has_gradient();
  if (!has_before_) return;
  fill(before_);
  clear_gradient();
}

void GradientSum::finish() {
  if (!has_before_) return;
  has_before_ = false;
  ShardNode sum;
  fill(sum);
  clear_gradient();
  add(before_, sum);
  give(before_);
}

// -- rows of tables

void RowSum::take(const LookupParameterStorage& table) {
  Engine& engine = chosen_engine();
  const real* const from = table.gradient.numbers().data();
  whole = table.all_touched;
  rows.clear();
  if (whole) {
    numbers.resize(table.size());
    engine.copy(table.size(), from, numbers.data());
    return;
  }
  rows.assign(table.touched.begin(), table.touched.end());
  std::ranges::sort(rows);
  const size_t n = table.row_size();
  numbers.resize(rows.size() * n);
  for (size_t i = 0; i < rows.size(); ++i) engine.copy(n, from + rows[i] * n, numbers.data() + i * n);
}

void RowSum::become_whole(size_t n, size_t size) {
  if (whole) return;
  std::vector<real> all(size, nothing);
  for (size_t i = 0; i < rows.size(); ++i) std::copy_n(numbers.data() + i * n, n, all.data() + rows[i] * n);
  rows.clear();
  numbers.swap(all);
  whole = true;
}

void RowSum::add(const RowSum& other, size_t n, size_t size) {
  if (other.whole) become_whole(n, size);
  if (whole) {
    if (other.whole) return add_numbers(size, other.numbers.data(), numbers.data());
    for (size_t i = 0; i < other.rows.size(); ++i)
      add_numbers(n, other.numbers.data() + i * n, numbers.data() + other.rows[i] * n);
    return;
  }
  std::vector<uint32_t> all;
  all.reserve(rows.size() + other.rows.size());
  std::ranges::set_union(rows, other.rows, std::back_inserter(all));
  std::vector<real> sums(all.size() * n);
  for (size_t i = 0, mine = 0, its = 0; i < all.size(); ++i) {
    const bool is_mine = mine < rows.size() && rows[mine] == all[i];
    const bool is_its = its < other.rows.size() && other.rows[its] == all[i];
    std::copy_n(is_mine ? &numbers[mine * n] : &other.numbers[its * n], n, &sums[i * n]);
    if (is_mine && is_its) add_numbers(n, &other.numbers[its * n], &sums[i * n]);
    mine += is_mine, its += is_its;
  }
  rows.swap(all);
  numbers.swap(sums);
}

void RowSum::put(LookupParameterStorage& table) const {
  Engine& engine = chosen_engine();
  if (whole) {
    engine.copy(table.size(), numbers.data(), table.gradient.overwrite());
    table.all_touched = table.nonzero = true;
    return;
  }
  const size_t n = table.row_size();
  for (size_t i = 0; i < rows.size(); ++i)
    engine.copy(n, numbers.data() + i * n, table.row_gradient(rows[i]));
}

void RowSum::put(Bytes& to) const {
  engine::put(to, uint8_t{whole});
  put_list(to, rows);
  put_list(to, numbers);
}

void RowSum::get(Message& from) {
  whole = from.get<uint8_t>() != 0;
  from.get_list(rows);
  from.get_list(numbers);
}

// -- shards of this process

void TreeSum::begin() {
  start();
  count_ = 0;
}

ShardNode& TreeSum::fresh() {
  if (count_ == nodes_.size()) nodes_.emplace_back();
  return nodes_[count_++];
}

/// The gradient that there is as a node.
void GradientSum::fill(ShardNode& node) const {
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  node.empty = false;
  node.numbers.resize(places_.back());
  node.used.assign(parameters.size(), 0);
  node.tables.resize(tables.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterStorage& p = *parameters[i];
    real* const to = node.numbers.data() + places_[i];
    node.used[i] = p.is_used();
    if (node.used[i])
      chosen_engine().copy(p.size(), p.gradient.numbers().data(), to);
    else
      std::fill_n(to, p.size(), nothing);
  }
  for (size_t i = 0; i < tables.size(); ++i) node.tables[i].take(*tables[i]);
}

/// The same, added to the shard before it.
void TreeSum::add_gradient(ShardNode& node) const {
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterStorage& p = *parameters[i];
    if (!p.is_used()) continue;
    node.used[i] = 1;
    const OnHost<const real> gradient(p.gradient.numbers().data(), p.size());
    add_numbers(p.size(), gradient.data(), node.numbers.data() + places_[i]);
  }
  RowSum own;
  for (size_t i = 0; i < tables.size(); ++i) {
    own.take(*tables[i]);
    node.tables[i].add(own, tables[i]->row_size(), tables[i]->size());
  }
}

void GradientSum::clear_gradient() const {
  for (const auto& p : model_.parameters_list()) p->clear_gradient();
  for (const auto& l : model_.lookup_parameters_list()) l->clear_gradient();
}

void TreeSum::take(uint32_t shard) {
  const ShardRange range{shard, 1};
  if (count_ > 0 && are_halves(nodes_[count_ - 1].range, range) && !nodes_[count_ - 1].empty) {
    if (has_gradient()) add_gradient(nodes_[count_ - 1]);
    nodes_[count_ - 1].range.count = 2;
  } else {
    ShardNode& node = fresh();
    node.range = range;
    node.empty = !has_gradient();
    if (!node.empty) fill(node);
  }
  clear_gradient();
  while (count_ > 1 && are_halves(nodes_[count_ - 2].range, nodes_[count_ - 1].range)) join_last();
}

void TreeSum::join_last() {
  ShardNode &left = nodes_[count_ - 2], &right = nodes_[count_ - 1];
  const ShardRange both{left.range.first, left.range.count + right.range.count};
  if (left.empty)
    std::swap(left, right);
  else if (!right.empty)
    add(left, right);
  left.range = both;
  --count_;
}

void GradientSum::add(ShardNode& to, const ShardNode& from) const {
  add_numbers(places_.back(), from.numbers.data(), to.numbers.data());
  for (size_t i = 0; i < to.used.size(); ++i) to.used[i] |= from.used[i];
  const auto& tables = model_.lookup_parameters_list();
  for (size_t i = 0; i < to.tables.size(); ++i)
    to.tables[i].add(from.tables[i], tables[i]->row_size(), tables[i]->size());
}

/// Nothing in all places, for processes that have no example.
void TreeSum::fill_empty(ShardNode& node) const {
  if (!node.empty) return;
  node.numbers.assign(places_.back(), nothing);
  node.used.assign(model_.parameters_list().size(), 0);
  node.tables.assign(model_.lookup_parameters_list().size(), {});
}

void GradientSum::give(const ShardNode& node) const {
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  for (size_t i = 0; i < parameters.size(); ++i)
    if (node.used[i]) parameters[i]->set_gradient({node.numbers.data() + places_[i], parameters[i]->size()});
  for (size_t i = 0; i < tables.size(); ++i) node.tables[i].put(*tables[i]);
}

void TreeSum::put() {
  while (count_ > 1) join_last();
  if (count_ > 0 && !nodes_[0].empty) give(nodes_[0]);
  finish();
}

// -- shards of all processes

void TreeSum::combine(Peers& peers) {
  if (peers.count == 1) return;
  for (size_t i = 0; i < count_; ++i) fill_empty(nodes_[i]);
  std::vector<std::vector<ShardNode>> all = exchange_rows(peers);
  std::vector<ShardNode*> list;
  std::vector<ShardRange> ranges;
  for (auto& of_peer : all)
    for (ShardNode& node : of_peer) list.push_back(&node), ranges.push_back(node.range);
  if (list.empty()) return;
  const bool is_even = std::ranges::all_of(all, [&](const auto& of_peer) {
    return of_peer.size() == 1 && of_peer[0].range.count == all[0][0].range.count;
  });
  const unsigned size = ranges[0].count;
  const bool halves = is_even && std::has_single_bit(peers.count) && std::has_single_bit(size);
  halves ? add_halves(peers) : add_parts(peers, all);
  const auto& tables = model_.lookup_parameters_list();
  add_in_tree(ranges, [&](size_t left, size_t right) {
    ShardNode &to = *list[left], &from = *list[right];
    to.empty = to.empty && from.empty;
    for (size_t i = 0; i < to.used.size(); ++i) to.used[i] |= from.used[i];
    for (size_t i = 0; i < tables.size(); ++i)
      to.tables[i].add(from.tables[i], tables[i]->row_size(), tables[i]->size());
  });
  if (count_ == 0) fresh();
  count_ = 1;
  list[0]->numbers.swap(nodes_[0].numbers);
  nodes_[0] = std::move(*list[0]);
}

/// All but the numbers of parameters, which are many and have one size: for each process its nodes.
std::vector<std::vector<ShardNode>> TreeSum::exchange_rows(Peers& peers) const {
  Bytes own;
  engine::put(own, static_cast<uint64_t>(count_));
  for (size_t i = 0; i < count_; ++i) {
    const ShardNode& node = nodes_[i];
    engine::put(own, node.range);
    engine::put(own, uint8_t{node.empty});
    put_list(own, node.used);
    for (const RowSum& table : node.tables) table.put(own);
  }
  std::vector<std::vector<ShardNode>> all;
  for (const Bytes& bytes : peers.gather(own)) {
    Message from(bytes);
    all.emplace_back(from.get<uint64_t>());
    for (ShardNode& node : all.back()) {
      node.range = from.get<ShardRange>();
      node.empty = from.get<uint8_t>() != 0;
      from.get_list(node.used);
      node.tables.resize(model_.lookup_parameters_list().size());
      for (RowSum& table : node.tables) table.get(from);
    }
  }
  return all;
}

/// Processes whose numbers differ in one bit exchange halves of what they have left, as the tree adds them;
/// then, the other way round, what is summed.
void TreeSum::add_halves(Peers& peers) {
  real* const numbers = nodes_[0].numbers.data();
  size_t first = 0, last = places_.back();
  std::vector<std::pair<size_t, size_t>> before;
  received_.resize(last / 2 + 1);
  for (unsigned bit = 1; bit < peers.count; bit *= 2) {
    before.emplace_back(first, last);
    const size_t middle = first + (last - first) / 2;
    const bool upper = peers.rank & bit;
    const size_t sent = upper ? first : middle, sent_size = upper ? middle - first : last - middle;
    (upper ? first : last) = middle;
    peers.exchange(peers.rank ^ bit, bytes_of(numbers + sent, sent_size),
                   room_in(received_.data(), last - first));
    add_numbers(last - first, received_.data(), numbers + first);
  }
  for (unsigned bit = peers.count / 2; bit > 0; bit /= 2) {
    const auto [low, high] = before.back();
    before.pop_back();
    const size_t other = first == low ? last : low;
    peers.exchange(peers.rank ^ bit, bytes_of(numbers + first, last - first),
                   room_in(numbers + other, high - low - (last - first)));
    first = low, last = high;
  }
}

/// Each process adds one part of the numbers for all.
void TreeSum::add_parts(Peers& peers, const std::vector<std::vector<ShardNode>>& all) {
  const size_t total = places_.back();
  const auto [first, last] = part_of(total, peers.rank, peers.count);
  const size_t n = last - first;
  std::vector<ShardRange> ranges;
  std::vector<size_t> begins;  // of each process among all nodes
  for (const auto& of_peer : all) {
    begins.push_back(ranges.size());
    for (const ShardNode& node : of_peer) ranges.push_back(node.range);
  }
  received_.resize(ranges.size() * n);
  for (size_t i = 0; i < count_; ++i)
    std::copy_n(nodes_[i].numbers.data() + first, n, received_.data() + (begins[peers.rank] + i) * n);
  std::vector<real> sent;
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(total, peer, peers.count);
    sent.clear();
    for (size_t i = 0; i < count_; ++i)
      sent.insert(sent.end(), nodes_[i].numbers.data() + from, nodes_[i].numbers.data() + to);
    peers.exchange(peer, bytes_of(sent.data(), sent.size()),
                   room_in(received_.data() + begins[peer] * n, all[peer].size() * n));
  });
  add_in_tree(ranges, [&](size_t left, size_t right) {
    add_numbers(n, received_.data() + right * n, received_.data() + left * n);
  });
  if (count_ == 0) fresh();
  nodes_[0].numbers.resize(total);
  real* const numbers = nodes_[0].numbers.data();
  std::copy_n(received_.data(), n, numbers + first);
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(total, peer, peers.count);
    peers.exchange(peer, bytes_of(numbers + first, n), room_in(numbers + from, to - from));
  });
}

}  // namespace dynet::engine
