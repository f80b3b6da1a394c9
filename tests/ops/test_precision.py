"""Results that are well conditioned have the precision of their numbers: no step on the way loses it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from table import DOUBLE

import dynet as dy

# Arrays come and go in single precision.
pytestmark = pytest.mark.skipif(DOUBLE, reason="of single precision")

TOLERANCE = 2e-6


def parameter(x):
    dy.renew_cg()
    return dy.ParameterCollection().parameters_from_numpy(np.asarray(x))


def exact(x):
    return np.asarray(x, np.float32).astype(np.float64)


def close(actual, expected, atol: float = 0) -> None:
    np.testing.assert_allclose(np.asarray(actual, np.float64), expected, rtol=TOLERANCE, atol=atol)


# Numbers whose mean is large against their distances to it, or no number of single precision.
SPREADS = {
    "two": [16777216, 16777218],
    "near": [100000, 100000.0078125],
    "one apart": [1e6] * 99 + [1e6 + 1],
    "normal": 1e5 + np.random.default_rng(1).normal(size=64),
    "far below 0": -1e5 + np.random.default_rng(2).normal(size=1000),
    "ordinary": np.random.default_rng(3).normal(size=33),
    "small": np.random.default_rng(4).normal(size=10) * 1e-3,
}
DEVIATIONS = {
    "elems": dy.std_elems,
    "dim": lambda p: dy.std_dim(p, [0]),
    "rows": lambda p: dy.std_dim(dy.transpose(p), [1]),
    "batches": lambda p: dy.std_batches(dy.concatenate_to_batch(list(p))),
}


@pytest.mark.parametrize("over", DEVIATIONS)
@pytest.mark.parametrize("name", SPREADS)
def test_deviation(name: str, over: str) -> None:
    x = exact(SPREADS[name])
    p = parameter(x)
    y = DEVIATIONS[over](p)
    close(y.value(), x.std())
    y.backward()
    close(p.grad_as_array(), (x - x.mean()) / (len(x) * x.std()), atol=TOLERANCE / len(x))


@pytest.mark.parametrize("name", SPREADS)
def test_layer_norm(name: str) -> None:
    x = exact(SPREADS[name])
    n, deviation = len(x), x.std() + 1e-8
    standard, w = (x - x.mean()) / deviation, np.arange(n) % 3 - 1.0
    p = parameter(x)
    y = dy.layer_norm(p, dy.ones(n), dy.zeros(n))
    close(y.npvalue(), standard, atol=TOLERANCE)
    dy.dot_product(y, dy.inputVector(w)).backward()
    slope = (w - w.mean()) / deviation - standard * (standard @ w) / (n * x.std())
    close(p.grad_as_array(), slope, atol=4 * TOLERANCE / deviation)


def test_equal_gradients_of_layer_norm_cancel() -> None:
    """The sum of standardised numbers does not move, whatever it is multiplied with."""
    x = np.random.default_rng(5).normal(size=10)
    p = parameter(x)
    dy.sum_elems(dy.layer_norm(p, dy.ones(10) * 1e4, dy.zeros(10))).backward()
    np.testing.assert_allclose(p.grad_as_array(), 0, atol=5e-3)


EQUAL = [(1000, 1.5), (3, 0.1), (10, 7.7), (41, 1.5), (3, 10000001.0), (100_003, 0.3)]


@pytest.mark.parametrize(("n", "value"), EQUAL)
def test_equal_numbers(n: int, value: float) -> None:
    """They have no deviation, and nothing is left of them without their mean."""
    p = parameter(np.full(n, value))
    np.testing.assert_array_equal(dy.layer_norm(p, dy.ones(n), dy.zeros(n)).npvalue(), 0)
    for y in (dy.std_elems(p), dy.std_dim(p, [0])):
        assert y.value() == 0
        y.backward()
        np.testing.assert_array_equal(p.grad_as_array(), 0)
    if n < 100:
        y = dy.std_batches(dy.concatenate_to_batch(list(p)))
        assert y.value() == 0
        assert dy.mean_elems(p).value() == p[0].value()
        assert dy.average(list(p)).value() == p[0].value()


def test_division_by_a_number_is_rounded_once() -> None:
    dtype = np.float32
    dy.renew_cg()
    for divisor in (3, 41, 49, 0.1, 1e38, 1e-38):
        x = np.array([0, 1, 2, 5, 7, 35, 41], dtype) * dtype(0.01) * dtype(divisor)
        np.testing.assert_array_equal((dy.inputVector(x) / divisor).npvalue(), x / dtype(divisor))
    assert (dy.inputVector([0.0]) / 1e-40).value() == 0


LENGTHS = [[3e-30, 4e-30], [3e30, 4e30], [3.0, 4.0], [3e-20, 4e-20], [3e19, 4e19, 0]]


@pytest.mark.parametrize("x", LENGTHS)
def test_lengths_neither_vanish_nor_overflow(x: list[float]) -> None:
    x = exact(x)
    length = np.sqrt(x @ x)
    p = parameter(x)
    y = dy.l2_norm(p)
    close(y.value(), length)
    y.backward()
    close(p.grad_as_array(), x / length)
    p = parameter(x)
    y = dy.weight_norm(p, dy.scalarInput(2))
    close(y.npvalue(), 2 * x / length)
    y[0].backward()
    unit = x / length
    close(p.grad_as_array(), 2 * (np.eye(len(x))[0] - unit * unit[0]) / length, atol=TOLERANCE / length)


def test_deviations_neither_vanish_nor_overflow() -> None:
    dy.renew_cg()
    for axes in ({}, {"d": [0]}):
        y = dy.layer_norm(dy.inputVector([1e30, 3e30]), dy.ones(2), dy.zeros(2), **axes)
        np.testing.assert_allclose(y.npvalue(), [-1, 1], rtol=1e-6)
    y = dy.rms_norm(dy.inputTensor([[1e30, 1], [7e30, 7]]), dy.ones(2), d=[0])
    np.testing.assert_allclose(y.npvalue(), [[0.2, 0.2], [1.4, 1.4]], rtol=1e-6)
    y = dy.layer_norm(dy.inputVector([1e30, 3e30]), dy.ones(2), dy.zeros(2))
    np.testing.assert_array_equal(y.npvalue(), [-1, 1])
    for size in (1e-30, 1e30):
        x = exact(np.array([[1, 2, 4, 5], [3, 3, 3, 3], [1, -1, 7, 0]]) * size)
        for axes in ([0], [1], [0, 1]):
            p = parameter(x)
            y = dy.std_dim(p, axes)
            close(y.npvalue(), x.std(tuple(axes)))
            dy.sum_elems(y).backward()
            centered, deviation = (f(x, axis=tuple(axes), keepdims=True) for f in (np.mean, np.std))
            slope = (x - centered) * deviation.size / x.size / np.where(deviation == 0, 1, deviation)
            close(p.grad_as_array(), slope, atol=TOLERANCE)


def test_weight_norm_of_nothing() -> None:
    """No direction: the value and the gradients are 0, and each batch element has its own."""
    p = parameter(np.zeros(3))
    g = dy.ParameterCollection().add_parameters(1, init=1.0)
    y = dy.weight_norm(p, g)
    np.testing.assert_array_equal(y.npvalue(), 0)
    dy.sum_elems(y).backward()
    np.testing.assert_array_equal(p.grad_as_array(), 0)
    assert g.grad_as_array() == 0
    batch = dy.weight_norm(dy.inputTensor([[0, 3], [0, 4]], batched=True), dy.scalarInput(1)).npvalue()
    np.testing.assert_allclose(batch, [[0, 0.6], [0, 0.8]], rtol=1e-6)


def cross_entropy(x, y):
    return -(y * np.log(x) if y else 0) - ((1 - y) * np.log1p(-x) if y < 1 else 0)


@pytest.mark.parametrize("y", [0, 0.25, 0.5, 1])
@pytest.mark.parametrize(
    "x", [1e-10, 1e-8, 1e-6, 1e-5, 1e-3, 0.2500001, 0.25001, 0.5001, 0.75, 0.9999, 1 - 1e-6]
)
def test_binary_log_loss(x: float, y: float) -> None:
    p, q = parameter([x]), parameter([y])
    dy.renew_cg()
    loss = dy.binary_log_loss(p, q)
    x = exact(x)
    close(loss.value(), cross_entropy(x, y))
    loss.backward()
    close(p.grad_as_array(), [(x - y) / (x * (1 - x))])
    close(q.grad_as_array(), [np.log1p(-x) - np.log(x)])


def test_binary_log_loss_outside() -> None:
    """Certain probabilities, right and wrong: the loss stays finite."""
    dy.renew_cg()
    found = [
        dy.binary_log_loss(dy.inputVector([x]), dy.inputVector([y])).value() for x, y in [(0, 0), (1, 1)]
    ]
    assert found == [0, 0]
    for x, y in [(0, 1), (1, 0)]:
        loss = dy.binary_log_loss(dy.inputVector([x]), dy.inputVector([y])).value()
        assert loss == pytest.approx(-math.log(2.0**-126))


@pytest.mark.parametrize("k", [1, 2, 5, 60, 99, 100, 1000, 10**6, 10**9, 2**32 - 1])
def test_poisson_loss(k: int) -> None:
    for distance in (0, 1e-4, -0.01, 0.3, 0.99, 1.01, -1.5, 3):
        x = float(exact(math.log(k) + distance))
        p = parameter([x])
        loss = dy.poisson_loss(p, k)
        u = x - math.log(k)
        small = u * u / 2 * (1 + u / 3 * (1 + u / 4 * (1 + u / 5 * (1 + u / 6))))
        excess = math.expm1(u) - u if abs(u) > 1e-2 else small
        least = 0.5 * math.log(2 * math.pi * k) + 1 / (12 * k) - 1 / (360 * k**3)
        if k < 100:
            least = math.lgamma(k + 1) + k - k * math.log(k)
        close(loss.value(), k * excess + least)
        loss.backward()
        close(p.grad_as_array(), [k * math.expm1(u)], atol=k * 1e-9)


CONFIDENT = [
    [20, 0],
    [0, -20],
    [5, 1, 9.0],
    [12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [3, 3],
    [30, 0],
]


@pytest.mark.parametrize("x", CONFIDENT)
def test_losses_of_the_confident(x: list[float]) -> None:
    """The likelihood is 1 less very little, which is the loss."""
    x = exact(x)
    best = int(x.argmax())
    others = np.delete(x - x[best], best)
    loss, p = np.log1p(np.exp(others).sum()), np.exp(x - x[best]) / (1 + np.exp(others).sum())
    score = parameter(x)
    y = dy.pickneglogsoftmax(score, best)
    close(y.value(), loss)
    y.backward()
    slope = p.copy()
    slope[best] = -np.delete(p, best).sum()
    close(score.grad_as_array(), slope)
    y = dy.pickneglogsoftmax(score, len(x) - 1 - best)
    y.backward()
    score = parameter(x)
    close(-dy.log_softmax(score)[best].value(), loss)
    both = dy.log_softmax(dy.inputTensor(np.stack([x, x[::-1]], axis=1)))
    close([-both.npvalue()[best, 0], -both.npvalue()[len(x) - 1 - best, 1]], [loss, loss])
    if x[best] == 0:
        close(dy.logsumexp_dim(score).value(), loss)
        close(dy.logsumexp([score[i] for i in range(len(x))]).value(), loss)
        close(dy.logsumexp_dim(dy.transpose(dy.inputTensor(np.stack([x, x], 1))), 1).npvalue(), [loss, loss])


SLOPES = {
    "elu": (dy.elu, [-1e-3, -1, -10, -16, -30], np.exp),
    "selu": (dy.selu, [-1, -10, -16, -30], lambda x: 1.0507009873554805 * 1.6732632423543773 * np.exp(x)),
    "asin": (dy.asin, [0.5, 0.9999, 1 - 1e-6], lambda x: 1 / np.sqrt((1 - x) * (1 + x))),
    "acos": (dy.acos, [0.5, -0.9999, 1 - 1e-6], lambda x: -1 / np.sqrt((1 - x) * (1 + x))),
    "acosh": (dy.acosh, [1 + 1e-6, 1.0001, 2, 1e25], lambda x: 1 / np.sqrt(x - 1) / np.sqrt(x + 1)),
    "asinh": (dy.asinh, [-3, 1e-3, 9e7, 2e8, -1e25], lambda x: 1 / np.hypot(1, x)),
    "atanh": (dy.atanh, [0.5, 0.9999, 1 - 1e-6], lambda x: 1 / ((1 - x) * (1 + x))),
    "log_sigmoid": (dy.log_sigmoid, [-20, -1e-3, 5, 20], lambda x: 1 / (1 + np.exp(x))),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slopes(name: str) -> None:
    make, x, slope = SLOPES[name]
    p = parameter(x)
    dy.sum_elems(make(p)).backward()
    close(p.grad_as_array(), slope(exact(x)))


def test_log_sigmoid() -> None:
    x = exact([-100, -20, -1, 0, 1, 10, 20, 60])
    dy.renew_cg()
    close(dy.log_sigmoid(dy.inputVector(x)).npvalue(), -np.log1p(np.exp(-x)))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_logsumexp_of_nothing_does_not_move(count: int) -> None:
    p = parameter([-np.inf, 1.0])
    y = dy.logsumexp([p] * count)
    np.testing.assert_allclose(y.npvalue(), [-np.inf, 1 + math.log(count)], rtol=1e-6)
    dy.sum_elems(y).backward()
    np.testing.assert_allclose(p.grad_as_array(), [0, 1], rtol=1e-6)


CIRCULAR = {"circ_conv": dy.circ_conv, "circ_corr": dy.circ_corr}


@pytest.mark.parametrize("name", CIRCULAR)
@pytest.mark.parametrize("n", [100, 1000, 4096])
def test_circular_products_of_many_terms(name: str, n: int) -> None:
    x = np.full(n, 0.1)
    p = parameter(x)
    y = CIRCULAR[name](p, dy.inputVector(x))
    close(y.npvalue(), np.full(n, n * exact(0.1) ** 2))
    dy.sum_elems(y).backward()
    close(p.grad_as_array(), np.full(n, n * exact(0.1)))
