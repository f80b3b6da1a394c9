// Docstrings of expressions.
#pragma once

namespace dynet::python::docs::expression {

constexpr auto type = R"(A node of a graph: what an operation computes from its arguments. Making one checks
shapes and computes nothing; value() and backward() run the graph, in batches of what can run together. +,
-, * (matrix product, or with a number), /, ** and indices work on it. It belongs to its graph: after
renew_cg it is stale, and RuntimeError says so.

>>> x = dy.inputVector([1, 2])
>>> y = 2 * x + 1
>>> y.dim(), y.value()
(((2,), 1), [3.0, 5.0]))";

constexpr auto dim = R"(The shape: the sizes of one batch element, and the batch size. Known before anything
is computed.

>>> dy.zeros((2, 3), batch_size=4).dim()
((2, 3), 4))";

constexpr auto shape = R"(The sizes of one batch element, as a tuple; dim() has the batch size too. (shape()
of a parameter is a method, as in DyNet 2.)

>>> dy.zeros((2, 3), batch_size=4).shape
(2, 3))";

constexpr auto value = R"(The value, evaluated if it is not known yet: a float for one number, a list of
floats for a vector, else an array as npvalue() gives it. recalculate evaluates the whole graph anew, after
set() of an input.

>>> dy.inputVector([1, 2]).value(), dy.scalarInput(3).value()
([1.0, 2.0], 3.0))";

constexpr auto npvalue = R"(The value as a new NumPy array of shape dim()[0], with a last axis for the batch
if that is larger than 1; with batched for a batch of 1 too. Rows and columns are where they are in the
formula: y[i, j] is row i, column j. recalculate evaluates the whole graph anew.

>>> x = dy.inputTensor([[1, 2], [3, 4]])
>>> x.npvalue()[1, 0].item(), dy.zeros(3, batch_size=2).npvalue().shape
(3.0, (3, 2)))";

constexpr auto vec_value = R"(The value as a flat list of floats, column-major: the first column first,
batch elements one after another. recalculate evaluates the whole graph anew.

>>> dy.inputTensor([[1, 2], [3, 4]]).vec_value()
[1.0, 3.0, 2.0, 4.0])";

constexpr auto scalar_value = R"(The value of a single number as a float. RuntimeError if the expression is
more than one. recalculate evaluates the whole graph anew.

>>> dy.sum_elems(dy.inputVector([1, 2])).scalar_value()
3.0)";

constexpr auto forward = R"(Evaluates the expression, and what it depends on, without copying the value;
recalculate evaluates the whole graph anew. value() and backward() do it by themselves.

>>> y = dy.tanh(dy.inputVector([1, 2]))
>>> y.forward())";

constexpr auto backward = R"(Adds the gradients of this number to every parameter it depends on; the graph
is evaluated first if need be. ValueError unless it is one number, of shape (1,) and batch size 1: make one
by sum_elems and sum_batches. full computes the gradients of all nodes, not only of those that lead to
parameters, for gradient().

>>> w = dy.ParameterCollection().add_parameters(2, init=[1, 2])
>>> dy.squared_norm(w).backward(); print(w.grad_as_array())
[2. 4.])";

constexpr auto gradient = R"(The gradient with respect to this expression, as an array of its shape, after
backward() from a later one; with backward(full=True) of inputs too. RuntimeError before any.

>>> x = dy.inputVector([1, 2])
>>> dy.squared_norm(x).backward(full=True); print(x.gradient())
[2. 4.])";

constexpr auto set = R"(Gives an input its numbers anew (column-major), or a lookup or a pick its index, so
that a graph is built once and used for many examples; ask then for value(recalculate=True). ValueError for
another count of numbers, and for results of other operations.

>>> x = dy.scalarInput(1)
>>> y = 10 * x; x.set(2); y.value(recalculate=True)
20.0)";

constexpr auto set_index = R"(Gives a lookup or a pick its index anew, as set does, under its name for them;
ask then for value(recalculate=True).

>>> x = dy.pick(dy.inputVector([10, 20]), 0)
>>> x.set_index(1); x.value(recalculate=True)
20.0)";

constexpr auto tensor_value = R"(The value as a Tensor: a copy that tells its largest numbers and samples
from them, without a graph.

>>> dy.inputVector([1, 5, 2]).tensor_value().argmax().as_numpy()
array([1]))";

constexpr auto check_grad = R"(Whether the gradients of a number with respect to all parameters, and to
those rows of lookup tables that it uses, are its central differences, up to 1 % and what rounding explains,
over longer ways where large values cancel. The expression is evaluated again for each of their numbers, so
it must not be random. Afterwards all gradients are zero. Prints to stderr what is wrong, or with
verbosity=2 every comparison, or with 0 nothing.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(3, init=0.5)
>>> dy.check_grad(m, dy.squared_norm(dy.tanh(w)), verbosity=0)
True)";

constexpr auto to_dot = R"(The expression and all it depends on in Graphviz's language, as to_dot() of a
graph; the rest of the graph is left out.

>>> y = dy.tanh(dy.scalarInput(1))
>>> y.to_dot().split()[0]
'digraph')";

}  // namespace dynet::python::docs::expression
