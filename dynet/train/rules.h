// The update rules: how a number that is learned follows its gradient. Each rule is written once, here.
//
// step() is a template over the number type: scalars or vectors of any instruction set. It changes the value
// w and its state slot[0…]; g is the gradient already multiplied by hyper[0]. The other hyper-parameters come
// from prepare(), once per update.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "dynet/core/real.h"

namespace dynet::engine {

/// Which numbers an argument of a trainer may be; with others it would make NaN of what is learned.
struct Allowed {
  const char* numbers;  // in words
  bool (*among_finite)(double);

  bool has(double x) const { return std::abs(x) <= std::numeric_limits<real>::max() && among_finite(x); }
};
inline constexpr Allowed finite_number{"a finite number", [](double) { return true; }},
    from_zero{"a finite number from 0 on", [](double x) { return x >= 0; }},
    above_zero{"a finite number greater than 0", [](double x) { return static_cast<real>(x) > 0; }},
    zero_to_one{"a number from 0 to 1", [](double x) { return x >= 0 && x <= 1; }},
    below_one{"a number from 0 to below 1", [](double x) { return x >= 0 && x < 1; }};

/// An argument of a trainer with its default, which Python's DyNet may have chosen differently.
struct RuleArg {
  const char* name;
  const Allowed& allowed;
  double value, python_value;
  constexpr RuleArg(const char* n, const Allowed& a, double v) : RuleArg(n, a, v, v) {}
  constexpr RuleArg(const char* n, const Allowed& a, double v, double python)
      : name(n), allowed(a), value(v), python_value(python) {}
};

/// What changes from update to update: the learning rate, the weight-decay factor that stored values are
/// divided by, and the number of updates before this one.
struct Moment {
  double rate, decay, updates;
};

constexpr size_t max_rule_args = 5, max_hyper = 8, max_slots = 3;

/// Vectors have a faster one, which needs a b that is not subnormal.
inline auto quotient(std::floating_point auto a, std::floating_point auto b) { return a / b; }
template <std::floating_point T>
T sign(T a) {
  return a > 0 ? T(1) : a < 0 ? T(-1) : a;
}

/// What most rules share: the first argument is the learning rate, and it stays as it is.
struct RuleDefaults {
  static constexpr unsigned slots = 0;
  static constexpr bool cyclical = false;   // the arguments are min, max, step size and gamma of the rate
  static constexpr bool simplex = false;    // a second pass makes each parameter (or row) sum to one
  static constexpr size_t first_hyper = 1;  // files have the arguments from here on beside the rate
  static double first_rate(const double* args) { return args[0]; }
};

struct SimpleSGD : RuleDefaults {
  static constexpr auto name = "SimpleSGD";
  static constexpr auto doc = R"(
      Stochastic gradient descent: w ← w - learning_rate g, for every parameter w with gradient g.
      learning_rate is 0.1 by default and stays as it is; set it where it is to fall. (Robbins and Monro
      1951)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.1)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.8])";
  static constexpr RuleArg args[] = {{"learning_rate", finite_number, 0.1}};
  static void prepare(const double*, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate / now.decay);
  }
  static void step(auto& w, const auto& g, auto*, const real* hyper) { w = w - g * hyper[1]; }
};

struct CyclicalSGD : SimpleSGD {
  static constexpr auto name = "CyclicalSGD";
  static constexpr auto doc = R"(
      Stochastic gradient descent, w ← w - rate g, whose rate swings: it rises from learning_rate_min (0.01)
      to learning_rate_max (0.1) in step_size (2000) updates, falls back in as many, and so on. The height
      of the swing is multiplied by gamma (1) with each update; a gamma just below 1 lets it die away.
      (Smith 2017)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.CyclicalSGDTrainer(m, 0.1, 0.3, step_size=2)
      >>> rates = []
      >>> for _ in range(5):
      ...     dy.square(w).backward(); trainer.update(); rates.append(round(trainer.learning_rate, 2))
      >>> rates
      [0.1, 0.2, 0.3, 0.2, 0.1])";
  static constexpr RuleArg args[] = {{"learning_rate_min", finite_number, 0.01},
                                     {"learning_rate_max", finite_number, 0.1},
                                     {"step_size", above_zero, 2000},
                                     {"gamma", from_zero, 1}};
  static constexpr bool cyclical = true;
  static constexpr size_t first_hyper = 4;  // all of them describe the cycle
};

struct MomentumSGD : RuleDefaults {
  static constexpr auto name = "MomentumSGD";
  static constexpr auto doc = R"(
      Stochastic gradient descent with momentum: v ← mom v - learning_rate g; w ← w + v, with v = 0 at
      first. A gradient that keeps its direction is worth 1 / (1 - mom) steps: with mom = 0.9, the default,
      ten. learning_rate is 0.01 by default. (Polyak 1964)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.MomentumSGDTrainer(m, learning_rate=0.1, mom=0.5)
      >>> for _ in range(2):
      ...     w.backward(); trainer.update(); print(w.as_array().round(4))
      [0.9]
      [0.75])";
  static constexpr RuleArg args[] = {{"learning_rate", finite_number, 0.01}, {"mom", from_zero, 0.9}};
  static constexpr unsigned slots = 1;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate);
    hyper[2] = static_cast<real>(args[1]);
    hyper[3] = static_cast<real>(1 / now.decay);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    slot[0] = slot[0] * hyper[2] - g * hyper[1];
    w = w + slot[0] * hyper[3];
  }
};

struct Adagrad : RuleDefaults {
  static constexpr auto name = "Adagrad";
  static constexpr auto doc = R"(
      Adagrad: h ← h + g²; w ← w - learning_rate g / √(h + eps), number by number. Steps get smaller the
      more gradient a number has had, so that rare features learn faster than frequent ones. learning_rate
      is 0.1, eps 1e-20 by default. (Duchi, Hazan and Singer 2011)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.AdagradTrainer(m)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9])";
  static constexpr RuleArg args[] = {{"learning_rate", finite_number, 0.1}, {"eps", above_zero, 1e-20}};
  static constexpr unsigned slots = 1;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate / now.decay);
    hyper[2] = static_cast<real>(args[1]);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::sqrt;
    slot[0] = slot[0] + g * g;
    w = w - quotient(g * hyper[1], sqrt(slot[0] + hyper[2]));
  }
};

struct Adadelta : RuleDefaults {
  static constexpr auto name = "Adadelta";
  static constexpr auto doc = R"(
      Adadelta: h ← rho h + (1 - rho) g²; d = g √(s + eps) / √(h + eps); s ← rho s + (1 - rho) d²; w ← w -
      d. A step is as large as recent steps were, over recent gradients: there is no learning rate to
      choose, and learning_rate, which is 1, has no effect. eps is 1e-6, rho 0.95 by default. (Zeiler 2012)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.AdadeltaTrainer(m)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9955])";
  static constexpr RuleArg args[] = {{"eps", above_zero, 1e-6}, {"rho", zero_to_one, 0.95}};
  static constexpr unsigned slots = 2;
  static constexpr size_t first_hyper = 0;
  static double first_rate(const double*) { return 1; }
  static void prepare(const double* args, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(args[0]);
    hyper[2] = static_cast<real>(args[1]);
    hyper[3] = static_cast<real>(1 - args[1]);
    hyper[4] = static_cast<real>(1 / now.decay);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::sqrt;
    slot[0] = slot[0] * hyper[2] + g * g * hyper[3];
    const auto d = quotient(g * sqrt(slot[1] + hyper[1]), sqrt(slot[0] + hyper[1]));
    slot[1] = slot[1] * hyper[2] + d * d * hyper[3];
    w = w - d * hyper[4];
  }
};

struct RMSProp : RuleDefaults {
  static constexpr auto name = "RMSProp";
  static constexpr auto doc = R"(
      RMSProp: h ← rho h + (1 - rho) g²; w ← w - learning_rate g / √(h + eps), number by number: Adagrad
      that forgets. In Python the defaults are learning_rate 0.001, eps 1e-8 and rho 0.9; in C++ they are
      0.1, 1e-20 and 0.95, as in DyNet 2. (Tieleman and Hinton 2012)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.RMSPropTrainer(m)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9968])";
  static constexpr RuleArg args[] = {{"learning_rate", finite_number, 0.1, 0.001},
                                     {"eps", above_zero, 1e-20, 1e-8},
                                     {"rho", zero_to_one, 0.95, 0.9}};
  static constexpr unsigned slots = 1;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate / now.decay);
    hyper[2] = static_cast<real>(args[1]);
    hyper[3] = static_cast<real>(args[2]);
    hyper[4] = static_cast<real>(1 - args[2]);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::sqrt;
    slot[0] = slot[0] * hyper[3] + g * g * hyper[4];
    w = w - quotient(g * hyper[1], sqrt(slot[0] + hyper[2]));
  }
};

struct Adam : RuleDefaults {
  static constexpr auto name = "Adam";
  static constexpr auto doc = R"(
      Adam: m ← beta_1 m + (1 - beta_1) g; v ← beta_2 v + (1 - beta_2) g²; w ← w - a m / (√v + eps) with a =
      alpha √(1 - beta_2ᵗ) / (1 - beta_1ᵗ) at update t, which corrects that m and v begin at 0. Defaults:
      alpha 0.001, beta_1 0.9, beta_2 0.999, eps 1e-8, which is added to the uncorrected √v. A good first
      choice. (Kingma and Ba 2015)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.AdamTrainer(m, alpha=0.1)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9])";
  static constexpr RuleArg args[] = {{"alpha", finite_number, 0.001},
                                     {"beta_1", below_one, 0.9},
                                     {"beta_2", below_one, 0.999},
                                     {"eps", above_zero, 1e-8}};
  static constexpr unsigned slots = 2;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    const double t = now.updates + 1;
    const double correction = std::sqrt(1 - std::pow(args[2], t)) / (1 - std::pow(args[1], t));
    hyper[1] = static_cast<real>(now.rate * correction / now.decay);
    hyper[2] = static_cast<real>(args[1]);
    hyper[3] = static_cast<real>(1 - args[1]);
    hyper[4] = static_cast<real>(args[2]);
    hyper[5] = static_cast<real>(1 - args[2]);
    hyper[6] = std::max(static_cast<real>(args[3]), std::numeric_limits<real>::min());  // see quotient()
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::sqrt;
    slot[0] = slot[0] * hyper[2] + g * hyper[3];
    slot[1] = slot[1] * hyper[4] + g * g * hyper[5];
    w = w - quotient(slot[0] * hyper[1], sqrt(slot[1]) + hyper[6]);
  }
};

struct Amsgrad : Adam {
  static constexpr auto name = "Amsgrad";
  static constexpr auto doc = R"(
      AMSGrad: Adam that divides by the largest second moment so far: m ← beta_1 m + (1 - beta_1) g; v ←
      beta_2 v + (1 - beta_2) g²; u ← max(u, v); w ← w - a m / (√u + eps), with a and the defaults of
      AdamTrainer. Steps cannot grow again when gradients become small, which Adam needs to converge.
      (Reddi, Kale and Kumar 2018)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.AmsgradTrainer(m, alpha=0.1)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9])";
  static constexpr unsigned slots = 3;
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::max, std::sqrt;
    slot[0] = slot[0] * hyper[2] + g * hyper[3];
    slot[1] = slot[1] * hyper[4] + g * g * hyper[5];
    slot[2] = max(slot[2], slot[1]);
    w = w - quotient(slot[0] * hyper[1], sqrt(slot[2]) + hyper[6]);
  }
};

struct AdamW : Adam {
  static constexpr auto name = "AdamW";
  static constexpr auto doc = R"(
      Adam with weight decay apart from the gradient: m ← beta_1 m + (1 - beta_1) g; v ← beta_2 v + (1 -
      beta_2) g²; w ← w - alpha (m / (1 - beta_1ᵗ) / (√(v / (1 - beta_2ᵗ)) + eps) + weight_decay w) at
      update t. As in PyTorch eps is added to the corrected √v. Rows of a table that get no gradient do not
      decay, unless set_sparse_updates(False). Defaults: alpha 0.001, beta_1 0.9, beta_2 0.999, eps 1e-8,
      weight_decay 0.01. (Loshchilov and Hutter 2019)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.AdamWTrainer(m, alpha=0.1, weight_decay=0.5)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.85])";
  static constexpr RuleArg args[] = {{"alpha", finite_number, 0.001},
                                     {"beta_1", below_one, 0.9},
                                     {"beta_2", below_one, 0.999},
                                     {"eps", above_zero, 1e-8},
                                     {"weight_decay", from_zero, 0.01}};
  static void prepare(const double* args, const Moment& now, real* hyper) {
    Adam::prepare(args, now, hyper);
    const double eps = args[3] * std::sqrt(1 - std::pow(args[2], now.updates + 1));
    hyper[6] = std::max(static_cast<real>(eps), std::numeric_limits<real>::min());
    hyper[7] = static_cast<real>(1 - now.rate * args[4]);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    w = w * hyper[7];
    Adam::step(w, g, slot, hyper);
  }
};

struct RAdam : Adam {
  static constexpr auto name = "RAdam";
  static constexpr auto doc = R"(
      Rectified Adam, which needs no warm-up: m and v as in AdamTrainer, r = 2 / (1 - beta_2) - 1 and p = r -
      2 t beta_2ᵗ / (1 - beta_2ᵗ) at update t. Where p > 5: w ← w - q a m / (√v + eps), with AdamTrainer's a
      and q = √((p - 4) (p - 2) r / ((r - 4) (r - 2) p)); in the first updates, where v is not to be trusted:
      w ← w - alpha m / (1 - beta_1ᵗ). Defaults: alpha 0.001, beta_1 0.9, beta_2 0.999, eps 1e-8. (Liu et al.
      2020)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.RAdamTrainer(m, alpha=0.1)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.8])";
  /// The divisor is √v hyper[7] + hyper[6]: 1 until v is to be trusted.
  static void prepare(const double* args, const Moment& now, real* hyper) {
    Adam::prepare(args, now, hyper);
    const double t = now.updates + 1, power = std::pow(args[2], t), most = 2 / (1 - args[2]) - 1;
    const double p = most - 2 * t * power / (1 - power);
    hyper[7] = p > 5;
    if (p > 5)
      hyper[1] *= static_cast<real>(std::sqrt((p - 4) * (p - 2) * most / ((most - 4) * (most - 2) * p)));
    else
      hyper[1] = static_cast<real>(now.rate / (1 - std::pow(args[1], t)) / now.decay), hyper[6] = 1;
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::min, std::sqrt;
    using Number = std::remove_cvref_t<decltype(w)>;
    slot[0] = slot[0] * hyper[2] + g * hyper[3];
    slot[1] = slot[1] * hyper[4] + g * g * hyper[5];
    // Huge gradients have an infinite v, and 0 times that is no number.
    const auto v = min(slot[1], Number(std::numeric_limits<real>::max()));
    w = w - quotient(slot[0] * hyper[1], sqrt(v) * hyper[7] + hyper[6]);
  }
};

struct Lion : RuleDefaults {
  static constexpr auto name = "Lion";
  static constexpr auto doc = R"(
      Lion, whose steps are all of one size: w ← w - alpha (sign(beta_1 m + (1 - beta_1) g) + weight_decay
      w); then m ← beta_2 m + (1 - beta_2) g. It has half the state of Adam, and wants a rate 3 to 10 times
      smaller, with a decay as much larger. Defaults: alpha 0.0001, beta_1 0.9, beta_2 0.99, weight_decay 0.
      (Chen et al. 2023)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(1, init=1), dy.LionTrainer(m, alpha=0.1)
      >>> dy.square(w).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.9])";
  static constexpr RuleArg args[] = {{"alpha", finite_number, 0.0001},
                                     {"beta_1", below_one, 0.9},
                                     {"beta_2", below_one, 0.99},
                                     {"weight_decay", from_zero, 0}};
  static constexpr unsigned slots = 1;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate / now.decay);
    hyper[2] = static_cast<real>(args[1]);
    hyper[3] = static_cast<real>(1 - args[1]);
    hyper[4] = static_cast<real>(args[2]);
    hyper[5] = static_cast<real>(1 - args[2]);
    hyper[6] = static_cast<real>(1 - now.rate * args[3]);
  }
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    w = w * hyper[6] - sign(slot[0] * hyper[2] + g * hyper[3]) * hyper[1];
    slot[0] = slot[0] * hyper[4] + g * hyper[5];
  }
};

struct EG : RuleDefaults {
  static constexpr auto name = "EG";
  static constexpr auto doc = R"(
      Exponentiated gradient with momentum, for parameters that are distributions: v ← mom v - learning_rate
      g; w ← w exp(v) / Σ w exp(v). Each parameter, or row of a table, sums to 1 after an update and keeps
      the signs it has. Defaults: learning_rate 0.1, mom 0.9; ne has no effect. ValueError in update() for
      weights that are negative or all 0. (Kivinen and Warmuth 1997)

      >>> m = dy.ParameterCollection()
      >>> w, trainer = m.add_parameters(2, init=[0.5, 0.5]), dy.EGTrainer(m, learning_rate=1)
      >>> dy.pick(w, 0).backward(); trainer.update()
      >>> print(w.as_array().round(4))
      [0.2689 0.7311])";
  static constexpr RuleArg args[] = {
      {"learning_rate", finite_number, 0.1}, {"mom", from_zero, 0.9}, {"ne", finite_number, 0}};
  static constexpr unsigned slots = 1;
  static constexpr bool simplex = true;
  static void prepare(const double* args, const Moment& now, real* hyper) {
    MomentumSGD::prepare(args, now, hyper);
  }
  /// Only the momentum: the values follow in the trainer's second pass, w = softmax(log w + v hyper[3]).
  static void step(auto&, const auto& g, auto* slot, const real* hyper) {
    slot[0] = slot[0] * hyper[2] - g * hyper[1];
  }
};

/// A list of rules is a type; engines find a rule by its position.
template <class... Rule>
struct RuleList {
  static constexpr size_t size = sizeof...(Rule);
};
using Rules = RuleList<SimpleSGD, CyclicalSGD, MomentumSGD, Adagrad, Adadelta, RMSProp, Adam, Amsgrad, EG,
                       AdamW, RAdam, Lion>;

}  // namespace dynet::engine
