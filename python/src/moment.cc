// Copies what is learned once somebody changes it.
#include "python/src/moment.h"

#include <utility>

#include "dynet/core/error.h"
#include "python/src/parameter_array.h"

namespace dynet::python {

Array Copied::array() const {
  const ParameterArray to(dim, is_table);
  to.write([&](size_t first, size_t) { return numbers.data() + first; });
  return to.array();
}

/// Who goes on and who has the values that are seen go on from the same numbers.
Moment::ParameterState::ParameterState(Storage& s)
    : values((s.fold_decay(), s)), name(s.name), updated(s.updated) {}

Moment::TrainerState::TrainerState(Trainer& t) {
  for (const auto& list : TrainerMemory::lists(t)) {
    const bool of_tables = lists.size() % 2 == 1;
    std::vector<Copied>& copies = lists.emplace_back();
    for (size_t i = 0; i < list.size(); ++i)
      of_tables ? copies.emplace_back(*t.model.lookup_parameters_list()[i], *list[i])
                : copies.emplace_back(*t.model.parameters_list()[i], *list[i]);
  }
  numbers = TrainerMemory::numbers(t);
}

Moment::Moment(std::shared_ptr<CollectionStorage> root, std::shared_ptr<Storage> alone)
    : root_(std::move(root)) {
  const Changing none_is_half_changed;
  if (alone) parameters_.push_back(std::move(alone));
  if (root_) {
    parameters_.insert(parameters_.end(), root_->parameters.begin(), root_->parameters.end());
    parameters_.insert(parameters_.end(), root_->lookups.begin(), root_->lookups.end());
  }
  observe();
}

void Moment::before_change() noexcept {
  if (std::exchange(copied_, true)) return;
  try {
    for (const auto& p : parameters_) parameter_states_.try_emplace(p.get(), *p);
    if (!root_) return;
    for (const auto& [number, trainer] : TrainerMemory::trainers_of(root_))
      trainer_states_.try_emplace(number, *trainer);
  } catch (...) {  // he who changes something has done nothing wrong
    no_memory_ = true;
    parameter_states_.clear();
    trainer_states_.clear();
  }
}

template <class Key, class State>
const State& Moment::seen(const std::map<Key, State>& copies, Key key, auto& of,
                          std::optional<State>& own) const {
  const Changing to_the_end;  // while it is waited for, others may change and have copied
  if (no_memory_) throw out_of_memory("there is no memory for a copy of a model that another thread trains");
  const auto found = copies.find(key);
  return found != copies.end() ? found->second : own.emplace(of);
}

nb::tuple Moment::state_of(Storage& parameter) const {
  std::optional<ParameterState> own;
  const ParameterState& s = seen(parameter_states_, static_cast<const Storage*>(&parameter), parameter, own);
  return nb::make_tuple(s.values.is_table, s.values.array(), nb::bytes(s.name.data(), s.name.size()),
                        s.updated);
}

nb::tuple Moment::state_of(Trainer& trainer) const {
  std::optional<TrainerState> own;
  const TrainerState& s = seen(trainer_states_, TrainerMemory::number_of(trainer), trainer, own);
  nb::list numbers, lists;
  for (const double x : s.numbers) numbers.append(x);
  for (const std::vector<Copied>& each : s.lists) {
    nb::list arrays;
    for (const Copied& copy : each) arrays.append(copy.array());
    lists.append(arrays);
  }
  return nb::make_tuple(nb::tuple(numbers), lists);
}

}  // namespace dynet::python
