// Docstrings of recurrent builders.
#pragma once

namespace dynet::python::docs::builder {

constexpr auto type = R"(What recurrent builders have in common: a network that reads a sequence, state by
state. initial_state() gives the state before the first input; states of many sequences may be used side by
side.)";

constexpr auto set_dropout = R"(Sets all dropout rates of the builder to f, a probability from 0 to 1;
ValueError for another number. Masks are drawn once for a sequence and used at each of its steps (Gal and
Ghahramani 2016); GRUBuilder draws anew at each step. Switch it off by disable_dropout() when testing.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_dropout(0.5); lstm
VanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2) with dropout of inputs 0.5, outputs 0.5)";

constexpr auto disable_dropout = R"(Sets all dropout rates to zero, as is needed for testing. States that
are there keep what they were computed with.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_dropout(0.5); lstm.disable_dropout(); lstm
VanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2))";

constexpr auto initial_state = R"(The state before the first input, in the current graph. vecs are given
cells, or cells and outputs, in the order of s(): (H,) for each layer; without them all are zero. With
update=False the parameters get no gradient in this graph. ValueError for another number of vecs, or other
shapes. Each call without vecs in one graph gives the same state.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state([dy.inputVector([0.1, 0.2]), dy.inputVector([0.3, 0.4])])
>>> print(state.output().npvalue().round(4))
[0.3 0.4])";

constexpr auto initial_state_from_raw_vectors = R"(initial_state with cells and outputs given as arrays or
lists of numbers instead of expressions: each becomes an input of the current graph, in the order of s().
TypeError for what is no list of arrays.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state_from_raw_vectors([[0.1, 0.2], [0.3, 0.4]])
>>> print(state.output().npvalue().round(4))
[0.3 0.4])";

constexpr auto zero_state = R"(A state whose cells and outputs are zeros, of the given batch size (1): one
before the first input, as initial_state, but with an output(), h() and s() that can be asked for. With
update=False the parameters get no gradient.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.zero_state(batch_size=4).output().dim()
((2,), 4))";

constexpr auto final_state = R"(The state after reading all of xs, a list of expressions (or a matrix, whose
rows are read); its s() are what initial_state of another builder takes, as in an encoder and a decoder.
With update=False the parameters get no gradient.

>>> m = dy.ParameterCollection()
>>> encoder, decoder = dy.VanillaLSTMBuilder(1, 3, 2, m), dy.VanillaLSTMBuilder(1, 3, 2, m)
>>> state = encoder.final_state([dy.inputVector([1, 2, 3]), dy.inputVector([4, 5, 6])])
>>> decoder.initial_state(state.s()).output().dim()
((2,), 1))";

constexpr auto param_collection = R"(The builder's own collection, a sub-collection of the one it was made
with: its parameters can be saved, frozen or updated apart from others.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.param_collection().name(), lstm.param_collection().parameter_count()
('/vanilla-lstm-builder/', 48))";

constexpr auto get_parameters = R"(The parameters of each layer, as a list of lists, in the order that the
class tells.

>>> lstm = dy.VanillaLSTMBuilder(2, 3, 2, dy.ParameterCollection())
>>> [[p.shape() for p in layer] for layer in lstm.get_parameters()]
[[(8, 3), (8, 2), (8,)], [(8, 2), (8, 2), (8,)]])";

constexpr auto get_parameter_expressions = R"(The parameters of each layer as expressions of the current
graph, as a list of lists in the order of get_parameters(). ValueError before initial_state() was called in
this graph.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> state = lstm.initial_state()
>>> [w.dim() for w in lstm.get_parameter_expressions()[0]]
[((8, 3), 1), ((8, 2), 1), ((8,), 1)])";

constexpr auto whoami = R"(The name of the class that the builder is of, as "VanillaLSTMBuilder"; for
classes that a program derives from one, that of ours.

>>> dy.GRUBuilder(1, 3, 2, dy.ParameterCollection()).whoami()
'GRUBuilder')";

constexpr auto spec = R"(What a builder like this one is made of, as a tuple of its sizes and options, by
which dy.save writes it: type(builder).from_spec(builder.spec, collection) is a new one of the same form.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.spec
(1, 3, 2, False, 1.0))";

constexpr auto from_spec = R"(A new builder from the `spec` of another one, with new parameters in the
collection model: same sizes, other numbers. dy.load uses it. TypeError or ValueError for what is no such
spec.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> dy.VanillaLSTMBuilder.from_spec(lstm.spec, dy.ParameterCollection())
VanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2))";

constexpr auto set_dropouts = R"(Sets the dropout rates of the inputs of each layer, and of the last output
where the next step reads it: probabilities from 0 to 1, else ValueError. Masks are drawn once for a
sequence and used at each of its steps (Gal and Ghahramani 2016).

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_dropouts(0.3, 0.1); lstm
VanillaLSTMBuilder(layers=1, input_dim=3, hidden_dim=2) with dropout of inputs 0.3, outputs 0.1)";

constexpr auto set_dropouts_of_cells = R"(Sets the dropout rates of the inputs of each layer, of the last
output where the next step reads it, and of memory cells where gates read them (0): probabilities from 0 to
1, else ValueError. Masks are drawn once for a sequence and used at each of its steps (Gal and Ghahramani
2016).

>>> lstm = dy.CoupledLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_dropouts(0.3, 0.1, d_c=0.2); str(lstm)[-19:]
'1, memory cells 0.2')";

constexpr auto set_dropouts_of_steps = R"(Sets the dropout rates of each layer's input and of the output
that is given out: probabilities from 0 to 1, else ValueError. Unlike those of LSTM builders, both masks are
drawn anew at each step.

>>> gru = dy.GRUBuilder(1, 3, 2, dy.ParameterCollection())
>>> gru.set_dropouts(0.3, 0.1); gru
GRUBuilder(layers=1, input_dim=3, hidden_dim=2) with dropout of inputs 0.3, outputs 0.1)";

constexpr auto set_dropout_masks = R"(Draws new dropout masks, for inputs of this batch size (1); call it
after initial_state. Without it, masks are drawn when a sequence needs them first, so it is needed only to
change them, or to share them among sequences.

>>> lstm = dy.VanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_dropout(0.5); state = lstm.initial_state(); lstm.set_dropout_masks(batch_size=4))";

constexpr auto set_sparsity = R"(Prunes the given share of the weights of all layers, from 0 to 1: the
smallest that the masks have left. ValueError for another number. Called again and again with a growing
share during training, it leaves the network time to adapt.

>>> lstm = dy.SparseLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_sparsity(0.9))";

constexpr auto set_weightnoise = R"(The standard deviation of the normal noise that is added to Wx, Wh and b
at each step, drawn anew each time; 0 at first, and for testing. ValueError for a negative number.

>>> lstm = dy.CompactVanillaLSTMBuilder(1, 3, 2, dy.ParameterCollection())
>>> lstm.set_weightnoise(0.1))";

}  // namespace dynet::python::docs::builder
