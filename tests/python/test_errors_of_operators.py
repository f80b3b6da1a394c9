"""Errors name operators and numbers that make no sense as the program wrote them."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def world():
    """An expression of the current graph, one of a graph that is gone, and a network."""
    lstm = dy.VanillaLSTMBuilder(2, 3, 4, dy.ParameterCollection())
    dy.renew_cg()
    stale = dy.inputVector([1, 2, 3])
    dy.renew_cg()
    return SimpleNamespace(stale=stale, x=dy.inputVector([1, 2, 3]), lstm=lstm)


NO_SENSE = {
    "huber_distance: c is -1; a number from 0 on is needed": lambda x: dy.huber_distance(x, x, -1),
    "huber_distance: c is nan": lambda x: dy.huber_distance(x, x, np.nan),
    "random_uniform: left 1 and right 0; numbers between two finite ones": lambda x: dy.random_uniform(
        3, 1, 0
    ),
    "random_uniform: left nan": lambda x: dy.random_uniform(3, np.nan, 0),
    "pairwise_rank_loss: margin nan": lambda x: dy.pairwise_rank_loss(x, x, np.nan),
    "hinge: margin nan": lambda x: dy.hinge(x, 0, np.nan),
    "vanilla_lstm_gates: weightnoise_std -1; a number from 0 on": lambda x: dy.vanilla_lstm_gates(
        x, x, dy.zeros((12, 3)), dy.zeros((12, 3)), dy.zeros(12), -1
    ),
    "noise: standard deviation -1": lambda x: dy.noise(x, -1),
    "random_normal: standard deviation -1": lambda x: dy.random_normal(3, 0, -1),
    "random_bernoulli: probability 2": lambda x: dy.random_bernoulli(3, 2),
    "block_dropout: dropout probability -1": lambda x: dy.block_dropout(x, -1),
    "kmax_pooling: 0 numbers": lambda x: dy.kmax_pooling(x, 0, 0),
}


@pytest.mark.parametrize("message", NO_SENSE)
def test_numbers_that_make_no_sense(message):
    dy.renew_cg()
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        NO_SENSE[message](dy.inputVector([1, 2, 3]))


def test_odd_numbers_that_make_sense():
    dy.renew_cg()
    x = dy.inputVector([1, 2, 3])
    assert dy.huber_distance(x, x + 1, 0).value() == 0
    assert dy.random_uniform(2, 1, 1).value() == [1, 1]
    assert dy.noise(x, 0).value() == x.value()
    assert dy.pairwise_rank_loss(x, x, -1).npvalue().tolist() == [0, 0, 0]


OPERATORS = {
    "x - y": [lambda e: 1 - e, lambda e: e - 1],
    "x + y": [lambda e: 1 + e, lambda e: e + 1],
    "x * y": [lambda e: 2 * e, lambda e: e * 2],
    "x / y": [lambda e: 2 / e, lambda e: e / 2],
    "x ** y": [lambda e: 2**e, lambda e: e**2],
    "-x": [lambda e: -e],
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_errors_name_operators_not_what_they_make(world, operator):
    for call in OPERATORS[operator]:
        with pytest.raises(ValueError, match=rf"^{re.escape(operator)}: .* stale expression: its|^pow: "):
            call(world.stale)


def test_other_names_are_those_that_were_called(world):
    with pytest.raises(ValueError, match=r"^pickrange: range 2 to 1"):
        dy.pickrange(world.x, 2, 1)
    with pytest.raises(ValueError, match=r"^zeroes: -1 was given"):
        dy.zeroes(-1)
    assert dy.pickrange(world.x, 1, e=3).value() == [2, 3] and dy.zeroes((2, 2), batch_size=2).dim()[1] == 2


def test_shapes_that_cannot_be_told(world):
    """hasattr and tools that ask anything for its shape expect AttributeError, programs RuntimeError."""
    assert not hasattr(world.stale, "shape") and getattr(world.stale, "shape", 3) == 3
    for kind in (RuntimeError, AttributeError):
        with pytest.raises(kind, match=r"^shape: Stale Expression \(created before renewing"):
            world.stale.shape  # noqa: B018


@pytest.mark.parametrize(
    "wrong, maker", [(np.ones(3), "inputTensor"), ([1, 2], "inputTensor"), (2, "scalarInput")]
)
def test_elements_that_are_numbers(world, wrong, maker):
    for call in (dy.concatenate, world.lstm.initial_state().transduce):
        with pytest.raises(TypeError, match=rf"an Expression is needed, as {maker} makes one of"):
            call([world.x, wrong])
