"""Edges with a right answer: logits of any size, forbidden cells, and points where a slope is missing."""

from __future__ import annotations

import numpy as np
import pytest
from table import DOUBLE, assert_close

import dynet as dy

INF = np.inf
LOGITS = [
    [1e4, 1e4],
    [1e5, 1e5],
    [1e6, 1e6 - 1],
    [1e7, 1e7],
    [-1e7, -1e7 - 1],
    [16777216, 16777215],
    [3e38, 3e38, 3e38],
    [-3e38, 3e38],
    [-3e38, -3e38],
    [1e8, 1e8 - 8, 0, -1e8],
    [1e7 + k % 5 for k in range(15)],
    [-1e6 - k % 7 for k in range(16)],
    [1e6 + k % 7 for k in range(17)],
    [3e38 if k % 9 == 4 else -3e38 for k in range(100)],
    [-INF, 1e7, 1e7 + 1],
    [-INF, -INF, 5],
    [-INF if k % 3 else 2.0 + k % 4 for k in range(33)],
]


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def log_softmax(x):
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum())


def single(x):
    """As exact numbers in double precision."""
    return np.asarray(x, np.float32).astype(np.float64)


def rounded(y):
    """What the extension can hold of numbers in double precision."""
    with np.errstate(over="ignore"):
        return np.asarray(y) if DOUBLE else single(y)


def parameter(x):
    dy.renew_cg()
    return dy.ParameterCollection().parameters_from_numpy(np.asarray(x))


@pytest.fixture(params=range(len(LOGITS)), ids=lambda i: f"{LOGITS[i][:3]}x{len(LOGITS[i])}")
def logits(request):
    return single(LOGITS[request.param])


def check_gradient(loss, p, expected) -> None:
    loss.backward()
    assert_close(p.grad_as_array(), expected, 1e-5)


@pytest.mark.parametrize("across", [False, True])
def test_softmax(logits, across: bool) -> None:
    """Down a column, and across a row of which each number is a line's."""
    p = parameter(np.stack([logits, logits], axis=0) if across else logits)
    y = dy.softmax(p, 1) if across else dy.softmax(p)
    lines = y.npvalue() if across else [y.npvalue()]
    want = softmax(logits)
    for line in lines:
        assert_close(line, want, 1e-6)
        assert abs(line.sum() - 1) < 1e-6
    w = np.arange(len(logits)) % 3 - 1.0
    weight = dy.inputTensor(np.stack([w, w]) if across else w)
    slope = want * (w - w @ want)
    check_gradient(dy.dot_product(y, weight), p, np.stack([slope, slope]) if across else slope)


def test_log_softmax(logits) -> None:
    p = parameter(logits)
    y = dy.log_softmax(p)
    assert_close(y.npvalue(), rounded(log_softmax(logits)), 1e-6)
    best = int(logits.argmax())
    check_gradient(y[best], p, (np.arange(len(logits)) == best) - softmax(logits))


def test_restricted_log_softmax(logits) -> None:
    p = parameter(np.append(logits, 3e38))
    y = dy.log_softmax(p, list(range(len(logits))))
    assert_close(y.npvalue(), np.append(rounded(log_softmax(logits)), -INF), 1e-6)
    best = int(logits.argmax())
    slope = (np.arange(len(logits)) == best) - softmax(logits)
    check_gradient(y[best], p, np.append(slope, 0))


def test_pickneglogsoftmax(logits) -> None:
    for v in {0, int(logits.argmax()), len(logits) - 1}:
        p = parameter(logits)
        loss = dy.pickneglogsoftmax(p, v)
        assert_close(np.array([loss.value()]), rounded([-log_softmax(logits)[v]]), 1e-6)
        if np.isfinite(loss.value()):
            check_gradient(loss, p, softmax(logits) - (np.arange(len(logits)) == v))
    dy.renew_cg()
    batch = dy.inputTensor(np.stack([logits, logits[::-1]], axis=1), batched=True)
    best = int(logits.argmax())
    losses = dy.pickneglogsoftmax_batch(batch, [best, len(logits) - 1 - best])
    assert_close(losses.npvalue().reshape(-1), np.full(2, -log_softmax(logits)[best]), 1e-6)
    model = dy.ParameterCollection()
    builder = dy.StandardSoftmaxBuilder(1, len(logits), model, False)
    model.parameters_list()[0].set_value(logits.reshape(-1, 1))
    dy.renew_cg()
    loss = builder.neg_log_softmax(dy.inputVector([1]), best)
    assert_close(np.array([loss.value()]), -log_softmax(logits)[[best]], 1e-6)


def logsumexp(x):
    return x.max() + np.log(np.exp(x - x.max()).sum())


def test_logsumexp(logits) -> None:
    makers = [
        lambda p: dy.logsumexp_dim(p),
        lambda p: dy.logsumexp_dim(dy.transpose(p), 1),
        lambda p: dy.logsumexp([p[i] for i in range(len(logits))]),
    ]
    for make in makers:
        p = parameter(logits)
        y = make(p)
        assert_close(np.array([y.value()]), rounded([logsumexp(logits)]), 1e-6)
        check_gradient(y, p, softmax(logits))


def test_nothing_allowed() -> None:
    """As in PyTorch: no distribution, and a sum of nothing, whose gradient is 0."""
    forbidden = np.full(3, -INF)
    assert np.isnan(dy.softmax(parameter(forbidden)).npvalue()).all()
    assert np.isnan(dy.log_softmax(parameter(forbidden)).npvalue()).all()
    assert np.isnan(dy.pickneglogsoftmax(parameter(forbidden), 1).npvalue()).all()
    for make in (dy.logsumexp_dim, lambda p: dy.logsumexp([p[0], p[1], p[2]])):
        p = parameter(forbidden)
        y = make(p)
        assert y.value() == -INF
        y.backward()
        np.testing.assert_array_equal(p.grad_as_array(), 0)


def simplex(x):
    """sparsemax, with distances to the largest score."""
    x = x - x.max()
    z = np.sort(x[x > -1])[::-1]
    k = np.arange(1, len(z) + 1)
    size = k[1 + k * z > np.cumsum(z)].max()
    return np.maximum(0, x - (z[:size].sum() - 1) / size)


def test_sparsemax(logits) -> None:
    p = parameter(logits)
    y = dy.sparsemax(p)
    want = simplex(logits)
    assert_close(y.npvalue(), want, 1e-6)
    assert abs(y.npvalue().sum() - 1) < 1e-6
    w = np.arange(len(logits)) % 3 - 1.0
    support = want > 0
    check_gradient(dy.dot_product(y, dy.inputVector(w)), p, np.where(support, w - w[support].mean(), 0))


def test_sparsemax_of_infinite_scores() -> None:
    np.testing.assert_array_equal(dy.sparsemax(dy.inputVector([0, INF, 5, INF])).npvalue(), [0, 0.5, 0, 0.5])
    assert np.isnan(dy.sparsemax(dy.inputVector([-INF, -INF])).npvalue()).all()


@pytest.mark.parametrize("bound", [0.3, 0.6, 1.0])
def test_constrained_softmax(logits, bound: float) -> None:
    p = parameter(logits)
    y = dy.constrained_softmax(p, dy.inputVector(np.full(len(logits), bound)))
    value = y.npvalue()
    assert np.all((value >= 0) & (value <= np.float32(bound)))
    assert abs(value.sum() - min(1, bound * len(logits))) < 1e-6
    if bound == 1:
        assert_close(value, softmax(logits), 1e-6)
    dy.dot_product(y, dy.inputVector(np.arange(len(logits)))).backward()
    assert np.isfinite(p.grad_as_array()).all()


def test_forbidden_scores_get_what_others_may_not_have() -> None:
    y = dy.constrained_softmax(dy.inputVector([0, -INF, -INF]), dy.inputVector([0.5, 0.5, 0.5]))
    np.testing.assert_array_equal(y.npvalue(), [0.5, 0.25, 0.25])


EQUAL = np.full((3, 4), 1.5)


@pytest.mark.parametrize(
    ("x", "make"),
    [
        (EQUAL, dy.std_elems),
        (EQUAL, lambda p: dy.sum_elems(dy.std_dim(p, [0]))),
        (EQUAL, lambda p: dy.sum_elems(dy.std_dim(p, [0, 1]))),
        (EQUAL, lambda p: dy.sum_elems(dy.std_batches(dy.concatenate_to_batch([p, p])))),
        (EQUAL, lambda p: dy.sum_elems(dy.layer_norm(p, dy.ones((3, 4)), dy.zeros((3, 4))))),
        (0 * EQUAL, dy.l2_norm),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.abs(p))),
        (0 * EQUAL, lambda p: dy.squared_distance(p, p * 2)),
        (0 * EQUAL, lambda p: dy.l1_distance(p, p * 2)),
        (0 * EQUAL, lambda p: dy.sum_elems(p**0)),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.pow(p, dy.inputVector([0])))),
        (np.zeros(1), lambda p: dy.pow(dy.inputVector([0]), p)),
        (np.full(1, 0.5), lambda p: dy.pow(dy.inputVector([0]), p)),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.rectify(p))),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.sqrt(p))),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.sqrt(p) * 0)),
        (0 * EQUAL, lambda p: dy.sum_elems(p**0.5)),
        (0 * EQUAL, lambda p: dy.sum_elems(p**1.5)),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.pow(p, dy.inputVector([0.5])))),
        (0 * EQUAL, lambda p: dy.sum_elems(dy.moment_dim(p, [0], 2, False))),
    ],
)
def test_missing_slopes_are_0(x: np.ndarray, make) -> None:
    p = parameter(x)
    make(p).backward()
    np.testing.assert_array_equal(p.grad_as_array(), 0)


def test_forbidden_cells_spoil_no_others() -> None:
    """A matrix of which one column, and one element of another, is forbidden."""
    x = np.array([[-INF, 1.0, -INF], [-INF, 2.0, 0.5]])
    p = parameter(x)
    y = dy.logsumexp_dim(p)
    (y[1] + y[2]).backward()
    np.testing.assert_allclose(p.grad_as_array(), [[0, 1 / (1 + np.e), 0], [0, np.e / (1 + np.e), 1]], 1e-6)
    p = parameter(x)
    y = dy.logsumexp([p[0], p[1]])
    np.testing.assert_array_equal(np.isfinite(y.npvalue()), [False, True, True])
    dy.sum_elems(y[1:3]).backward()
    np.testing.assert_allclose(p.grad_as_array(), [[0, 1 / (1 + np.e), 0], [0, np.e / (1 + np.e), 1]], 1e-6)


@pytest.mark.parametrize("make", [dy.sqrt, lambda x: x**0.5, lambda x: dy.pow(x, dy.inputVector([0.5]))])
def test_slopes_of_roots(make) -> None:
    """Beside 0 they are what they are, and of what has no root they are no number."""
    dy.renew_cg()
    x = dy.inputVector([0.0, 4.0, -1.0, 0.25, np.nan, 1e-30] * 5)
    dy.sum_elems(make(x)).backward(full=True)
    np.testing.assert_allclose(x.gradient(), [0, 0.25, np.nan, 1, np.nan, 5e14] * 5, 1e-5)


def test_largest_of_what_is_not_a_number() -> None:
    """The first NaN is the largest, as in NumPy and PyTorch: its value, and its place."""
    rows = np.array([[1, np.nan, 3, np.nan], [7, 2, np.nan, 9], [1, 2, 3, 4]], float)
    dy.renew_cg()
    x = dy.inputTensor(rows)
    for axis in (0, 1):
        np.testing.assert_array_equal(dy.max_dim(x, axis).npvalue(), rows.max(axis))
        np.testing.assert_array_equal(dy.min_dim(x, axis).npvalue(), rows.min(axis))
        places = x.tensor_value().argmax(axis).as_numpy()
        np.testing.assert_array_equal(places.reshape(-1), rows.argmax(axis))
        values, best = x.tensor_value().topk(axis)
        np.testing.assert_array_equal(values.as_numpy().reshape(-1), rows.max(axis))
        np.testing.assert_array_equal(best.as_numpy(), places)
        dy.sum_elems(dy.max_dim(x, axis)).backward(full=True)
        np.testing.assert_array_equal(
            x.gradient(),
            np.eye(rows.shape[axis])[rows.argmax(axis)].T
            if axis == 0
            else np.eye(rows.shape[axis])[rows.argmax(axis)],
        )
    for row in rows:
        one_hot = dy.argmax(dy.inputVector(row), gradient_mode="zero_gradient").npvalue()
        assert one_hot.argmax() == row.argmax() and one_hot.sum() == 1
    np.testing.assert_array_equal(dy.kmax_pooling(x, 2, 1).npvalue(), [[np.nan, np.nan], [np.nan, 9], [3, 4]])
    np.testing.assert_array_equal(
        dy.emax([dy.inputVector([1, np.nan]), dy.inputVector([np.nan, 1])]).npvalue(), np.nan
    )


def test_the_first_of_equal_expressions_gets_the_gradient_of_emax() -> None:
    dy.renew_cg()
    xs = [dy.inputVector(x) for x in ([1, 2, 0], [1, 3, 0], [1, 3, 0])]
    dy.sum_elems(dy.emax(xs)).backward(full=True)
    assert [x.gradient().tolist() for x in xs] == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_log_of_zero() -> None:
    np.testing.assert_array_equal(dy.log(dy.inputVector([0.0, -0.0] * 17)).npvalue(), -INF)


def test_poisson_loss_of_infinite_means() -> None:
    losses = [dy.poisson_loss(dy.inputVector([x]), k).value() for x in (INF, -INF) for k in (0, 2)]
    assert losses == [INF, INF, 0, INF]


@pytest.mark.parametrize(
    "matrix", ["0", "0 0; 0 0", "0 0; 0 1", "1 0; 0 0", "0 1; 0 0", "0 1; 0 2", "1 1; 1 1", "1 2; 2 4"]
)
def test_singular_matrices(matrix):
    """NumPy has the same logarithm, and no inverse."""
    numbers = np.array([row.split() for row in matrix.split(";")], float)
    x = parameter(numbers)
    assert dy.logdet(x).value() == np.linalg.slogdet(numbers)[1] == -INF
    assert np.isnan(dy.inverse(x).npvalue()).all()


def test_matrices_of_what_is_no_number():
    for matrix in (
        [[0, np.nan], [0, 1]],
        [[0, 1], [np.nan, 1]],
        [[1, 1], [1, np.nan]],
        [[np.nan, 1], [1, 1]],
    ):
        assert np.isnan(dy.logdet(parameter(matrix)).value())
