// Operations whose value and gradient are Python functions, and the check of gradients.
#include <nanobind/stl/string.h>

#include <optional>
#include <sstream>

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"
#include "dynet/ops/row.h"
#include "dynet/program/gradient_check.h"
#include "python/src/casters.h"
#include "python/src/docs/expression.h"
#include "python/src/evaluate.h"
#include "python/src/owned.h"
#include "python/src/print.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// What a function of the program returned, as numbers.
Numbers numbers_of(nb::handle from, auto&& what) {
  try {
    Numbers numbers = run_program([&] { return read_numbers(from.ptr()); });
    static_cast<void>(numbers.dim());  // which may be none of ours
    return numbers;
  } catch (const type_error& e) {
    throw type_error(text(what(), " no array of numbers: ", e.what()));
  } catch (const std::invalid_argument& e) {
    invalid(what(), " no tensor: ", e.what());
  }
}

/// One call of the functions forward and backward for each batch element, so that what a batch holds never
/// changes a result.
struct PythonFunction : OpDefaults {
  static constexpr bool on_host = true;
  struct Attrs {
    PyObject* functions;  // a tuple that the graph keeps, so that no other object has this address
    Dim dim;
    unsigned unused;
    Graph* graph;
  };
  static constexpr uint32_t own_size = sizeof(Graph*);
  static constexpr auto name = "Function", doc = "A function of the program.";
  static Dim shape(const Attrs& a, Dims xs) { return a.dim.with_batch(common_batch(xs)); }
  static size_t workspace_size(const Attrs&, Dims xs) { return place_of(xs, xs.size()); }

  static void forward(const Attrs& a, Engine&, const Call& c) {
    const Caller caller(a);
    for (size_t i = 0; i < c.count; ++i) {
      const nb::object y = call(function(a, 0), arguments(c, i));
      copy(y, a.dim, c.y[i], [] { return std::string("forward returned"); });
    }
  }
  static void prepare_backward(const Attrs& a, Engine&, const Call& c) {
    const Caller caller(a);
    for (size_t i = 0; i < c.count; ++i) {
      nb::list all = arguments(c, i);
      all.append(array_of(c.dim, c.y[i]));
      all.append(array_of(c.dim, c.dy[i]));
      const nb::object gradients = call(function(a, 1), all);
      add_gradients(gradients, c, c.workspace[i]);
    }
  }
  static void backward(const Attrs&, Engine& e, const Call& c, unsigned i) {
    e.move(c.count, run_of(c.x_dims[i].batch_size()), {}, true, c.workspace.part(place_of(c.x_dims, i)),
           c.dx);
  }

 private:
  /// Holds Python's lock; what it calls must leave the graph alone, whoever evaluates that.
  struct Caller {
    explicit Caller(const Attrs& a) {
      if (!a.graph->is_in_use()) use.emplace(*a.graph);
    }
    const Acquired lock;
    std::optional<Graph::BusyGuard> use;
  };
  static nb::object function(const Attrs& a, size_t i) { return nb::handle(a.functions)[i]; }
  static nb::object call(const nb::object& function, const nb::list& arguments) {
    return run_program([&] { return nb::object(function(*arguments)); });
  }
  /// Where the gradient of argument i lies among all of them.
  static size_t place_of(Dims xs, size_t i) {
    size_t place = 0;
    for (size_t k = 0; k < i; ++k) place += xs[k].batch_size();
    return place;
  }
  static nb::list arguments(const Call& c, size_t item) {
    nb::list list;
    for (size_t k = 0; k < c.x.size(); ++k) list.append(array_of(c.x_dims[k].single_batch(), c.x[k][item]));
    return list;
  }
  static void copy(nb::handle from, const Dim& dim, real* to, auto&& what) {
    if (from.is_none()) invalid(what(), " None; an array of shape ", dim.single_batch(), " is needed");
    const Numbers numbers = numbers_of(from, what);
    if (!numbers.dim().same_sizes(dim))
      invalid(what(), " an array of shape ", numbers.dim(), "; ", dim.single_batch(), " is needed");
    std::copy(numbers.values.begin(), numbers.values.end(), to);
  }
  static void add_gradients(const nb::object& gradients, const Call& c, real* to) {
    const size_t count = c.x.size();
    const bool is_list = nb::isinstance<nb::list>(gradients) || nb::isinstance<nb::tuple>(gradients);
    const size_t given = is_list ? nb::len(gradients) : 1;
    if (given != count)
      invalid("backward returned ", given, " gradients; one for each of ", count, " arguments is needed");
    for (size_t k = 0; k < count; ++k) {
      const nb::object gradient = is_list ? nb::object(gradients[k]) : gradients;
      if (gradient.is_none()) continue;
      copy(gradient, c.x_dims[k], to + place_of(c.x_dims, k),
           [&] { return text("backward returned for argument ", k); });
    }
  }
};

/// What make() gives, whose errors begin with the name of the program's class of functions.
template <class F>
auto in_the_name_of(const std::string& name, F&& make) {
  const auto renamed = [&](std::string_view what) {
    const std::string own = text(PythonFunction::name, ": ");
    if (what.starts_with(own)) what.remove_prefix(own.size());
    return text(name, ": ", what);
  };
  try {
    return make();
  } catch (const type_error& e) {
    throw type_error(renamed(e.what()));
  } catch (const std::invalid_argument& e) {
    invalid(renamed(e.what()));
  }
}

Dim dim_from(nb::handle shape) {
  Dim dim;
  if (!read_dim(shape.ptr(), dim))
    throw type_error(text("shape is ", a_kind(shape.ptr()), "; a whole number or a list of them is needed"));
  return check_sizes(dim);
}

/// The functions are a tuple whose first items are forward, backward and the object that has them.
Expression call_function(const nb::tuple& functions, Expressions xs, nb::handle shape) {
  return in_the_name_of(type_name(nb::object(functions[2]).ptr()), [&] {
    const Dim dim = dim_from(shape);
    Graph& graph = graph_of(xs);
    graph.keep(share(functions));
    return apply<PythonFunction>(xs, {functions.ptr(), dim, 0, &graph});
  });
}

/// The shape of what forward of such a class returned when it was tried.
Dim returned_shape(const std::string& name, nb::handle y) {
  return in_the_name_of(name, [&] {
    const auto what = [] { return std::string("forward returned"); };
    if (y.is_none()) invalid(what(), " None; an array is needed");
    return numbers_of(y, what).dim();
  });
}

bool check(ParameterCollection& model, const Expression& expr, SignedWhole verbosity) {
  check_not_recording();
  const Expression loss = node_of(expr);
  (*loss.pg).evaluator->check_asked();
  std::ostringstream out;
  const bool good = [&] {
    const Changing changing;
    return compute(
        *loss.pg, [&] { return check_grad(model, loss, verbosity, out); },
        [](bool result) { return result; });
  }();
  print("stderr", out.str());
  return good;
}

}  // namespace

void bind_function(nb::module_& m) {
  m.def("_call_function", call_function, "functions"_a, "xs"_a, "dim"_a.none(),
        "A node whose value and gradients are what two functions return.");
  m.def("_shape_of", returned_shape, "name"_a, "y"_a.none(), "The shape of what forward returned.");
  m.def("check_grad", check, "model"_a, "expr"_a, "verbosity"_a = 1, docs::expression::check_grad);
}

}  // namespace dynet::python
