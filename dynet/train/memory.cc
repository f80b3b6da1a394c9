// What a trainer knows as numbers, and back.
#include "dynet/train/memory.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "dynet/core/mutex.h"

namespace dynet {

using namespace engine;

TrainerMemory::Fields::Fields(const Trainer& t)
    : learning_rate(t.learning_rate),
      clip_threshold(t.clip_threshold),
      clipping_enabled(t.clipping_enabled),
      sparse_updates_enabled(t.sparse_updates_enabled),
      clips(t.clips),
      updates(t.updates),
      clips_since_status(t.clips_since_status),
      updates_since_status(t.updates_since_status),
      cyclical(t.cyclical_),
      args(t.args_, t.args_ + t.rule_.arg_count) {
  const Averages& a = t.averages_;
  averages = {a.mode, a.beta, a.frequency, a.count, a.swapped, a.has_saved};
}

void TrainerMemory::Fields::move_to(Trainer& t) && {
  t.learning_rate = learning_rate;
  t.clip_threshold = clip_threshold;
  t.clipping_enabled = clipping_enabled;
  t.sparse_updates_enabled = sparse_updates_enabled;
  t.clips = clips, t.updates = updates;
  t.clips_since_status = clips_since_status, t.updates_since_status = updates_since_status;
  t.cyclical_ = cyclical;
  std::ranges::copy(args, t.args_);
  t.averages_ = std::move(averages);
}

void TrainerMemory::Fields::check(const Trainer& t, std::string_view call) const {
  check_learning_rate(call, learning_rate);
  if (std::isnan(clip_threshold)) invalid(call, ": the threshold of clipping is not a number");
  for (size_t i = 0; i < args.size(); ++i)
    check_argument(call, t.rule_.args[i].name, t.rule_.args[i].allowed, args[i]);
  if (has_cycle(t.rule_)) {
    cyclical.check(call);
    check_argument(call, "the position in the cycle", from_zero, cyclical.updates);
  }
  if (averages.mode == MovingAverage::Exponential)
    check_argument(call, "the moving average's beta", below_one, averages.beta);
  if (averages.frequency == 0) invalid(call, ": the frequency of the moving average is 0");
  if ((averages.has_saved && !averages.swapped) || (averages.swapped && averages.mode == MovingAverage::None))
    invalid(call, ": weights are kept that no moving average has taken the place of");
}

/// The order in which they are told: each as a number, a count or a truth.
void TrainerMemory::Fields::visit(auto number, auto count, auto truth) {
  number(learning_rate), number(clip_threshold);
  truth(clipping_enabled), truth(sparse_updates_enabled);
  for (size_t* n : {&clips, &updates, &clips_since_status, &updates_since_status}) count(*n);
  CyclicalRate& c = cyclical;
  for (double* x : {&c.min, &c.max, &c.step_size, &c.gamma, &c.updates}) number(*x);
  truth(c.enabled);
  auto mode = static_cast<size_t>(averages.mode);
  count(mode);
  if (mode > static_cast<size_t>(MovingAverage::Exponential)) invalid(mode, " is no moving average");
  averages.mode = static_cast<MovingAverage>(mode);
  number(averages.beta), count(averages.frequency), count(averages.count);
  truth(averages.swapped), truth(averages.has_saved);
  for (double& x : args) number(x);
}

namespace {

/// Of all threads, in the order in which they were made.
struct Trainers {
  ForkedMutex mutex;
  std::map<uint64_t, Trainer*> all;
  uint64_t last = 0;

  static Trainers& get() {
    static Trainers& trainers = *new Trainers;  // threads may outlive static objects
    return trainers;
  }
  uint64_t add(Trainer& trainer) {
    const std::lock_guard lock(mutex);
    all.emplace(++last, &trainer);
    return last;
  }
  void remove(uint64_t number) {
    const std::lock_guard lock(mutex);
    all.erase(number);
  }
};

}  // namespace

Trainer::Listed::Listed(Trainer& trainer) : number(Trainers::get().add(trainer)) {}
Trainer::Listed::~Listed() { Trainers::get().remove(number); }

std::vector<std::pair<uint64_t, Trainer*>> TrainerMemory::trainers_of(
    const std::shared_ptr<CollectionStorage>& root) {
  Trainers& trainers = Trainers::get();
  const std::lock_guard lock(trainers.mutex);
  std::vector<std::pair<uint64_t, Trainer*>> found;
  for (const auto& [number, trainer] : trainers.all)
    if (root_of(trainer->model.share()) == root) found.emplace_back(number, trainer);
  return found;
}

std::vector<double> TrainerMemory::numbers(const Trainer& trainer) {
  std::vector<double> all;
  const auto add = [&](auto x) { all.push_back(static_cast<double>(x)); };
  Fields(trainer).visit(add, add, add);
  return all;
}

TrainerMemory::Lists TrainerMemory::lists(Trainer& t) {
  t.follow_model();
  if (t.updates > 0) t.allocate();  // rows that were added since have a state, too
  Lists all;
  for (unsigned slot = 0; slot < t.rule_.slots; ++slot)
    for (const auto* states : {&t.parameter_states_, &t.lookup_states_}) {
      auto& list = all.emplace_back();
      for (const auto& state : *states) list.push_back(&state.slot[slot]);
    }
  const Averages& a = t.averages_;
  for (const auto* kept : {&a.parameters, &a.lookups, &a.saved_parameters, &a.saved_lookups}) {
    auto& list = all.emplace_back();
    for (const Buffer& buffer : *kept) list.push_back(&buffer);
  }
  return all;
}

void TrainerMemory::restore(Trainer& t, std::span<const double> numbers,
                            std::vector<std::vector<Buffer>> lists) {
  Fields fields(t);
  if (const size_t wanted = TrainerMemory::numbers(t).size(); numbers.size() != wanted)
    invalid(t.whoami(), ": ", numbers.size(), " numbers were given; it has ", wanted);
  auto next = numbers.begin();
  fields.visit([&](double& x) { x = *next++; },
               [&](size_t& n) {
                 if (!(*next >= 0 && *next < 0x1p53 && *next == std::floor(*next)))
                   invalid(t.whoami(), ": ", *next, " was given where a count is needed");
                 n = static_cast<size_t>(*next++);
               },
               [&](bool& b) { b = *next++ != 0; });
  fields.check(t, t.whoami());
  const size_t slots = t.rule_.slots;
  if (lists.size() != 2 * slots + 4)
    invalid(t.whoami(), ": ", lists.size(), " lists were given; it has ", 2 * slots + 4);
  const auto check = [&](const std::vector<Buffer>& list, const auto& all) {
    if (list.size() > all.size())
      invalid(t.whoami(), ": it is for ", list.size(), " parameters or tables; the collection has ",
              all.size());
    for (size_t i = 0; i < list.size(); ++i)
      if (list[i].size() != all[i]->size())
        invalid(t.whoami(), ": ", list[i].size(), " numbers for ", all[i]->name, ", which has ",
                all[i]->size());
  };
  for (size_t i = 0; i < lists.size(); ++i)
    i % 2 == 0 ? check(lists[i], t.model.parameters_list())
               : check(lists[i], t.model.lookup_parameters_list());
  std::vector<Trainer::State> states[2];
  for (size_t kind : {0, 1})
    for (size_t slot = 0; slot < slots; ++slot) {
      std::vector<Buffer>& list = lists[2 * slot + kind];
      if (slot > 0 && list.size() != states[kind].size()) invalid(t.whoami(), ": its lists differ in length");
      states[kind].resize(list.size());
      for (size_t i = 0; i < list.size(); ++i) states[kind][i].slot[slot] = std::move(list[i]);
    }
  t.follow_model();
  std::move(fields).move_to(t);
  t.parameter_states_ = std::move(states[0]);
  t.lookup_states_ = std::move(states[1]);
  Averages& a = t.averages_;
  size_t from = 2 * slots;
  for (auto* kept : {&a.parameters, &a.lookups, &a.saved_parameters, &a.saved_lookups})
    *kept = std::move(lists[from++]);
}

}  // namespace dynet
