"""Attention of many queries with several heads, and what it keeps when it goes on step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import told
from dynet.nn.checks import Columns, matrix, rate, whole, with_columns
from dynet.nn.dense import Linear
from dynet.nn.module import Module
from dynet.nn.positions import rotary as rotated

if TYPE_CHECKING:
    import numpy.typing

    Mask: TypeAlias = "Expression | numpy.typing.ArrayLike | None"

_FAR = -1e9  # added to the scores of what may not be seen: eˣ of it is 0


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


class _Seen(NamedTuple):
    """Which keys (rows) queries (columns) may look at: numbers to add to scores; 0 for queries that see
    none."""

    scores: Expression | None = None
    queries: Expression | None = None


def _seen(call: str, mask: Mask, causal: bool, keys: int, queries: int) -> _Seen:
    import numpy as np

    if mask is None and not causal:
        return _Seen()
    added = None
    allowed = np.ones((keys, queries), bool)
    if isinstance(mask, Expression):
        if mask.dim()[0] not in ((keys, queries), (keys, 1), (keys,)):
            raise ValueError(f"{call}: mask has shape {mask.dim()[0]}; {(keys, queries)} is needed")
        added = mask
    elif mask is not None:
        given = np.asarray(mask)
        if given.dtype != bool:
            raise TypeError(
                f"{call}: mask has numbers of type {given.dtype}; truth values, True where a query may look, "
                "or an expression that is added to the scores, are needed"
            )
        given = given[:, None] if given.shape == (keys,) else given
        if given.shape not in ((keys, queries), (keys, 1)):
            raise ValueError(
                f"{call}: mask has shape {np.shape(mask)}; {(keys, queries)}, keys and queries, is needed"
            )
        allowed &= given
    if causal:
        if keys < queries:
            raise ValueError(
                f"{call}: causal, with {keys} keys for {queries} queries; as many at least are needed"
            )
        allowed &= np.tri(queries, keys, keys - queries, dtype=bool).T
    if not allowed.all():
        far = dy.inputTensor(np.where(allowed, 0.0, _FAR))
        added = far if added is None else added + far
    some = np.asarray(allowed.any(0))
    return _Seen(added, None if some.all() else dy.inputTensor(some[None].astype(float)))


def attended(
    query: Expression, key: Expression, value: Expression, heads: int, seen: _Seen, dropout: float
) -> Expression:
    """What each head finds: for queries (h r, m), keys (h r, n) and values (h s, n) the means (h s, m) of the
    values by softmax(keysᵀ queries / √r) of the head's own rows.

    The one place where attention is computed: heads lie in the batch here.
    """
    batch, length = max(each.dim()[1] for each in (query, key, value)), query.dim()[0][1]
    query, key, value = (_apart(each, heads) for each in (query, key, value))
    scores = dy.transpose(key) * query * (1 / math.sqrt(query.dim()[0][0]))
    scores = with_columns(scores, length)
    shares = dy.softmax(scores if seen.scores is None else scores + seen.scores)
    if seen.queries is not None:
        shares = dy.cmult(shares, seen.queries)
    if dropout:
        shares = dy.dropout(shares, dropout)
    found, size = value * shares, value.dim()[0][0]
    together = dy.transpose(dy.reshape(found, (size, length, heads), batch), [0, 2, 1])
    return dy.reshape(together, (size * heads, length), batch)


def _apart(x: Expression, heads: int) -> Expression:
    """(h r, n) with a batch of b as (r, n) with a batch of h b."""
    (size, length), batch = x.dim()
    split = dy.transpose(dy.reshape(x, (size // heads, heads, length), batch), [0, 2, 1])
    return dy.reshape(split, (size // heads, length), heads * batch)


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

    @told
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

    @told
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
        seen = _seen(name, mask, causal, n, m)
        return self._found(self._asked(queries, n - m if causal or keys is None else 0), kept, seen)

    @told
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

    @told
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
        m, n = x.dim()[0][1], new.keys.dim()[0][1]
        seen = _seen("MultiHeadAttention", None, m > 1, n, m)
        return self._found(self._asked(x, start), new, seen), new

    def _asked(self, queries: Expression, start: int) -> Expression:
        query = self.query(queries)
        return self._turned(query, start) if self.rotary else query

    def _found(self, query: Expression, kept: Kept, seen: _Seen) -> Expression:
        dropout = self.dropout if self.training else 0.0
        return self.output(attended(query, kept.keys, kept.values, self.heads, seen, dropout))

    def _turned(self, x: Expression, start: int) -> Expression:
        part = self.size // self.heads
        heads = [dy.pick_range(x, at, at + part) for at in range(0, self.size, part)]
        return dy.concatenate([rotated(head, start) for head in heads])
