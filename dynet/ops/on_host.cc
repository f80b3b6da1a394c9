// Copies of a call's operands, for as long as the host computes with them.
#include "dynet/ops/on_host.h"

#include <deque>
#include <vector>

#include "dynet/device/on_host.h"

namespace dynet::engine {
namespace {

/// Operand i of a call, and the call's items of it.
template <class Number>
struct Operand : OnHost<Number> {
  Operand(Engine& engine, const Items& items, size_t i, size_t size)
      : OnHost<Number>(engine, items.is_none() ? nullptr : items[i], items.is_none() ? 0 : size) {}
  Items item() const { return {const_cast<real*>(this->data()), nullptr, this->size()}; }
};

}  // namespace

void bring_to_host(Engine& engine, const Call& call, const OperandSizes& sizes, bool backward,
                   const std::function<void(const Call&)>& compute) {
  for (size_t i = 0; i < call.count; ++i) {
    std::deque<Operand<const real>> arguments;
    std::vector<Items> x;
    for (size_t k = 0; k < call.x.size(); ++k)
      x.push_back(arguments.emplace_back(engine, call.x[k], i, call.x_dims[k].size()).item());
    Call item = call;
    item.count = 1, item.x = x, item.packed = {};
    if (call.words.table) item.words.table = call.words.table + i;
    const size_t size = call.dim.size();
    if (backward) {
      const Operand<const real> y(engine, call.y, i, size), saved(engine, call.saved, i, sizes.saved),
          dy(engine, call.dy, i, size);
      const Operand<real> workspace(engine, call.workspace, i, sizes.workspace),
          dx(engine, call.dx, i, sizes.dx);
      item.y = y.item(), item.saved = saved.item(), item.dy = dy.item();
      item.workspace = workspace.item(), item.dx = dx.item();
      compute(item);
    } else {
      const Operand<real> y(engine, call.y, i, size), saved(engine, call.saved, i, sizes.saved);
      item.y = y.item(), item.saved = saved.item();
      compute(item);
    }
  }
}

}  // namespace dynet::engine
