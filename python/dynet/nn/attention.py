"""Attention of one query: dot, bilinear, additive, with coverage; pointers, and outputs that copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import Columns, expression, matrix, rows, shape_of, whole, with_columns
from dynet.nn.module import Module


class Memory(NamedTuple):
    """What an attention looks at, prepared once for many queries: keys (key_size, n), values (…, n), and
    what the attention makes of the keys alone. attention.prepare(keys, values) makes one.

    >>> attention = dy.nn.AdditiveAttention(3, 4, 5, dy.ParameterCollection())
    >>> attention.prepare(dy.zeros((4, 6))).values.shape
    (4, 6)
    """

    keys: Expression
    values: Expression
    prepared: Expression


class _Attention(Module):
    """Shares of n positions for one query, and the mean of their values by those shares."""

    query_size: int
    key_size: int

    @built
    def prepare(self, keys: Columns, values: Columns | None = None) -> Memory:
        """The keys, a matrix (key_size, n) or a list of n vectors, for many queries; values (…, n) are
        the keys themselves where none are given.

        >>> attention = dy.nn.DotAttention(3)
        >>> memory = attention.prepare([dy.zeros(3), dy.ones(3)])
        >>> attention(dy.ones(3), memory).shape
        (3,)
        """
        name = type(self).__name__
        found = matrix(name, "keys", keys, self.key_size)
        if values is None:
            return Memory(found, found, self._prepared(found))
        if not isinstance(values, Expression):
            values = dy.concatenate_cols(list(values))
        shape = shape_of(name, "values", values)
        if len(shape) != 2 or shape[1] != found.dim()[0][1]:
            raise ValueError(
                f"{name}: values have shape {shape} for {found.dim()[0][1]} keys; a column for each is needed"
            )
        return Memory(found, values, self._prepared(found))

    @built
    def scores(self, query: Expression, memory: Memory | Columns) -> Expression:
        """The score of each position, (n,), before the softmax, of a query (query_size,).

        >>> attention = dy.nn.DotAttention(3)
        >>> attention.scores(dy.ones(3), dy.zeros((3, 5))).shape
        (5,)
        """
        query = rows(type(self).__name__, "query", query, self.query_size, (1,))
        return self._scores(query, self._memory(memory))

    @built
    def weights(self, query: Expression, memory: Memory | Columns) -> Expression:
        """The share of each position, (n,): softmax of the scores.

        >>> attention = dy.nn.DotAttention(3)
        >>> attention.weights(dy.ones(3), dy.zeros((3, 2))).value()
        [0.5, 0.5]
        """
        return dy.softmax(self.scores(query, memory))

    @built
    def __call__(self, query: Expression, memory: Memory | Columns) -> Expression:
        """The mean of the values by the shares of a query (query_size,): a vector with as many numbers as
        a value has. memory is what prepare gives, or keys that are values too.
        """
        memory = self._memory(memory)
        return memory.values * self.weights(query, memory)

    def _memory(self, memory: Memory | Columns) -> Memory:
        return memory if isinstance(memory, Memory) else self.prepare(memory)

    def _prepared(self, keys: Expression) -> Expression:
        return dy.transpose(keys)

    def _scores(self, query: Expression, memory: Memory) -> Expression:
        raise NotImplementedError


class DotAttention(_Attention):
    """Attention by products: score_j = k_j · q / √size, shares softmax(scores), result Σ share_j v_j; without
    scaled=True, k_j · q. It has no parameters. (Luong, Pham and Manning 2015; Vaswani et al. 2017)

    >>> attention = dy.nn.DotAttention(3)
    >>> attention(dy.ones(3), dy.zeros((3, 5))).shape
    (3,)
    """

    @built
    def __init__(self, size: int, scaled: bool = True) -> None:
        self.query_size = self.key_size = whole("DotAttention", "size", size)
        self.scale = 1 / math.sqrt(self.key_size) if scaled else 1.0

    def _scores(self, query: Expression, memory: Memory) -> Expression:
        scores = memory.prepared * query
        return scores if self.scale == 1 else scores * self.scale


class BilinearAttention(_Attention):
    """Attention by a matrix: score_j = k_j · W q, shares softmax(scores), result Σ share_j v_j.
    Parameter: weight (key_size, query_size). (Luong, Pham and Manning 2015)

    >>> attention = dy.nn.BilinearAttention(3, 4, dy.ParameterCollection())
    >>> attention(dy.ones(3), dy.zeros((4, 5))).shape
    (4,)
    """

    @built
    def __init__(self, query_size: int, key_size: int, model: ParameterCollection) -> None:
        super().__init__(model)
        self.query_size = whole("BilinearAttention", "query_size", query_size)
        self.key_size = whole("BilinearAttention", "key_size", key_size)
        self.weight = self.model.add_parameters((self.key_size, self.query_size), name="weight")

    def _scores(self, query: Expression, memory: Memory) -> Expression:
        return memory.prepared * (self.weight * query)


class AdditiveAttention(_Attention):
    """Attention by a small network: score_j = v · tanh(W k_j + U q + b), shares softmax(scores), result Σ
    share_j v_j. Parameters: key_weight (hidden, key_size), query_weight (hidden, query_size), bias
    (hidden,), vector (1, hidden). (Bahdanau, Cho and Bengio 2015)

    >>> attention = dy.nn.AdditiveAttention(3, 4, 8, dy.ParameterCollection())
    >>> attention(dy.ones(3), dy.zeros((4, 5))).shape
    (4,)
    """

    @built
    def __init__(self, query_size: int, key_size: int, hidden: int, model: ParameterCollection) -> None:
        super().__init__(model)
        name = type(self).__name__
        self.query_size, self.key_size = (
            whole(name, "query_size", query_size),
            whole(name, "key_size", key_size),
        )
        self.hidden = whole(name, "hidden", hidden)
        self.key_weight = self.model.add_parameters((self.hidden, self.key_size), name="key_weight")
        self.query_weight = self.model.add_parameters((self.hidden, self.query_size), name="query_weight")
        self.bias = self.model.add_parameters(self.hidden, init=0, name="bias")
        self.vector = self.model.add_parameters((1, self.hidden), name="vector")

    def _prepared(self, keys: Expression) -> Expression:
        return with_columns(self.key_weight * keys, keys.dim()[0][1])

    def _scores(self, query: Expression, memory: Memory) -> Expression:
        asked = dy.affine_transform([self.bias, self.query_weight, query])
        return self._of(dy.colwise_add(memory.prepared, asked))

    def _of(self, hidden: Expression) -> Expression:
        (_, length), batch = hidden.dim()
        return dy.reshape(self.vector * dy.tanh(hidden), (length,), batch)


class Pointer(AdditiveAttention):
    """A pointer into a sequence: log-probabilities of its n positions, log softmax of the scores of an
    AdditiveAttention, for outputs that are positions of the input. (Vinyals, Fortunato and Jaitly 2015)

    >>> pointer = dy.nn.Pointer(3, 4, 8, dy.ParameterCollection())
    >>> loss = -dy.pick(pointer(dy.ones(3), dy.zeros((4, 5))), 2)
    """

    @built
    def __call__(self, query: Expression, memory: Memory | Columns) -> Expression:
        """The log-probability of each position, (n,), for a query (query_size,)."""
        return dy.log_softmax(self.scores(query, memory))


class CoverageAttention(AdditiveAttention):
    """Additive attention that knows where it has looked: score_j = v · tanh(W k_j + U q + b + w c_j),
    where c_j is the sum of the shares that position j has had. Parameters: those of AdditiveAttention and
    coverage_weight (hidden, 1). Besides the result a call gives the shares and the coverage after it. (Tu
    et al. 2016; See, Liu and Manning 2017)

    >>> attention = dy.nn.CoverageAttention(3, 4, 8, dy.ParameterCollection())
    >>> context, shares, coverage = attention(dy.ones(3), dy.zeros((4, 5)))
    >>> context, shares, coverage = attention(dy.ones(3), dy.zeros((4, 5)), coverage)
    >>> print(dy.sum_elems(coverage).npvalue().round(4))
    [2.]
    """

    @built
    def __init__(self, query_size: int, key_size: int, hidden: int, model: ParameterCollection) -> None:
        super().__init__(query_size, key_size, hidden, model)
        self.coverage_weight = self.model.add_parameters((self.hidden, 1), name="coverage_weight")

    @built
    def __call__(  # type: ignore[override]  # What was looked at is a result as well.
        self, query: Expression, memory: Memory | Columns, coverage: Expression | None = None
    ) -> tuple[Expression, Expression, Expression]:
        """The result, the shares (n,), and the coverage (n,) after them; without a coverage it is the first
        query.
        """
        query = rows("CoverageAttention", "query", query, self.query_size, (1,))
        memory = self._memory(memory)
        asked = dy.affine_transform([self.bias, self.query_weight, query])
        hidden = dy.colwise_add(memory.prepared, asked)
        if coverage is not None:
            length = memory.keys.dim()[0][1]
            coverage = rows("CoverageAttention", "coverage", coverage, length, (1,))
            hidden = hidden + self.coverage_weight * dy.reshape(coverage, (1, length), coverage.dim()[1])
        shares = dy.softmax(self._of(hidden))
        return memory.values * shares, shares, shares if coverage is None else coverage + shares

    @built
    def loss(self, shares: Expression, coverage: Expression) -> Expression:
        """What to add to the loss so that it does not look twice: Σ min(share_j, c_j) with the coverage c
        before the shares.

        >>> attention = dy.nn.CoverageAttention(3, 4, 8, dy.ParameterCollection())
        >>> attention.loss(dy.inputVector([0.5, 0.5]), dy.inputVector([1, 0])).value()
        0.5
        """
        return dy.sum_elems(
            dy.bmin(expression("loss", "shares", shares), expression("loss", "coverage", coverage))
        )


class CopyOutput(Module):
    """An output that generates a word or copies one of the input: p(w) = g softmax(W s + b)_w + (1 - g) Σ
    share_j over the positions j where the input has w, with g = σ(v s + d). s (inputs,) is the decoder's
    state, mostly with the context; the shares are an attention's. (Gu et al. 2016; See, Liu and Manning
    2017)

    `outputs` is the size of the vocabulary. Words of the input have its numbers; those that it does not
    have are numbered from `outputs` on, for this input alone.

    >>> output = dy.nn.CopyOutput(4, 10, dy.ParameterCollection())
    >>> shares = dy.softmax(dy.zeros(3))
    >>> output(dy.ones(4), shares, source=[7, 10, 7]).shape
    (11,)
    """

    @built
    def __init__(self, inputs: int, outputs: int, model: ParameterCollection) -> None:
        super().__init__(model)
        self.inputs, self.outputs = (
            whole("CopyOutput", "inputs", inputs),
            whole("CopyOutput", "outputs", outputs),
        )
        self.weight = self.model.add_parameters((self.outputs, self.inputs), name="weight")
        self.bias = self.model.add_parameters(self.outputs, init=0, name="bias")
        self.gate_weight = self.model.add_parameters((1, self.inputs), name="gate_weight")
        self.gate_bias = self.model.add_parameters(1, init=0, name="gate_bias")

    @built
    def __call__(self, state: Expression, shares: Expression, source: Sequence[int]) -> Expression:
        """The probability of each word, of the vocabulary and then of this input's own: (outputs + k,)."""
        scores, gate = self._parts(state, shares, source)
        size = max(self.outputs, *(word + 1 for word in source))
        where = [list(source), list(range(len(source)))]
        places = dy.sparse_inputTensor(where, [1.0] * len(source), (size, len(source)))
        generated = dy.cmult(dy.softmax(scores), gate)
        if size > self.outputs:
            generated = dy.concatenate([generated, dy.zeros(size - self.outputs)])
        return generated + places * dy.cmult(shares, 1 - gate)

    @built
    def loss(self, state: Expression, shares: Expression, source: Sequence[int], target: int) -> Expression:
        """-log p(target), without the probabilities of all other words being copied about; 1e-20 is added
        to p, so that a word that can be neither generated nor copied has a large loss and no infinite
        one.

        >>> output = dy.nn.CopyOutput(4, 10, dy.ParameterCollection())
        >>> loss = output.loss(dy.ones(4), dy.softmax(dy.zeros(3)), source=[7, 10, 7], target=10)
        """
        scores, gate = self._parts(state, shares, source)
        if target < 0:
            raise ValueError(f"CopyOutput: target is {target}; the number of a word is needed")
        terms = []
        if target < self.outputs:
            terms.append(dy.cmult(gate, dy.exp(-dy.pickneglogsoftmax(scores, target))))
        places = [place for place, word in enumerate(source) if word == target]
        if places:
            copied = dy.sum_elems(dy.select_rows(shares, places))
            terms.append(dy.cmult(1 - gate, copied))
        return -dy.log(dy.esum([*terms, dy.scalarInput(1e-20)]))

    def _parts(
        self, state: Expression, shares: Expression, source: Sequence[int]
    ) -> tuple[Expression, Expression]:
        state = rows("CopyOutput", "state", state, self.inputs, (1,))
        rows("CopyOutput", "shares", shares, len(source), (1,))
        if any(word < 0 for word in source):
            raise ValueError(f"CopyOutput: source has the word {min(source)}; numbers from 0 on are needed")
        scores = dy.affine_transform([self.bias, self.weight, state])
        return scores, dy.logistic(dy.affine_transform([self.gate_bias, self.gate_weight, state]))
