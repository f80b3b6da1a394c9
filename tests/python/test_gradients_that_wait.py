"""Gradients whose contributions wait for one another, and those that get none in the end."""

import numpy as np
import pytest

import dynet as dy


@pytest.mark.parametrize("trainer", [dy.SimpleSGDTrainer, dy.MomentumSGDTrainer, dy.AdamTrainer])
def test_matrix_of_an_output_without_gradient_keeps_none_of_the_step_before(trainer):
    """A cell's matrix gets nothing from an output that the loss does not use, and does not move."""
    model = dy.ParameterCollection()
    first, second = model.add_parameters((4, 4)), model.add_parameters((4, 4))
    rule = trainer(model)

    @dy.cell
    def both(x):
        return first * x, second * x

    for output in (0, 1, 0, 1):
        dy.renew_cg()
        dy.sum_elems(both(dy.inputVector([1, 2, 3, 4]))[output]).backward()
        used, unused = (first, second) if output == 0 else (second, first)
        np.testing.assert_array_equal(used.grad_as_array(), np.tile([1, 2, 3, 4], (4, 1)))
        np.testing.assert_array_equal(unused.grad_as_array(), 0)
        before = unused.as_array().copy()
        rule.update()
        np.testing.assert_array_equal(unused.as_array(), before)


@pytest.mark.parametrize("batching", [False, True])
@pytest.mark.parametrize("size", [8, 65, 300])
@pytest.mark.parametrize("batch", [64, 65, 300])
def test_sums_that_wait_are_apart_from_sums_over_a_batch(batching, size, batch):
    """What a call has summed over many batch elements is no part of the sums of the next call."""
    model = dy.ParameterCollection()
    weights = model.add_parameters(size)
    dy.renew_cg(autobatching=batching)
    x = dy.inputTensor(np.ones((size, batch)), batched=True)
    u = dy.tanh(weights)
    v = dy.sum_batches(dy.cmult(u, x) + dy.sin(u + x))
    dy.sum_elems(dy.tanh(v) + dy.sin(v) + dy.cos(v)).backward()
    at_v, at_u = v.npvalue().astype(float), u.npvalue().astype(float)
    expected = (1 - np.tanh(at_v) ** 2 + np.cos(at_v) - np.sin(at_v)) * batch * (1 + np.cos(at_u + 1))
    np.testing.assert_allclose(u.gradient(), expected, rtol=2e-3, atol=2e-3)
