// Moves each number of each parameter up and down, and looks what becomes of the loss.
#include "dynet/program/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "dynet/core/watch.h"
#include "dynet/graph/graph.h"

namespace dynet {

using namespace engine;
namespace {

constexpr double distance = 5e-3, farthest = 1, tolerance = 0.01;
constexpr double smallest_share = 2e-4;  // of a number by which it is moved: some thousand of its last digit

class GradientCheck {
 public:
  /// After a backward pass from the loss.
  GradientCheck(const Expression& loss, int verbosity, std::ostream& out)
      : loss_(loss),
        graph_(loss.is_parameter() ? current_graph() : *loss.pg),
        verbosity_(verbosity),
        out_(out),
        value_(as_scalar(loss_.value())),
        terms_(size_of_terms()) {}

  /// Compares the gradients that backward() has left for these places of a parameter.
  bool check(Storage& s, const std::vector<size_t>& places) {
    bool good = true;
    for (const size_t i : places) good &= check(s, i);
    return good;
  }

 private:
  struct Difference {
    double step, slope;
    double bend;   // by how much the slope above differs from the one below
    double error;  // of the slope, by rounding
  };

  bool check(Storage& s, size_t place) {
    const struct Restore {
      Storage& s;
      size_t place;
      real value;
      ~Restore() { s.numbers.set(place, value), s.changed(); }
    } restore{s, place, s.numbers.get(place)};
    const double found = s.gradient.numbers().get(place);
    const double first = std::max(distance, smallest_share * std::abs(double{restore.value}));
    double reach = first;
    Difference moved = difference(s, place, restore.value, reach);
    const auto tolerated = [found](const Difference& d) {
      return tolerance * std::max(std::abs(d.slope), std::abs(found));
    };
    // Where the digits of so small a difference say nothing, a larger one has more of them, as far as the
    // loss is about a straight line.
    while (moved.error > tolerated(moved) && reach < farthest) {
      const Difference next = difference(s, place, restore.value, 4 * reach);
      if (!(std::abs(next.bend) <= 10 * tolerated(next) + 2 * next.error)) break;
      moved = next, reach *= 4;
    }
    double allowed = tolerated(moved) + moved.error;
    if (reach > first) allowed += std::abs(moved.bend);
    if (reach > first || !(std::abs(moved.slope - found) <= allowed)) {
      // By how much the difference is off because the loss is no straight line.
      const Difference half = difference(s, place, restore.value, reach / 2);
      allowed += 2 * std::abs(moved.slope - half.slope);
    }
    const bool good = std::abs(moved.slope - found) <= allowed;
    if (verbosity_ > 1 || (verbosity_ == 1 && !good))
      out_ << s.name << '[' << place << "]: gradient " << found << ", difference " << moved.slope
           << (good ? "\n" : "  WRONG\n");
    return good;
  }

  Difference difference(Storage& s, size_t place, real value, double reach) {
    const real up = value + static_cast<real>(reach), down = value - static_cast<real>(reach);
    const double higher = loss_at(s, place, up, value), lower = loss_at(s, place, down, value);
    // Parameters that decay are seen times a factor, and the gradient is that of what is seen.
    const double above = (double{up} - double{value}) * s.decay_factor;
    const double below = (double{value} - double{down}) * s.decay_factor;
    const double terms = std::max({terms_, std::abs(higher), std::abs(lower)}), step = above + below;
    return {step, (higher - lower) / step, (higher - value_) / above - (value_ - lower) / below,
            16 * std::numeric_limits<real>::epsilon() * terms / step};
  }

  /// Whoever may end the check sees the parameter as it was.
  struct Unchanged : Watch {
    Unchanged(Storage& storage, size_t number, real old) : s(storage), place(number), value(old) {}
    void look() override {
      if (!before()) return;
      const real moved = s.numbers.get(place);
      s.numbers.set(place, value);
      s.changed();
      before()->look();
      s.numbers.set(place, moved);
      s.changed();
    }
    Storage& s;
    size_t place;
    real value;
  };

  double loss_at(Storage& s, size_t place, real value, real old) {
    const Unchanged watch(s, place, old);
    s.numbers.set(place, value);
    s.changed();
    graph_.evaluator->invalidate();
    return as_scalar(loss_.value());
  }

  /// The size of what the loss is the sum of: to the first order, an error of a node's value times its
  /// gradient is one of the loss. These cancel where the values do, but their errors stay.
  double size_of_terms() {
    if (loss_.is_parameter()) return std::abs(value_);
    Evaluator& evaluator = *graph_.evaluator;
    std::vector<real> gradient;
    double squares = 0;
    for (unsigned id = 0; id <= loss_.i; ++id) {
      if (!graph_[id].needs_gradient) continue;
      gradient = as_vector(evaluator.gradient(id));
      if (std::ranges::all_of(gradient, [](real g) { return g == 0; })) continue;
      const std::vector<real> value = as_vector(evaluator.value(id));
      for (size_t i = 0; i < gradient.size(); ++i) {
        const double term = double{value[i]} * gradient[i];
        if (std::isfinite(term)) squares += term * term;
      }
    }
    return std::sqrt(squares);
  }

  Expression loss_;
  Graph& graph_;
  int verbosity_;
  std::ostream& out_;
  double value_, terms_;
};

std::vector<size_t> used_places(const LookupParameterStorage& l) {
  std::vector<size_t> places(l.size());
  std::iota(places.begin(), places.end(), size_t{0});
  if (!l.all_touched) std::erase_if(places, [&](size_t i) { return !l.is_touched[i / l.row_size()]; });
  return places;
}

}  // namespace

bool check_grad(ParameterCollection& model, const Expression& loss, int verbosity) {
  return check_grad(model, loss, verbosity, std::cerr);
}

bool check_grad(ParameterCollection& model, const Expression& loss, int verbosity, std::ostream& out) {
  if (!loss.pg) invalid("check_grad: the expression is empty; make it with an operation first");
  Graph& graph = loss.is_parameter() ? current_graph() : *loss.pg;
  const struct Reset {
    ParameterCollection& model;
    Graph& graph;
    ~Reset() { graph.evaluator->invalidate(), model.reset_gradient(); }
  } reset{model, graph};
  model.reset_gradient();
  loss.backward();
  GradientCheck check(loss, verbosity, out);
  bool good = true;
  for (const auto& p : model.parameters_list()) {
    if (!p->updated) continue;  // frozen ones get no gradient
    std::vector<size_t> places(p->size());
    std::iota(places.begin(), places.end(), size_t{0});
    good &= check.check(*p, places);
  }
  for (const auto& l : model.lookup_parameters_list())
    if (l->updated) good &= check.check(*l, used_places(*l));
  return good;
}

}  // namespace dynet
