// Docstrings of what lookup tables have besides.
#pragma once

namespace dynet::python::docs::lookup {

constexpr auto as_array = R"(The whole table as a new NumPy array, its rows first: (rows, …), unlike the
expression, whose last axis they are.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 3), init=1)
>>> print(table.as_array())
[[1. 1. 1.]
 [1. 1. 1.]])";

constexpr auto grad_as_array = R"(The gradient of the table as a new NumPy array, its rows first: (rows, …).
Rows that no backward pass reached since the last update() are zero.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 1), init=1)
>>> dy.square(table[1]).backward(); print(table.grad_as_array())
[[0.]
 [2.]])";

constexpr auto row_as_array = R"(One row as a new NumPy array. IndexError if there is no such row; negative
numbers are a ValueError here.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 2), init=np.array([[1, 2], [3, 4]]))
>>> print(table.row_as_array(1))
[3. 4.])";

constexpr auto row_grad_as_array = R"(The gradient of one row as a new NumPy array, zeros if no backward
pass reached it since the last update(). IndexError if there is no such row.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 1), init=1)
>>> dy.square(table[1]).backward(); print(table.row_grad_as_array(1))
[2.])";

constexpr auto rows_as_array = R"(Some rows, in the order of the list, as one new NumPy array (len(rows),
…). IndexError for a row that is not there.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 2), init=np.array([[1, 2], [3, 4]]))
>>> print(table.rows_as_array([1, 0]))
[[3. 4.]
 [1. 2.]])";

constexpr auto rows_grad_as_array = R"(The gradients of some rows, in the order of the list, as one new
NumPy array (len(rows), …). IndexError for a row that is not there.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 1), init=1)
>>> dy.square(table[1]).backward(); print(table.rows_grad_as_array([1, 0]))
[[2.]
 [0.]])";

constexpr auto touched_rows = R"(The rows that have a gradient since the last update, as a sorted list; all of
them where the table was used as a matrix. rows_grad_as_array gives what to send of them.

>>> table = dy.ParameterCollection().add_lookup_parameters((9, 1), init=1)
>>> (table[4] + table[2]).backward(); table.touched_rows()
[2, 4])";

constexpr auto add_rows_gradient =
    R"(Adds an array (len(rows), …) to the gradients of some rows, as those that
other processes have used; a row may be there several times, g[rows[i]] += gradients[i]. The next update()
applies the sum. IndexError for a row that is not there, ValueError for another shape.

>>> table = dy.ParameterCollection().add_lookup_parameters((9, 1), init=1)
>>> table[2].backward(); table.add_rows_gradient([2, 7], [[1], [3]])
>>> print(table.touched_rows(), table.rows_grad_as_array([2, 7]).ravel())
[2, 7] [2. 3.])";

constexpr auto shape = R"(The number of rows, then the sizes of a row, as add_lookup_parameters takes them:
(rows, …).

>>> dy.ParameterCollection().add_lookup_parameters((1000, 50)).shape()
(1000, 50))";

constexpr auto init_from_array = R"(Fills the first rows with those of an array (n, …), as pretrained word
vectors; the others stay. ValueError for more rows than there are, or rows of another shape.

>>> table = dy.ParameterCollection().add_lookup_parameters((3, 2), init=0)
>>> table.init_from_array([[1, 2], [3, 4]]); print(table.as_array())
[[1. 2.]
 [3. 4.]
 [0. 0.]])";

constexpr auto init_row = R"(Replaces row i by an array of its shape, or by a list of as many numbers,
column-major; table[i] = row does the same. IndexError if there is no such row, ValueError for another count
of numbers.

>>> table = dy.ParameterCollection().add_lookup_parameters((3, 2), init=0)
>>> table.init_row(1, [5, 6]); print(table.as_array())
[[0. 0.]
 [5. 6.]
 [0. 0.]])";

constexpr auto set_row_gradient = R"(Replaces the gradient of row i by an array of its shape, or by a list
of as many numbers; the row then counts as used, so that the next update() changes it. IndexError if there
is no such row, ValueError for another count of numbers.

>>> m = dy.ParameterCollection()
>>> table, trainer = m.add_lookup_parameters((2, 1), init=0), dy.SimpleSGDTrainer(m, learning_rate=1)
>>> table.set_row_gradient(1, [2]); trainer.update(); print(table.as_array())
[[ 0.]
 [-2.]])";

constexpr auto add_rows = R"(Adds n rows behind the others, which keep values, gradients and the trainers'
state: a vocabulary may grow while it learns. init is an array of their shape (n, …), or as in
add_lookup_parameters. A graph that has used the whole table does not see them.

>>> table = dy.ParameterCollection().add_lookup_parameters((2, 3))
>>> table.add_rows(5, init=0); table.shape()
(7, 3))";

constexpr auto batch = R"(A mini-batch of rows as an expression, as lookup_batch(table, i): the shape of a
row, with as many batch elements as i has numbers. IndexError for a row that is not there, ValueError for an
empty list.

>>> table = dy.ParameterCollection().add_lookup_parameters((5, 3))
>>> table.batch([4, 0]).dim()
((3,), 2))";

constexpr auto expr = R"(The table itself, which is an expression already: of all of it, with the rows along
the last axis.

>>> table = dy.ParameterCollection().add_lookup_parameters((5, 3))
>>> table.expr().dim()
((3, 5), 1))";

constexpr auto scalar_value = R"(Not applicable: a table is more than a number, so this raises RuntimeError.
as_array() gives all of it.)";

constexpr auto type = R"(A table of learned rows, such as word vectors: table[i] is row i as an expression,
lookup and lookup_batch give rows too. Only rows that were used get a gradient. As an expression it is the
whole table, whose last axis are the rows. Handles of the same one are equal.
ParameterCollection.add_lookup_parameters makes one.

>>> table = dy.ParameterCollection().add_lookup_parameters((1000, 50))
>>> table[7].dim(), table[-1].dim(), len(table)
(((50,), 1), ((50,), 1), 1000))";

}  // namespace dynet::python::docs::lookup
