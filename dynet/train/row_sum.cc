// Sums of the rows of tables that shards have used.
#include <algorithm>

#include "dynet/train/shards.h"

namespace dynet::engine {

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

}  // namespace dynet::engine
