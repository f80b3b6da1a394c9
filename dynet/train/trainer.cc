// One update: clip, step every parameter that is not frozen, clear its gradient, let weight decay go on.
#include "dynet/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "dynet/core/watch.h"

namespace dynet {

using namespace engine;

double CyclicalRate::next() {
  const double cycle = std::floor(1 + updates / (2 * step_size));
  const double x = std::abs(updates / step_size - 2 * cycle + 1);
  const double rate = min + (max - min) * std::max(0.0, 1 - x) * std::pow(gamma, updates);
  ++updates;
  return rate;
}

Trainer::Trainer(const ParameterCollection& m, const RuleRow& rule, const double* args)
    : learning_rate(rule.first_rate(args)), model(m), rule_(rule), name_(std::string(rule.name) + "Trainer") {
  std::copy_n(args, rule.arg_count, args_);
  if (rule.cyclical) cyclical_ = {args[0], args[1], args[2], args[3], true};
}

void Trainer::update() {
  const Unwatched to_the_end;
  allocate();
  real hyper[max_hyper] = {static_cast<real>(gradient_scale())};
  resume();
  rule_.prepare(args_, {learning_rate, model.get_weight_decay().factor, double(updates)}, hyper);
  apply_to_parameters(hyper);
  const auto& lookups = model.lookup_parameters_list();
  for (size_t i = 0; i < lookups.size(); ++i)
    if (lookups[i]->updated) apply(hyper, *lookups[i], lookup_states_[i]);
  advance();
}

/// What is kept for parameters that the collection has lost goes.
void Trainer::follow_model() {
  parameters_.follow(model.parameters_list(), parameter_states_, averages_.parameters,
                     averages_.saved_parameters);
  lookups_.follow(model.lookup_parameters_list(), lookup_states_, averages_.lookups, averages_.saved_lookups);
}

/// State for parameters that were added since the last update.
void Trainer::allocate() {
  follow_model();
  const auto grow = [&](std::vector<State>& states, const auto& list) {
    while (states.size() < list.size()) {
      State state;
      for (unsigned s = 0; s < rule_.slots; ++s) state.slot[s] = Buffer(list[states.size()]->values.size());
      states.push_back(std::move(state));
    }
  };
  grow(parameter_states_, model.parameters_list());
  grow(lookup_states_, model.lookup_parameters_list());
  averages_.allocate(model);
}

/// What the gradients are multiplied with so that their norm does not exceed the threshold.
double Trainer::gradient_scale() {
  if (!clipping_enabled) return 1;
  const double norm = model.gradient_l2_norm();
  if (!std::isfinite(norm)) failed("Magnitude of gradient is bad: ", norm);
  if (!(norm > clip_threshold)) return 1;
  ++clips, ++clips_since_status;
  return clip_threshold / norm;
}

/// Threads share out the small parameters, if they are worth it; they cut large ones among them.
void Trainer::apply_to_parameters(const real* hyper) {
  constexpr size_t large = size_t{1} << 17, worth_sharing = size_t{1} << 15;  // numbers
  const auto& parameters = model.parameters_list();
  const auto apply_to = [&](size_t i) { apply(hyper, *parameters[i], parameter_states_[i]); };
  Engine& engine = cpu_engine();
  size_t numbers = 0;
  small_.clear();
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i]->updated) continue;
    const size_t size = parameters[i]->values.size();
    if (size >= large || engine.threads() == 1) {
      apply_to(i);
    } else {
      small_.push_back(i);
      numbers += size;
    }
  }
  if (numbers < worth_sharing)
    for (size_t i : small_) apply_to(i);
  else
    side_by_side(engine, small_.size(), [&](unsigned part) { apply_to(small_[part]); });
}

void Trainer::apply(const real* hyper, ParameterStorage& p, State& state) {
  Engine& engine = cpu_engine();
  const std::lock_guard lock(p.packing);
  // Panels that were in use are in use again, unless what they hold will change once more.
  const bool pack = p.is_packed(&engine) && !rule_.simplex && p.decay->lambda == 0;
  if (pack) {
    const bool transposed = p.packed->wants_transposed();
    real* slots[max_slots] = {};
    for (unsigned i = 0; i < rule_.slots; ++i) slots[i] = state.slot[i].data();
    engine.update_packed(rule_.position, hyper, p.dim.rows(), p.dim.cols(), p.values.data(),
                         p.gradient.data(), slots, p.decay->factor, transposed, p.free_panels());
  } else {
    step(hyper, p, state, 0, p.values.size());
  }
  p.clear_gradient();
  p.changed();
  if (pack) p.packed_version = p.version;
}

void Trainer::apply(const real* hyper, LookupParameterStorage& l, State& state) {
  const size_t n = l.row_size();
  if (sparse_updates_enabled && !l.all_touched) {
    if (l.touched.empty()) return;
    for (uint32_t row : l.touched) step(hyper, l, state, row * n, n);
  } else {
    const size_t stride = rule_.simplex ? n : l.values.size();
    for (size_t first = 0; first < l.values.size(); first += stride) step(hyper, l, state, first, stride);
  }
  l.clear_gradient();
  l.changed();
}

void Trainer::step(const real* hyper, Storage& s, State& state, size_t first, size_t n) {
  real* slots[max_slots] = {};
  for (unsigned i = 0; i < rule_.slots; ++i) slots[i] = state.slot[i].data() + first;
  cpu_engine().update(rule_.position, hyper, n, s.values.data() + first, s.gradient.data() + first, slots);
  if (rule_.simplex) project(s, state, first, n, hyper[3]);
}

/// w = exp(log w + v / decay - logsumexp), v being the rule's momentum.
void Trainer::project(Storage& s, State& state, size_t first, size_t n, double per_decay) {
  real* w = s.values.data() + first;
  const real* v = state.slot[0].data() + first;
  const auto exponent = [&](size_t i) { return std::log(double(w[i])) + v[i] * per_decay; };
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (size_t i = 0; i < n; ++i) largest = std::max(largest, exponent(i));
  for (size_t i = 0; i < n; ++i) sum += std::exp(exponent(i) - largest);
  const double shift = largest + std::log(sum);
  for (size_t i = 0; i < n; ++i) w[i] = static_cast<real>(std::exp(exponent(i) - shift));
}

/// An update starts from the weights, or from averages that took their place.
void Trainer::resume() {
  if (averages_.has_saved) averages_.swap_out(model);
  averages_.swapped = false;
}

/// Counts the update; a weight-decay factor that has become small is folded into the stored values.
void Trainer::advance() {
  if (averages_.mode != MovingAverage::None && updates % averages_.frequency == 0) averages_.add(model);
  ++updates, ++updates_since_status;
  if (cyclical_.enabled) learning_rate = cyclical_.next();
  WeightDecay& decay = model.get_weight_decay();
  if (decay.lambda == 0) return;
  const bool fold = decay.advance();
  const auto follow = [&](Storage& s) {
    if (fold && s.updated) s.scale(decay.factor);
    s.changed();  // the effective value follows the factor, also where nothing else changed
  };
  for (const auto& p : model.parameters_list()) follow(*p);
  for (const auto& l : model.lookup_parameters_list()) follow(*l);
  if (fold) decay.factor = 1;
}

void Trainer::average(Averages&& chosen) {
  const bool exponential = chosen.mode == MovingAverage::Exponential;
  const char* const call = exponential ? "exponential_moving_average" : "cumulative_moving_average";
  if (updates > 0) failed("moving averages can only be asked for before the first update");
  if (chosen.frequency == 0) invalid(call, ": the frequency of a moving average is 0; it must be at least 1");
  if (!(chosen.beta >= 0 && chosen.beta < 1))
    invalid(call, ": the beta of a moving average is ", chosen.beta, "; it must lie in [0, 1)");
  averages_ = std::move(chosen);
}

void Trainer::exponential_moving_average(double beta, unsigned freq) {
  average({.mode = MovingAverage::Exponential, .beta = beta, .frequency = freq});
}

void Trainer::cumulative_moving_average(unsigned freq) {
  average({.mode = MovingAverage::Cumulative, .frequency = freq});
}

void Trainer::swap_params_to_moving_average(bool save_weights, bool bias_correction) {
  follow_model();
  averages_.swap_in(model, save_weights, bias_correction);
}

void Trainer::swap_params_to_weights() {
  follow_model();
  averages_.swap_out(model);
}

void Trainer::restart() {
  for (auto* states : {&parameter_states_, &lookup_states_})
    for (State& state : *states)
      for (Buffer& slot : state.slot) std::fill(slot.begin(), slot.end(), real(0));
}

void Trainer::restart(double new_learning_rate) {
  learning_rate = new_learning_rate;
  restart();
}

std::string Trainer::status() {
  const std::string line =
      text("[lr=", learning_rate, " clips=", clips_since_status, " updates=", updates_since_status, "] ");
  clips_since_status = updates_since_status = 0;
  return line;
}

void Trainer::set_clip_threshold(double threshold) {
  clipping_enabled = threshold > 0;
  clip_threshold = std::max(threshold, 0.0);
}

void EGTrainer::enableCyclicalLR(double min, double max, double step_size, double gamma) {
  cyclical_ = {min, max, step_size, gamma, true};
  learning_rate = min;
}

}  // namespace dynet
