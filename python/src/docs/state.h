// Docstrings of the states of recurrent builders.
#pragma once

namespace dynet::python::docs::state {

constexpr auto type = R"(A state of a recurrent builder after some inputs. States do not change: add_input
gives a new one, so that they form a tree, in which a beam search goes on from several. A state belongs to
its graph; after renew_cg it is stale.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state().add_input(dy.inputVector([1, 2, 3]))
>>> state, state.output().dim()
(state 0 of VanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2), ((2,), 1)))";

constexpr auto add_input = R"(The state after reading x, an expression of shape (input_dim,), or a batch of
them. ValueError for another shape, RuntimeError for a state or an x of a graph that has ended.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state().add_input(dy.inputVector([1, 2, 3]))
>>> state.output().dim()
((2,), 1))";

constexpr auto add_inputs = R"(The states after each of xs, as a list, when they are read one after another.
xs is a list of expressions, or a matrix, whose rows are read.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> states = lstm.initial_state().add_inputs([dy.zeros(3), dy.zeros(3)])
>>> [s.output().dim() for s in states]
[((2,), 1), ((2,), 1)])";

constexpr auto transduce = R"(The outputs after each of xs, as a list of expressions (H,): the way to run a
whole sentence through the network. xs is a list of expressions, or a matrix, whose rows are read.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> [h.dim() for h in lstm.initial_state().transduce([dy.zeros(3), dy.zeros(3)])]
[((2,), 1), ((2,), 1)])";

constexpr auto output = R"(The output of the top layer in this state, an expression (H,), or what the class
makes of all layers; None before the first input of a sequence whose initial state has none.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.initial_state().output() is None
True)";

constexpr auto h = R"(The output of each layer, the lowest first, as a tuple of expressions (H,); empty
before the first input if no initial state was given.

>>> lstm = dy.VanillaLSTMBuilder(2, 3, 4, dy.ParameterCollection())
>>> [h.dim() for h in lstm.initial_state().add_input(dy.zeros(3)).h()]
[((4,), 1), ((4,), 1)])";

constexpr auto s = R"(All that the next step reads, as a tuple of expressions (H,): the memory cells of each
layer, if the builder has any, and then the output of each layer. initial_state takes it.

>>> lstm = dy.VanillaLSTMBuilder(2, 3, 4, dy.ParameterCollection())
>>> len(lstm.initial_state().add_input(dy.zeros(3)).s())
4)";

constexpr auto set_h = R"(A state after this one with the outputs es, one (H,) for each layer, and its
memory cells. ValueError for another number of them, or other shapes.

>>> gru = dy.GRUBuilder(1, 3, 2, dy.ParameterCollection())
>>> print(gru.initial_state().set_h([dy.inputVector([0.5, 1])]).output().npvalue())
[0.5 1. ])";

constexpr auto set_s = R"(A state after this one with other cells, or with other cells and then outputs, as
s() has them; of a builder without cells, with other outputs. ValueError for another number of expressions,
or other shapes.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state().set_s([dy.inputVector([3, 4]), dy.inputVector([0.5, 1])])
>>> print(state.s()[0].npvalue(), state.output().npvalue())
[3. 4.] [0.5 1. ])";

constexpr auto prev = R"(The state before this one, which another input may follow; None for the first state
of a sequence.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.initial_state().add_input(dy.zeros(3)).prev() == lstm.initial_state()
True)";

constexpr auto b = R"(The builder that the state belongs to, the same object that initial_state() was called
on.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.initial_state().b() is lstm
True)";

}  // namespace dynet::python::docs::state
