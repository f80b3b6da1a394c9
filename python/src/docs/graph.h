// Docstrings of graphs and of the current graph.
#pragma once

namespace dynet::python::docs::graph {

constexpr auto type = R"(A graph. Inside `with dy.ComputationGraph():` it is the current one, to which
inputs and parameters go; several may be alive at once, and each thread has its own. Programs that use one
graph after another need only renew_cg().

>>> with dy.ComputationGraph() as g:
...     x = dy.scalarInput(3)
...     print(len(g), dy.square(x).value())
1 9.0)";

constexpr auto renew = R"(Starts this graph anew; expressions made before are stale. immediate_compute,
check_validity and autobatching are as in renew_cg(). Returns the graph.

>>> g = dy.ComputationGraph()
>>> g.renew() is not None, len(g)
(True, 0))";

constexpr auto version = R"(The number of the graph; each renewal, of this graph or another one, has a
larger number.

>>> g = dy.ComputationGraph()
>>> before = g.version(); _ = g.renew(); g.version() > before
True)";

constexpr auto step_count = R"(How many calls of kernels the graph has run so far: nodes that ran together
count once, so that it tells how well nodes were merged.

>>> xs = [dy.tanh(dy.scalarInput(i)) for i in range(10)]
>>> before = dy.cg().step_count(); dy.forward(xs); dy.cg().step_count() - before
1)";

constexpr auto checkpoint = R"(Remembers what the graph holds, for revert(); checkpoints may be nested.

>>> g = dy.cg()
>>> x = dy.scalarInput(1); g.checkpoint()
>>> y = dy.tanh(x); g.revert(); len(g)
1)";

constexpr auto revert = R"(Removes what was added after the last checkpoint, which is then gone too.
Expressions that were removed are stale. RuntimeError if there is no checkpoint.

>>> g = dy.cg()
>>> g.checkpoint(); x = dy.scalarInput(1); g.revert(); len(g)
0)";

constexpr auto forward = R"(Evaluates the node at the place index of the graph from scratch, with all that
it depends on. Expressions have value(), which needs no place; this is for programs of DyNet 2.)";

constexpr auto inc_forward = R"(Evaluates what the node at the place index needs and is not known yet.
Expressions have forward(), which needs no place.)";

constexpr auto forward_scalar = R"(The number that the node at the place index is, as a float, evaluated
from scratch. Expressions have scalar_value(recalculate=True).)";

constexpr auto inc_forward_scalar = R"(The number that the node at the place index is, as a float, evaluated
as far as it is not known. Expressions have scalar_value().)";

constexpr auto forward_vec = R"(The numbers of the node at the place index, as a flat list, column-major,
evaluated from scratch. Expressions have vec_value(recalculate=True).)";

constexpr auto inc_forward_vec = R"(The numbers of the node at the place index, as a flat list,
column-major, evaluated as far as they are not known. Expressions have vec_value().)";

constexpr auto backward = R"(Adds the gradients of the node at the place index, one number, to the
parameters, as backward() of an expression; full is as there.)";

constexpr auto input_matrix = R"(A list of numbers, column-major, as an input of shape d, in this graph,
with batch_size batch elements one after another. ValueError for another count of numbers. inputTensor takes
arrays.

>>> print(dy.cg().inputMatrixLiteral([1, 2, 3, 4], (2, 2)).npvalue())
[[1. 3.]
 [2. 4.]])";

constexpr auto input_sparse = R"(An input of shape dim, with batch_size batch elements, that is defval (0)
but for the numbers v at the places idxs: one number for each, column-major, batch elements one after
another. ValueError for different lengths, IndexError for a place that is not there.

>>> print(dy.cg().inputSparseTensor([1, 2], [5, 6], (2, 2)).npvalue())
[[0. 6.]
 [5. 0.]])";

constexpr auto print_graphviz = R"(Prints this graph in Graphviz's language to stderr, one node for each
operation: `dot -Tsvg` draws it.)";

constexpr auto dump = R"(Evaluates every node and writes values and gradients to a file, or to stdout where
the name is empty. nan_check_only writes valid or invalid instead of the numbers, show_values and
show_gradients (True) leave either out. show_plan: also which nodes ran together, and how each gradient came
about.

>>> x = dy.scalarInput(3)
>>> dy.cg().dump("graph.txt")
>>> with open("graph.txt") as file: print(file.readline().strip())
Node 0: v0 = input({1}), shape {1})";

constexpr auto dump_current = R"(Evaluates every node of the current graph and writes values and gradients
to a file, or to stdout where the name is empty: for finding where a NaN began. nan_check_only writes valid
or invalid instead of the numbers, show_values and show_gradients (True) leave either out. show_plan: also
which nodes ran together, and how each gradient came about.

>>> y = dy.log(dy.scalarInput(-1))
>>> dy.dump_cg("graph.txt", nan_check_only=True)
>>> with open("graph.txt") as file: print("invalid" in file.read())
True)";

constexpr auto print_current = R"(Prints the current graph in Graphviz's language to stderr, one node for
each operation; print_graphviz() has more to choose and prints to stdout.)";

constexpr auto renew_cg = R"(Starts the current graph anew, once for each example or mini-batch; expressions
made before are stale. immediate_compute evaluates each expression as it is made, so that an error points at
its line; with it, check_validity raises RuntimeError, with the node and its operation, where a value is NaN
or infinite, or where backward() makes such a gradient, which no parameter then gets. autobatching chooses
for this graph whether nodes are merged; None leaves what the process chose. Returns the graph.

>>> g = dy.renew_cg()
>>> x = dy.scalarInput(1); len(g)
1)";

constexpr auto cg = R"(The current graph, to which inputs and parameters go: that of the innermost `with
dy.ComputationGraph():`, else that of the thread.

>>> x = dy.scalarInput(1)
>>> len(dy.cg()), dy.cg().version() == dy.cg_version()
(1, True))";

constexpr auto cg_version = R"(The number of the current graph; each renewal has a larger one, and 0 says
that nothing was made in it yet.

>>> _ = dy.renew_cg(); before = dy.cg_version()
>>> _ = dy.renew_cg(); dy.cg_version() > before
True)";

constexpr auto cg_checkpoint = R"(Remembers what the current graph holds, for cg_revert(); checkpoints may
be nested. A search tries a way on from here, and goes back.

>>> x = dy.scalarInput(1); dy.cg_checkpoint()
>>> y = dy.tanh(x); dy.cg_revert(); len(dy.cg())
1)";

constexpr auto cg_revert = R"(Removes what was added to the current graph after the last checkpoint, which
is then gone too. What was removed is stale. RuntimeError if there is no checkpoint.

>>> x = dy.scalarInput(1); dy.cg_checkpoint()
>>> y = dy.tanh(x); dy.cg_revert(); x.value()
1.0)";

constexpr auto evaluate = R"(Evaluates all expressions of a list at once, by one schedule: what they have in
common runs once, what is alike runs together. Faster than asking for one value after another. recalculate
evaluates the whole graph anew.

>>> xs = [dy.tanh(dy.scalarInput(i)) for i in range(3)]
>>> dy.forward(xs))";

constexpr auto values = R"(The value() of each expression of a list, evaluated at once by one schedule: a
float, a list, or an array for each. recalculate evaluates the whole graph anew.

>>> x, y = dy.scalarInput(1), dy.inputVector([2, 3])
>>> dy.values([x, y])
[1.0, [2.0, 3.0]])";

constexpr auto npvalues = R"(The npvalue() of each expression of a list, evaluated at once by one schedule.
recalculate evaluates the whole graph anew.

>>> x, y = dy.scalarInput(1), dy.inputVector([2, 3])
>>> print(*dy.npvalues([x, y]))
[1.] [2. 3.])";

constexpr auto to_dot = R"(The graph in Graphviz's language, as the program wrote it: each node with its
operation, shape and what it was told, parameters and rows by name. Write it to a file for `dot -Tsvg`, or
give it to graphviz.Source.

>>> y = dy.tanh(dy.scalarInput(1))
>>> dy.cg().to_dot().split()[0]
'digraph')";

constexpr auto nodes = R"(All nodes, in the order in which they were made, as a list of GraphNode: each
comes after its arguments.

>>> y = dy.tanh(dy.scalarInput(1))
>>> [node.operation for node in dy.cg().nodes()]
['input', 'tanh'])";

}  // namespace dynet::python::docs::graph
