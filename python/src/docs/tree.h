// Docstrings of tree LSTMs.
#pragma once

namespace dynet::python::docs::tree {

constexpr auto type = R"(What tree LSTMs have in common. Nodes are added children first; a tree belongs to
the current graph, and begins anew with each graph.)";

constexpr auto start_new_sequence = R"(Begins a new tree, or forest, in the current graph: all nodes are
forgotten, and their ids may be used again. Each new graph begins one by itself. With update=False the
parameters get no gradient.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> first = tree.add_input(0, [], dy.zeros(3))
>>> tree.start_new_sequence(); second = tree.add_input(0, [], dy.zeros(3)))";

constexpr auto set_num_elements = R"(Announces that the ids of the tree's nodes are 0 to num - 1; another
one is then an IndexError of add_input. Without it any id is welcome. Programs of DyNet 2 had to call it.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> tree.set_num_elements(1); leaf = tree.add_input(0, [], dy.zeros(3)))";

constexpr auto add_input = R"(Adds the node with the number id, which reads x (input_dim,) and the nodes
with the ids in children, and returns its output (hidden_dim,). ValueError if a child was not added before,
the node is there already, or x has another shape.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> leaf = tree.add_input(0, [], dy.zeros(3))
>>> tree.add_input(1, [0], dy.zeros(3)).dim()
((4,), 1))";

constexpr auto back = R"(The output of the node that was added last, the root when a tree is complete; None
before the first node.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> leaf = tree.add_input(0, [], dy.zeros(3))
>>> tree.back().dim()
((4,), 1))";

constexpr auto final_h = R"(The output of each layer in the node that was added last, the lowest layer
first; an empty list before the first node.

>>> tree = dy.NaryTreeLSTMBuilder(2, 2, 3, 4, dy.ParameterCollection())
>>> leaf = tree.add_input(0, [], dy.zeros(3))
>>> [h.dim() for h in tree.final_h()]
[((4,), 1), ((4,), 1)])";

constexpr auto get_h = R"(The output of each layer in the node with the number id, the lowest layer first.
IndexError if there is none.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> leaf = tree.add_input(7, [], dy.zeros(3))
>>> [h.dim() for h in tree.get_h(7)]
[((4,), 1)])";

constexpr auto set_dropout = R"(Sets the dropout rates of inputs and of children's outputs to f, a
probability from 0 to 1; ValueError for another number. Masks are drawn once for a tree.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> tree.set_dropout(0.5); tree
NaryTreeLSTMBuilder(layers=1, input_dim=3, hidden_dim=4) with dropout of inputs 0.5, outputs 0.5)";

constexpr auto set_dropouts = R"(Sets the dropout rates of inputs, d, and of children's outputs, d_h:
probabilities from 0 to 1, else ValueError. Masks are drawn once for a tree.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> tree.set_dropouts(0.3, 0.1); tree
NaryTreeLSTMBuilder(layers=1, input_dim=3, hidden_dim=4) with dropout of inputs 0.3, outputs 0.1)";

constexpr auto disable_dropout = R"(Sets all dropout rates to zero, as is needed for testing; nodes that are
there keep what they were computed with.)";

constexpr auto param_collection = R"(The builder's own collection, a sub-collection of the one it was made
with: its parameters can be saved, frozen or updated apart from others.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> tree.param_collection().name(), tree.param_collection().parameter_count()
('/nary-treelstm-builder/', 368))";

constexpr auto get_parameters = R"(The parameters of each layer, as a list of lists, in the order that the
class tells.

>>> tree = dy.NaryTreeLSTMBuilder(2, 1, 3, 4, dy.ParameterCollection())
>>> [p.shape() for p in tree.get_parameters()[0]]
[(20, 3), (20,), (20, 4), (20, 4), (16, 4), (16, 4)])";

constexpr auto whoami = R"(The name of the class that the builder is of, as "NaryTreeLSTMBuilder"; for
classes that a program derives from one, that of ours.)";

}  // namespace dynet::python::docs::tree
