"""The sweep over sizes around the width of a vector, and over ways in which arguments lie in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cases import ELEMENTWISE, LINEAR, LOSSES, NORMS, REDUCTIONS, SOFTMAX
from table import VALUE_TOLERANCE, Case, assert_close, label, weights

import dynet as dy

SIZES = (1, 15, 16, 17, 100)
BATCH = 3
SLOPE_ERROR = 1e-6  # of a difference of losses

# What has sizes or indices in its attributes or its reference fits the sizes of its entry alone.
FIXED = {"circ_conv", "circ_corr", "filter1d_narrow", "conv2d", "conv2d_bias", "maxpooling2d", "kmax_pooling"}
FIXED |= {"inverse", "logdet", "added_product"}
INDICES = {"v", "vs", "restrict"}
ONE_EXAMPLE = {"hinge", "pickneglogsoftmax"}


def lengths(case: Case) -> list[int]:
    """The lengths of axes that may be any other."""
    if case.name == "hinge_dim":
        return [case.inputs[0].shape[case.attributes.get("d", 0)]]
    return sorted({n for sample in case.inputs for n in sample.shape if n > 1})


def grown(case: Case, length: int, n: int) -> Case:
    def of(sample):
        return replace(sample, shape=tuple(n if k == length else k for k in sample.shape))

    return replace(case, inputs=[of(sample) for sample in case.inputs])


GROWING = [
    (case, length)
    for case in ELEMENTWISE + REDUCTIONS + SOFTMAX + LOSSES + NORMS + LINEAR
    if case.ref is not None and case.name not in FIXED
    for length in lengths(case)
]


def plain(a: np.ndarray, batched: bool):
    return dy.inputTensor(a, batched=batched)


def view(a: np.ndarray, batched: bool):
    """The same numbers between others: they begin anywhere, and batch elements lie apart."""
    axis = a.ndim - 1 - batched
    around = [(1, 2) if i == axis else (0, 0) for i in range(a.ndim)]
    whole = dy.inputTensor(np.pad(a, around, constant_values=np.nan), batched=batched)
    return dy.pick_range(whole, 1, 1 + a.shape[axis], axis)


class Run:
    """A case with a batch or without one; the arguments without a batch are stretched."""

    def __init__(self, case: Case, batch: int, single: int | None = None) -> None:
        self.case, self.batch = case, batch
        with_batch, without = case.arrays(batch=batch), case.arrays(salt=1)
        self.has_batch = [s.batch > 0 or (batch > 0 and i != single) for i, s in enumerate(case.inputs)]
        self.arrays = [a if b else w for a, w, b in zip(with_batch, without, self.has_batch, strict=True)]

    def expected(self, function, arrays: list[np.ndarray]) -> np.ndarray:
        if not self.batch:
            return function(arrays)
        one = [
            [a[..., b] if has else a for a, has in zip(arrays, self.has_batch, strict=True)]
            for b in range(self.batch)
        ]
        return np.stack([function(each) for each in one], axis=-1)

    def check(self, lay) -> None:
        dy.renew_cg()
        xs = [lay(a, b) for a, b in zip(self.arrays, self.has_batch, strict=True)]
        y = self.case.call(*xs, **self.case.attributes)
        value, expected = y.npvalue(), self.expected(self.case.expected, self.arrays)
        assert value.size == expected.size
        assert_close(value.reshape(expected.shape), expected, self.case.tolerance * VALUE_TOLERANCE)
        self.check_gradients(xs, y, expected.shape)

    def check_gradients(self, xs, y, shape: tuple[int, ...]) -> None:
        w = weights(shape)
        shape_of_y, batch = y.dim()
        loss = dy.dot_product(y, dy.reshape(dy.inputTensor(w, batched=self.batch > 0), shape_of_y, batch))
        (dy.sum_batches(loss) if batch > 1 else loss).backward(full=True)
        for i, x in enumerate(xs):
            actual = np.asarray(x.gradient(), np.float64).reshape(self.arrays[i].shape)
            way = weights(actual.shape)
            scale = max(1, np.sum(np.abs(actual * way)))
            difference = np.sum(actual * way) - self.slope(i, way, w)
            assert abs(difference) <= self.case.tolerance * 2 * VALUE_TOLERANCE * scale + SLOPE_ERROR

    def slope(self, i: int, way: np.ndarray, w: np.ndarray) -> float:
        """Of the loss with weights w, where argument i goes this way: every element takes part."""
        step = 1e-6
        losses = []
        for change in (step, -step):
            changed = [*self.arrays[:i], self.arrays[i] + change * way, *self.arrays[i + 1 :]]
            y = self.expected(self.case.differentiable, changed)
            losses.append(np.sum(w[np.isfinite(y)] * y[np.isfinite(y)]))
        return (losses[0] - losses[1]) / (2 * step)


def each(pairs):
    return pytest.mark.parametrize(
        ("case", "length"), pairs, ids=[f"{label(case)}:{length}" for case, length in pairs]
    )


def sizes(case: Case, wanted: tuple[int, ...] = SIZES) -> list[int]:
    """Indices of an entry may need more than one place."""
    return [n for n in wanted if n >= 15 or not INDICES & set(case.attributes)]


@each(GROWING)
@pytest.mark.parametrize("lay", [plain, view])
def test_sizes(case: Case, length: int, lay) -> None:
    for n in sizes(case):
        Run(grown(case, length, n), 0).check(lay)


BATCHED = [(c, n) for c, n in GROWING if not c.mixes_batch and c.name not in ONE_EXAMPLE]


@each(BATCHED)
def test_sizes_of_batches(case: Case, length: int) -> None:
    """Every element of a batch, and arguments that are stretched to it."""
    for n in sizes(case, (1, 15, 17)):
        bigger = grown(case, length, n)
        Run(bigger, BATCH).check(view)
        if len(case.inputs) > 1:
            Run(bigger, BATCH, single=len(case.inputs) - 1).check(plain)


@each(GROWING)
def test_sizes_of_scattered_items(case: Case, length: int) -> None:
    """Calls that run together read and write tensors in any order."""
    for n in sizes(case):
        bigger = grown(case, length, n)
        dy.renew_cg()
        arrays = [bigger.arrays(salt) for salt in range(BATCH)]
        xs = [[plain(a, s.batch > 0) for a, s in zip(each, bigger.inputs, strict=True)] for each in arrays]
        ys = {k: bigger.call(*xs[k], **bigger.attributes) for k in (2, 0, 1)}
        for k, y in ys.items():
            expected = bigger.expected(arrays[k])
            assert_close(y.npvalue().reshape(expected.shape), expected, case.tolerance * VALUE_TOLERANCE)
