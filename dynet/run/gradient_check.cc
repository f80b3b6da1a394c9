// Moves each number of each parameter up and down, and looks what becomes of the loss.
#include "dynet/run/gradient_check.h"

#include <cmath>
#include <iostream>
#include <limits>
#include <numeric>

#include "dynet/graph/graph.h"

namespace dynet {

using namespace engine;
namespace {

constexpr double distance = 5e-3, tolerance = 0.01, smallest = 1e-4;

class GradientCheck {
 public:
  GradientCheck(const Expression& loss, int verbosity, std::ostream& out)
      : loss_(loss),
        graph_(loss.is_parameter() ? current_graph() : *loss.pg),
        verbosity_(verbosity),
        out_(out) {}

  /// Compares the gradients that backward() has left for these places of a parameter.
  bool check(Storage& s, const std::vector<size_t>& places) {
    bool good = true;
    for (const size_t i : places) good &= check(s, i);
    return good;
  }

 private:
  bool check(Storage& s, size_t place) {
    const struct Restore {
      Storage& s;
      size_t place;
      real value;
      ~Restore() { s.values[place] = value, s.changed(); }
    } restore{s, place, s.values[place]};
    const real up = restore.value + static_cast<real>(distance);
    const real down = restore.value - static_cast<real>(distance);
    const double higher = loss_at(s, place, up), lower = loss_at(s, place, down);
    // Parameters that decay are seen times a factor, and the gradient is that of what is seen.
    const double step = (double{up} - double{down}) * s.decay->factor;
    const double expected = (higher - lower) / step, found = s.gradient[place];
    const double rounding =
        16 * std::numeric_limits<real>::epsilon() * std::max(std::abs(higher), std::abs(lower)) / step;
    const double allowed = smallest + rounding + tolerance * std::max(std::abs(expected), std::abs(found));
    const bool good = std::abs(expected - found) <= allowed;
    if (verbosity_ > 1 || (verbosity_ == 1 && !good))
      out_ << s.name << '[' << place << "]: gradient " << found << ", difference " << expected
           << (good ? "\n" : "  WRONG\n");
    return good;
  }

  double loss_at(Storage& s, size_t place, real value) {
    s.values[place] = value;
    s.changed();
    graph_.evaluator->invalidate();
    return as_scalar(loss_.value());
  }

  Expression loss_;
  Graph& graph_;
  int verbosity_;
  std::ostream& out_;
};

std::vector<size_t> used_places(const LookupParameterStorage& l) {
  std::vector<size_t> places(l.values.size());
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
  model.reset_gradient();
  loss.backward();
  GradientCheck check(loss, verbosity, out);
  bool good = true;
  for (const auto& p : model.parameters_list()) {
    std::vector<size_t> places(p->values.size());
    std::iota(places.begin(), places.end(), size_t{0});
    good &= check.check(*p, places);
  }
  for (const auto& l : model.lookup_parameters_list()) good &= check.check(*l, used_places(*l));
  (loss.is_parameter() ? current_graph() : *loss.pg).evaluator->invalidate();
  model.reset_gradient();
  return good;
}

}  // namespace dynet
