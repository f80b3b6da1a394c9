// Docstrings of tensors.
#pragma once

namespace dynet::python::docs::tensor {

constexpr auto type = R"(A copy of the value of an expression, apart from its graph, as tensor_value() gives
it. np.asarray takes it.

>>> t = dy.inputVector([1, 5, 2]).tensor_value()
>>> print(np.asarray(t), t.argmax().as_numpy())
[1. 5. 2.] [1])";

constexpr auto as_numpy = R"(The numbers as a new NumPy array, with a last axis for the batch if it is
larger than 1; places, as argmax gives them, are integers.

>>> print(dy.inputTensor([[1, 2], [3, 4]]).tensor_value().as_numpy())
[[1. 2.]
 [3. 4.]])";

constexpr auto argmax = R"(The places of the num (1) largest numbers along axis dim (0), largest first, as a
Tensor of integers: along that axis its size is num. ValueError for an axis that is not there, or more
numbers than it has.

>>> t = dy.inputVector([1, 5, 2]).tensor_value()
>>> print(t.argmax().as_numpy(), t.argmax(num=2).as_numpy())
[1] [1 2])";

constexpr auto categorical_sample_log_prob = R"(Places along axis dim (0), drawn without replacement, num
(1) of them, with the exponentials of the numbers as probabilities: of log_softmax, a sample of the classes.
A Tensor of integers, drawn anew with each call, by Gumbel noise. ValueError as in argmax.

>>> t = dy.log_softmax(dy.inputVector([1, 5, 2])).tensor_value()
>>> bool(t.categorical_sample_log_prob().as_numpy() in (0, 1, 2))
True)";

constexpr auto topk = R"(The num (1) largest numbers along axis dim (0), largest first, and their places:
two Tensors, whose size is num along that axis. NaN counts as largest. ValueError for an axis that is not
there, or more numbers than it has.

>>> numbers, places = dy.inputVector([1, 5, 2]).tensor_value().topk(num=2)
>>> print(numbers.as_numpy(), places.as_numpy())
[5. 2.] [1 2])";

}  // namespace dynet::python::docs::tensor
