// The elimination of words in probabilities, for sums over spanning trees.
#pragma once

#include "dynet/structured/choices.h"

namespace dynet::engine::structured {

/// Sets sum to the log of the sum over all trees, and counts to the probability of each arc. False where
/// digits would be lost: scores that are far apart want logs.
bool eliminate_words(const SpanningTrees& p, const double* scores, double* counts, double& sum);

}  // namespace dynet::engine::structured
