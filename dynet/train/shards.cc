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

constexpr size_t small = 1 << 16;  // numbers of parameters that travel together

/// Adds the numbers of an engine to others.
void add_block(const Buffer& from, Buffer& to) {
  Engine& engine = chosen_engine();
  if (engine.memory()) return engine.add_scaled(to.size(), 1, from.data(), to.data());
  add_numbers(to.size(), from.data(), to.data());
}

/// Four blocks as the tree adds them, in one passage: a becomes (a + b) + (c + d).
void add_four_blocks(Buffer& a, const Buffer& b, Buffer& c, const Buffer& d) {
  if (chosen_engine().memory()) {
    add_block(b, a), add_block(d, c);
    return add_block(c, a);
  }
  real* const sum = a.data();
  const real *const second = b.data(), *const third = c.data(), *const fourth = d.data();
  for (size_t i = 0; i < a.size(); ++i) sum[i] = (sum[i] + second[i]) + (third[i] + fourth[i]);
}

/// All processes see the same nodes, and so all of them throw.
void check_alike(const std::vector<std::vector<ShardNode>>& all) {
  const ShardNode* first = nullptr;
  for (const auto& of_peer : all)
    for (const ShardNode& node : of_peer) {
      if (!first) first = &node;
      if (node.used.size() != first->used.size() || node.tables.size() != first->tables.size())
        failed("the processes have other numbers of parameters; all must have the same model");
    }
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
  table_sizes_.clear();
  for (const auto& l : model_.lookup_parameters_list()) table_sizes_.push_back(l->size());
  spare_.resize(places_.size());
  has_before_ = has_gradient();
  if (has_before_) fill(before_);
}

void GradientSum::finish() {
  if (!has_before_) return;
  has_before_ = false;
  ShardNode sum;
  fill(sum);
  add(before_, sum);
  give(before_);
}

void GradientSum::check_model() const {
  const auto is_as_before = [](const auto& table, size_t size) { return table->size() == size; };
  if (model_.parameters_list().size() + 1 != places_.size() ||
      !std::ranges::equal(model_.lookup_parameters_list(), table_sizes_, is_as_before))
    invalid(
        "backward: parameters or rows were added while the loss of a shard was made; all must be there "
        "before");
}

// -- memory, which goes from hand to hand

Buffer GradientSum::room(size_t parameter) {
  const size_t size = places_[parameter + 1] - places_[parameter];
  auto& spare = spare_[parameter];
  if (spare.empty() || spare.back().size() != size) return Buffer(size);
  Buffer numbers = std::move(spare.back());
  spare.pop_back();
  return numbers;
}

void GradientSum::forget(size_t parameter, Buffer& numbers) {
  if (!numbers.empty()) spare_[parameter].push_back(std::exchange(numbers, {}));
}

void GradientSum::forget(ShardNode& node) {
  for (size_t i = 0; i < std::min(node.numbers.size(), spare_.size()); ++i) forget(i, node.numbers[i]);
}

void GradientSum::fill(ShardNode& node) {
  forget(node);
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  node.empty = false;
  node.used.assign(parameters.size(), 0);
  node.numbers.resize(parameters.size());
  node.tables.resize(tables.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    ParameterStorage& p = *parameters[i];
    node.used[i] = p.is_used();
    if (!node.used[i]) continue;
    Buffer other = room(i);
    if (p.gradient.is_shown()) {
      chosen_engine().copy(p.size(), p.gradient.data(), other.data());
      node.numbers[i] = std::move(other);
    } else {
      node.numbers[i] = p.gradient.replace(std::move(other));
      p.gradient_tensor = {p.dim, p.gradient.overwrite()};
    }
    p.clear_gradient();
  }
  for (size_t i = 0; i < tables.size(); ++i) node.tables[i].take(*tables[i]);
  clear_gradient();
}

void GradientSum::give(ShardNode& node) {
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!node.used[i]) continue;
    ParameterStorage& p = *parameters[i];
    if (p.gradient.is_shown()) {
      p.set_gradient({node.numbers[i].data(), p.size()});
      forget(i, node.numbers[i]);
      continue;
    }
    p.gradient.overwrite();  // or zeros would be written into what goes away
    Buffer before = p.gradient.replace(std::exchange(node.numbers[i], {}));
    p.gradient_tensor = {p.dim, p.gradient.overwrite()};
    p.nonzero = true;
    forget(i, before);
  }
  for (size_t i = 0; i < tables.size(); ++i) node.tables[i].put(*tables[i]);
}

void GradientSum::clear_gradient() const {
  for (const auto& p : model_.parameters_list()) p->clear_gradient();
  for (const auto& l : model_.lookup_parameters_list()) l->clear_gradient();
}

void GradientSum::add(ShardNode& to, ShardNode& from) {
  for (size_t i = 0; i < to.numbers.size(); ++i) add_numbers_of(i, to, from);
  add_rows(to, from);
}

void GradientSum::add_numbers_of(size_t parameter, ShardNode& to, ShardNode& from) {
  Buffer &sum = to.numbers[parameter], &more = from.numbers[parameter];
  if (more.empty()) return;
  if (sum.empty())
    sum = std::exchange(more, {});
  else
    add_block(more, sum);
  forget(parameter, more);
}

void GradientSum::add_rows(ShardNode& to, const ShardNode& from) const {
  const auto& tables = model_.lookup_parameters_list();
  for (size_t i = 0; i < to.used.size(); ++i) to.used[i] |= from.used[i];
  for (size_t i = 0; i < to.tables.size(); ++i)
    to.tables[i].add(from.tables[i], tables[i]->row_size(), tables[i]->size());
}

// -- shards of this process

void TreeSum::begin() {
  start();
  for (ShardNode& node : nodes_) forget(node);
  count_ = 0;
}

ShardNode& TreeSum::fresh() {
  if (count_ == nodes_.size()) nodes_.emplace_back();
  forget(nodes_[count_]);
  nodes_[count_].empty = true;
  return nodes_[count_++];
}

/// Leaves wait for each other, so that four are added in one passage over their numbers.
void TreeSum::take(uint32_t shard) {
  check_model();
  ShardNode& node = fresh();
  node.range = {shard, 1};
  node.empty = !has_gradient();
  if (!node.empty) fill(node);
  if (shard % 4 == 1 && count_ > 1 && are_halves(last(2).range, last(1).range)) return;
  if (four_wait()) join_four();
  while (count_ > 1 && are_halves(last(2).range, last(1).range)) join(count_ - 2);
}

bool TreeSum::four_wait() const {
  if (count_ < 4) return false;
  const ShardNode* const first = &nodes_[count_ - 4];
  for (uint32_t i = 0; i < 4; ++i)
    if (first[i].empty || first[i].range != ShardRange{first->range.first + i, 1}) return false;
  return first->range.first % 4 == 0;
}

void TreeSum::join_four() {
  ShardNode &a = last(4), &b = last(3), &c = last(2), &d = last(1);
  for (size_t i = 0; i < a.numbers.size(); ++i) {
    if (a.used[i] && b.used[i] && c.used[i] && d.used[i]) {
      add_four_blocks(a.numbers[i], b.numbers[i], c.numbers[i], d.numbers[i]);
      forget(i, b.numbers[i]), forget(i, c.numbers[i]), forget(i, d.numbers[i]);
    } else {
      add_numbers_of(i, a, b), add_numbers_of(i, c, d), add_numbers_of(i, a, c);
    }
  }
  add_rows(a, b), add_rows(c, d), add_rows(a, c);
  count_ -= 3;
  last(1).range.count = 4;
}

/// Adds a node to the one that is left of it.
void TreeSum::join(size_t at) {
  ShardNode &left = nodes_[at], &right = nodes_[at + 1];
  const ShardRange both{left.range.first, left.range.count + right.range.count};
  if (left.empty)
    std::swap(left, right);
  else if (!right.empty)
    add(left, right);
  left.range = both;
  std::rotate(nodes_.begin() + static_cast<ptrdiff_t>(at) + 1,
              nodes_.begin() + static_cast<ptrdiff_t>(at) + 2,
              nodes_.begin() + static_cast<ptrdiff_t>(count_));
  --count_;
}

/// What waited for shards that do not come.
void TreeSum::join_waiting() {
  for (size_t at = 0; at + 1 < count_;) {
    if (!are_halves(nodes_[at].range, nodes_[at + 1].range)) {
      ++at;
      continue;
    }
    join(at);
    at = 0;
  }
}

/// Nothing at all, for processes that have no example.
void TreeSum::fill_empty(ShardNode& node) const {
  if (!node.empty) return;
  node.numbers.resize(model_.parameters_list().size());
  node.used.assign(model_.parameters_list().size(), 0);
  node.tables.assign(model_.lookup_parameters_list().size(), {});
}

void TreeSum::put() {
  join_waiting();
  while (count_ > 1) join(count_ - 2);
  if (count_ > 0 && !nodes_[0].empty) give(nodes_[0]);
  finish();
}

// -- shards of all processes

void TreeSum::combine(Peers& peers) {
  if (peers.count == 1) return;
  join_waiting();
  for (size_t i = 0; i < count_; ++i) fill_empty(nodes_[i]);
  std::vector<std::vector<ShardNode>> all = exchange_rows(peers);
  std::vector<ShardNode*> list;
  std::vector<ShardRange> ranges;
  for (auto& of_peer : all)
    for (ShardNode& node : of_peer) list.push_back(&node), ranges.push_back(node.range);
  if (list.empty()) return;
  add_over_processes(peers, all);
  add_in_tree(ranges, [&](size_t left, size_t right) {
    list[left]->empty = list[left]->empty && list[right]->empty;
    add_rows(*list[left], *list[right]);
  });
  for (size_t i = 1; i < count_; ++i) forget(nodes_[i]);
  count_ = 1;
  list[0]->numbers = std::move(nodes_[0].numbers);
  nodes_[0] = std::move(*list[0]);
}

/// The numbers of the parameters that any process has used: large ones from where they lie, small ones as
/// one.
void TreeSum::add_over_processes(Peers& peers, const std::vector<std::vector<ShardNode>>& all) {
  const auto& parameters = model_.parameters_list();
  std::vector<uint8_t> used(parameters.size());
  for (const auto& of_peer : all)
    for (const ShardNode& node : of_peer)
      for (size_t i = 0; i < used.size(); ++i) used[i] |= node.used[i];
  const bool is_even = std::ranges::all_of(all, [&](const auto& of_peer) {
    return of_peer.size() == 1 && of_peer[0].range.count == all[0][0].range.count;
  });
  const bool halves =
      is_even && std::has_single_bit(peers.count) && std::has_single_bit(all[0][0].range.count);
  const Exchange exchange = [&](const std::vector<real*>& own, size_t size) {
    halves ? add_halves(peers, own[0], size) : add_parts(peers, all, own, size);
  };
  if (count_ == 0) fill_empty(fresh());
  std::vector<size_t> others;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    for (size_t n = 0; n < count_; ++n)
      if (Buffer& numbers = nodes_[n].numbers[i]; numbers.empty()) (numbers = room(i)).fill(nothing);
    if (parameters[i]->size() < small) {
      others.push_back(i);
      continue;
    }
    std::vector<std::unique_ptr<OnHost<real>>> there;
    std::vector<real*> own;
    for (size_t n = 0; n < count_; ++n) {
      Buffer& numbers = nodes_[n].numbers[i];
      there.push_back(std::make_unique<OnHost<real>>(numbers.data(), numbers.size()));
      own.push_back(there.back()->data());
    }
    exchange(own, parameters[i]->size());
  }
  if (!others.empty()) add_small(others, exchange);
}

/// The numbers of small parameters, as one.
void TreeSum::add_small(const std::vector<size_t>& parameters, const Exchange& exchange) {
  size_t size = 0;
  for (const size_t i : parameters) size += nodes_[0].numbers[i].size();
  small_.resize(count_ * size);
  std::vector<real*> own;
  for (size_t n = 0; n < count_; ++n) {
    real* to = own.emplace_back(small_.data() + n * size);
    for (const size_t i : parameters) {
      const Buffer& numbers = nodes_[n].numbers[i];
      chosen_engine().copy(numbers.size(), numbers.data(), to);
      to += numbers.size();
    }
  }
  exchange(own, size);
  const real* from = own[0];
  for (const size_t i : parameters) {
    Buffer& numbers = nodes_[0].numbers[i];
    chosen_engine().copy(numbers.size(), from, numbers.data());
    from += numbers.size();
  }
}

/// All but the numbers of parameters, which are many and have one size: for each process its nodes.
std::vector<std::vector<ShardNode>> TreeSum::exchange_rows(Peers& peers) const {
  Bytes own;
  size_t rows = 1 << 10;
  for (size_t i = 0; i < count_; ++i)
    for (const RowSum& table : nodes_[i].tables) rows += table.numbers.size() + table.rows.size() + 8;
  own.reserve(rows * sizeof(real));
  engine::put(own, static_cast<uint64_t>(count_));
  for (size_t i = 0; i < count_; ++i) {
    const ShardNode& node = nodes_[i];
    engine::put(own, node.range);
    engine::put(own, uint8_t{node.empty});
    put_list(own, node.used);
    engine::put(own, static_cast<uint64_t>(node.tables.size()));
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
      node.tables.resize(from.get<uint64_t>());
      for (RowSum& table : node.tables) table.get(from);
    }
  }
  check_alike(all);
  return all;
}

/// Processes whose numbers differ in one bit exchange halves of what they have left, as the tree adds them;
/// then, the other way round, what is summed.
void TreeSum::add_halves(Peers& peers, real* numbers, size_t size) {
  size_t first = 0, last = size;
  std::vector<std::pair<size_t, size_t>> before;
  received_.resize(std::max(received_.size(), size / 2 + 1));
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

/// Each process adds one part of the numbers for all. The sums go where the first ones of `own` lie.
void TreeSum::add_parts(Peers& peers, const std::vector<std::vector<ShardNode>>& all,
                        const std::vector<real*>& own, size_t size) {
  const auto [first, last] = part_of(size, peers.rank, peers.count);
  const size_t n = last - first, mine = all[peers.rank].size();
  std::vector<ShardRange> ranges;
  std::vector<size_t> begins;  // of each process among all nodes
  for (const auto& of_peer : all) {
    begins.push_back(ranges.size());
    for (const ShardNode& node : of_peer) ranges.push_back(node.range);
  }
  received_.resize(std::max(received_.size(), ranges.size() * n));
  for (size_t i = 0; i < mine; ++i)
    std::copy_n(own[i] + first, n, received_.data() + (begins[peers.rank] + i) * n);
  std::vector<real> sent;
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(size, peer, peers.count);
    sent.clear();
    for (size_t i = 0; i < mine; ++i) sent.insert(sent.end(), own[i] + from, own[i] + to);
    peers.exchange(peer, bytes_of(sent.data(), sent.size()),
                   room_in(received_.data() + begins[peer] * n, all[peer].size() * n));
  });
  add_in_tree(ranges, [&](size_t left, size_t right) {
    add_numbers(n, received_.data() + right * n, received_.data() + left * n);
  });
  std::copy_n(received_.data(), n, own[0] + first);
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(size, peer, peers.count);
    peers.exchange(peer, bytes_of(own[0] + first, n), room_in(own[0] + from, to - from));
  });
}

}  // namespace dynet::engine
