// The rows of all operations, for every source that uses them.
#include "dynet/ops/row.h"

namespace dynet::engine {

template <class T>
constinit const Op Row<T>::row = row_of<T>();

namespace {

template <class... T>
std::span<const Op* const> rows_of(Ops<T...>) {
  static constexpr const Op* rows[] = {&op<T>...};
  return rows;
}

}  // namespace

std::span<const Op* const> all_rows() { return rows_of(AllOps{}); }

}  // namespace dynet::engine
