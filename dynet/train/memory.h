// All that a trainer has been told and has learned, to copy it and to send it elsewhere.
#pragma once

#include <span>
#include <vector>

#include "dynet/train/trainer.h"

namespace dynet {

/// Settings and counts, and numbers of the size of parameters and of tables. The collection is not part of
/// it.
class TrainerMemory {
 public:
  using Lists = std::vector<std::vector<const engine::Buffer*>>;

  /// Settings, counts and the rule's arguments, in an order that stays.
  static std::vector<double> numbers(const Trainer& trainer);
  /// What is kept for each parameter, for each table, and so on by turns: for each slot of the rule, the
  /// averages, the weights behind them. Lists may be shorter than those of the collection, or empty.
  static Lists lists(Trainer& trainer);
  /// std::invalid_argument where something does not fit; then nothing has changed.
  static void restore(Trainer& trainer, std::span<const double> numbers,
                      std::vector<std::vector<engine::Buffer>> lists);

 private:
  struct Fields;
};

}  // namespace dynet
