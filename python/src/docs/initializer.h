// Docstrings of what initializers have in common.
#pragma once

namespace dynet::python::docs::initializer {

constexpr auto type = R"(What initializers have in common: add_parameters and add_lookup_parameters take one
as init, and it fills the new parameter with numbers. One initializer may fill any number of parameters.

>>> m = dy.ParameterCollection()
>>> print(m.add_parameters(2, init=dy.ConstInitializer(0.5)).as_array())
[0.5 0.5])";

constexpr auto numpy = R"(The numbers of an array of the parameter's shape, or of a nested list. init= takes
the array itself too, and for a list of row vectors lookup_parameters_from_numpy. RuntimeError where it has
another count of numbers.

>>> m = dy.ParameterCollection()
>>> array = np.array([[1, 2], [3, 4]])
>>> print(m.add_parameters((2, 2), init=dy.NumpyInitializer(array)).as_array())
[[1. 2.]
 [3. 4.]])";

}  // namespace dynet::python::docs::initializer
