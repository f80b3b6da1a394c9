// The `init` argument of add_parameters: a number, a name, an initialiser or nothing.
#pragma once

#include <memory>

#include "dynet/params/init.h"
#include "python/src/object.h"

namespace dynet::python {

/// What names of initialisers take.
struct InitArguments {
  real scale, mean, std;
};

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
