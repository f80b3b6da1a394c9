"""Functions that run as one node: the same numbers as without, one node a call, and errors with advice."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import dynet as dy

SIZE = 6


@pytest.fixture
def model():
    dy.reset_random_seed(3)
    all_parameters = dy.ParameterCollection()
    add = all_parameters.add_parameters
    return SimpleNamespace(all=all_parameters, W=add((SIZE, SIZE)), U=add((SIZE, SIZE)), b=add(SIZE))


def step_of(model):
    def step(x, h):
        z = dy.tanh(dy.affine_transform([model.b, model.W, x, model.U, h]))
        return z, dy.cmult(z, h) + dy.logistic(model.U * z)

    return step


def vectors(count, batch=None):
    numbers = np.random.default_rng(1).normal(size=(count, SIZE, *([batch] if batch else [])))
    return [dy.inputTensor(n, batched=batch is not None) for n in numbers]


def train(model, step, batch=None):
    """Values and gradients of three chains of different lengths."""
    dy.renew_cg()
    losses = []
    for length in (1, 3, 4):
        h, *xs = vectors(length + 1, batch)
        for x in xs:
            z, h = step(x, h)
            losses.append(dy.sum_batches(dy.squared_norm(h - z)))
    loss = dy.esum(losses)
    value = loss.value()
    model.all.reset_gradient()
    loss.backward()
    return value, [p.grad_as_array().copy() for p in (model.W, model.U, model.b)]


@pytest.mark.parametrize("batch", [None, 3])
def test_values_are_the_same_bits_and_gradients_the_same_numbers(model, batch):
    value, gradients = train(model, step_of(model), batch)
    recorded, of_cell = train(model, dy.cell(step_of(model)), batch)
    assert recorded == value
    for one, other in zip(gradients, of_cell, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_gradients_are_differences(model):
    step = dy.cell(step_of(model))
    dy.renew_cg()
    x, h = vectors(2)
    z, h = step(x, h)
    z, h = step(h, z)
    assert dy.check_grad(model.all, dy.squared_norm(h + z))


def test_batching_does_not_change_a_bit(model):
    step = dy.cell(step_of(model))
    results = []
    for batching in (True, False):
        dy.renew_cg(autobatching=batching)
        losses = []
        for x, h in zip(vectors(5), vectors(5), strict=True):
            losses.append(dy.squared_norm(step(x, step(x, h)[1])[1]))
        loss = dy.esum(losses)
        model.all.reset_gradient()
        value = loss.value()
        loss.backward()
        results.append((value, *[p.grad_as_array() for p in (model.W, model.U, model.b)]))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_call_is_recorded_once_and_is_one_node(model):
    calls = []

    @dy.cell
    def step(x):
        calls.append(x)
        return dy.tanh(dy.tanh(dy.tanh(x)))

    dy.renew_cg()
    (x,) = vectors(1)
    for _ in range(4):
        x = step(x)
    assert len(calls) == 1
    assert str(x).startswith("expression 4/")  # The input is number 0.
    step(dy.inputVector([1.0, 2.0]))
    assert len(calls) == 2
    with pytest.raises(Exception, match="Stale"):
        calls[0].value()


def test_other_arguments_are_part_of_what_was_recorded(model):
    step = dy.cell(lambda x, factor, *, offset=0: x * factor + offset)
    dy.renew_cg()
    x = dy.inputVector([1.0, 2.0])
    assert step(x, 2).value() == [2, 4]
    assert step(x, 3).value() == [3, 6]
    assert step(x, 3, offset=1).value() == [4, 7]
    assert step(x, 2).value() == [2, 4]


def test_methods_are_cells(model):
    class Network:
        def __init__(self, factor):
            self.factor = factor

        @dy.cell
        def step(self, x):
            """Doubles, or more."""
            return x * self.factor

    dy.renew_cg()
    x = dy.inputVector([1.0])
    assert Network(2).step(x).value() == 2
    assert Network(5).step(x).value() == 5
    assert Network.step.__doc__ == "Doubles, or more."


def test_outputs_may_be_arguments_views_and_the_same_twice(model):
    @dy.cell
    def parts(x):
        t = dy.tanh(x)
        return x, dy.reshape(t, (2, 3)), t, t, dy.pick_range(t, 1, 3)

    dy.renew_cg()
    (x,) = vectors(1)
    y = model.W * x
    copy, matrix, t, again, part = parts(y)
    expected = np.tanh(y.npvalue())
    np.testing.assert_array_equal(copy.npvalue(), y.npvalue())
    np.testing.assert_allclose(matrix.npvalue(), expected.reshape(2, 3, order="F"), rtol=1e-6)
    np.testing.assert_array_equal(again.npvalue(), t.npvalue())
    np.testing.assert_array_equal(part.npvalue(), t.npvalue()[1:3])
    loss = dy.squared_norm(copy) + dy.squared_norm(matrix) + dy.dot_product(t, again) + dy.sum_elems(part)
    assert dy.check_grad(model.all, loss)


def test_cells_may_call_cells(model):
    inner = dy.cell(lambda x: dy.tanh(model.W * x))
    outer = dy.cell(lambda x: inner(inner(x)) + x)
    dy.renew_cg()
    (x,) = vectors(1)
    y = outer(outer(x))
    inside = np.tanh(model.W.as_array() @ x.npvalue())
    np.testing.assert_allclose(
        outer(x).npvalue(), np.tanh(model.W.as_array() @ inside) + x.npvalue(), rtol=1e-5
    )
    assert dy.check_grad(model.all, dy.squared_norm(y))


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (lambda x: dy.dropout(x, 0.5), ValueError, "cannot hold dropout"),
        (lambda x: dy.pick(x, 1), ValueError, "cannot hold pick"),
        (lambda x: x + dy.inputVector([1.0] * SIZE), ValueError, "pass it as an argument"),
        (lambda x: x * x.value()[0], RuntimeError, "asked for a value"),
        (lambda x: 3, TypeError, "returned int; an Expression"),
        (lambda x: (), ValueError, "returned no expression"),
        (lambda x: x + OUTSIDE[0], ValueError, "belongs to graph"),
    ],
)
def test_what_a_cell_cannot_hold_is_said(model, function, error, match):
    dy.renew_cg()
    x, outside = vectors(2)
    OUTSIDE[:] = [outside]
    with pytest.raises(error, match=match):
        dy.cell(function)(x)
    assert (x + outside).npvalue().shape == (SIZE,)  # The graph is as before.


OUTSIDE = []


def test_a_cell_and_what_it_holds_are_freed():
    class Owner:
        pass

    owner = Owner()
    owner.step = dy.cell(lambda x, owner=owner: dy.tanh(x))
    dy.renew_cg()
    owner.step(dy.inputVector([1.0]))
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
