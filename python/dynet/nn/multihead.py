"""Attention of many queries with several heads, and what it keeps when it goes on step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, matrix, rate, whole
from dynet.nn.dense import Linear
from dynet.nn.module import Module
from dynet.nn.positions import rotary as rotated

if TYPE_CHECKING:
    import numpy.typing

    Mask: TypeAlias = "Expression | numpy.typing.ArrayLike | None"


class Kept(NamedTuple):
    """Keys and values of the positions so far, (size, n) each, as attention.keep and attention.step give
    them. They are expressions of the current graph, and are never changed: hypotheses that begin alike
    share them.

    >>> attention = dy.nn.MultiHeadAttention(4, 2, dy.ParameterCollection())
    >>> attention.keep(dy.zeros((4, 3))).keys.shape
    (4, 3)
    """

    keys: Expression
    values: Expression


def _added(call: str, mask: Mask, keys: int, queries: int) -> Expression | None:
    """What a mask adds to the scores of keys (rows) and queries (columns)."""
    import numpy as np

    shapes = (keys, queries), (keys, 1), (keys,)
    if mask is None:
        return None
    if isinstance(mask, Expression):
        if mask.dim()[0] not in shapes:
            raise ValueError(f"{call}: mask has shape {mask.dim()[0]}; {(keys, queries)} is needed")
        return mask
    given = np.asarray(mask)
    if given.dtype != bool:
        raise TypeError(
            f"{call}: mask has numbers of type {given.dtype}; truth values, True where a query may look, "
            "or an expression that is added to the scores, are needed"
        )
    if given.shape not in shapes:
        raise ValueError(
            f"{call}: mask has shape {np.shape(mask)}; {(keys, queries)}, keys and queries, is needed"
        )
    return dy.inputTensor(np.where(given, 0.0, -np.inf))


class MultiHeadAttention(Module):
    """Attention with several heads: each of `heads` parts of the rows of W_q x looks, by softmax(kᵀ q /
    √r), at those of W_k y, and gets the mean of those of W_v y; all of it goes through W_o.

    Queries are a matrix (size, m); keys and values (key_size, n) and (value_size, n), of size rows by
    default; the result is (size, m), with a batch or without. size must be a multiple of heads. `dropout`
    is that of shares, in training. With rotary=True queries and keys are turned by their positions
    (dy.nn.rotary).

    Parameters: those of four dy.nn.Linear: query, key, value and output (weight and, with bias, bias). As
    torch.nn.MultiheadAttention, whose in_proj_weight has the first three one above another. (Vaswani et
    al. 2017)

    >>> attention = dy.nn.MultiHeadAttention(4, 2, dy.ParameterCollection())
    >>> attention(dy.zeros((4, 5))).shape, attention(dy.zeros((4, 5)), dy.zeros((4, 3))).shape
    ((4, 5), (4, 5))
    """

    @built
    def __init__(
        self,
        size: int,
        heads: int,
        model: ParameterCollection,
        key_size: int | None = None,
        value_size: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        rotary: bool = False,
    ) -> None:
        super().__init__(model)
        name = "MultiHeadAttention"
        self.size, self.heads = whole(name, "size", size), whole(name, "heads", heads)
        if self.size % self.heads or (rotary and self.size // self.heads % 2):
            needed = "an even multiple" if rotary else "a multiple"
            raise ValueError(f"{name}: {heads} heads of {size} rows; size must be {needed} of heads")
        self.dropout, self.rotary = rate(name, "dropout", dropout), bool(rotary)
        sizes = {"query": self.size, "key": key_size or self.size, "value": value_size or self.size}
        self.query, self.key, self.value, self.output = (
            Linear(whole(name, f"{part}_size", given), self.size, self.model.add_subcollection(part), bias)
            for part, given in {**sizes, "output": self.size}.items()
        )

    @built
    def __call__(
        self,
        queries: Columns,
        keys: Columns | Kept | None = None,
        values: Columns | None = None,
        mask: Mask = None,
        causal: bool = False,
    ) -> Expression:
        """What the queries (size, m) find in keys and values; without keys they look at themselves, and
        without values at the keys. keys may be what keep gave.

        With `causal` query i sees keys up to its own position (the last of n for the last of m). `mask`
        is an array of truth values (n, m), or (n,) for all queries, True where a query may look at a key;
        or an expression (n, m), which is added to the scores. A query that may look at nothing finds
        zeros, and sends no gradient.
        """
        name = "MultiHeadAttention"
        queries = matrix(name, "queries", queries, self.size)
        kept = keys if isinstance(keys, Kept) else self.keep(queries if keys is None else keys, values)
        m, n = queries.dim()[0][1], kept.keys.dim()[0][1]
        query = self._asked(queries, max(0, n - m) if causal or keys is None else 0)
        return self._found(query, kept, causal, _added(name, mask, n, m))

    @built
    def keep(self, keys: Columns, values: Columns | None = None, start: int = 0) -> Kept:
        """W_k y and W_v y of keys and values, for many calls: a decoder looks at the same sentence in
        each step. start is the position of the first, for rotary=True.

        >>> attention = dy.nn.MultiHeadAttention(4, 2, dy.ParameterCollection())
        >>> kept = attention.keep(dy.zeros((4, 3)))
        >>> attention(dy.zeros((4, 1)), kept).shape
        (4, 1)
        """
        name = "MultiHeadAttention"
        keys = matrix(name, "keys", keys, self.key.inputs)
        values = keys if values is None else matrix(name, "values", values, self.value.inputs)
        if keys.dim()[0][1] != values.dim()[0][1]:
            raise ValueError(
                f"{name}: {keys.dim()[0][1]} keys and {values.dim()[0][1]} values; as many are needed"
            )
        key = self.key(keys)
        return Kept(self._turned(key, start) if self.rotary else key, self.value(values))

    @built
    def step(self, x: Columns, kept: Kept | None = None) -> tuple[Expression, Kept]:
        """Goes on by one position or some: x (size, m) sees what was kept before and itself, causally.
        Gives the result (size, m) and what is kept now. The values are those of a call with causal=True.

        >>> attention = dy.nn.MultiHeadAttention(4, 2, dy.ParameterCollection())
        >>> first, kept = attention.step(dy.zeros(4))
        >>> second, kept = attention.step(dy.ones(4), kept)
        >>> kept.keys.shape
        (4, 2)
        """
        x = matrix("MultiHeadAttention", "x", x, self.size)
        start = 0 if kept is None else kept.keys.dim()[0][1]
        new = self.keep(x, None, start)
        if kept is not None:
            pairs = zip(kept, new, strict=True)
            new = Kept(*(dy.concatenate_cols([before, now]) for before, now in pairs))
        return self._found(self._asked(x, start), new, causal=True), new

    def _asked(self, queries: Expression, start: int) -> Expression:
        query = self.query(queries)
        return self._turned(query, start) if self.rotary else query

    def _found(
        self, query: Expression, kept: Kept, causal: bool, mask: Expression | None = None
    ) -> Expression:
        dropout = self.dropout if self.training else 0.0
        return self.output(dy.attention(query, *kept, self.heads, causal, mask, dropout))

    def _turned(self, x: Expression, start: int) -> Expression:
        part = self.size // self.heads
        heads = [dy.pick_range(x, at, at + part) for at in range(0, self.size, part)]
        return dy.concatenate([rotated(head, start) for head in heads])
