"""Expressions of random programs, each with what NumPy says of it, and the operations that make them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import ROUNDING, UNARY
from table import Case, Sample

import dynet as dy

Array = np.ndarray
Reference = Callable[..., Any]


@dataclass
class Node:
    """An expression and its value as a function of its arguments: of one example, or of the batch."""

    e: dy.Expression
    args: tuple[Node, ...] = ()
    reference: Reference | None = None  # None: not known
    whole_batch: bool = False
    smooth: bool = True  # The gradient is that of the reference.
    tolerance: float = 1.0
    low: float = -np.inf  # The numbers lie in between, if that is known.
    high: float = np.inf

    @property
    def shape(self) -> tuple[int, ...]:
        return self.e.dim()[0]

    @property
    def batch(self) -> int:
        return self.e.dim()[1]

    def expected(self, arrays: Sequence[Array]) -> Array:
        """The value for these values of the arguments."""
        assert self.reference is not None
        batch = max((a.batch for a in self.args), default=1)
        if self.whole_batch or batch == 1 or not self.args:
            return np.atleast_1d(np.asarray(self.reference(*arrays), float))
        batched = [a.batch > 1 for a in self.args]
        each = [
            self.reference(*(x[..., b] if many else x for x, many in zip(arrays, batched, strict=True)))
            for b in range(batch)
        ]
        return np.stack([np.atleast_1d(np.asarray(x, float)) for x in each], -1)


def number_of(e: dy.Expression) -> Array:
    return np.asarray(e.npvalue(), float)


def unary(x: Node, make: Callable[[Any], Any], reference: Reference, **more: Any) -> Node:
    return Node(make(x.e), (x,), reference, **more)


def same_range(x: Node) -> dict[str, float]:
    return {"low": x.low, "high": x.high}


def reshape(x: Node, shape: tuple[int, ...]) -> Node:
    if x.shape == shape:
        return x
    return unary(
        x,
        lambda e: dy.reshape(e, shape, batch_size=e.dim()[1]),
        lambda a: a.reshape(shape, order="F"),
        **same_range(x),
    )


def flat(x: Node) -> Node:
    return reshape(x, (int(np.prod(x.shape)),))


def resized(x: Node, size: int) -> Node:
    """A vector of some of the numbers, or of all of them again and again."""
    x = flat(x)
    have = x.shape[0]
    if have < size:
        times = -(-size // have)
        x = unary(
            x, lambda e: dy.concatenate([e] * times), lambda a: np.concatenate([a] * times), **same_range(x)
        )
    if x.shape[0] == size:
        return x
    start = (x.shape[0] - size) // 2
    return unary(
        x,
        lambda e: dy.pick_range(e, start, start + size),
        lambda a: a[start : start + size],
        **same_range(x),
    )


def within(x: Node, low: float, high: float) -> Node:
    """Numbers between low and high."""
    if low <= x.low and x.high <= high:
        return x
    width = high - low
    return unary(
        x,
        lambda e: dy.logistic(e) * width + low,
        lambda a: width / (1 + np.exp(-a)) + low,
        low=low,
        high=high,
        tolerance=max(1, abs(low), abs(high)),
    )


def example(x: Node, at: int) -> Node:
    if x.batch == 1:
        return x
    at %= x.batch
    return Node(dy.pick_batch_elem(x.e, at), (x,), lambda a: a[..., at], whole_batch=True, **same_range(x))


def batch_of(x: Node, size: int) -> Node:
    """A batch of so many examples."""
    if x.batch == size or size == 0:
        return x
    examples = [example(x, b) for b in range(size)]
    return Node(
        dy.concatenate_to_batch([each.e for each in examples]),
        tuple(examples),
        lambda *xs: np.stack(xs, -1),
        whole_batch=True,
        **same_range(x),
    )


def fitted(x: Node, sample: Sample) -> Node:
    """What an operation wants, made of what there is."""
    x = reshape(resized(within(x, sample.low, sample.high), int(np.prod(sample.shape))), sample.shape)
    return batch_of(x, sample.batch)


# Cases that take one example (their forms for a batch are cases of their own).
ONE_EXAMPLE = {"hinge", "pickneglogsoftmax", "poisson_loss"}
ANY_SHAPE = [c for c in UNARY + ROUNDING if len(c.inputs[0].shape) == 2 and c.inputs[0].shape != (3, 1)]


def operation(c: Case, xs: Sequence[Node]) -> Node:
    """A case of the table of operations, applied to nodes that are made to fit."""
    args = tuple(
        fitted(example(x, 0) if c.name in ONE_EXAMPLE or c.mixes_batch else x, sample)
        for x, sample in zip(xs, c.inputs, strict=True)
    )
    e = c.call(*(a.e for a in args), **c.attributes)
    reference = None if c.ref is None else lambda *arrays: c.ref(*arrays, **c.attributes)
    smooth = c.slope_of is None and c.ref is not None
    return Node(e, args, reference, c.mixes_batch, smooth, c.tolerance)


def elementwise(c: Case, x: Node) -> Node:
    """An operation on each number, of any shape."""
    sample = c.inputs[0]
    x = within(x, sample.low, sample.high)
    return unary(
        x,
        lambda e: c.call(e, **c.attributes),
        lambda a: c.ref(a, **c.attributes),
        smooth=c.slope_of is None,
        tolerance=c.tolerance,
    )


def stretched(function: Callable[[Array, Array], Array]) -> Reference:
    def reference(x: Array, y: Array) -> Array:
        axes = max(x.ndim, y.ndim)
        return function(*(a.reshape(a.shape + (1,) * (axes - a.ndim)) for a in (x, y)))

    return reference


PAIRS: list[tuple[Callable[..., Any], Reference]] = [
    (operator.add, np.add),
    (operator.sub, np.subtract),
    (dy.cmult, np.multiply),
    (dy.bmax, np.maximum),
    (dy.bmin, np.minimum),
    (lambda x, y: dy.cdiv(x, dy.square(y) + 1.0), lambda x, y: x / (y * y + 1)),
    (lambda x, y: dy.esum([x, y, x]), lambda x, y: x + y + x),
    (lambda x, y: dy.emax([x, y, x]), np.maximum),
    (lambda x, y: dy.average([y, x]), lambda x, y: (x + y) / 2),
    (lambda x, y: dy.logsumexp([x, y]), np.logaddexp),
    (lambda x, y: dy.concatenate([x, y, x]), lambda x, y: np.concatenate([x, y, x])),
    (lambda x, y: dy.cmult(dy.tanh(x), dy.logistic(y)), lambda x, y: np.tanh(x) / (1 + np.exp(-y))),
    (lambda x, y: x + dy.cmult(dy.logistic(x), dy.tanh(y)), lambda x, y: x + np.tanh(y) / (1 + np.exp(-x))),
]
DIVISION = 5  # Its dividend is never stretched.
STRETCHING = 3  # The first of them take y of fewer rows or axes.


def pair(which: int, x: Node, y: Node, form: int) -> Node:
    """An operation on two, of one shape or with the second stretched."""
    make, reference = PAIRS[which % len(PAIRS)]
    x, y = within(x, -4, 4), within(y, -4, 4)
    shape = x.shape
    if which % len(PAIRS) < STRETCHING and form % 3:
        shape = shape[:1] if form % 3 == 1 else (1,) * len(shape)
    y = reshape(resized(y, int(np.prod(shape))), shape)
    if x.batch == 1 and which % len(PAIRS) == DIVISION:
        y = example(y, form)
    return Node(make(x.e, y.e), (x, y), stretched(reference))


def product(w: Node, b: Node, x: Node, form: int) -> Node:
    """A weight times what there is, with or without a bias."""
    columns = 1 + form % 3
    inner = w.shape[1]
    x = resized(within(x, -2, 2), inner * columns)
    if columns > 1:
        x = reshape(x, (inner, columns))
    if form % 2:
        return Node(w.e * x.e, (w, x), lambda w, x: w @ x)

    def affine(b: Array, w: Array, x: Array) -> Array:
        return w @ x + (b if x.ndim == 1 else b[:, None])

    return Node(dy.affine_transform([b.e, w.e, x.e]), (b, w, x), affine)


def squashed_sum(xs: Sequence[Node]) -> Node:
    """A scalar that depends on all of them."""
    parts = []
    for i, x in enumerate(xs):
        factor = 0.5 + i % 4
        squashed = unary(x, lambda e, f=factor: dy.tanh(e * f), lambda a, f=factor: np.tanh(a * f))
        total = unary(squashed, dy.sum_elems, np.sum)
        if x.batch > 1:
            total = Node(dy.sum_batches(total.e), (total,), lambda a: a.sum(-1), whole_batch=True)
        parts.append(total)
    return Node(dy.esum([p.e for p in parts]), tuple(parts), lambda *xs: sum(xs))
