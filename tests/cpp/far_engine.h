// An engine whose numbers the host cannot touch, as those of another device.
#pragma once

#include "dynet/device/engine.h"

namespace dynet::engine {

/// The CPU's kernels on memory that faults when anything else reads or writes it. Where it does the process
/// ends, with the addresses of the calls that led there.
Engine& far_engine();

}  // namespace dynet::engine
