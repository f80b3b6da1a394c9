// The Tensor of tensor_value(): a copy of a value, and the indices of its largest or of sampled elements.
#include "python/src/docs/tensor.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <numeric>

#include "dynet/ops/check.h"
#include "dynet/params/init.h"
#include "python/src/casters.h"
#include "python/src/docs/expression.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

struct PythonTensor {
  Dim dim;
  std::vector<real> values;
  bool integer = false;  // its numbers are indices
};

/// The places of the `num` largest scores along an axis, largest first, and what lies there.
struct Best {
  PythonTensor values, places;

  Best(const PythonTensor& from, const std::vector<real>& scores, unsigned axis, unsigned num) {
    const Dim& x = from.dim;
    engine::check_axis(axis, x);
    if (num == 0 || num > x[axis])
      invalid(num, " elements of axis ", axis, " of ", x, "; 1 to ", x[axis], " would do");
    const Dim dim = x.with(axis, num);
    values = {dim, std::vector<real>(dim.size())};
    places = {dim, std::vector<real>(dim.size()), true};
    const Axis all = Axis::of(x, axis), chosen = Axis::of(dim, axis);
    std::vector<unsigned> order(x[axis]);
    for (size_t line = 0; line < all.lines(); ++line) {
      const size_t first = all.start(line);
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
        return engine::ranks_above(scores[first + a * all.inner], scores[first + b * all.inner]);
      });
      for (unsigned k = 0; k < num; ++k) {
        const size_t to = chosen.start(line) + k * all.inner;
        places.values[to] = static_cast<real>(order[k]);
        values.values[to] = from.values[first + order[k] * all.inner];
      }
    }
  }
};

Array as_numpy(const PythonTensor& t) {
  Array array = array_of(t.dim, t.values.data());
  if (t.integer) array = nb::object(array.attr("astype")("i8"));
  return array;
}

PythonTensor argmax(const PythonTensor& t, Whole dim, Whole num) {
  return Best(t, t.values, dim, num).places;
}

/// The largest of the log-probabilities plus Gumbel noise is a sample.
PythonTensor sample(const PythonTensor& t, Whole dim, Whole num) {
  RandomStream random = next_random();
  std::vector<real> scores = t.values;
  for (real& score : scores) score -= std::log(-std::log(random.uniform()));
  return Best(t, scores, dim, num).places;
}

}  // namespace

void bind_tensor(nb::module_& m) {
  const auto dim = "dim"_a = 0, num = "num"_a = 1;
  nb::class_<PythonTensor> type(m, "Tensor", docs::tensor::type);
  no_constructor(type, "an expression's tensor_value() gives one");
  type.def("as_numpy", as_numpy, docs::tensor::as_numpy)
      .def(
          "__array__",
          [](const PythonTensor& t, nb::handle dtype, nb::handle) {
            Array array = as_numpy(t);
            return dtype.is_none() ? array : Array(nb::object(array.attr("astype")(dtype)));
          },
          "dtype"_a = nb::none(), "copy"_a = nb::none(), "The numbers for NumPy; always a copy.")
      .def("argmax", argmax, dim, num, docs::tensor::argmax)
      .def("categorical_sample_log_prob", sample, dim, num, docs::tensor::categorical_sample_log_prob)
      .def(
          "topk",
          [](const PythonTensor& t, Whole dim,
             Whole num) -> nb::typed<nb::tuple, PythonTensor, PythonTensor> {
            Best best(t, t.values, dim, num);
            return nb::make_tuple(std::move(best.values), std::move(best.places));
          },
          dim, num, docs::tensor::topk)
      .def("__str__",
           [](const PythonTensor& t) { return t.integer ? "<Dynet Tensor:int>" : "<Dynet Tensor:float>"; })
      .def("__repr__", [](const PythonTensor& t) {
        const char* kind = t.integer ? "whole numbers" : "floats";
        return text("Tensor of ", kind, " of shape ", sizes_text(t.dim),
                    t.dim.bd > 1 ? text(", a batch of ", t.dim.bd) : "", ": ", nb::str(as_numpy(t)).c_str());
      });
  def(
      types.expression, "tensor_value",
      [](const Expression& e, Flag again) {
        return with_value(e, again, [](const Tensor& t) { return PythonTensor{t.d, as_vector(t)}; });
      },
      "recalculate"_a = false, docs::expression::tensor_value);
}

}  // namespace dynet::python
