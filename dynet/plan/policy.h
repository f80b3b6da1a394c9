// Which nodes run together: the policies that a program may choose from.
#pragma once

#include <cstdint>

namespace dynet::engine {

enum class Policy : uint8_t {
  single,  // every node alone, in order of creation
  depth,   // nodes of one depth and signature together
  agenda,  // all ready nodes of the signature that is least deep on average (Neubig et al. 2017)
};

/// From how many multiply-adds on an evaluation is worth partitioning among threads.
constexpr uint64_t worth_partitioning = uint64_t{1} << 21;

}  // namespace dynet::engine
