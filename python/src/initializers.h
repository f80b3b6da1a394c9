// The `init` argument of add_parameters: a number, a name, an initialiser or nothing.
#pragma once

#include <memory>

#include "dynet/params/init.h"
#include "python/src/numbers.h"

namespace dynet::python {

/// The numbers of an array, which belong into its shape, or of a list.
struct NumpyInit : ParameterInit {
  explicit NumpyInit(Numbers&& given) : array(std::move(given)) {}
  void initialize_params(Tensor& values) const override {
    ParameterInitFromVector(Numbers(array).of(values.d, "NumpyInitializer")).initialize_params(values);
  }
  Numbers array;
};

struct InitType {};
using InitArgument = nb::typed<nb::handle, InitType>;

/// What names of initialisers take.
struct InitArguments {
  real scale, mean, std;
};

/// Whether an argument is the numbers themselves.
inline bool is_numbers(nb::handle init) {
  return is_array_with_axes(init.ptr()) || PyList_Check(init.ptr()) || PyTuple_Check(init.ptr());
}

/// The initialiser that an argument means; std::invalid_argument if it means none.
class InitChoice {
 public:
  InitChoice(nb::handle init, const Dim& dim, const InitArguments& arguments);
  const ParameterInit& operator*() const { return own_ ? *own_ : *shared_; }

 private:
  std::unique_ptr<ParameterInit> own_;
  const ParameterInit* shared_ = nullptr;  // of a Python object that outlives the call
};

}  // namespace dynet::python

template <>
struct nanobind::detail::type_caster<dynet::python::InitType> {
  static constexpr auto Name = const_name("float | str | PyInitializer | numpy.typing.ArrayLike | None");
};
