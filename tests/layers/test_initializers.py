"""Orthogonal, truncated normal and Kaiming's first values."""

import numpy as np
import pytest
from layer_laws import close

import dynet as dy


def drawn(shape, init, lookup=False):
    dy.reset_random_seed(3)
    model = dy.ParameterCollection()
    add = model.add_lookup_parameters if lookup else model.add_parameters
    return add(shape, init=init).as_array().astype(np.float64)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (1, 4), (4,), (1,)])
def test_orthogonal(shape):
    w = drawn(shape, dy.initializers.Orthogonal(gain=2)).reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    close(product, 4 * np.eye(min(w.shape)))


def test_orthogonal_of_three_sizes():
    w = drawn((3, 2, 4), dy.OrthogonalInitializer())
    rows = w.reshape(3, -1)
    close(rows @ rows.T, np.eye(3))


def test_truncated_normal():
    w = drawn((200, 200), dy.initializers.TruncatedNormal(mean=1, std=0.5, bound=2))
    assert np.abs(w - 1).max() <= 1.0
    # 0.8796 is the deviation of a normal number within ±2.
    assert abs(w.mean() - 1) < 0.01 and abs(w.std() - 0.5 * 0.8796) < 0.005


@pytest.mark.parametrize(
    ("shape", "fan_out", "fan"),
    [
        ((50, 200), False, 200),
        ((50, 200), True, 50),
        ((3, 5, 40, 30), False, 600),
        ((3, 5, 40, 30), True, 450),
    ],
)
def test_kaiming(shape, fan_out, fan):
    for uniform in (False, True):
        w = drawn(shape, dy.initializers.Kaiming(uniform=uniform, fan_out=fan_out))
        assert abs(w.std() * np.sqrt(fan / 2) - 1) < 0.03
        if uniform:
            assert np.abs(w).max() <= np.sqrt(6 / fan)
    assert abs(drawn(shape, dy.KaimingInitializer(gain=1, fan_out=fan_out)).std() * np.sqrt(fan) - 1) < 0.03


def test_tables_and_builders_take_them():
    table = drawn((4, 6), dy.initializers.Orthogonal(), lookup=True)
    assert np.isfinite(table).all() and table.any()
    assert repr(dy.KaimingInitializer()).startswith("KaimingInitializer(gain=1.41421")
    assert repr(dy.TruncatedNormalInitializer()) == "TruncatedNormalInitializer(mean=0, std=1, bound=2)"
    assert repr(dy.OrthogonalInitializer(2)) == "OrthogonalInitializer(gain=2)"


def test_aliases_are_the_same_classes():
    names = dy.initializers
    assert names.Xavier is names.Glorot is dy.GlorotInitializer and names.He is names.Kaiming
    assert callable(dy.init)  # DyNet's function, which no module may hide


def test_wrong_arguments():
    for wrong in (
        lambda: dy.TruncatedNormalInitializer(std=-1),
        lambda: dy.TruncatedNormalInitializer(bound=0),
        lambda: dy.OrthogonalInitializer(float("inf")),
        lambda: dy.KaimingInitializer(float("nan")),
    ):
        with pytest.raises(ValueError, match=r"needed|must be"):
            wrong()
