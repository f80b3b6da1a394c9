// Docstrings of nodes of a graph.
#pragma once

namespace dynet::python::docs::node {

constexpr auto type = R"(A node of a graph as the program wrote it; nodes() of a graph lists them. It
refuses to tell anything once the graph was renewed.

>>> x = dy.inputVector([1, 2])
>>> y = dy.tanh(x)
>>> [(node.operation, node.shape, node.arguments) for node in dy.cg().nodes()]
[('input', (2,), ()), ('tanh', (2,), (0,))])";

constexpr auto index = R"(Its place in the graph: nodes() lists it there, and `arguments` of others name it
so.

>>> x = dy.tanh(dy.scalarInput(1))
>>> [node.index for node in dy.cg().nodes()]
[0, 1])";

constexpr auto operation = R"(The name of what it computes: "tanh", "matmul", "parameter", "lookup", …; for
a function that is made of several operations there is a node for each.

>>> x = dy.tanh(dy.scalarInput(1))
>>> [node.operation for node in dy.cg().nodes()]
['input', 'tanh'])";

constexpr auto shape = R"(The sizes of one batch element, as a tuple: (r, c) for a matrix, (n,) for a
vector.

>>> x = dy.zeros((2, 3), batch_size=4)
>>> dy.cg().nodes()[0].shape
(2, 3))";

constexpr auto batch_size = R"(How many batch elements it has; 1 for what is no mini-batch.

>>> x = dy.zeros((2, 3), batch_size=4)
>>> dy.cg().nodes()[0].batch_size
4)";

constexpr auto arguments = R"(The places of its arguments in the graph, as a tuple, in the order in which
the operation takes them; empty for inputs and parameters.

>>> x, y = dy.scalarInput(1), dy.scalarInput(2)
>>> z = x - y; dy.cg().nodes()[2].arguments
(0, 1))";

constexpr auto parameter = R"(The parameter or table that it stands for, or whose rows it is; None for every
other node.

>>> w = dy.ParameterCollection().add_parameters(2, init=1, name="w")
>>> y = dy.tanh(w); dy.cg().nodes()[0].parameter.name()
'/w')";

constexpr auto indices = R"(The rows of a lookup, or the places of a pick, as a tuple; one after another for
each batch element. Empty for other operations.

>>> table = dy.ParameterCollection().add_lookup_parameters((5, 2))
>>> x = dy.lookup_batch(table, [4, 0]); dy.cg().nodes()[0].indices
(4, 0))";

constexpr auto attributes = R"(The other numbers that the operation was told, and lists of numbers, as a
dictionary by name: the axis of a softmax, the probability of a dropout.

>>> x = dy.elu(dy.scalarInput(1), alpha=0.5)
>>> dy.cg().nodes()[1].attributes
{'alpha': 0.5})";

constexpr auto needs_gradient = R"(Whether it depends on a parameter that is trained, so that backward() has
to pass through it.

>>> w = dy.ParameterCollection().add_parameters(1, init=1)
>>> y = w + dy.scalarInput(1)
>>> [node.needs_gradient for node in dy.cg().nodes()]
[False, True, True])";

constexpr auto expression = R"(The node as an expression, for its value, or for going on from it: the same
that the program has or had.

>>> y = dy.square(dy.scalarInput(3))
>>> dy.cg().nodes()[1].expression.value()
9.0)";

constexpr auto line = R"(The line of the program that made it: filename, lineno, name of the function, and
line, its text. None if it was made outside of record_lines(), as is the rule, since it costs time.

>>> x = dy.scalarInput(1)
>>> dy.cg().nodes()[0].line is None
True)";

constexpr auto value = R"(The value as an array, as npvalue() of the expression gives it. Computes what is
not known yet.

>>> x = dy.tanh(dy.inputVector([0, 1]))
>>> print(dy.cg().nodes()[1].value().round(4))
[0.     0.7616])";

constexpr auto gradient = R"(The gradient as an array, after backward() from this node or one that depends
on it; with full=True there for nodes that lead to no parameter, too.

>>> y = dy.square(dy.scalarInput(3))
>>> y.backward(full=True); print(dy.cg().nodes()[0].gradient())
[6.])";

}  // namespace dynet::python::docs::node
