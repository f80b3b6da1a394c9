// How parameters get their first values, as Python classes and as what add_parameters accepts.
#include "python/src/initializers.h"

#include <nanobind/stl/string.h>

#include "python/src/casters.h"
#include "python/src/docs/initializer.h"
#include "python/src/docstring.h"
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

std::string_view truth(bool b) { return b ? "True" : "False"; }

/// Those that DyNet 2 did not have.
void bind_later(nb::module_& m) {
  nb::class_<ParameterInitOrthogonal, ParameterInit>(m, "OrthogonalInitializer",
                                                     docstring(ParameterInitOrthogonal::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitOrthogonal* self, Number gain) { new (self) ParameterInitOrthogonal(gain); },
          "gain"_a = 1.0)
      .def("_arguments", [](const ParameterInitOrthogonal& i) { return nb::make_tuple(i.gain); })
      .def("__repr__",
           [](const ParameterInitOrthogonal& i) { return text("OrthogonalInitializer(gain=", i.gain, ')'); });
  nb::class_<ParameterInitTruncatedNormal, ParameterInit>(
      m, "TruncatedNormalInitializer", docstring(ParameterInitTruncatedNormal::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitTruncatedNormal* self, Number mean, Number std, Number bound) {
            new (self) ParameterInitTruncatedNormal(mean, std, bound);
          },
          "mean"_a = 0.0, "std"_a = 1.0, "bound"_a = 2.0)
      .def("_arguments",
           [](const ParameterInitTruncatedNormal& i) { return nb::make_tuple(i.mean, i.std, i.bound); })
      .def("__repr__", [](const ParameterInitTruncatedNormal& i) {
        return text("TruncatedNormalInitializer(mean=", i.mean, ", std=", i.std, ", bound=", i.bound, ')');
      });
  nb::class_<ParameterInitKaiming, ParameterInit>(m, "KaimingInitializer",
                                                  docstring(ParameterInitKaiming::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitKaiming* self, Number gain, Flag uniform, Flag fan_out) {
            new (self) ParameterInitKaiming(gain, uniform, fan_out);
          },
          "gain"_a = 1.4142135623730951, "uniform"_a = false, "fan_out"_a = false)
      .def("_arguments",
           [](const ParameterInitKaiming& i) { return nb::make_tuple(i.gain, i.uniform, i.fan_out); })
      .def("__repr__", [](const ParameterInitKaiming& i) {
        return text("KaimingInitializer(gain=", i.gain, ", uniform=", truth(i.uniform),
                    ", fan_out=", truth(i.fan_out), ')');
      });
}

/// Those that look at the shape, and those that have all numbers.
void bind_shaped(nb::module_& m) {
  nb::class_<ParameterInitGlorot, ParameterInit>(m, "GlorotInitializer",
                                                 docstring(ParameterInitGlorot::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitGlorot* self, Flag lookup, Number gain) {
            new (self) ParameterInitGlorot(lookup, gain);
          },
          "is_lookup"_a = false, "gain"_a = 1.0)
      .def("_arguments", [](const ParameterInitGlorot& i) { return nb::make_tuple(i.is_lookup, i.gain); })
      .def("__repr__", [](const ParameterInitGlorot& i) {
        return text("GlorotInitializer(is_lookup=", truth(i.is_lookup), ", gain=", i.gain, ')');
      });
  nb::class_<ParameterInitSaxe, ParameterInit>(m, "SaxeInitializer",
                                               docstring(ParameterInitSaxe::doc).c_str())
      .def(
          "__init__", [](ParameterInitSaxe* self, Number scale) { new (self) ParameterInitSaxe(scale); },
          "scale"_a = 1.0)
      .def("_arguments", [](const ParameterInitSaxe& i) { return nb::make_tuple(i.gain); })
      .def("__repr__",
           [](const ParameterInitSaxe& i) { return text("SaxeInitializer(scale=", i.gain, ')'); });
  nb::class_<ParameterInitFromFile, ParameterInit>(m, "FromFileInitializer",
                                                   docstring(ParameterInitFromFile::doc).c_str())
      .def(nb::init<std::filesystem::path>(), "fname"_a)
      .def("_arguments", [](const ParameterInitFromFile& i) { return nb::make_tuple(nb::cast(i.file)); })
      .def("__repr__", [](const ParameterInitFromFile& i) {
        return text("FromFileInitializer(fname='", i.file.string(), "')");
      });
  nb::class_<NumpyInit, ParameterInit>(m, "NumpyInitializer", docs::initializer::numpy)
      .def(
          "__init__",
          [](NumpyInit* self, ArrayLike array) { new (self) NumpyInit(read_numbers(array.ptr())); },
          "array"_a)
      .def("_arguments",
           [](const NumpyInit& i) { return nb::make_tuple(array_of(i.array.dim(), i.array.values.data())); })
      .def("__repr__", [](const NumpyInit& i) {
        return text("NumpyInitializer of ", i.array.values.size(), " numbers");
      });
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
  } else if (read_real(init.ptr(), number)) {
    own_ = std::make_unique<ParameterInitConst>(number);
  }
  if (!own_ && !shared_)
    invalid("Didn't recognize initializer ", nb::repr(init).c_str(),
            "; a number, an array, an initializer or one of 'glorot', 'he', 'uniform', 'normal', 'identity' "
            "is needed");
}

void bind_initializers(nb::module_& m) {
  nb::class_<ParameterInit> base(m, "PyInitializer", docs::initializer::type);
  no_constructor(base, "make a NormalInitializer, a GlorotInitializer or another one");
  nb::class_<ParameterInitNormal, ParameterInit>(m, "NormalInitializer",
                                                 docstring(ParameterInitNormal::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitNormal* self, Number mean, Number var) {
            new (self) ParameterInitNormal(mean, var);
          },
          "mean"_a = 0.0, "var"_a = 1.0)
      .def("_arguments", [](const ParameterInitNormal& i) { return nb::make_tuple(i.mean, i.variance); })
      .def("__repr__", [](const ParameterInitNormal& i) {
        return text("NormalInitializer(mean=", i.mean, ", var=", i.variance, ')');
      });
  nb::class_<ParameterInitUniform, ParameterInit>(m, "UniformInitializer",
                                                  docstring(ParameterInitUniform::doc).c_str())
      .def(
          "__init__",
          [](ParameterInitUniform* self, Number scale) { new (self) ParameterInitUniform(scale); }, "scale"_a)
      .def("_arguments", [](const ParameterInitUniform& i) { return nb::make_tuple(i.right); })
      .def("__repr__",
           [](const ParameterInitUniform& i) { return text("UniformInitializer(scale=", i.right, ')'); });
  nb::class_<ParameterInitConst, ParameterInit>(m, "ConstInitializer",
                                                docstring(ParameterInitConst::doc).c_str())
      .def(
          "__init__", [](ParameterInitConst* self, Number c) { new (self) ParameterInitConst(c); }, "c"_a)
      .def("_arguments", [](const ParameterInitConst& i) { return nb::make_tuple(i.number); })
      .def("__repr__",
           [](const ParameterInitConst& i) { return text("ConstInitializer(c=", i.number, ')'); });
  nb::class_<ParameterInitIdentity, ParameterInit>(m, "IdentityInitializer",
                                                   docstring(ParameterInitIdentity::doc).c_str())
      .def(nb::init<>())
      .def("_arguments", [](const ParameterInitIdentity&) { return nb::make_tuple(); })
      .def("__repr__", [](const ParameterInitIdentity&) { return "IdentityInitializer()"; });
  bind_shaped(m);
  bind_later(m);
}

}  // namespace dynet::python
