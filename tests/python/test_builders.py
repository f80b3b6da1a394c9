"""Recurrent builders and their states as Python objects, and the networks that Python makes of them."""

import gc
import weakref

import numpy as np
import pytest
from every_kind import RNN_BUILDERS
from rnn_reference import deep_step

import dynet as dy

ALL = pytest.mark.parametrize("kind", RNN_BUILDERS, ids=lambda kind: kind.__name__)


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def inputs(count=3, size=3):
    return [dy.inputVector(np.sin(np.arange(size) + i)) for i in range(count)]


@ALL
def test_states(kind, model):
    builder = kind(2, 3, 4, model)
    state = builder.initial_state()
    assert state.output() is None and state.prev() is None
    assert state.h() == () and state.s() == ()
    assert state.b() is builder and state is builder.initial_state() and state is builder.initial_state(None)
    xs = inputs()
    first = state.add_input(xs[0])
    assert len(first.h()) == 2 and isinstance(first.h(), tuple)
    assert len(first.s()) in (2, 4) and first.prev() == state and first != state
    assert first.output().dim() == ((8 if kind is dy.DeepLSTMBuilder else 4,), 1)
    states = state.add_inputs(iter(xs))
    assert isinstance(states, list) and [s.output().value() for s in states] == dy.values(state.transduce(xs))
    assert states[0].output().value() == first.output().value()
    assert isinstance(builder.whoami(), str) and builder.whoami() == kind.__name__


@ALL
def test_initial_state_of_each_graph(kind, model):
    builder = kind(1, 3, 4, model)
    first = builder.initial_state()
    dy.renew_cg()
    second = builder.initial_state()
    assert second is not first and second is builder.initial_state(update=False)
    with pytest.raises(ValueError, match="stale"):
        first.add_input(inputs(1)[0])
    assert builder.initial_state(second.add_input(inputs(1)[0]).s()) is not second
    # The state keeps the builder, so the builder must not keep the state.
    state = weakref.ref(second)
    del first, second
    gc.collect()
    assert state() is None and builder.initial_state().output() is None


@ALL
def test_initial_values(kind, model):
    builder = kind(1, 3, 4, model)
    count = len(builder.initial_state().add_input(inputs(1)[0]).s())
    vectors = [np.arange(4.0) + i for i in range(count)]
    from_arrays = builder.initial_state_from_raw_vectors(vectors)
    from_expressions = builder.initial_state([dy.inputVector(v) for v in vectors])
    for state in (from_arrays, from_expressions):
        assert dy.values(state.s()) == [v.tolist() for v in vectors]
    x = inputs(1)[0]
    assert from_arrays.add_input(x).output().value() == from_expressions.add_input(x).output().value()
    moved = builder.initial_state().set_h([dy.inputVector(vectors[0])])
    assert moved.h()[-1].value() == vectors[0].tolist()
    with pytest.raises(ValueError):
        builder.initial_state([dy.inputVector([1, 2, 3, 4])] * 5)


@ALL
def test_states_keep_their_builder(kind, model):
    state = kind(1, 3, 4, model).initial_state()
    gc.collect()
    assert len(state.add_input(inputs(1)[0]).output().value()) == 4


@ALL
def test_parameters(kind, model):
    builder = kind(2, 3, 4, model)
    parameters = builder.get_parameters()
    assert len(parameters) == 2
    listed = {p.name() for layer in parameters for p in layer}
    assert listed == {p.name() for p in builder.param_collection().parameters_list()}
    builder.initial_state()
    for layer, expressions in zip(parameters, builder.get_parameter_expressions(), strict=True):
        shared = zip(
            layer, expressions, strict=kind is not dy.SparseLSTMBuilder
        )  # Its masks are applied already.
        assert all(p.dim() == e.dim() for p, e in shared)


SPECS = [
    (dy.SimpleRNNBuilder, (1, 3, 4)),
    (dy.GRUBuilder, (2, 3, 4)),
    (dy.CoupledLSTMBuilder, (1, 3, 4)),
    (dy.DeepLSTMBuilder, (2, 3, 4)),
    (dy.VanillaLSTMBuilder, (1, 3, 4, True, 0.5)),
    (dy.SparseLSTMBuilder, (1, 3, 4, False, 1.0)),
    (dy.CompactVanillaLSTMBuilder, (1, 3, 4)),
]


@pytest.mark.parametrize("kind, spec", SPECS, ids=[kind.__name__ for kind, _ in SPECS])
def test_specs(kind, spec, model):
    builder = kind.from_spec(spec, model)
    assert type(builder) is kind and builder.spec == spec
    assert not hasattr(dy.FastLSTMBuilder(1, 3, 4, model), "spec")


def test_arguments(model):
    assert dy.LSTMBuilder is dy.VanillaLSTMBuilder
    builder = dy.LSTMBuilder(
        layers=1, input_dim=3.0, hidden_dim=8 / 2, model=model, ln_lstm=True, forget_bias=0
    )
    assert builder.spec == (1, 3, 4, True, 0)
    for wrong in (lambda: dy.LSTMBuilder(1, 3, 4), lambda: dy.LSTMBuilder(1, 3, 4, None)):
        with pytest.raises(TypeError):
            wrong()
    for wrong in (1.5, -0.1):
        with pytest.raises(ValueError):
            builder.set_dropout(wrong)
    builder.set_dropouts(0.5, 0.5)
    builder.initial_state()
    builder.set_dropout_masks(2)
    builder.disable_dropout()
    compact, sparse = dy.CompactVanillaLSTMBuilder(1, 3, 4, model), dy.SparseLSTMBuilder(1, 3, 4, model)
    compact.set_weightnoise(0.1)
    sparse.set_sparsity(0.5)


@ALL
def test_both_directions(kind, model):
    network = dy.BiRNNBuilder(2, 3, 8, model, kind)
    xs = inputs()
    outputs = network.transduce(iter(xs))
    assert [e.dim() for e in outputs] == [((8,), 1)] * 3
    states = network.add_inputs(xs)
    for output, (forward, backward) in zip(outputs, states, strict=True):
        assert dy.concatenate([forward.output(), backward.output()]).value() == output.value()
    assert network.param_collection().name() == "/birnn/"
    assert network.spec == (2, 3, 8, kind, None) and network.whoami() == "BiRNNBuilder"
    network.set_dropout(0.5)
    network.disable_dropout()


def test_both_directions_of_one_layer(model):
    network = dy.BiRNNBuilder(1, 3, 8, model, dy.LSTMBuilder)
    (forward, backward), xs = network.builder_layers[0], inputs()
    outputs = network.transduce(xs)
    onward = forward.initial_state().transduce(xs)
    returning = backward.initial_state().transduce(reversed(xs))
    for output, f, b in zip(outputs, onward, reversed(returning), strict=True):
        assert output.value() == f.value() + b.value()
    same = dy.BiRNNBuilder(1, 3, 8, model, None, [(forward, backward)])
    assert dy.values(same.transduce(xs)) == dy.values(outputs)
    for wrong in (
        lambda: dy.BiRNNBuilder(0, 3, 8, model, dy.LSTMBuilder),
        lambda: dy.BiRNNBuilder(1, 3, 7, model, dy.LSTMBuilder),
        lambda: dy.BiRNNBuilder(1, 3, 8, model, None),
    ):
        with pytest.raises(ValueError):
            wrong()
    dy.renew_cg()
    with pytest.raises(ValueError):
        network.transduce(xs)


def test_deep(model):
    builder, rng = dy.DeepLSTMBuilder(3, 3, 4, model), np.random.default_rng(1)
    shapes = [builder.get_parameters()[layer][0].shape() for layer in range(3)]
    assert shapes == [(4, 3), (4, 7), (4, 7)]
    assert builder.param_collection().name() == "/deep-lstm-builder/"
    for p in model.parameters_list():
        p.set_value(rng.normal(0, 0.5, p.shape()))
    parameters = [[p.as_array().astype(float) for p in layer] for layer in builder.get_parameters()]
    state, expected = builder.initial_state(), [np.zeros((4, 1))] * 6
    for x in rng.normal(size=(3, 3)):
        state = state.add_input(dy.inputVector(x))
        expected = deep_step(parameters, expected, x.reshape(-1, 1))
        for got, want in zip(state.s(), expected, strict=True):
            np.testing.assert_allclose(got.npvalue(), want[:, 0], atol=1e-6)
        np.testing.assert_allclose(state.output().npvalue(), np.concatenate(expected[3:])[:, 0], atol=1e-6)
    moved = state.set_h(state.h())
    assert moved.output().value() == state.output().value()
    assert dy.check_grad(model, dy.sum_elems(state.output()))


def test_dropout_of_the_cell(model):
    builder = dy.CoupledLSTMBuilder(1, 3, 4, model)
    c2i = builder.get_parameters()[0][2]
    for p in model.parameters_list():
        p.set_value(np.zeros(p.shape()))
    c2i.set_value(np.eye(4))
    builder.set_dropouts(0, 0, 1)
    cell, x = dy.inputVector([1, 2, 3, 4]), dy.inputVector([0, 0, 0])

    def gate():
        # With these parameters c = (1 - i) c0, where i sees nothing but the masked cell.
        after = builder.initial_state([cell, cell]).add_input(x).s()[0]
        return 1 - after.npvalue() / [1, 2, 3, 4]

    np.testing.assert_allclose(gate(), 0.5, atol=1e-6)
    dy.renew_cg()
    cell, x = dy.inputVector([1, 2, 3, 4]), dy.inputVector([0, 0, 0])
    builder.set_dropouts(d=0, d_h=0)
    np.testing.assert_allclose(gate(), 1 / (1 + np.exp([-1, -2, -3, -4])), atol=1e-6)


def test_saving_normalised_builders(model, tmp_path):
    builder = dy.LSTMBuilder(2, 3, 4, model, ln_lstm=True)
    assert len(builder.param_collection().parameters_list()) == 18
    for p in model.parameters_list():
        p.set_value(np.random.default_rng(1).normal(size=p.shape()))
    dy.save(tmp_path / "saved", [builder])
    [loaded] = dy.load(tmp_path / "saved", dy.ParameterCollection())
    outputs = [b.initial_state().transduce(inputs())[-1].npvalue() for b in (builder, loaded)]
    np.testing.assert_allclose(*outputs, atol=1e-6)


def test_stacked_states(model):
    lower, upper = dy.GRUBuilder(1, 3, 4, model), dy.LSTMBuilder(1, 4, 5, model)
    stack = dy.StackedRNNState([lower.initial_state(), upper.initial_state()])
    xs = inputs()
    states = stack.add_inputs(xs)
    expected = upper.initial_state().transduce(lower.initial_state().transduce(xs))
    assert [s.output().value() for s in states] == dy.values(expected)
    assert states[0].prev() is stack and stack.prev() is None
    assert len(states[0].h()) == 2 and [len(s) for s in states[0].s()] == [1, 2]
