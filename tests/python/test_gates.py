"""Products and sums that compute their arguments themselves: nobody can tell, but by the number of calls."""

from __future__ import annotations

import numpy as np
import pytest

import dynet as dy

SIZE, BATCH = 19, 3


@pytest.fixture
def parameters():
    dy.reset_random_seed(3)
    collection = dy.ParameterCollection()
    return [collection.add_parameters((SIZE, SIZE)) for _ in range(4)] + [collection.add_parameters(SIZE)]


def build(parameters, written: bool):
    """A cell in single operations; if `written`, nodes are used beforehand, so that each is run as it is."""

    def node(x):
        if written:
            dy.square(x)
        return x

    *matrices, bias = parameters
    x = dy.inputTensor(np.linspace(-1, 1, SIZE * BATCH).reshape(SIZE, BATCH), batched=True)
    i, f, o, u = (p * x for p in matrices)
    product = node(matrices[0] * dy.pick_batch_elem(x, 1))
    summed = product + bias
    parts = [node(dy.logistic(i)), node(dy.tanh(u)), node(dy.logistic(f)), node(dy.logistic(o))]
    new = node(dy.cmult(parts[0], parts[1]))
    kept = node(dy.cmult(parts[2], x))
    cell = node(new + kept)
    shown = node(dy.tanh(cell))
    hidden = dy.cmult(parts[3], shown)
    loss = dy.sum_batches(dy.squared_norm(hidden)) + dy.squared_norm(summed)
    return [x, i, f, o, u, product, summed, *parts, new, kept, cell, shown, hidden], loss


def results(parameters, written: bool, asked_first: bool = False):
    dy.renew_cg()
    nodes, loss = build(parameters, written)
    if asked_first:
        for e in nodes:
            e.value()
    loss.value()
    steps = dy.cg().step_count()
    loss.backward(full=True)
    gradients = [np.asarray(e.gradient()) for e in nodes]
    return steps, [e.npvalue() for e in nodes], gradients, [p.grad_as_array() for p in parameters]


@pytest.mark.parametrize("asked_first", [False, True])
def test_nobody_can_tell(parameters, asked_first):
    few, *fused = results(parameters, False, asked_first)
    for p in parameters:
        p.scale_gradient(0)
    many, *written = results(parameters, True)
    assert asked_first or few < many
    for what, left, right in zip(("values", "gradients", "of parameters"), fused, written, strict=True):
        for i, (a, b) in enumerate(zip(left, right, strict=True)):
            np.testing.assert_array_equal(a, b, err_msg=f"{what} {i}")


def test_what_is_used_before_is_not_computed_again(parameters):
    dy.renew_cg()
    x = dy.inputVector(np.arange(SIZE))
    gate = dy.logistic(x)
    twice = gate + 1
    before = dy.cg().step_count()
    dy.esum([dy.cmult(gate, x), twice]).value()
    assert dy.cg().step_count() - before == 4


def test_what_is_used_afterwards_has_its_whole_gradient():
    dy.renew_cg()
    a, b = dy.inputVector([0.5, -1]), dy.inputVector([2, 3])
    gate = dy.logistic(a)
    product = dy.cmult(gate, b)
    loss = dy.sum_elems(product + gate) + dy.sum_elems(dy.cmult(gate, b))
    loss.value()
    loss.backward(full=True)
    np.testing.assert_allclose(gate.gradient(), [5, 7])
    s = 1 / (1 + np.exp(-np.array([0.5, -1])))
    np.testing.assert_allclose(a.gradient(), [5, 7] * s * (1 - s), rtol=1e-6)
    np.testing.assert_allclose(product.gradient(), [1, 1])


def test_what_the_loss_does_not_need_adds_nothing():
    dy.renew_cg()
    a, b = dy.inputVector([0.5, -1]), dy.inputVector([2, np.inf])
    gate = dy.logistic(a)
    dy.cmult(gate, b) + b
    loss = dy.sum_elems(dy.cmult(gate, a))
    loss.value()
    loss.backward(full=True)
    np.testing.assert_allclose(gate.gradient(), [0.5, -1])


def test_shapes_that_differ_are_broadcast():
    dy.renew_cg()
    x, one = dy.inputTensor(np.arange(6.0).reshape(2, 3)), dy.inputTensor([0.5])
    y = dy.cmult(dy.tanh(x), dy.logistic(one)) + dy.cmult(one, x)
    s = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(y.npvalue(), np.tanh(x.npvalue()) * s + 0.5 * x.npvalue(), rtol=1e-6)


def test_they_are_written_as_the_program_did(capfd):
    dy.renew_cg()
    x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
    dy.cmult(dy.tanh(x), y) + x
    dy.print_text_graphviz()
    text = capfd.readouterr().err
    assert "v3 = cmult(v2, v1)" in text
    assert "v4 = add(v3, v0)" in text
    assert "N3 -> N4;" in text


def test_a_checkpoint_takes_them_back():
    dy.renew_cg()
    x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
    gate = dy.tanh(x)
    dy.cg_checkpoint()
    dy.cmult(gate, y).value()
    dy.cg_revert()
    z = dy.sum_elems(dy.cmult(gate, x))
    z.value()
    z.backward(full=True)
    np.testing.assert_allclose(gate.gradient(), [1, 2])
