"""Gradients of ranges of ranges, which are views of one memory, whose batch elements lie apart."""

import numpy as np
import pytest

import dynet as dy

SIZE, BATCH = 12, 3


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("batching", [False, True])
def test_each_range_adds_to_its_place(seed, batching):
    """A weighted sum over nested, overlapping ranges: each number's gradient is the sum of its weights."""
    random = np.random.default_rng(seed)
    dy.renew_cg(autobatching=batching)
    bias = dy.ParameterCollection().add_parameters((SIZE,), init=0)
    x = bias + dy.inputTensor(random.normal(size=(SIZE, BATCH)), batched=True)
    ranges = [(x, 0, SIZE)]
    for _ in range(random.integers(1, 8)):
        source, first, end = ranges[random.integers(len(ranges))]
        if end - first < 2:
            continue
        start = random.integers(end - first - 1)
        stop = random.integers(start + 1, end - first + 1)
        ranges.append((dy.pick_range(source, start, stop), first + start, first + stop))
    expected = np.zeros((SIZE, BATCH))
    terms = []
    for view, first, end in ranges:
        for _ in range(random.integers(0, 3)):
            weights = random.integers(-3, 4, size=(end - first, BATCH))
            expected[first:end] += weights
            terms.append(dy.dot_product(view, dy.inputTensor(weights, batched=True)))
    if not terms:
        terms.append(dy.sum_elems(x))
        expected += 1
    dy.sum_batches(dy.esum(terms)).backward()
    np.testing.assert_array_equal(x.gradient(), expected)
    np.testing.assert_array_equal(bias.grad_as_array(), expected.sum(axis=1))
