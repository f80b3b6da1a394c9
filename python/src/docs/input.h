// Docstrings of inputs and lookups.
#pragma once

namespace dynet::python::docs::input {

constexpr auto scalar = R"(A number as an input of shape (1,); set() changes it.

>>> x = dy.scalarInput(3)
>>> x.dim(), x.value()
(((1,), 1), 3.0))";

constexpr auto zeros = R"(A vector of dim zeros as an input; set() gives it other numbers, which is how
DyNet 2's programs fill it. inputVector takes numbers at once.

>>> x = dy.vecInput(2)
>>> x.set([1, 2]); x.value()
[1.0, 2.0])";

constexpr auto vector = R"(A list or array of numbers as an input, a vector (n,); set() changes it. It has
no gradient of its own unless backward(full=True) asks. ValueError for an empty list.

>>> dy.inputVector([1, 2, 3]).dim()
((3,), 1))";

constexpr auto tensor = R"(An array or nested list as an input: a[i, j] becomes row i, column j. With
batched the last axis is the batch: (2, 3) becomes 3 batch elements (2,). A list of arrays is a batch of
them. The numbers are copied, as 32-bit floats; set() takes new ones, column-major. ValueError for rows of
different lengths or more than 7 axes.

>>> dy.inputTensor([[1, 2, 3], [4, 5, 6]]).dim()
((2, 3), 1)
>>> dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True).dim()
((2,), 3))";

constexpr auto sparse = R"(An input of the given shape that is defval (0) but for the numbers in values,
whose places idxs gives: one list of indices for each axis, as NumPy's nonzero. With batched the last axis
is the batch. ValueError for another number of lists, IndexError for a place that is not there.

>>> print(dy.sparse_inputTensor([[0, 1], [1, 0]], [5, 6], (2, 2)).npvalue())
[[0. 5.]
 [6. 0.]])";

constexpr auto one_hot = R"(A vector (d,) of zeros with a 1 at the index idx, or a mini-batch of them for a
list of indices. IndexError for an index that is not below d. Where it would be multiplied with a matrix, a
lookup or select_cols is faster.

>>> dy.one_hot(3, 1).value(), dy.one_hot(3, [0, 2]).dim()
([0.0, 1.0, 0.0], ((3,), 2)))";

constexpr auto lookup = R"(A row of a lookup table as an expression; table[index] is the same. With
update=False it gets no gradient. set() chooses another row, in the same graph. IndexError if there is no
such row.

>>> table = dy.ParameterCollection().add_lookup_parameters((5, 3))
>>> dy.lookup(table, 2).dim()
((3,), 1))";

constexpr auto lookup_batch = R"(Rows of a lookup table as a mini-batch: the shape of a row, with
len(indices) batch elements. A row may come more than once; its gradients are then summed. With update=False
they get none. IndexError for a row that is not there, ValueError for an empty list.

>>> table = dy.ParameterCollection().add_lookup_parameters((5, 3))
>>> dy.lookup_batch(table, [4, 0, 4]).dim()
((3,), 3))";

constexpr auto transposed = R"(An input made of a flat list of numbers, column-major, of shape dim, with
batch_size batch elements one after another; without dim a vector. ValueError for another count of numbers.
inputTensor takes arrays as they are written.

>>> x = dy.inputTensorTranspose([1, 2, 3, 4], (2, 2))
>>> print(x.npvalue())
[[1. 3.]
 [2. 4.]])";

}  // namespace dynet::python::docs::input
