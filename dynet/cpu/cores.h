// How many cores there are for this process.
#pragma once

namespace dynet::engine::cpu {

/// Physical cores that its affinity names, as far as the quota of its control group goes; at least 1.
unsigned usable_cores();

}  // namespace dynet::engine::cpu
