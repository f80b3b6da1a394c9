"""What an entry of the table of operations is, and the random numbers its inputs are drawn from."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import dynet as dy

DOUBLE = getattr(dy, "__precision__", "float32") == "float64"  # DyNet 2 knows no other
VALUE_TOLERANCE = 1e-11 if DOUBLE else 2e-5
GRADIENT_TOLERANCE = 1e-6 if DOUBLE else 2e-3


@dataclass(frozen=True)
class Sample:
    """An input: its shape, the range of its numbers, and its batch size if the operation mixes the batch."""

    shape: tuple[int, ...]
    low: float
    high: float
    batch: int = 0

    def draw(self, random: np.random.Generator, batch: int = 0) -> np.ndarray:
        """Numbers that are exact in single precision, with a last axis for a batch if there is one."""
        batch = self.batch or batch
        shape = self.shape + ((batch,) if batch else ())
        return random.uniform(self.low, self.high, shape).astype(np.float32).astype(np.float64)


def uniform(*shape: int, low: float = -2.0, high: float = 2.0, batch: int = 0) -> Sample:
    return Sample(shape, low, high, batch)


def positive(*shape: int, batch: int = 0) -> Sample:
    return Sample(shape, 0.2, 2.0, batch)


@dataclass(frozen=True)
class Wrong:
    """A call that must fail: the error, a part of its text, and what differs from the case."""

    text: str
    error: type[Exception] = ValueError
    inputs: tuple[Sample, ...] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def wrong(text: str, *inputs: Sample, error: type[Exception] = ValueError, **attributes: Any) -> Wrong:
    return Wrong(text, error, inputs or None, attributes)


@dataclass(frozen=True)
class Case:
    """One operation with inputs and attributes, and what NumPy says of it."""

    name: str
    inputs: list[Sample]
    attributes: dict[str, Any]
    ref: Callable[..., Any] | None  # None: the result is random
    call: Callable[..., Any]
    slope_of: Callable[..., Any] | None  # the function whose derivative the gradient is
    bad: list[Wrong]
    tolerance: float

    @property
    def mixes_batch(self) -> bool:
        return any(sample.batch for sample in self.inputs)

    def arrays(
        self, salt: int = 0, batch: int = 0, inputs: tuple[Sample, ...] | None = None
    ) -> list[np.ndarray]:
        random = np.random.default_rng([zlib.crc32(self.name.encode()), salt])
        return [sample.draw(random, batch) for sample in inputs or self.inputs]

    def build(self, arrays: list[np.ndarray], batched: bool = False, **changed: Any) -> tuple[list[Any], Any]:
        """The expressions of the inputs, and of the operation on them."""
        last = [batched or sample.batch > 0 for sample in self.inputs]
        xs = [dy.inputTensor(a, batched=b) for a, b in zip(arrays, last, strict=True)]
        return xs, self.call(*xs, **{**self.attributes, **changed})

    def expected(self, arrays: list[np.ndarray]) -> np.ndarray:
        assert self.ref is not None
        return np.atleast_1d(np.asarray(self.ref(*arrays, **self.attributes), dtype=np.float64))

    def differentiable(self, arrays: list[np.ndarray]) -> np.ndarray:
        function = self.slope_of or self.ref
        assert function is not None
        return np.atleast_1d(np.asarray(function(*arrays, **self.attributes), dtype=np.float64))


def case(
    name: str,
    inputs: list[Sample],
    ref: Callable[..., Any] | None,
    *,
    call: Callable[..., Any] | None = None,
    slope_of: Callable[..., Any] | None = None,
    bad: list[Wrong] | None = None,
    tolerance: float = 1.0,
    **attributes: Any,
) -> Case:
    """An entry of the table; tolerance is a factor on that of the sweep."""
    return Case(name, inputs, attributes, ref, call or getattr(dy, name), slope_of, bad or [], tolerance)


def on_list(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of one list as a function of many arguments."""
    return lambda *xs, **attributes: function(list(xs), **attributes)


def label(c: Case) -> str:
    shapes = "x".join(str(list(s.shape)) for s in c.inputs[:3])
    return f"{c.name}{shapes}{'' if not c.attributes else c.attributes}".replace(" ", "")


def weights(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that make a scalar of a tensor, of both signs and none near zero."""
    size = int(np.prod(shape))
    numbers = (0.5 + (np.arange(size) * 7 % 11) / 11) * np.where(np.arange(size) % 3 == 1, -1, 1)
    return numbers.astype(np.float32).astype(np.float64).reshape(shape)


def loss_of(y):
    """A scalar that depends on every element of y with a different weight."""
    shape, batch = y.dim()
    w = dy.inputTensor(weights(shape + ((batch,) if batch > 1 else ())), batched=batch > 1)
    total = dy.sum_elems(dy.cmult(y, w))
    return dy.sum_batches(total) if batch > 1 else total


def assert_close(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    scale = np.maximum(1, np.abs(expected[finite]))
    np.testing.assert_allclose(actual[finite] / scale, expected[finite] / scale, rtol=0, atol=tolerance)


# -- references and attributes that many entries share

MODES = ("zero_gradient", "straight_through_gradient")


def identity(x, *_, **__):
    return x


def constant_gradient(x, *_, **__):
    return 0 * x


def logistic(x):
    return 1 / (1 + np.exp(-x))


def logsumexp(x, axis):
    return np.log(np.sum(np.exp(x), axis=axis))
