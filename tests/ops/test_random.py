"""What random operations promise: their distributions, and numbers that depend on seed and place alone."""

from __future__ import annotations

import numpy as np
import pytest

import dynet as dy

MANY = 100_000


@pytest.fixture(autouse=True)
def seed():
    dy.reset_random_seed(9)


def drawn(build, seed: int = 5) -> np.ndarray:
    dy.reset_random_seed(seed)
    dy.renew_cg()
    return np.asarray(build().npvalue(), dtype=np.float64)


@pytest.mark.parametrize(
    ("build", "mean", "deviation"),
    [
        (lambda: dy.random_normal((MANY,)), 0, 1),
        (lambda: dy.random_normal((MANY,), mean=3.0, stddev=0.5), 3, 0.5),
        (lambda: dy.random_uniform((MANY,), -1.0, 3.0), 1, 4 / np.sqrt(12)),
        (lambda: dy.random_bernoulli((MANY,), 0.3), 0.3, np.sqrt(0.21)),
        (lambda: dy.random_bernoulli((MANY,), 0.3, scale=2.0), 0.6, 2 * np.sqrt(0.21)),
        (lambda: dy.random_gumbel((MANY,)), 0.5772, np.pi / np.sqrt(6)),
        (lambda: dy.noise(dy.zeros((MANY,)) + 2, 0.5), 2, 0.5),
        (lambda: dy.dropout(dy.ones((MANY,)), 0.4), 1, np.sqrt(0.4 / 0.6)),
    ],
    ids=["normal", "normal2", "uniform", "bernoulli", "bernoulli2", "gumbel", "noise", "dropout"],
)
def test_distribution(build, mean: float, deviation: float) -> None:
    x = drawn(build)
    assert abs(x.mean() - mean) < 6 * deviation / np.sqrt(MANY)
    assert abs(x.std() - deviation) < 0.02 * deviation
    # Neighbours are not correlated.
    z = (x - x.mean()) / x.std()
    assert abs(np.mean(z[1:] * z[:-1])) < 6 / np.sqrt(MANY)


def test_quantiles_of_normal() -> None:
    x = np.sort(drawn(lambda: dy.random_normal((MANY,))))
    for p, quantile in [(0.0228, -2), (0.1587, -1), (0.5, 0), (0.8413, 1), (0.9772, 2)]:
        assert abs(x[int(p * MANY)] - quantile) < 0.03


def test_uniform_stays_inside() -> None:
    x = drawn(lambda: dy.random_uniform((MANY,), -1.0, 3.0))
    assert -1 <= x.min() < -0.999
    assert 2.999 < x.max() <= 3


def test_seed_decides() -> None:
    def build():
        return dy.random_normal((50,))

    np.testing.assert_array_equal(drawn(build, 5), drawn(build, 5))
    assert (drawn(build, 5) != drawn(build, 6)).all()


def test_nodes_graphs_and_batch_elements_differ() -> None:
    dy.reset_random_seed(5)
    dy.renew_cg()
    a, b = (dy.random_normal((50,), batch_size=2).npvalue() for _ in range(2))
    dy.renew_cg()
    c = dy.random_normal((50,), batch_size=2).npvalue()
    columns = np.concatenate([a, b, c], axis=1)
    assert len(np.unique(columns)) == columns.size


def test_recalculation_draws_anew() -> None:
    dy.renew_cg()
    x = dy.random_normal((50,))
    first = np.asarray(x.npvalue())
    assert (np.asarray(x.npvalue(recalculate=True)) != first).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_sure_dropout(p: float) -> None:
    dy.renew_cg()
    x = np.arange(1.0, 13).reshape(3, 4)
    for drop in (dy.dropout, dy.dropout_batch, dy.block_dropout):
        np.testing.assert_array_equal(drop(dy.inputTensor(x), p).npvalue(), x * (1 - p))
    np.testing.assert_array_equal(dy.dropout_dim(dy.inputTensor(x), 0, p).npvalue(), x * (1 - p))


def masks(drop, shape: tuple[int, ...], batch: int = 0) -> np.ndarray:
    """The mask of a dropout call, checked to be what the gradient is multiplied with too."""
    dy.renew_cg()
    x = dy.inputTensor(np.ones(shape + ((batch,) if batch else ())), batched=batch > 0)
    y = drop(x)
    loss = dy.sum_elems(y)
    loss = dy.sum_batches(loss) if batch else loss
    mask = np.asarray(y.npvalue())
    loss.value()
    loss.backward(full=True)
    np.testing.assert_array_equal(x.gradient(), mask)
    assert set(np.round(np.unique(mask), 4)) <= {0.0, 2.0}
    return mask


def test_dropout_mask_per_element() -> None:
    mask = masks(lambda x: dy.dropout(x, 0.5), (20, 30), batch=4)
    assert 0.4 < np.mean(mask > 0) < 0.6
    assert (mask[..., 0] != mask[..., 1]).any()


def test_dropout_dim_shares_along_the_axis() -> None:
    mask = masks(lambda x: dy.dropout_dim(x, 1, 0.5), (40, 5))
    assert (mask == mask[:, :1]).all()
    assert 0.2 < np.mean(mask[:, 0] > 0) < 0.8


def test_dropout_batch_drops_whole_elements() -> None:
    mask = masks(lambda x: dy.dropout_batch(x, 0.5), (3, 2), batch=60)
    assert (mask == mask[:1, :1]).all()
    assert 0.2 < np.mean(mask[0, 0] > 0) < 0.8


def test_block_dropout_drops_the_whole() -> None:
    kept = [masks(lambda x: dy.block_dropout(x, 0.5), (3, 2)).max() > 0 for _ in range(60)]
    assert 10 < sum(kept) < 50
