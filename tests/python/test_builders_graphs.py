"""A state of a builder works as long as its graph does, wherever else the builder is used."""

import numpy as np
import pytest
from every_kind import RNN_BUILDERS

import dynet as dy

NORMALISED = [dy.VanillaLSTMBuilder, dy.SparseLSTMBuilder]
ALL = pytest.mark.parametrize("kind", RNN_BUILDERS, ids=lambda kind: kind.__name__)


def vector(k=0):
    return dy.inputVector(np.sin(np.arange(3.0) + k))


def built(kind, normalised=False):
    dy.reset_random_seed(5)
    more = (True,) if normalised else ()
    return kind(2, 3, 3, dy.ParameterCollection(), *more)


def chain(state, count, first=0):
    for k in range(first, count):
        state = state.add_input(vector(k))
    return state


@ALL
@pytest.mark.parametrize("normalised", [False, True])
def test_states_while_the_builder_is_used_in_another_graph(kind, normalised):
    if normalised and kind not in NORMALISED:
        return
    builder = built(kind, normalised)
    dy.renew_cg()
    expected = chain(builder.initial_state(), 4).output().value()
    dy.renew_cg()
    state = chain(builder.initial_state(), 2)
    parameters = len(builder.get_parameter_expressions())
    with dy.ComputationGraph():
        inside = chain(builder.initial_state(update=False), 2)
        with dy.ComputationGraph():
            assert chain(builder.initial_state(), 4).output().value() == expected
        assert len(state.h()) == 2 and state.prev().prev().output() is None
        assert chain(inside, 4, 2).output().value() == expected
        assert len(builder.get_parameter_expressions()) == parameters
    assert chain(state, 4, 2).output().value() == expected
    assert builder.initial_state() == state.prev().prev()
    with pytest.raises(ValueError, match="Using stale builder"):
        inside.h()
    dy.renew_cg()
    with pytest.raises(ValueError, match="Using stale builder"):
        state.h()


@ALL
def test_a_cell_that_is_recorded_leaves_the_states_of_its_builder(kind):
    builder = built(kind)

    @dy.cell
    def step(a):
        return builder.initial_state().add_input(a).output()

    for _ in range(2):
        dy.renew_cg()
        state = builder.initial_state().add_input(vector())
        one = step(vector(1))
        assert len(state.h()) == 2
        assert len(state.add_input(vector(1)).output().value()) == len(one.value())


@ALL
def test_dropout_masks_go_with_their_graph(kind):
    builder = built(kind)
    if not hasattr(builder, "set_dropout_masks"):
        return
    builder.set_dropout(0.5)
    numbers = []
    for use_another in (False, True):
        dy.reset_random_seed(7)
        dy.renew_cg()
        state = chain(builder.initial_state(), 1)
        state.output().value()
        if use_another:
            with dy.ComputationGraph():
                chain(builder.initial_state(), 2)
        count = len(dy.cg())
        state.add_input(vector(1))
        numbers.append(len(dy.cg()) - count)
    assert numbers[0] == numbers[1]  # no mask is drawn anew


TREES = [
    lambda m: dy.NaryTreeLSTMBuilder(2, 1, 4, 4, m),
    lambda m: dy.UnidirectionalTreeLSTMBuilder(1, 4, 4, m),
    lambda m: dy.BidirectionalTreeLSTMBuilder(1, 4, 4, m),
]


@pytest.mark.parametrize("make", TREES)
def test_trees_of_several_graphs(make):
    dy.reset_random_seed(5)
    builder = make(dy.ParameterCollection())

    def leaf(k):
        return dy.inputVector(np.cos(np.arange(4.0) + k))

    def tree():
        builder.start_new_sequence()
        builder.add_input(0, [], leaf(0))

    @dy.cell
    def recorded(x):
        builder.start_new_sequence()
        return builder.add_input(0, [], x)

    dy.renew_cg()
    tree()
    expected = builder.add_input(1, [0], leaf(1)).value()
    for interrupt in (tree, lambda: recorded(leaf(2)), lambda: builder.back()):
        dy.renew_cg()
        tree()
        if interrupt is tree:
            with dy.ComputationGraph():
                interrupt()
        else:
            interrupt()
        assert builder.add_input(1, [0], leaf(1)).value() == expected
        assert builder.final_h()[-1].value() == expected


@ALL
def test_given_states_are_looked_at_when_they_are_given(kind):
    builder = built(kind)
    dy.renew_cg()
    old = [vector(k) for k in range(4)]
    dy.renew_cg()
    count = len(builder.initial_state().add_input(vector()).s())
    dy.cg_checkpoint()
    removed = [vector(k) for k in range(4)]
    dy.cg_revert()
    state = builder.initial_state()
    with dy.ComputationGraph():
        elsewhere = [vector(k) for k in range(4)]
        for given, message in ((old, "stale"), (removed, "removed by going back"), (elsewhere, "graph")):
            with pytest.raises(ValueError, match=f"set_h: .*{message}|Using stale builder"):
                state.set_h(given[:2])
            with pytest.raises(ValueError, match=f"set_s: .*{message}|Using stale builder"):
                state.set_s(given[:count])
    for given, message in ((old, "stale"), (removed, "removed by going back to a checkpoint")):
        with pytest.raises(ValueError, match=f"initial_state: .*{message}"):
            builder.initial_state(given[:count])
    assert len(state.add_input(vector()).h()) == 2


@pytest.mark.parametrize("kind", [dy.SimpleRNNBuilder, dy.GRUBuilder, dy.LSTMBuilder, dy.SparseLSTMBuilder])
@pytest.mark.parametrize("call", ["add_input", "transduce", "initial_state_from_raw_vectors"])
def test_masks_of_a_call_that_failed_are_no_other_nodes(kind, call):
    model = dy.ParameterCollection()
    builder = kind(1, 3, 3, model)
    for p in model.parameters_list():
        p.set_value(np.ones(p.shape()))
    builder.set_dropout(0.5)
    outputs = set()
    for _ in range(20):
        dy.renew_cg()
        state = builder.initial_state()
        before = len(dy.cg().nodes())
        with pytest.raises(ValueError):
            if call == "add_input":
                state.add_input(dy.ones(4))
            elif call == "transduce":
                state.transduce([dy.ones(3), dy.ones(4)])
            else:
                builder.initial_state_from_raw_vectors([[1, 2, 3]] * 3)
        assert len(dy.cg().nodes()) <= before + 2
        zeros = [dy.zeros(3) for _ in range(20)]
        output = state.add_input(dy.ones(3)).output()
        outputs.add(tuple(output.value()))
        assert all(z.value() == [0, 0, 0] for z in zeros)
    assert len(outputs) > 1
