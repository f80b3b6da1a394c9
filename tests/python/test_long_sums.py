"""Sums of many numbers are as exact as pairwise sums, and their order depends on their length alone."""

from __future__ import annotations

import numpy as np
import pytest

import dynet as dy

TOLERANCE = 2e-6
SHORT, LONG = (1000, 4095, 4097, 100_000), (10_000_000,)
USES = 50_000


def numbers(n: int, kind: str) -> np.ndarray:
    """Equal numbers are the hardest: all rounding errors point the same way."""
    if kind == "random":
        return np.random.default_rng(n).uniform(0.01, 1, n).astype(np.float32)
    return np.full(n, float(kind), np.float32)


def exact(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)


def close(actual, expected) -> None:
    np.testing.assert_allclose(np.asarray(actual, np.float64), expected, rtol=TOLERANCE, atol=0)


def two_rows(x: np.ndarray):
    return dy.inputTensor(np.stack([x, x[::-1]]))


def softmax(x: np.ndarray) -> np.ndarray:
    p = np.exp(x - x.max())
    return p / p.sum()


# What is summed, from the numbers x, and what it comes to.
SUMS = {
    "sum_elems": (lambda e, x: dy.sum_elems(e), lambda x: x.sum()),
    "mean_elems": (lambda e, x: dy.mean_elems(e), lambda x: x.mean()),
    "moment_elems": (lambda e, x: dy.moment_elems(e, 2), lambda x: np.mean(x**2)),
    "dot_product": (lambda e, x: dy.dot_product(e, e), lambda x: x @ x),
    "squared_norm": (lambda e, x: dy.squared_norm(e), lambda x: x @ x),
    "l2_norm": (lambda e, x: dy.l2_norm(e), lambda x: np.sqrt(x @ x)),
    "l1_distance": (lambda e, x: dy.l1_distance(e, dy.zeros(len(x))), lambda x: x.sum()),
    "huber_distance": (lambda e, x: dy.huber_distance(e, dy.zeros(len(x))), lambda x: x @ x / 2),
    "product of a row": (lambda e, x: dy.transpose(e) * e, lambda x: x @ x),
    "sum of softmax": (lambda e, x: dy.sum_elems(dy.softmax(e)), lambda x: 1),
    "softmax": (lambda e, x: dy.softmax(e), softmax),
    "logsumexp_dim": (lambda e, x: dy.logsumexp_dim(e), lambda x: np.log(np.exp(x).sum())),
    "cumsum": (lambda e, x: dy.cumsum(e), np.cumsum),
    "sum_dim": (lambda e, x: dy.sum_dim(two_rows(x), [1]), lambda x: np.full(2, x.sum())),
    "sum_dim of columns": (lambda e, x: dy.sum_dim(dy.inputTensor(x[:, None]), [0]), lambda x: [x.sum()]),
    "cumsum of rows": (lambda e, x: dy.cumsum(two_rows(x), d=1), lambda x: np.cumsum([x, x[::-1]], axis=1)),
    "sum of softmax of rows": (lambda e, x: dy.sum_dim(dy.softmax(two_rows(x), d=1), [1]), lambda x: [1, 1]),
    "sum_batches": (
        lambda e, x: dy.sum_batches(dy.inputTensor(np.stack([x, x[::-1]]), batched=True)),
        lambda x: np.full(2, x.sum()),
    ),
    "matrix product": (lambda e, x: two_rows(x) * e, lambda x: [x @ x, x[::-1] @ x]),
}


@pytest.mark.parametrize("kind", ["0.1", "0.3", "random"])
@pytest.mark.parametrize("name", SUMS)
def test_values(name: str, kind: str) -> None:
    build, reference = SUMS[name]
    for n in SHORT:
        if name == "matrix product" and n < 4096:
            continue  # the runs of shorter ones are longer
        x = numbers(n, kind)
        dy.renew_cg()
        close(build(dy.inputTensor(x), x).npvalue(), reference(exact(x)))


@pytest.mark.parametrize("name", ["sum_elems", "dot_product", "sum of softmax", "sum_dim", "sum_batches"])
def test_values_of_ten_million(name: str) -> None:
    build, reference = SUMS[name]
    for n in LONG:
        x = numbers(n, "0.1")
        dy.renew_cg()
        close(build(dy.inputTensor(x), x).npvalue(), reference(exact(x)))
    dy.renew_cg()


@pytest.mark.parametrize("n", [769, 1024, 2000, 4096])
@pytest.mark.parametrize("columns", [1, 3, 40])
def test_products_of_some_depth(n: int, columns: int) -> None:
    """Of a parameter and of a plain matrix, as they are and transposed, and of any number of columns."""
    x = numbers(n, "0.1")
    p = dy.ParameterCollection().parameters_from_numpy(np.stack([x] * 5))
    right, left = np.stack([x] * columns, axis=1), np.full((5, columns), exact(x) @ exact(x))
    for matrix in (
        lambda: p,
        lambda: dy.inputTensor(np.stack([x] * 5)),
        lambda: dy.transpose(dy.transpose(p)),
    ):
        dy.renew_cg()
        found = np.asarray((matrix() * dy.inputTensor(right)).npvalue(), np.float64).reshape(left.shape)
        np.testing.assert_allclose(found, left, rtol=6e-6)
    p = dy.ParameterCollection().parameters_from_numpy(np.stack([x] * 5, axis=1))
    v = dy.ParameterCollection().parameters_from_numpy(np.zeros((5, columns)))
    for _ in range(3):  # the first calls may read the matrix as it lies
        dy.renew_cg()
        dy.dot_product(p * v, dy.inputTensor(right)).backward()
    expected = 3 * left.reshape(v.shape())
    np.testing.assert_allclose(np.asarray(v.grad_as_array(), np.float64), expected, rtol=6e-6)


def gradient(shape, loss) -> np.ndarray:
    """Of a parameter of ones."""
    dy.renew_cg()
    p = dy.ParameterCollection().add_parameters(shape, init=1.0)
    loss(p).backward()
    return p.grad_as_array()


def of_elements(e):
    return dy.sum_batches(dy.sum_elems(e))


# Gradients that are sums over the elements or the batch elements of one use.
BROADCASTS = {
    "number": (1, lambda p, e, b: dy.cmult(p, e)),
    "vector": (2, lambda p, e, b: dy.cmult(e, p)),
    "row": ((1, 2), lambda p, e, b: dy.cmult(dy.transpose(e), p)),
    "batch": (1, lambda p, e, b: dy.cmult(p, b)),
    "batch sum": (1, lambda p, e, b: (p + b) * 1.0),
    "batch logarithm": (1, lambda p, e, b: dy.log(p) * b),
}


@pytest.mark.parametrize("name", BROADCASTS)
def test_gradients_of_one_use(name: str) -> None:
    shape, build = BROADCASTS[name]
    for n in SHORT:
        x = numbers(n, "0.1")

        def loss(p, x=x):
            return of_elements(build(p, two_rows(x), dy.inputTensor(x[None, :], batched=True)))

        expected = n if name == "batch sum" else exact(x).sum() * (2 if name == "number" else 1)
        close(gradient(shape, loss), np.full(shape, expected))


def test_gradient_of_a_matrix_over_the_batch() -> None:
    x = numbers(USES, "0.1")

    def loss(p):
        return of_elements(p * dy.inputTensor(np.stack([x, x]), batched=True))

    close(gradient((3, 2), loss), np.full((3, 2), exact(x).sum()))


# Gradients that are sums over many uses.
MANY_USES = {
    "factor": (2, lambda p, v: p * v),
    "matrix": ((2, 1), lambda p, v: p * dy.scalarInput(v)),
    "bias": (2, lambda p, v: dy.affine_transform([p, dy.inputTensor([[1.0], [1.0]]), dy.scalarInput(1)]) * v),
    "element": (2, lambda p, v: dy.concatenate([p[0], p[1]]) * v),
}


@pytest.mark.parametrize("name", MANY_USES)
def test_gradients_of_many_uses(name: str) -> None:
    shape, build = MANY_USES[name]
    x = numbers(USES, "0.1")
    found = gradient(shape, lambda p: dy.esum([dy.sum_elems(build(p, float(v))) for v in x]))
    close(found, np.full(shape, exact(x).sum()))


def test_gradient_of_uses_one_after_another() -> None:
    x = numbers(USES, "0.1")

    def loss(p):
        state = dy.zeros(2)
        for v in x:
            state = state + dy.cmult(p, dy.inputVector([v, v]))
        return dy.sum_elems(state)

    close(gradient(2, loss), np.full(2, exact(x).sum()))


def test_gradient_of_a_row() -> None:
    x = numbers(USES, "0.1")
    table = dy.ParameterCollection().add_lookup_parameters((5, 3), init=1.0)
    dy.renew_cg()
    of_elements(dy.esum([table[i % 2 * 3] * float(v) for i, v in enumerate(x)])).backward()
    sums = np.zeros((5, 3))
    sums[0], sums[3] = exact(x[::2]).sum(), exact(x[1::2]).sum()
    found = table.grad_as_array()
    close(found[[0, 3]], sums[[0, 3]])
    assert not found[[1, 2, 4]].any()
    dy.renew_cg()
    of_elements(dy.lookup_batch(table, [4] * USES)).backward()
    close(table.grad_as_array()[4], np.full(3, USES))


@pytest.mark.parametrize("name", ["esum", "average", "logsumexp"])
def test_lists(name: str) -> None:
    x = numbers(USES, "0.1")
    dy.renew_cg()
    e = getattr(dy, name)([dy.inputVector([v, 2 * v]) for v in x])
    x2 = exact(np.stack([x, 2 * x]))
    expected = {"esum": x2.sum(1), "average": x2.mean(1), "logsumexp": np.log(np.exp(x2).sum(1))}
    close(e.npvalue(), expected[name])


LAWFUL = ("sum_elems", "dot_product", "softmax", "cumsum", "logsumexp_dim", "product of a row")


@pytest.mark.parametrize("name", LAWFUL)
@pytest.mark.parametrize("n", SHORT)
def test_order_depends_on_the_length_alone(name: str, n: int) -> None:
    """A batch and its elements, batched by hand, automatically, or not at all, have the same bits."""
    build = SUMS[name][0]
    xs = np.stack([numbers(n, "random") * factor for factor in (1, 0.3, 0.7)], axis=1).astype(np.float32)
    found = []
    for autobatching in (True, False):
        dy.renew_cg(autobatching=autobatching)
        ys = [build(e, x) for e, x in ((dy.inputTensor(x), x) for x in xs.T)]
        dy.esum([dy.sum_elems(y) for y in ys]).value()
        found.append(np.stack([y.npvalue() for y in ys], axis=-1))
    dy.renew_cg()
    e = dy.inputTensor(xs, batched=True)
    found.append(np.atleast_2d(build(e, xs[:, 0]).npvalue()).reshape(found[0].shape))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    dy.renew_cg()


@pytest.mark.parametrize("n", [64, 65, 1000, 4097])
def test_gradients_do_not_depend_on_the_schedule(n: int) -> None:
    x = numbers(n, "random")
    found = []
    for autobatching in (True, False):
        for policy in ("agenda", "depth", "single"):
            dy.set_batching_policy(policy)
            dy.renew_cg(autobatching=autobatching)
            p = dy.ParameterCollection().add_parameters(3, init=1.0)
            e = p + 0.0
            uses = [dy.tanh(e * float(v)) if i % 3 else dy.cmult(e, p) * float(v) for i, v in enumerate(x)]
            dy.sum_elems(dy.esum(uses)).backward()
            found.append(p.grad_as_array())
    dy.set_batching_policy("agenda")
    dy.renew_cg()
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
