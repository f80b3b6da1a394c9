"""Attention with dropout, which the table of operations leaves out since it is random."""

import numpy as np
import pytest

import dynet as dy

KEYS, QUERIES, SIZE = 5, 7, 4


def numbers(*shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


def weights_of(q, k, dropout):
    """What attention multiplies with unit vectors as values: the weights themselves."""
    return dy.attention(q, k, dy.inputTensor(np.eye(KEYS)), dropout=dropout)


def test_weights_are_dropped_and_the_others_grow():
    dy.renew_cg()
    q, k = dy.inputTensor(numbers(SIZE, QUERIES)), dy.inputTensor(numbers(SIZE, KEYS))
    whole, some = weights_of(q, k, 0).npvalue(), weights_of(q, k, 0.25).npvalue()
    kept = some != 0
    np.testing.assert_allclose(some[kept], whole[kept] / 0.75, rtol=1e-6)
    assert 0 < kept.mean() < 1
    assert not np.array_equal(some, weights_of(q, k, 0.25).npvalue())


@pytest.mark.parametrize("heads", [1, 2])
def test_gradients_see_what_was_dropped(heads):
    """Beside the same in single operations, with the same factors."""
    dy.renew_cg()
    m = dy.ParameterCollection()
    q, k, v = (
        m.parameters_from_numpy(numbers(SIZE, n) * f) for n, f in [(QUERIES, 1), (KEYS, 2), (KEYS, -1)]
    )
    slope = dy.inputTensor(numbers(SIZE, QUERIES))
    y = dy.attention(q, k, v, heads, dropout=0.5)
    (drawn,) = (node for node in dy.cg().nodes() if node.operation == "dropout")
    factors = drawn.value()
    dy.sum_elems(dy.cmult(y, slope)).backward()
    value, seen = y.npvalue(), [p.grad_as_array().copy() for p in (q, k, v)]
    m.reset_gradient()
    dy.renew_cg()
    part, found = SIZE // heads, []
    for head in range(heads):
        rows = slice(head * part, (head + 1) * part)
        shares = dy.softmax(dy.transpose(k[rows]) * q[rows] / np.sqrt(part))
        left = factors.reshape(KEYS, QUERIES, heads)[:, :, head]
        found.append(v[rows] * dy.cmult(shares, dy.inputTensor(left)))
    again = dy.concatenate(found)
    dy.sum_elems(dy.cmult(again, dy.inputTensor(numbers(SIZE, QUERIES)))).backward()
    np.testing.assert_allclose(value, again.npvalue(), rtol=1e-5, atol=1e-6)
    for one, p in zip(seen, (q, k, v), strict=True):
        np.testing.assert_allclose(one, p.grad_as_array(), rtol=1e-4, atol=1e-5)


def test_a_batch_has_masks_of_its_own():
    dy.reset_random_seed(1)
    dy.renew_cg()
    q = dy.inputTensor(np.repeat(numbers(SIZE, QUERIES)[:, :, None], 3, 2), batched=True)
    some = weights_of(q, dy.inputTensor(numbers(SIZE, KEYS)), 0.5).npvalue()
    assert len({some[:, :, b].tobytes() for b in range(3)}) == 3
