// Moves each number of each parameter up and down, and looks what becomes of the loss.
#include "dynet/run/gradient_check.h"

#include <cmath>
#include <iostream>
#include <limits>
#include <numeric>
#include <utility>

#include "dynet/core/watch.h"
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
      ~Restore() { s.numbers[place] = value, s.changed(); }
    } restore{s, place, s.numbers[place]};
    const real up = restore.value + static_cast<real>(distance);
    const real down = restore.value - static_cast<real>(distance);
    const double higher = loss_at(s, place, up, restore.value);
    const double lower = loss_at(s, place, down, restore.value);
    // Parameters that decay are seen times a factor, and the gradient is that of what is seen.
    const double step = (double{up} - double{down}) * s.decay_factor;
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

  /// Whoever may end the check sees the parameter as it was.
  struct Unchanged : Watch {
    Unchanged(Storage& storage, size_t number, real old) : s(storage), place(number), value(old) {}
    void look() override {
      if (!before()) return;
      const real moved = std::exchange(s.numbers[place], value);
      s.changed();
      before()->look();
      s.numbers[place] = moved;
      s.changed();
    }
    Storage& s;
    size_t place;
    real value;
  };

  double loss_at(Storage& s, size_t place, real value, real old) {
    const Unchanged watch(s, place, old);
    s.numbers[place] = value;
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
