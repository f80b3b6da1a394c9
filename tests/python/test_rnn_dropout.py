"""Dropout of the recurrent builders: which masks are drawn when, and what they act on."""

import numpy as np
import pytest
from rnn_reference import BUILDERS, HIDDEN, INPUT, Case, tensor

import dynet as dy

VARIATIONAL = ["simple", "vanilla", "sparse", "compact"]


def with_input_mask_visible(kind):
    """A one-layer builder whose step output shows which inputs were dropped."""
    model = dy.ParameterCollection()
    builder = BUILDERS[kind][0](1, HIDDEN, HIDDEN, model)
    for p in builder.get_parameters()[0][:3]:
        p.set_value(np.zeros(p.shape()))
    blocks = builder.get_parameters()[0][0].shape()[0] // HIDDEN
    builder.get_parameters()[0][0].set_value(np.tile(np.eye(HIDDEN), (blocks, 1)))
    return builder


def runs(builder, batch, steps=3):
    xs = [dy.inputTensor(np.ones((HIDDEN, batch)), batched=True) for _ in range(steps)]
    return [y.npvalue().reshape(HIDDEN, batch) != 0 for y in builder.initial_state().transduce(xs)]


@pytest.mark.parametrize("kind", VARIATIONAL)
def test_masks_last_for_a_sequence(kind):
    builder = with_input_mask_visible(kind)
    builder.set_dropout(0.5)
    seen = []
    for _ in range(4):
        dy.renew_cg()
        kept = runs(builder, batch=8)
        assert all(np.array_equal(kept[0], k) for k in kept)
        assert not np.array_equal(kept[0], runs(builder, batch=8)[0])  # another sequence of this graph
        seen.append(kept[0])
    assert any(not np.array_equal(seen[0], k) for k in seen[1:])
    assert 0.2 < np.mean(seen) < 0.8
    builder.disable_dropout()
    dy.renew_cg()
    assert np.all(runs(builder, batch=8))


def kept(state):
    return state.output().npvalue().reshape(HIDDEN, -1) != 0


def ones(batch):
    return dy.inputTensor(np.ones((HIDDEN, batch)), batched=True)


@pytest.mark.parametrize("kind", VARIATIONAL)
def test_masks_belong_to_an_initial_state(kind):
    """Sequences that are read in turns keep theirs; branches of one share them; batch sizes may differ."""
    builder = with_input_mask_visible(kind)
    builder.set_dropout(0.5)
    dy.renew_cg()
    starts = [builder.initial_state() for _ in range(6)]
    assert len({start is starts[0] for start in starts[1:]}) == 1 and starts[1] is not starts[0]
    sizes = [16, 3, 16, 1, 16, 16]
    first = [start.add_input(ones(n)) for start, n in zip(starts, sizes, strict=True)]
    turns = list(zip(first, sizes, strict=True))
    second = [state.add_input(ones(n)) for state, n in turns[::-1]][::-1]
    branch = starts[0].add_input(ones(16))
    other_size = starts[0].add_input(ones(4))
    masks = [kept(state) for state in first]
    for state, mask in zip(second, masks, strict=True):
        np.testing.assert_array_equal(kept(state), mask)
    np.testing.assert_array_equal(kept(branch), masks[0])
    assert kept(other_size).shape == (HIDDEN, 4)
    for i in (2, 4, 5):
        assert not np.array_equal(masks[0], masks[i])
    set_state = builder.initial_state([dy.zeros(HIDDEN)] * len(first[0].s()))
    assert kept(set_state.add_input(ones(1))).shape == (HIDDEN, 1)


def test_sentences_of_one_graph_are_masked_apart():
    model = dy.ParameterCollection()
    network = dy.BiRNNBuilder(1, 5, 20, model, dy.VanillaLSTMBuilder)
    network.set_dropout(0.5)

    def outputs():
        dy.reset_random_seed(3)
        dy.renew_cg()
        return [network.transduce([dy.ones(5)] * 2)[-1] for _ in range(3)]

    arrays = [y.npvalue() for y in outputs()]
    assert len({a.tobytes() for a in arrays}) == 3
    again = outputs()
    dy.forward(again)
    assert [y.npvalue().tobytes() for y in again] == [a.tobytes() for a in arrays]


def test_without_dropout_the_initial_state_is_one():
    builder = with_input_mask_visible("vanilla")
    dy.renew_cg()
    assert builder.initial_state() is builder.initial_state()


@pytest.mark.parametrize("kind", VARIATIONAL)
def test_masks_can_be_drawn_by_hand(kind):
    builder = with_input_mask_visible(kind)
    builder.set_dropouts(0.5, 0.25)
    dy.renew_cg()
    builder.initial_state()
    builder.set_dropout_masks(batch_size=1)
    first = runs(builder, batch=16)[0]
    assert np.array_equal(first, np.repeat(first[:, :1], 16, axis=1))
    builder.set_dropout_masks(16)
    assert any(len(set(row)) == 2 for row in runs(builder, batch=16)[0].tolist())


@pytest.mark.parametrize("kind", VARIATIONAL)
def test_kept_inputs_are_scaled(kind):
    builder = with_input_mask_visible(kind)
    ones, halves = np.ones(HIDDEN), np.full(HIDDEN, 0.5)
    dy.renew_cg()
    plain = builder.initial_state().add_input(dy.inputTensor(ones)).output().npvalue()
    builder.set_dropout(0.5)
    dy.renew_cg()
    masked = builder.initial_state().add_input(dy.inputTensor(halves)).output().npvalue()
    assert np.all((masked == 0) | np.isclose(masked, plain))


def test_gru_dropout_is_on_the_output():
    model = dy.ParameterCollection()
    builder = dy.GRUBuilder(2, INPUT, HIDDEN, model)
    builder.set_dropout(0.5)
    dy.renew_cg()
    state = builder.initial_state()
    for _ in range(5):
        state = state.add_input(dy.inputTensor(np.ones(INPUT)))
        h, output = state.h()[-1].npvalue(), state.output().npvalue()
        assert np.all((output == 0) | np.isclose(output, 2 * h))


@pytest.mark.parametrize("kind", [*VARIATIONAL, "coupled"])
@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_dropout_rates_are_probabilities(kind, rate):
    case = Case(kind)
    with pytest.raises(ValueError, match="probability"):
        case.builder.set_dropout(rate)


def test_noise_on_the_weights_of_the_compact_builder():
    case = Case("compact")
    x = case.vector(INPUT, 1)
    plain = case.step(None, x)[-1][:, 0]
    case.builder.set_weightnoise(1e-3)
    dy.renew_cg()
    noisy = case.builder.initial_state().add_input(tensor(x)).output().npvalue()
    assert not np.array_equal(noisy, plain.astype(noisy.dtype))
    np.testing.assert_allclose(noisy, plain, atol=0.05)
