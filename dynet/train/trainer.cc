// One update: clip, step every parameter that is not frozen, clear its gradient, let weight decay go on.
#include "dynet/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "dynet/core/profile.h"
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

void engine::check_learning_rate(std::string_view call, double rate) {
  if (!finite_number.has(rate))
    invalid(call, ": the rate is ", rate, "; ", finite_number.numbers, " is needed");
}

void CyclicalRate::check(std::string_view call) const {
  const RuleArg* arg = CyclicalSGD::args;
  for (const double x : {min, max, step_size, gamma}) check_argument(call, arg->name, arg->allowed, x), ++arg;
}

void engine::check_argument(std::string_view call, const char* name, const Allowed& allowed, double given) {
  if (!allowed.has(given)) invalid(call, ": ", name, " is ", given, "; ", allowed.numbers, " is needed");
}

Trainer::Trainer(const ParameterCollection& m, const RuleRow& rule, const double* args)
    : learning_rate(rule.first_rate(args)), model(m), rule_(rule), name_(std::string(rule.name) + "Trainer") {
  for (size_t i = 0; i < rule.arg_count; ++i)
    check_argument(name_, rule.args[i].name, rule.args[i].allowed, args[i]);
  std::copy_n(args, rule.arg_count, args_);
  if (rule.cyclical) cyclical_ = {args[0], args[1], args[2], args[3], true};
}

void Trainer::update() {
  chosen_.clear(), chosen_lookups_.clear();
  for (size_t i = 0; i < model.parameters_list().size(); ++i)
    if (model.parameters_list()[i]->updated) chosen_.push_back(i);
  for (size_t i = 0; i < model.lookup_parameters_list().size(); ++i)
    if (model.lookup_parameters_list()[i]->updated) chosen_lookups_.push_back(i);
  update_chosen();
}

void Trainer::update(real scale) {
  const double rate = learning_rate;
  learning_rate *= scale;
  try {
    update();
  } catch (...) {
    learning_rate = rate;
    throw;
  }
  if (!cyclical_.enabled) learning_rate = rate;  // otherwise it is the next one of the cycle
}

void Trainer::update_subset(std::span<const Parameter> parameters, std::span<const LookupParameter> lookups) {
  const auto choose = [](const auto& list, const auto& handles, std::vector<size_t>& chosen) {
    chosen.clear();
    for (const auto& handle : handles) {
      const auto found =
          std::ranges::find(list, &handle.get_storage(), [](const auto& s) { return s.get(); });
      if (found == list.end())
        invalid("update_subset: ", handle.get_fullname(), " is not in the collection of this trainer");
      if (handle.is_updated()) chosen.push_back(static_cast<size_t>(found - list.begin()));
    }
    std::ranges::sort(chosen);
    chosen.erase(std::ranges::unique(chosen).begin(), chosen.end());
  };
  choose(model.parameters_list(), parameters, chosen_);
  choose(model.lookup_parameters_list(), lookups, chosen_lookups_);
  update_chosen();
}

void Trainer::update_chosen() {
  const Timed timed(Timed::backward, "update");
  const Unwatched to_the_end;
  check_learning_rate("update", learning_rate);
  allocate();
  if (rule_.simplex) check_simplex();
  const double scale = gradient_scale();
  resume();
  prepare(static_cast<real>(scale), 1, hyper_);
  apply_to_parameters();
  for (size_t i : chosen_lookups_) apply(*model.lookup_parameters_list()[i], lookup_states_[i]);
  advance();
}

void Trainer::prepare(real scale, real decay_factor, real* hyper) const {
  hyper[0] = scale;
  rule_.prepare(args_, {learning_rate, decay_factor, double(updates)}, hyper);
}

/// Steps of stored values are larger where these are seen times a factor.
const real* Trainer::hyper_for(const Storage& s, real* own) const {
  if (s.decay_factor == 1) return hyper_;
  prepare(hyper_[0], s.decay_factor, own);
  return own;
}

/// What is kept for parameters that the collection has lost goes.
void Trainer::follow_model() {
  parameters_.follow(model.parameters_list(), parameter_states_, averages_.parameters,
                     averages_.saved_parameters);
  lookups_.follow(model.lookup_parameters_list(), lookup_states_, averages_.lookups, averages_.saved_lookups);
}

/// State for parameters and rows that were added since the last update.
void Trainer::allocate() {
  follow_model();
  const auto grow = [&](std::vector<State>& states, const auto& list) {
    if (states.size() < list.size()) states.resize(list.size());
    for (size_t i = 0; i < states.size(); ++i)
      for (unsigned s = 0; s < rule_.slots; ++s) states[i].slot[s].grow(list[i]->size());
  };
  grow(parameter_states_, model.parameters_list());
  grow(lookup_states_, model.lookup_parameters_list());
  averages_.allocate(model);
}

/// What the gradients are multiplied with so that their norm does not exceed the threshold. Without clipping
/// nobody looks at them: that would read all of them once more.
double Trainer::gradient_scale() {
  if (!clipping_enabled) return 1;
  double sum = 0;
  for (size_t i : chosen_) sum += squared_gradient(*model.parameters_list()[i]);
  for (size_t i : chosen_lookups_) sum += squared_gradient(*model.lookup_parameters_list()[i]);
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm)) refuse(norm);
  if (!(norm > clip_threshold)) return 1;
  ++clips, ++clips_since_status;
  return clip_threshold / norm;
}

namespace {

/// Of what is not a number the sign says nothing.
auto without_sign(auto x) { return std::isnan(x) ? std::abs(x) : x; }

/// "/words[3,0]": a number of a parameter, by its place in as_array().
std::string name_of_number(const Storage& s, size_t place) {
  unsigned at[Dim::max_dims] = {};
  for (unsigned i = 0; i < s.dim.nd; place /= s.dim.d[i++]) at[i] = static_cast<unsigned>(place % s.dim.d[i]);
  std::string index;
  for (unsigned i = 0; i < s.dim.nd; ++i)
    index += text(i > 0 ? "," : "", at[s.is_lookup ? (i + s.dim.nd - 1) % s.dim.nd : i]);
  return s.name + '[' + index + ']';
}

}  // namespace

/// Names what has a gradient that is not finite. Squares of finite numbers may be too large together.
void Trainer::refuse(double norm) const {
  constexpr size_t most = 5;
  size_t count = 0;
  std::string names;
  const auto look_at = [&](const Storage& s) {
    const OnHost g(s.gradient.numbers().data(), s.size());
    const real* const bad = std::find_if(g.begin(), g.end(), [](real x) { return !std::isfinite(x); });
    if (bad == g.end() || ++count > most) return;
    names += text(count > 1 ? ", " : "", name_of_number(s, static_cast<size_t>(bad - g.begin())), " is ",
                  without_sign(*bad));
  };
  for (size_t i : chosen_) look_at(*model.parameters_list()[i]);
  for (size_t i : chosen_lookups_) look_at(*model.lookup_parameters_list()[i]);
  if (count > most) names += text(" and ", count - most, " more");
  if (count > 0)
    failed("Magnitude of gradient is bad: ", without_sign(norm), ", as that of ", names,
           ". update() has changed nothing; reset_gradient() of the collection drops the gradients");
  failed("Magnitude of gradient is bad: ", norm, ", though every number of it is finite");
}

/// Exponentiated gradient multiplies weights by what is positive: a sign stays, but what has none to share
/// out, or a negative one, is on no simplex.
void Trainer::check_simplex() const {
  const auto check = [](const Storage& s, size_t first, size_t n) {
    const OnHost w(s.numbers.data() + first, n);
    const real* const bad = std::find_if(w.begin(), w.end(), [](real x) { return !(x >= 0); });
    if (bad != w.end())
      invalid("update: ", name_of_number(s, first + static_cast<size_t>(bad - w.begin())), " is ", *bad,
              "; an EGTrainer needs weights that are not negative, as it keeps them on the simplex");
    if (std::ranges::all_of(w, [](real x) { return x == 0; }))
      invalid("update: all numbers of ", s.name, s.is_lookup ? text(", row ", first / n) : "",
              " are 0; an EGTrainer needs one that is greater");
  };
  for (const size_t i : chosen_)
    if (const auto& p = *model.parameters_list()[i]; p.is_used()) check(p, 0, p.size());
  for (const size_t i : chosen_lookups_) {
    const auto& l = *model.lookup_parameters_list()[i];
    const size_t n = l.row_size();
    if (sparse_updates_enabled && !l.all_touched)
      for (const uint32_t row : l.touched) check(l, row * n, n);
    else if (l.is_used())
      for (size_t first = 0; first < l.size(); first += n) check(l, first, n);
  }
}

/// Threads share out the small parameters, if they are worth it; they cut large ones among them.
void Trainer::apply_to_parameters() {
  constexpr size_t large = size_t{1} << 17, worth_sharing = size_t{1} << 15;  // numbers
  const auto& parameters = model.parameters_list();
  const auto apply_to = [&](size_t i) { apply(*parameters[i], parameter_states_[i]); };
  Engine& engine = chosen_engine();
  size_t numbers = 0;
  small_.clear();
  for (size_t i : chosen_) {
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
    parallel_for(engine, small_.size(), [&](unsigned part) { apply_to(small_[part]); });
}

/// What no gradient has reached since the last update rests, as rows of tables do.
void Trainer::apply(ParameterStorage& p, State& state) {
  if (!p.is_used()) return;
  Engine& engine = chosen_engine();
  real own[max_hyper];
  const real* const hyper = hyper_for(p, own);
  const std::lock_guard lock(p.packing);
  // Panels that were in use are in use again, unless what they hold will change once more.
  const bool pack = p.is_packed(&engine) && !rule_.simplex && model.get_weight_decay_lambda() == 0;
  if (pack) {
    const bool transposed = p.packed->wants_transposed();
    real* slots[max_slots] = {};
    for (unsigned i = 0; i < rule_.slots; ++i) slots[i] = state.slot[i].data();
    engine.update_packed(rule_.position, hyper, p.dim.rows(), p.dim.cols(), p.values.data(),
                         p.gradient.data(), slots, p.decay_factor, transposed, p.free_panels());
  } else {
    step(hyper, p, state, 0, p.values.size());
  }
  p.clear_gradient();
  p.changed();
  if (pack) p.packed_version = p.version;
}

void Trainer::apply(LookupParameterStorage& l, State& state) {
  real own[max_hyper];
  const real* const hyper = hyper_for(l, own);
  const size_t n = l.row_size();
  if (sparse_updates_enabled && !l.all_touched) {
    if (l.touched.empty()) return;
    for (uint32_t row : l.touched) step(hyper, l, state, row * n, n);
    l.clear_gradient();
  } else {
    if (!l.is_used()) return;
    const size_t stride = rule_.simplex ? n : l.size();
    for (size_t first = 0; first < l.size(); first += stride) step(hyper, l, state, first, stride);
    l.drop_gradient();
  }
  l.changed();
}

void Trainer::step(const real* hyper, Storage& s, State& state, size_t first, size_t n) {
  real* slots[max_slots] = {};
  for (unsigned i = 0; i < rule_.slots; ++i) slots[i] = state.slot[i].data() + first;
  chosen_engine().update(rule_.position, hyper, n, s.numbers.data() + first, s.gradient.data() + first,
                         slots);
  if (rule_.simplex) project(s, state, first, n, hyper[3]);
}

/// w = exp(log w + v / decay - logsumexp), v being the rule's momentum.
void Trainer::project(Storage& s, State& state, size_t first, size_t n, double per_decay) {
  const OnHost w(s.numbers.data() + first, n);
  const OnHost v(std::as_const(state.slot[0]).data() + first, n);
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

/// Counts the update. Weight decay goes on for all that was chosen, whether it was used or not; averages are
/// of what is left.
void Trainer::advance() {
  if (const real lambda = model.get_weight_decay_lambda(); lambda != 0) {
    for (size_t i : chosen_) model.parameters_list()[i]->decay(lambda);
    for (size_t i : chosen_lookups_) model.lookup_parameters_list()[i]->decay(lambda);
  }
  if (averages_.mode != MovingAverage::None && updates % averages_.frequency == 0) averages_.add(model);
  ++updates, ++updates_since_status;
  if (cyclical_.enabled) learning_rate = cyclical_.next();
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
      for (Buffer& slot : state.slot) slot.fill(0);
}

void Trainer::restart(double new_learning_rate) {
  check_learning_rate("restart", new_learning_rate);
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
  if (std::isnan(threshold))
    invalid("set_clip_threshold: nan was given; a number is needed, 0 for no clipping");
  clipping_enabled = threshold > 0;
  clip_threshold = std::max(threshold, 0.0);
}

void EGTrainer::enableCyclicalLR(double min, double max, double step_size, double gamma) {
  const CyclicalRate cycle{min, max, step_size, gamma, true};
  cycle.check("enableCyclicalLR");
  cyclical_ = cycle;
  learning_rate = min;
}

}  // namespace dynet
