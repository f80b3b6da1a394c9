// UPDATE: a trainer changes the parameters of a collection by one rule and clears their gradients.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dynet/params/collection.h"
#include "dynet/train/average.h"
#include "dynet/train/rules.h"
#include "dynet/train/shadow.h"

namespace dynet::engine {

/// The constant row of a rule: its identity is its position in Rules.
struct RuleRow {
  const char* name;
  const char* doc;
  unsigned position;
  unsigned slots;
  bool cyclical, simplex;
  size_t first_hyper;
  const RuleArg* args;
  size_t arg_count;
  double (*first_rate)(const double* args);
  void (*prepare)(const double* args, const Moment&, real* hyper);
};

template <class R, class... Rule>
constexpr unsigned rule_position(RuleList<Rule...>) {
  unsigned position = 0;
  (void)((std::is_same_v<R, Rule> || (++position, false)) || ...);
  return position;
}

/// The row of a rule, made from its struct.
template <class R>
inline constexpr RuleRow rule_row{
    R::name,        R::doc,  rule_position<R>(Rules{}), R::slots,      R::cyclical, R::simplex,
    R::first_hyper, R::args, std::size(R::args),        R::first_rate, R::prepare};

/// A learning rate that swings between two bounds, which come together by gamma with every update.
struct CyclicalRate {
  double min = 0, max = 0, step_size = 1, gamma = 1;
  bool enabled = false;
  double updates = 0;

  /// The rate after one more update.
  double next();
  /// Throws what `call` says of numbers that make no cycle.
  void check(std::string_view call) const;
};

/// std::invalid_argument, which begins with `call`, for a number that an argument cannot be.
void check_argument(std::string_view call, const char* name, const Allowed& allowed, double given);
void check_learning_rate(std::string_view call, double rate);

}  // namespace dynet::engine

namespace dynet {

class Trainer {
 public:
  virtual ~Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Makes room for the state of parameters and rows that were added; update() does it too.
  void allocate();
  /// One step of every parameter that is not frozen and whose gradient was added to since its last step; that
  /// of a lookup table moves such rows. std::runtime_error, which names the parameters, where a gradient is
  /// not finite; then nothing has changed, and the gradients are there. Without clipping nobody looks.
  void update();
  [[deprecated("update(scale) is an update() with the learning rate times scale: set learning_rate")]]
  void update(real scale);
  /// An update of these parameters and tables alone: others keep value, gradient and state, and don't count
  /// in the norm. std::invalid_argument for one that is not in the collection.
  void update_subset(std::span<const Parameter> parameters, std::span<const LookupParameter> lookups);
  /// Forgets the rule's state, but not how many updates there were.
  void restart();
  /// std::invalid_argument for a rate that is not finite, as all that set one and update() have it.
  void restart(double new_learning_rate);
  /// "[lr=… clips=… updates=…] " since the last call.
  std::string status();
  const std::string& whoami() const { return name_; }
  /// The arguments it was made with, by name; the first is the learning rate of now where the rule has it.
  std::vector<std::pair<std::string, double>> arguments() const {
    std::vector<std::pair<std::string, double>> all;
    for (size_t i = 0; i < rule_.arg_count; ++i) all.emplace_back(rule_.args[i].name, args_[i]);
    if (rule_.first_hyper == 1) all[0].second = learning_rate;
    return all;
  }

  /// Whether only those rows of a lookup table change that were used.
  void set_sparse_updates(bool sparse) { sparse_updates_enabled = sparse; }
  /// The gradient's norm is cut to the threshold; 0 or less switches that off. std::invalid_argument for NaN.
  void set_clip_threshold(double threshold);
  double get_clip_threshold() const { return clip_threshold; }
  /// Without effect: the learning rate is the program's business.
  void update_epoch(double = 1) {}

  /// From now on keeps an average of all parameters, counted every `freq` updates: a = beta a + (1 - beta) w
  /// from zero on, or the mean. std::runtime_error after the first update.
  void exponential_moving_average(double beta, unsigned freq = 1);
  void cumulative_moving_average(unsigned freq = 1);
  MovingAverage moving_average() const { return averages_.mode; }
  /// The parameters get their averages, divided by 1 - beta^count with bias_correction (Kingma and Ba 2015).
  /// The next update undoes that, or, where the weights are not saved, goes on from the averages.
  void swap_params_to_moving_average(bool save_weights = true, bool bias_correction = false);
  void swap_params_to_weights();

  /// Everything the trainer knows, and what it takes to go on from there (train/save.cc has the format).
  void save(std::ostream& out);
  /// std::runtime_error where something is not as save wrote it or does not fit; then nothing has changed.
  void populate(std::istream& in);
  void populate(std::istream& in, double new_learning_rate);

  /// How far it is, without the state of the rule.
  struct Progress {
    double learning_rate = 0, cycle = 0;
    size_t clips = 0, updates = 0, clips_since_status = 0, updates_since_status = 0;
  };
  Progress progress() const {
    return {learning_rate, cyclical_.updates, clips, updates, clips_since_status, updates_since_status};
  }
  void set_progress(const Progress& p) {
    learning_rate = p.learning_rate, cyclical_.updates = p.cycle, clips = p.clips, updates = p.updates;
    clips_since_status = p.clips_since_status, updates_since_status = p.updates_since_status;
  }

  double learning_rate;
  bool clipping_enabled = true;
  double clip_threshold = 5;
  size_t clips = 0, updates = 0, clips_since_status = 0, updates_since_status = 0;
  bool sparse_updates_enabled = true;
  ParameterCollection model;

 protected:
  /// args holds as many numbers as the rule has arguments.
  Trainer(const ParameterCollection& m, const engine::RuleRow& rule, const double* args);

  engine::CyclicalRate cyclical_;

 private:
  struct State {
    engine::Buffer slot[engine::max_slots];
  };

  void follow_model();
  void update_chosen();
  void prepare(real scale, real decay_factor, real* hyper) const;
  const real* hyper_for(const engine::Storage&, real* own) const;
  double gradient_scale();
  void refuse(double norm) const;
  void check_simplex() const;
  void apply_to_parameters();
  void apply(ParameterStorage&, State&);
  void apply(LookupParameterStorage&, State&);
  void step(const real* hyper, engine::Storage&, State&, size_t first, size_t n);
  void project(engine::Storage&, State&, size_t first, size_t n, double per_decay);
  void advance();
  void average(engine::Averages&& chosen);
  void resume();

  /// While it lives, the trainer is one of those there are.
  class Listed {
   public:
    explicit Listed(Trainer& trainer);
    ~Listed();
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;
    const uint64_t number;  // unlike an address, never used again
  };

  friend class TrainerText;
  friend class TrainerMemory;
  friend void engine::show(Trainer&, unsigned slot, std::vector<ShadowParameters>&);
  friend void engine::show(Trainer&, unsigned slot, std::vector<ShadowLookupParameters>&);

  const engine::RuleRow& rule_;
  std::string name_;
  double args_[engine::max_rule_args] = {};
  // Trainers of one collection don't share state, so it lies here: by position in the collection's lists.
  std::vector<State> parameter_states_, lookup_states_;
  engine::Owners parameters_, lookups_;  // of what lies here and in averages_
  // Of one update: what is changed, by position, the small ones of it, and the numbers that the rule needs.
  std::vector<size_t> chosen_, chosen_lookups_, small_;
  real hyper_[engine::max_hyper];
  engine::Averages averages_;
  const Listed listed_{*this};
};

}  // namespace dynet

namespace dynet::engine {

/// The trainer of a rule. Arguments that are not given have the rule's defaults. Its state is there by the
/// names that DyNet 2 gave it.
template <class R>
class RuleTrainer : public Trainer, public Moments<R> {
 public:
  using Rule = R;

  template <class... Number>
    requires(sizeof...(Number) <= std::size(R::args) && (std::is_arithmetic_v<Number> && ...))
  explicit RuleTrainer(const ParameterCollection& m, Number... args)
      : Trainer(m, rule_row<R>, Args(static_cast<double>(args)...).numbers),
        Moments<R>(static_cast<Trainer*>(this)) {}

 private:
  struct Args {
    template <class... Number>
    explicit Args(Number... given) : numbers{given...} {
      for (size_t i = sizeof...(given); i < std::size(R::args); ++i) numbers[i] = R::args[i].value;
    }
    double numbers[engine::max_rule_args];
  };
};

}  // namespace dynet::engine

namespace dynet {

using SimpleSGDTrainer = engine::RuleTrainer<engine::SimpleSGD>;

/// The last argument of all six, the decay with each epoch, has no effect.
class CyclicalSGDTrainer : public engine::RuleTrainer<engine::CyclicalSGD> {
 public:
  using RuleTrainer::RuleTrainer;
  CyclicalSGDTrainer(const ParameterCollection& m, double min, double max, double step_size, double gamma,
                     double)
      : RuleTrainer(m, min, max, step_size, gamma) {}
};

using MomentumSGDTrainer = engine::RuleTrainer<engine::MomentumSGD>;
using AdagradTrainer = engine::RuleTrainer<engine::Adagrad>;
using AdadeltaTrainer = engine::RuleTrainer<engine::Adadelta>;
using RMSPropTrainer = engine::RuleTrainer<engine::RMSProp>;
using AdamTrainer = engine::RuleTrainer<engine::Adam>;
using AmsgradTrainer = engine::RuleTrainer<engine::Amsgrad>;
using AdamWTrainer = engine::RuleTrainer<engine::AdamW>;
using RAdamTrainer = engine::RuleTrainer<engine::RAdam>;
using LionTrainer = engine::RuleTrainer<engine::Lion>;

/// Exponentiated gradient, with a learning rate that may swing.
class EGTrainer : public engine::RuleTrainer<engine::EG> {
 public:
  using RuleTrainer::RuleTrainer;
  void enableCyclicalLR(double min = 0.01, double max = 0.1, double step_size = 2000, double gamma = 1);
  void disableCyclicalLR() { cyclical_.enabled = false; }
};

}  // namespace dynet
