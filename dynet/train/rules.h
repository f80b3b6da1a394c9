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

constexpr size_t max_rule_args = 4, max_hyper = 7, max_slots = 3;

/// Vectors have a faster one, which needs a b that is not subnormal.
inline auto quotient(std::floating_point auto a, std::floating_point auto b) { return a / b; }

/// What most rules share: the first argument is the learning rate, and it stays as it is.
struct RuleDefaults {
  static constexpr unsigned slots = 0;
  static constexpr bool cyclical = false;   // the arguments are min, max, step size and gamma of the rate
  static constexpr bool simplex = false;    // a second pass makes each parameter (or row) sum to one
  static constexpr size_t first_hyper = 1;  // files have the arguments from here on beside the rate
  static double first_rate(const double* args) { return args[0]; }
};

struct SimpleSGD : RuleDefaults {
  static constexpr auto name = "SimpleSGD", doc = "Stochastic gradient descent: w -= rate g.";
  static constexpr RuleArg args[] = {{"learning_rate", finite_number, 0.1}};
  static void prepare(const double*, const Moment& now, real* hyper) {
    hyper[1] = static_cast<real>(now.rate / now.decay);
  }
  static void step(auto& w, const auto& g, auto*, const real* hyper) { w = w - g * hyper[1]; }
};

struct CyclicalSGD : SimpleSGD {
  static constexpr auto name = "CyclicalSGD",
                        doc =
                            "Stochastic gradient descent whose rate swings between two bounds (Smith 2017).";
  static constexpr RuleArg args[] = {{"learning_rate_min", finite_number, 0.01},
                                     {"learning_rate_max", finite_number, 0.1},
                                     {"step_size", above_zero, 2000},
                                     {"gamma", from_zero, 1}};
  static constexpr bool cyclical = true;
  static constexpr size_t first_hyper = 4;  // all of them describe the cycle
};

struct MomentumSGD : RuleDefaults {
  static constexpr auto name = "MomentumSGD", doc = "Descent with momentum: v = mom v - rate g; w += v.";
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
  static constexpr auto name = "Adagrad",
                        doc = "h += g²; w -= rate g / √(h + eps) (Duchi, Hazan and Singer 2011).";
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
  static constexpr auto name = "Adadelta",
                        doc = "Steps of the size of recent steps over recent gradients (Zeiler 2012).";
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
  static constexpr auto name = "RMSProp", doc = "h = rho h + (1 - rho) g²; w -= rate g / √(h + eps).";
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
  static constexpr auto name = "Adam", doc = "Adaptive moments with bias correction (Kingma and Ba 2015).";
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
  static constexpr auto name = "Amsgrad",
                        doc = "Adam with the largest second moment so far (Reddi, Kale and Kumar 2018).";
  static constexpr unsigned slots = 3;
  static void step(auto& w, const auto& g, auto* slot, const real* hyper) {
    using std::max, std::sqrt;
    slot[0] = slot[0] * hyper[2] + g * hyper[3];
    slot[1] = slot[1] * hyper[4] + g * g * hyper[5];
    slot[2] = max(slot[2], slot[1]);
    w = w - quotient(slot[0] * hyper[1], sqrt(slot[2]) + hyper[6]);
  }
};

struct EG : RuleDefaults {
  static constexpr auto name = "EG",
                        doc = "Exponentiated gradient with momentum: each parameter stays on the simplex.";
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
using Rules = RuleList<SimpleSGD, CyclicalSGD, MomentumSGD, Adagrad, Adadelta, RMSProp, Adam, Amsgrad, EG>;

}  // namespace dynet::engine
