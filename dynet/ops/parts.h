// Operations over lists of any length: of more than a node can have arguments, several nodes join the parts.
#pragma once

#include <vector>

#include "dynet/ops/op.h"

namespace dynet::engine {

/// join(xs); where xs are too many for one node, join() of what it makes of their parts.
template <class Join>
Expression in_parts(const Expressions& xs, Join join) {
  if (xs.size() <= most_arguments) return join(xs);
  const std::vector<Expression> all(xs.begin(), xs.end());
  std::vector<Expression> joined;
  for (size_t i = 0; i < all.size(); i += most_arguments)
    joined.push_back(join(std::span(all).subspan(i, std::min<size_t>(most_arguments, all.size() - i))));
  return in_parts(joined, join);
}

}  // namespace dynet::engine
