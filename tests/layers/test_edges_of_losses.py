"""Losses and rates at their edges."""

import numpy as np
import pytest

import dynet as dy


def test_a_probability_of_0_has_no_part_in_the_divergence():
    dy.renew_cg()
    logits = dy.ParameterCollection().parameters_from_numpy(np.zeros(2))
    p = dy.log_softmax(dy.inputVector([-np.inf, 0.0]))
    divergence = dy.losses.kl_divergence(p, dy.log_softmax(logits))
    np.testing.assert_allclose(divergence.value(), np.log(2), rtol=1e-6)
    divergence.backward()
    np.testing.assert_allclose(logits.grad_as_array(), [0.5, -0.5], rtol=1e-6)


def test_a_rate_below_the_least_is_not_raised():
    trainer = dy.SimpleSGDTrainer(dy.ParameterCollection(), 0.01)
    plateau = dy.optim.Plateau("min", patience=0, least=0.1, trainer=trainer)
    for _ in range(3):
        plateau.step(1.0)
    assert trainer.learning_rate == pytest.approx(0.01)


def test_restarts_that_become_ever_shorter():
    with pytest.raises(ValueError, match=r"CosineSchedule: growth is 0\.5"):
        dy.optim.CosineSchedule(0.1, 10, restarts=True, growth=0.5)
