"""Positions in a sequence: sines, learned vectors, rotations."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, matrix, whole
from dynet.nn.module import Module

if TYPE_CHECKING:
    import numpy as np

_WAVELENGTHS = 10000.0  # the longest over the shortest


@functools.lru_cache(maxsize=256)
def _angles(size: int, length: int, start: int) -> np.ndarray[Any, Any]:
    """The angle of each of size / 2 waves (rows) at each position (columns)."""
    import numpy as np

    waves = _WAVELENGTHS ** (-np.arange(0, size, 2) / size)
    return np.outer(waves, np.arange(start, start + length))


class SinusoidalPositions(Module):
    """Adds sines and cosines of position t to column t: row 2i gets sin(t / 10000^(2i / size)), row 2i +
    1 the cosine of the same. There are no parameters, and no longest sequence. `size` must be even.
    (Vaswani et al. 2017)

    >>> positions = dy.nn.SinusoidalPositions(2)
    >>> print(positions(dy.zeros((2, 3))).npvalue().round(2))
    [[ 0.    0.84  0.91]
     [ 1.    0.54 -0.42]]
    """

    @built
    def __init__(self, size: int) -> None:
        self.size = _even("SinusoidalPositions", "size", size)

    @built
    def __call__(self, x: Columns, start: int = 0) -> Expression:
        """x (size, n) with positions start, start + 1, … added."""
        import numpy as np

        x = matrix("SinusoidalPositions", "x", x, self.size)
        angles = _angles(self.size, x.dim()[0][1], whole("SinusoidalPositions", "start", start, 0))
        waves = np.stack([np.sin(angles), np.cos(angles)], 1).reshape(self.size, -1)
        return x + dy.inputTensor(waves)


class LearnedPositions(Module):
    """Adds a learned vector for position t to column t. Parameter: table (most, size), normally
    distributed with deviation 0.02 at first; `most` is the length of the longest sequence. (Devlin et al.
    2019)

    >>> positions = dy.nn.LearnedPositions(4, 100, dy.ParameterCollection())
    >>> positions(dy.zeros((4, 3))).shape
    (4, 3)
    """

    @built
    def __init__(self, size: int, most: int, model: ParameterCollection) -> None:
        super().__init__(model)
        self.size, self.most = (
            whole("LearnedPositions", "size", size),
            whole("LearnedPositions", "most", most),
        )
        start = dy.NormalInitializer(0, 0.0004)
        self.table = self.model.add_lookup_parameters((self.most, self.size), init=start, name="table")

    @built
    def __call__(self, x: Columns, start: int = 0) -> Expression:
        """x (size, n) with positions start, start + 1, … added; ValueError past the last one."""
        x = matrix("LearnedPositions", "x", x, self.size)
        start = whole("LearnedPositions", "start", start, 0)
        end = start + x.dim()[0][1]
        if end > self.most:
            raise ValueError(f"LearnedPositions: position {end - 1}; there are {self.most}, from 0 on")
        vectors = dy.lookup_batch(self.table, range(start, end))
        return x + dy.reshape(vectors, (self.size, end - start), 1)


@built
def rotary(x: Expression, start: int = 0) -> Expression:
    """x (size, n) with column t turned by position start + t: rows i and i + size / 2 are turned, as a
    point in the plane, by (start + t) / 10000^(2i / size). Products of a turned query and a turned key
    depend on how far apart they are alone. `size` must be even; batch as x. (Su et al. 2021)

    dy.nn.MultiHeadAttention(rotary=True) does so to queries and keys of each head.

    >>> x = dy.ones((4, 3))
    >>> print((dy.transpose(dy.nn.rotary(x)) * dy.nn.rotary(x)).npvalue().round(2)[0])
    [4.   3.08 1.17]
    """
    import numpy as np

    size = _even("rotary", "the number of rows", x.dim()[0][0])
    half, length = size // 2, x.dim()[0][1]
    angles = _angles(size, length, whole("rotary", "start", start, 0))
    both = np.concatenate([angles, angles])
    turned = dy.concatenate([-dy.pick_range(x, half, size), dy.pick_range(x, 0, half)])
    return dy.cmult(x, dy.inputTensor(np.cos(both))) + dy.cmult(turned, dy.inputTensor(np.sin(both)))


def _even(call: str, name: str, given: Any) -> int:
    size = whole(call, name, given, 2)
    if size % 2:
        raise ValueError(f"{call}: {name} is {size}; an even number is needed")
    return size
