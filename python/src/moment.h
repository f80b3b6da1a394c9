// What is learned as it was at one moment, while other threads go on to train.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dynet/train/memory.h"
#include "python/src/numbers.h"
#include "python/src/sharing.h"

namespace dynet::python {

/// Numbers of a parameter or of a table, or of their size, away from it.
struct Copied {
  Dim dim;
  bool is_table;
  std::vector<real> numbers;

  explicit Copied(const Storage& s) : dim(s.dim), is_table(s.is_lookup), numbers(s.size()) {
    s.show(numbers.data(), 0, numbers.size());
  }
  Copied(const Storage& of, const engine::Buffer& own)
      : dim(of.dim), is_table(of.is_lookup), numbers(own.size()) {
    engine::chosen_engine().copy(own.size(), own.data(), numbers.data());
  }

  /// In the shape of the parameter, a table with its rows first.
  Array array() const;
};

/// All that belongs to a root collection, with its trainers, as it was when this was made. Nothing is copied
/// before another thread is about to change something.
class Moment final : public ChangeObserver {
 public:
  /// Of a root, or of a parameter whose collections are gone.
  Moment(std::shared_ptr<engine::CollectionStorage> root, std::shared_ptr<Storage> alone);

  /// For a parameter what _make_parameter takes.
  nb::tuple state_of(Storage& parameter) const;
  /// What _restore_trainer takes.
  nb::tuple state_of(Trainer& trainer) const;

 private:
  struct ParameterState {
    Copied values;
    std::string name;
    bool updated;
    explicit ParameterState(Storage& s);
  };
  struct TrainerState {
    std::vector<double> numbers;
    std::vector<std::vector<Copied>> lists;
    explicit TrainerState(Trainer& t);
  };

  void before_change() noexcept override;
  /// What was copied, or a copy that is made now, since nothing has changed.
  template <class Key, class State>
  const State& seen(const std::map<Key, State>& copies, Key key, auto& of, std::optional<State>& own) const;

  const std::shared_ptr<engine::CollectionStorage> root_;
  std::vector<std::shared_ptr<Storage>> parameters_;
  bool copied_ = false, no_memory_ = false;
  std::map<const Storage*, ParameterState> parameter_states_;
  std::map<uint64_t, TrainerState> trainer_states_;
};

}  // namespace dynet::python
