// Averaging of values with weight decay applied: what a program sees of a parameter is what is averaged.
#include "dynet/train/average.h"

#include <algorithm>
#include <cmath>

namespace dynet {

using namespace engine;
namespace {

/// Calls act(storage, average, saved) for every parameter and table; `saved` is null where nothing is.
void for_each(const ParameterCollection& model, Averages& a, const auto& act) {
  const auto run = [&](const auto& list, std::vector<Buffer>& averages, std::vector<Buffer>& saved) {
    for (size_t i = 0; i < averages.size(); ++i)
      act(static_cast<Storage&>(*list[i]), averages[i], i < saved.size() ? &saved[i] : nullptr);
  };
  run(model.parameters_list(), a.parameters, a.saved_parameters);
  run(model.lookup_parameters_list(), a.lookups, a.saved_lookups);
}

/// a = keep a + take w, from a place on
void mix(const Storage& s, Buffer& average, double keep, double take, size_t from = 0) {
  Engine& engine = chosen_engine();
  const size_t size = average.size() - from;
  engine.scale(size, static_cast<real>(keep), average.data() + from);
  engine.add_scaled(size, static_cast<real>(take * s.decay_factor), s.numbers.data() + from,
                    average.data() + from);
}

}  // namespace

void Averages::allocate(const ParameterCollection& model) {
  if (mode == MovingAverage::None) return;
  // Of the exponential average the share 1 - beta^count has been filled so far.
  const double filled = mode == MovingAverage::Cumulative ? 1 : 1 - std::pow(beta, count);
  const auto grow = [&](std::vector<Buffer>& averages, const auto& list) {
    if (averages.size() < list.size()) averages.resize(list.size());
    for (size_t i = 0; i < averages.size(); ++i) {
      const size_t before = averages[i].size(), size = list[i]->size();
      averages[i].grow(size);
      if (count > 0 && before < size) mix(*list[i], averages[i], 0, filled, before);
    }
  };
  grow(parameters, model.parameters_list());
  grow(lookups, model.lookup_parameters_list());
  // Rows that came while the averages were seen have only one kind of values.
  for_each(model, *this, [](Storage& s, Buffer&, Buffer* saved) {
    const size_t before = saved ? saved->size() : s.size();
    if (before == s.size()) return;
    saved->grow(s.size());
    s.read(saved->data() + before, before, s.size() - before);
  });
}

void Averages::add(const ParameterCollection& model) {
  ++count;
  const double keep = mode == MovingAverage::Cumulative ? 1 - 1.0 / static_cast<double>(count) : beta;
  for_each(model, *this, [&](Storage& s, Buffer& average, Buffer*) { mix(s, average, keep, 1 - keep); });
}

void Averages::swap_in(const ParameterCollection& model, bool save_weights, bool bias_correction) {
  if (mode == MovingAverage::None)
    failed("swap_params_to_moving_average: no moving average is kept; ask for one before the first update");
  if (swapped) failed("swap_params_to_moving_average: the parameters have their averages already");
  if (count == 0) failed("swap_params_to_moving_average: there was no update yet, so there is no average");
  if (bias_correction && mode != MovingAverage::Exponential)
    invalid("swap_params_to_moving_average: the bias correction is for the exponential moving average only");
  const double scale = bias_correction ? 1 / (1 - std::pow(beta, count)) : 1;
  allocate(model);
  saved_parameters.clear(), saved_lookups.clear();
  if (save_weights) {
    for (const Buffer& b : parameters) saved_parameters.emplace_back(b.size());
    for (const Buffer& b : lookups) saved_lookups.emplace_back(b.size());
  }
  for_each(model, *this, [&](Storage& s, Buffer& average, Buffer* saved) {
    if (saved) s.read(saved->data());
    Engine& engine = chosen_engine();
    engine.copy(average.size(), average.data(), s.overwrite());
    if (scale != 1) engine.scale(average.size(), static_cast<real>(scale), s.numbers.data());
  });
  swapped = true;
  has_saved = save_weights;
}

void Averages::swap_out(const ParameterCollection& model) {
  if (!swapped) failed("swap_params_to_weights: the parameters have their own weights");
  if (!has_saved)
    failed("swap_params_to_weights: the weights were not saved by swap_params_to_moving_average");
  for_each(model, *this, [](Storage& s, Buffer&, Buffer* saved) {
    if (saved) s.assign({saved->data(), saved->size()});
  });
  swapped = has_saved = false;
  saved_parameters.clear(), saved_lookups.clear();
}

}  // namespace dynet
