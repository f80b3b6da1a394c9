// All that a trainer has been told and has learned, to copy it and to send it elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "dynet/train/trainer.h"

namespace dynet {

/// Settings and counts, and numbers of the size of parameters and of tables. The collection is not part of
/// it.
class TrainerMemory {
 public:
  using Lists = std::vector<std::vector<const engine::Buffer*>>;

  /// The trainers of a root collection and of those that lie in it, each with its number.
  static std::vector<std::pair<uint64_t, Trainer*>> trainers_of(
      const std::shared_ptr<engine::CollectionStorage>& root);
  static uint64_t number_of(const Trainer& trainer) { return trainer.listed_.number; }
  /// Settings, counts and the rule's arguments, in an order that stays.
  static std::vector<double> numbers(const Trainer& trainer);
  /// What is kept for each parameter, for each table, and so on by turns: for each slot of the rule, the
  /// averages, the weights behind them. Lists may be shorter than those of the collection, or empty.
  static Lists lists(Trainer& trainer);
  /// std::invalid_argument where something does not fit; then nothing has changed.
  static void restore(Trainer& trainer, std::span<const double> numbers,
                      std::vector<std::vector<engine::Buffer>> lists);

 private:
  friend class TrainerText;

  /// A copy of the numbers of a trainer, so that none of them changes before all have been looked at.
  struct Fields {
    double learning_rate, clip_threshold;
    bool clipping_enabled, sparse_updates_enabled;
    size_t clips, updates, clips_since_status, updates_since_status;
    engine::CyclicalRate cyclical;
    engine::Averages averages;  // without what it keeps
    std::vector<double> args;

    explicit Fields(const Trainer& t);
    void move_to(Trainer& t) &&;
    /// Files choose them. std::invalid_argument, which begins with `call`.
    void check(const Trainer& t, std::string_view call) const;
    void visit(auto number, auto count, auto truth);
  };
  static bool has_cycle(const engine::RuleRow& rule) { return rule.cyclical || rule.simplex; }
};

}  // namespace dynet
