// What a trainer knows as numbers, and back.
#include "dynet/train/memory.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dynet {

using namespace engine;

/// A copy of the numbers of a trainer, so that none of them changes before all have been looked at.
struct TrainerMemory::Fields {
  double learning_rate, clip_threshold;
  bool clipping_enabled, sparse_updates_enabled;
  size_t clips, updates, clips_since_status, updates_since_status;
  CyclicalRate cyclical;
  Averages averages;  // without what it keeps
  std::vector<double> args;

  explicit Fields(const Trainer& t)
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

  void move_to(Trainer& t) && {
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

  /// Files choose them.
  void check(const Trainer& t) const {
    check_learning_rate(t.whoami(), learning_rate);
    if (std::isnan(clip_threshold)) invalid(t.whoami(), ": the threshold of clipping is not a number");
    for (size_t i = 0; i < args.size(); ++i)
      check_argument(t.whoami(), t.rule_.args[i].name, t.rule_.args[i].allowed, args[i]);
    if (t.rule_.cyclical || t.rule_.simplex) cyclical.check(t.whoami().c_str());
    if (averages.mode == MovingAverage::Exponential)
      check_argument(t.whoami(), "the moving average's beta", below_one, averages.beta);
  }

  /// The order in which they are told: each as a number, a count or a truth.
  void visit(auto number, auto count, auto truth) {
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
    if (averages.frequency == 0) invalid("the frequency of the moving average is 0");
    truth(averages.swapped), truth(averages.has_saved);
    for (double& x : args) number(x);
  }
};

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
  fields.check(t);
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
