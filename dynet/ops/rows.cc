// The rows of all operations, for every source that uses them.
#include "dynet/ops/all.h"
#include "dynet/ops/row.h"

namespace dynet::engine {
namespace {

template <class... T>
std::span<const Op* const> rows_of(Ops<T...>) {
  static constexpr const Op* rows[] = {&op<T>...};
  return rows;
}

}  // namespace

std::span<const Op* const> all_rows() { return rows_of(AllOps{}); }

}  // namespace dynet::engine
