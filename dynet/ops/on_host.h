// Calls of operations that the host computes: their operands are brought to where it may touch them.
#pragma once

#include <functional>

#include "dynet/graph/node.h"

namespace dynet::engine {

/// Numbers per item.
struct OperandSizes {
  size_t saved, workspace, dx;
};

/// Runs compute item by item with operands that are the host's; what a pass writes goes back to the engine.
void bring_to_host(Engine& engine, const Call& call, const OperandSizes& sizes, bool backward,
                   const std::function<void(const Call&)>& compute);

}  // namespace dynet::engine
