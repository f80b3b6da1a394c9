// How parameters get their first values, as Python classes and as what add_parameters accepts.
#include "python/src/initializers.h"

#include "python/src/casters.h"
#include "python/src/numbers.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

using Owned = std::unique_ptr<ParameterInit>;

/// An initialiser's name; null if it is unknown.
Owned by_name(std::string_view name, const Dim& dim, const InitArguments& a) {
  if (name == "identity") return std::make_unique<ParameterInitIdentity>();
  if (name == "glorot") return std::make_unique<ParameterInitGlorot>();
  if (name == "uniform") return std::make_unique<ParameterInitUniform>(a.scale);
  if (name == "normal") return std::make_unique<ParameterInitNormal>(a.mean, a.std * a.std);
  if (name == "he")
    return std::make_unique<ParameterInitNormal>(0, 1 / (2 * static_cast<real>(dim[dim.nd - 1])));
  return nullptr;
}

}  // namespace

InitChoice::InitChoice(nb::handle init, const Dim& dim, const InitArguments& arguments) {
  real number;
  if (init.is_none()) {
    own_ = std::make_unique<ParameterInitGlorot>();
  } else if (nb::isinstance<ParameterInit>(init)) {
    shared_ = &nb::cast<const ParameterInit&>(init);
  } else if (nb::isinstance<nb::str>(init)) {
    own_ = by_name(nb::cast<std::string_view>(init), dim, arguments);
  } else if (!is_array(init.ptr()) && read_real(init.ptr(), number)) {
    own_ = std::make_unique<ParameterInitConst>(number);
  }
  if (!own_ && !shared_)
    invalid("Didn't recognize initializer ", nb::repr(init).c_str(),
            "; a number, an array, an initializer or one of 'glorot', 'he', 'uniform', 'normal', 'identity' "
            "is needed");
}

void bind_initializers(nb::module_& m) {
  nb::class_<ParameterInit>(m, "PyInitializer", "What initializers have in common.");
  nb::class_<ParameterInitNormal, ParameterInit>(m, "NormalInitializer", "Normally distributed numbers.")
      .def(
          "__init__",
          [](ParameterInitNormal* self, Number mean, Number var) {
            new (self) ParameterInitNormal(mean, var);
          },
          "mean"_a = 0.0, "var"_a = 1.0);
  nb::class_<ParameterInitUniform, ParameterInit>(m, "UniformInitializer",
                                                  "Numbers between -scale and scale.")
      .def(
          "__init__",
          [](ParameterInitUniform* self, Number scale) { new (self) ParameterInitUniform(scale); },
          "scale"_a);
  nb::class_<ParameterInitConst, ParameterInit>(m, "ConstInitializer", "One number everywhere.")
      .def("__init__", [](ParameterInitConst* self, Number c) { new (self) ParameterInitConst(c); }, "c"_a);
  nb::class_<ParameterInitIdentity, ParameterInit>(m, "IdentityInitializer", "The identity matrix.")
      .def(nb::init<>());
  nb::class_<ParameterInitGlorot, ParameterInit>(m, "GlorotInitializer",
                                                 "Uniform with the variance of Glorot and Bengio (2010).")
      .def(
          "__init__",
          [](ParameterInitGlorot* self, Flag lookup, Number gain) {
            new (self) ParameterInitGlorot(lookup, gain);
          },
          "is_lookup"_a = false, "gain"_a = 1.0);
  nb::class_<ParameterInitSaxe, ParameterInit>(m, "SaxeInitializer",
                                               "A random orthogonal matrix (Saxe et al. 2014).")
      .def(
          "__init__", [](ParameterInitSaxe* self, Number scale) { new (self) ParameterInitSaxe(scale); },
          "scale"_a = 1.0);
  nb::class_<ParameterInitFromFile, ParameterInit>(m, "FromFileInitializer",
                                                   "Numbers of a text file, column-major.")
      .def(nb::init<std::filesystem::path>(), "fname"_a);
  nb::class_<ParameterInitFromVector, ParameterInit>(m, "NumpyInitializer", "The numbers of an array.")
      .def(
          "__init__",
          [](ParameterInitFromVector* self, ArrayLike array) {
            new (self) ParameterInitFromVector(read_values(array.ptr()));
          },
          "array"_a);
}

}  // namespace dynet::python
