// Cuts gradients into digits, adds these, and makes numbers of them again.
#include "dynet/train/exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynet/device/on_host.h"

namespace dynet::engine {
namespace {

constexpr uint32_t no_place = UINT32_MAX;

double unit(int place) { return std::ldexp(1.0, 32 * place); }

std::span<const std::byte> bytes_of(const std::vector<int64_t>& list) {
  return std::as_bytes(std::span(list));
}

void add_list(const std::vector<int64_t>& from, int64_t* to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

void Digits::clear(size_t size) {
  top = none, used = false, finite = true;
  high.assign(size, 0), low.assign(size, 0);
}

void Digits::raise(int place) {
  if (place <= top) return;
  if (top != none && place == top + 1)
    low.swap(high);
  else
    std::ranges::fill(low, 0);
  std::ranges::fill(high, 0);
  top = place;
}

int Digits::place_of(const real* numbers, size_t n, bool& finite) {
  real largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const real size = std::abs(numbers[i]);
    if (!(size <= std::numeric_limits<real>::max())) finite = false;
    largest = std::max(largest, size);
  }
  if (!finite || largest == 0) return none;
  const int exponent = std::ilogb(largest);
  return exponent >= 0 ? exponent / 32 : -((31 - exponent) / 32);
}

void Digits::add(const real* numbers, size_t n, size_t first) {
  const double of_high = 1 / unit(top), to_high = unit(top), of_low = 1 / unit(top - 1);
  for (size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(numbers[i]);
    const auto higher = static_cast<int64_t>(x * of_high);
    const auto lower = static_cast<int64_t>((x - static_cast<double>(higher) * to_high) * of_low);
    high[first + i] += higher;
    low[first + i] += lower;
  }
}

real Digits::value(size_t i) const {
  if (!finite) return std::numeric_limits<real>::quiet_NaN();
  if (top == none) return 0;
  return static_cast<real>((static_cast<double>(high[i]) * 0x1p32 + static_cast<double>(low[i])) *
                           unit(top - 1));
}

void ExactSum::begin() {
  start();
  const auto& parameters = model_.parameters_list();
  const auto& tables = model_.lookup_parameters_list();
  parameters_.resize(parameters.size());
  tables_.resize(tables.size());
  for (size_t i = 0; i < parameters.size(); ++i) parameters_[i].clear(parameters[i]->size());
  for (size_t i = 0; i < tables.size(); ++i) {
    tables_[i].digits.clear(0);
    tables_[i].whole = false;
    tables_[i].rows.clear();
    tables_[i].place_of.assign(tables[i]->rows(), no_place);
  }
}

/// The place of a row's sums, which are zero at first.
size_t ExactSum::place(Table& table, uint32_t row, size_t n) {
  if (table.place_of[row] == no_place) {
    table.place_of[row] = static_cast<uint32_t>(table.rows.size());
    table.rows.push_back(row);
    table.digits.high.resize(table.rows.size() * n);
    table.digits.low.resize(table.rows.size() * n);
  }
  return table.place_of[row] * n;
}

void ExactSum::take(uint32_t) {
  check_model();
  const auto& parameters = model_.parameters_list();
  for (size_t i = 0; i < parameters.size(); ++i) {
    ParameterStorage& p = *parameters[i];
    if (!p.is_used()) continue;
    Digits& digits = parameters_[i];
    digits.used = true;
    const OnHost<const real> gradient(p.gradient.numbers().data(), p.size());
    const int top = Digits::place_of(gradient.data(), p.size(), digits.finite);
    digits.raise(top);
    if (top != Digits::none) digits.add(gradient.data(), p.size(), 0);
    p.clear_gradient();
  }
  for (size_t i = 0; i < tables_.size(); ++i) take(tables_[i], *model_.lookup_parameters_list()[i]);
}

void ExactSum::take(Table& table, LookupParameterStorage& from) {
  if (!from.nonzero) return;
  RowSum own;
  own.take(from);
  table.digits.used = true;
  table.whole = table.whole || own.whole;
  const size_t n = from.row_size();
  const int top = Digits::place_of(own.numbers.data(), own.numbers.size(), table.digits.finite);
  table.digits.raise(top);
  const size_t rows = own.whole ? from.rows() : own.rows.size();
  for (size_t i = 0; i < rows; ++i) {
    const size_t to = place(table, own.whole ? static_cast<uint32_t>(i) : own.rows[i], n);
    if (top != Digits::none) table.digits.add(own.numbers.data() + i * n, n, to);
  }
  from.clear_gradient();
}

void ExactSum::combine(Peers& peers) {
  if (peers.count == 1) return;
  combine_tops(peers);
  combine_rows(peers);
  combine_parameters(peers);
}

/// All have the same two digits of each parameter, the highest ones that anybody has.
void ExactSum::combine_tops(Peers& peers) {
  struct Top {
    int32_t top;
    uint8_t used, finite, whole, unused;
  };
  std::vector<Top> own;
  for (const Digits& d : parameters_) own.push_back({d.top, d.used, d.finite, 0, 0});
  for (const Table& t : tables_) own.push_back({t.digits.top, t.digits.used, t.digits.finite, t.whole, 0});
  Bytes bytes;
  put_list(bytes, own);
  for (const Bytes& theirs : peers.gather(bytes)) {
    Message from(theirs);
    std::vector<Top> tops;
    from.get_list(tops);
    if (tops.size() != own.size()) failed("another process has another number of parameters");
    const auto take_over = [](Digits& d, const Top& top) {
      d.raise(top.top);
      d.used = d.used || top.used, d.finite = d.finite && top.finite;
    };
    for (size_t i = 0; i < parameters_.size(); ++i) take_over(parameters_[i], tops[i]);
    for (size_t i = 0; i < tables_.size(); ++i) {
      const Top& top = tops[parameters_.size() + i];
      take_over(tables_[i].digits, top);
      tables_[i].whole = tables_[i].whole || top.whole;
    }
  }
}

void ExactSum::combine_rows(Peers& peers) {
  Bytes own;
  for (const Table& table : tables_) {
    put_list(own, table.rows);
    put_list(own, table.digits.high);
    put_list(own, table.digits.low);
  }
  const std::vector<Bytes> all = peers.gather(own);
  for (unsigned peer = 0; peer < peers.count; ++peer) {
    if (peer == peers.rank) continue;
    Message from(all[peer]);
    std::vector<uint32_t> rows;
    std::vector<int64_t> high, low;
    for (size_t i = 0; i < tables_.size(); ++i) {
      from.get_list(rows), from.get_list(high), from.get_list(low);
      const size_t n = model_.lookup_parameters_list()[i]->row_size();
      for (size_t r = 0; r < rows.size(); ++r) {
        const size_t to = place(tables_[i], rows[r], n);
        for (size_t k = 0; k < n; ++k) {
          tables_[i].digits.high[to + k] += high[r * n + k];
          tables_[i].digits.low[to + k] += low[r * n + k];
        }
      }
    }
  }
}

/// Each process adds one part of the digits for all.
void ExactSum::combine_parameters(Peers& peers) {
  std::vector<int64_t> all;
  all.reserve(2 * places_.back());
  for (const Digits& d : parameters_) {
    all.insert(all.end(), d.high.begin(), d.high.end());
    all.insert(all.end(), d.low.begin(), d.low.end());
  }
  const auto [first, last] = part_of(all.size(), peers.rank, peers.count);
  std::vector<int64_t> sum(last - first), received(last - first);
  std::copy(all.begin() + static_cast<ptrdiff_t>(first), all.begin() + static_cast<ptrdiff_t>(last),
            sum.begin());
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(all.size(), peer, peers.count);
    peers.exchange(peer, bytes_of(all).subspan(from * sizeof(int64_t), (to - from) * sizeof(int64_t)),
                   std::as_writable_bytes(std::span(received)));
    add_list(received, sum.data());
  });
  std::ranges::copy(sum, all.begin() + static_cast<ptrdiff_t>(first));
  each_peer(peers, [&](unsigned peer) {
    const auto [from, to] = part_of(all.size(), peer, peers.count);
    peers.exchange(peer, bytes_of(sum), std::as_writable_bytes(std::span(all).subspan(from, to - from)));
  });
  auto at = all.begin();
  for (Digits& d : parameters_)
    for (auto* digits : {&d.high, &d.low}) {
      std::copy_n(at, digits->size(), digits->begin());
      at += static_cast<ptrdiff_t>(digits->size());
    }
}

void ExactSum::put() {
  std::vector<real> numbers;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].used) continue;
    numbers.resize(parameters_[i].high.size());
    for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = parameters_[i].value(k);
    model_.parameters_list()[i]->set_gradient(numbers);
  }
  for (size_t i = 0; i < tables_.size(); ++i) {
    const Table& table = tables_[i];
    LookupParameterStorage& to = *model_.lookup_parameters_list()[i];
    const size_t n = to.row_size();
    RowSum sum;
    sum.whole = table.whole;
    if (!table.whole) {
      sum.rows = table.rows;
      std::ranges::sort(sum.rows);
    }
    const size_t rows = table.whole ? to.rows() : sum.rows.size();
    if (!table.digits.used) continue;
    sum.numbers.resize(rows * n);
    for (size_t r = 0; r < rows; ++r) {
      const size_t from = table.place_of[table.whole ? r : sum.rows[r]] * n;
      for (size_t k = 0; k < n; ++k) sum.numbers[r * n + k] = table.digits.value(from + k);
    }
    sum.put(to);
  }
  finish();
}

}  // namespace dynet::engine
