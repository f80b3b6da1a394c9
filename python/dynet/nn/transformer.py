"""Layers of Transformers, and stacks of them: encoders, decoders, and decoding step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.activations import Activation, activation_of
from dynet.nn.checks import Columns, matrix, rate, whole
from dynet.nn.dense import Linear
from dynet.nn.module import Module
from dynet.nn.multihead import Kept, MultiHeadAttention
from dynet.nn.normalisation import LayerNorm, RMSNorm

if TYPE_CHECKING:
    from dynet.nn.multihead import Mask


def _norm(kind: str, name: str, size: int, model: ParameterCollection) -> LayerNorm | RMSNorm:
    kinds: dict[str, Any] = {"layer": LayerNorm, "rms": RMSNorm}
    if name not in kinds:
        raise ValueError(f"{kind}: norm is {name!r:.60}; 'layer' or 'rms' is needed")
    made: LayerNorm | RMSNorm = kinds[name](size, model)
    return made


class _Layer(Module):
    """What layers of encoders and decoders have in common: parts whose results are added to what there
    was."""

    size: int
    norm_first: bool
    dropout: float
    norms: list[LayerNorm | RMSNorm]

    def _start(
        self, model: ParameterCollection, size: int, hidden: int, activation: Activation, norm_first: bool
    ) -> None:
        Module.__init__(self, model)
        name = type(self).__name__
        self.size, self.norm_first = whole(name, "size", size), bool(norm_first)
        self.activation = activation_of(name, activation)
        hidden = whole(name, "hidden", hidden)
        self.wide = Linear(self.size, hidden, self.model.add_subcollection("wide"))
        self.narrow = Linear(hidden, self.size, self.model.add_subcollection("narrow"))

    def _dropped(self, x: Expression) -> Expression:
        return dy.dropout(x, self.dropout) if self.training and self.dropout else x

    def _before(self, number: int, x: Expression) -> Expression:
        """What a part reads."""
        return self.norms[number](x) if self.norm_first else x

    def _after(self, number: int, x: Expression, made: Expression) -> Expression:
        """x and what a part made of it."""
        x = x + self._dropped(made)
        return x if self.norm_first else self.norms[number](x)

    def _fed(self, number: int, x: Expression) -> Expression:
        hidden = self._dropped(self.activation(self.wide(self._before(number, x))))
        return self._after(number, x, self.narrow(hidden))


class TransformerEncoderLayer(_Layer):
    """A layer of a Transformer's encoder, on a matrix (size, n):

        x = norm1(x + attention(x)); x = norm2(x + W_2 activation(W_1 x + b_1) + b_2)

    or, with norm_first, x + attention(norm1(x)), and then x + W_2 activation(W_1 norm2(x) + b_1) + b_2.
    `hidden` is the number of rows of W_1. `dropout` (0, in PyTorch 0.1) is that of shares, of hidden
    numbers and of what each part adds. `norm` is "layer" or "rms"; rotary=True turns queries and keys by
    their positions.

    Parameters are in the sub-collections multi-head-attention, wide, narrow and layer-norm. As
    torch.nn.TransformerEncoderLayer. (Vaswani et al. 2017)

    >>> layer = dy.nn.TransformerEncoderLayer(4, 2, 8, dy.ParameterCollection())
    >>> layer(dy.zeros((4, 5))).shape
    (4, 5)
    """

    @built
    def __init__(
        self,
        size: int,
        heads: int,
        hidden: int,
        model: ParameterCollection,
        dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = False,
        norm: str = "layer",
        rotary: bool = False,
    ) -> None:
        self._start(model, size, hidden, activation, norm_first)
        self.dropout = rate("TransformerEncoderLayer", "dropout", dropout)
        self.attention = MultiHeadAttention(size, heads, self.model, dropout=dropout, rotary=rotary)
        self.norms = [_norm("TransformerEncoderLayer", norm, size, self.model) for _ in range(2)]

    @built
    def __call__(self, x: Columns, mask: Mask = None, causal: bool = False) -> Expression:
        """The layer's output (size, n) for x (size, n), or a list of n vectors; mask and causal are as in
        MultiHeadAttention.
        """
        x = matrix("TransformerEncoderLayer", "x", x, self.size)
        found = self.attention(self._before(0, x), mask=mask, causal=causal)
        return self._fed(1, self._after(0, x, found))

    @built
    def step(self, x: Columns, kept: Kept | None = None) -> tuple[Expression, Kept]:
        """Goes on by one position or some, causally: the output for x (size, m), and what the next step
        needs.

        >>> layer = dy.nn.TransformerEncoderLayer(4, 2, 8, dy.ParameterCollection())
        >>> y, kept = layer.step(dy.zeros(4))
        >>> y, kept = layer.step(dy.zeros(4), kept)
        """
        x = matrix("TransformerEncoderLayer", "x", x, self.size)
        found, kept = self.attention.step(self._before(0, x), kept)
        return self._fed(1, self._after(0, x, found)), kept


class DecoderState(NamedTuple):
    """What a decoder keeps from step to step: for each layer keys and values of the positions so far
    (None before the first), and those of the memory. States are never changed, so that hypotheses may
    share them.

    >>> decoder = dy.nn.TransformerDecoder(2, 4, 2, 8, dy.ParameterCollection())
    >>> decoder.start(dy.zeros((4, 3))).length
    0
    """

    kept: tuple[Kept | None, ...]
    memories: tuple[Kept, ...]
    length: int


class TransformerDecoderLayer(_Layer):
    """A layer of a Transformer's decoder: causal attention to itself, attention to a memory, then the two
    products of TransformerEncoderLayer; each added to what there was, and normalised after it, or, with
    norm_first, before.

    x is a matrix (size, m), the memory one of (size, n), what an encoder made. As
    torch.nn.TransformerDecoderLayer with a causal mask. Arguments are those of TransformerEncoderLayer;
    only the first attention is rotary.

    >>> layer = dy.nn.TransformerDecoderLayer(4, 2, 8, dy.ParameterCollection())
    >>> layer(dy.zeros((4, 5)), dy.zeros((4, 3))).shape
    (4, 5)
    """

    @built
    def __init__(
        self,
        size: int,
        heads: int,
        hidden: int,
        model: ParameterCollection,
        dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = False,
        norm: str = "layer",
        rotary: bool = False,
    ) -> None:
        self._start(model, size, hidden, activation, norm_first)
        self.dropout = rate("TransformerDecoderLayer", "dropout", dropout)
        own, cross = (self.model.add_subcollection(part) for part in ("own", "cross"))
        self.attention = MultiHeadAttention(size, heads, own, dropout=dropout, rotary=rotary)
        self.cross = MultiHeadAttention(size, heads, cross, dropout=dropout)
        self.norms = [_norm("TransformerDecoderLayer", norm, size, self.model) for _ in range(3)]

    @built
    def __call__(
        self,
        x: Columns,
        memory: Columns | Kept,
        mask: Mask = None,
        memory_mask: Mask = None,
        causal: bool = True,
    ) -> Expression:
        """The layer's output (size, m) for x (size, m) and a memory (size, n), or what keep made of it;
        masks are as in MultiHeadAttention.
        """
        x = matrix("TransformerDecoderLayer", "x", x, self.size)
        if not isinstance(memory, Kept):
            memory = self.keep(matrix("TransformerDecoderLayer", "memory", memory, self.size))
        found = self.attention(self._before(0, x), mask=mask, causal=causal)
        x = self._after(0, x, found)
        x = self._after(1, x, self.cross(self._before(1, x), memory, mask=memory_mask))
        return self._fed(2, x)

    @built
    def keep(self, memory: Columns) -> Kept:
        """Keys and values of the memory, once for all steps.

        >>> layer = dy.nn.TransformerDecoderLayer(4, 2, 8, dy.ParameterCollection())
        >>> layer.keep(dy.zeros((4, 3))).keys.shape
        (4, 3)
        """
        return self.cross.keep(memory)

    @built
    def step(self, x: Columns, memory: Columns | Kept, kept: Kept | None = None) -> tuple[Expression, Kept]:
        """Goes on by one position or some: the output for x (size, m), and what the next step needs.

        >>> layer = dy.nn.TransformerDecoderLayer(4, 2, 8, dy.ParameterCollection())
        >>> y, kept = layer.step(dy.zeros(4), layer.keep(dy.zeros((4, 3))))
        """
        x = matrix("TransformerDecoderLayer", "x", x, self.size)
        found, kept = self.attention.step(self._before(0, x), kept)
        x = self._after(0, x, found)
        x = self._after(1, x, self.cross(self._before(1, x), memory))
        return self._fed(2, x), kept


class TransformerEncoder(Module):
    """`layers` times a TransformerEncoderLayer, whose arguments follow; with norm_first=True (the default
    here, since deep stacks learn more easily so) one more norm at the end. Positions are not added: see
    SinusoidalPositions, LearnedPositions and rotary.

    With causal=True in the call it is a language model's decoder, which step() runs position by position.

    >>> encoder = dy.nn.TransformerEncoder(2, 4, 2, 8, dy.ParameterCollection())
    >>> encoder(dy.zeros((4, 5))).shape
    (4, 5)
    """

    @built
    def __init__(
        self,
        layers: int,
        size: int,
        heads: int,
        hidden: int,
        model: ParameterCollection,
        dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = True,
        norm: str = "layer",
        rotary: bool = False,
    ) -> None:
        super().__init__(model)
        self.size = size
        options = (dropout, activation, norm_first, norm, rotary)
        self.layers = [
            TransformerEncoderLayer(size, heads, hidden, self.model, *options)
            for _ in range(whole("TransformerEncoder", "layers", layers))
        ]
        self.norm = _norm("TransformerEncoder", norm, size, self.model) if norm_first else None

    @built
    def __call__(self, x: Columns, mask: Mask = None, causal: bool = False) -> Expression:
        """The output (size, n) of the last layer for x (size, n), or a list of n vectors."""
        x = matrix("TransformerEncoder", "x", x, self.size)
        for layer in self.layers:
            x = layer(x, mask, causal)
        return x if self.norm is None else self.norm(x)

    @built
    def step(
        self, x: Columns, state: Sequence[Kept | None] | None = None
    ) -> tuple[Expression, tuple[Kept, ...]]:
        """Goes on by one position or some, causally: the output for x (size, m), and the state for the
        next step; None is the state before the first.

        >>> model = dy.nn.TransformerEncoder(2, 4, 2, 8, dy.ParameterCollection())
        >>> y, state = model.step(dy.zeros(4))
        >>> y, state = model.step(dy.zeros(4), state)
        """
        x, now = matrix("TransformerEncoder", "x", x, self.size), []
        for layer, kept in zip(self.layers, state or [None] * len(self.layers), strict=True):
            x, new = layer.step(x, kept)
            now.append(new)
        return (x if self.norm is None else self.norm(x)), tuple(now)


class TransformerDecoder(Module):
    """`layers` times a TransformerDecoderLayer, whose arguments follow; with norm_first=True (the default
    here) one more norm at the end. Training reads all positions at once; start() and step() go position
    by position.

    >>> decoder = dy.nn.TransformerDecoder(2, 4, 2, 8, dy.ParameterCollection())
    >>> decoder(dy.zeros((4, 5)), dy.zeros((4, 3))).shape
    (4, 5)
    """

    @built
    def __init__(
        self,
        layers: int,
        size: int,
        heads: int,
        hidden: int,
        model: ParameterCollection,
        dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = True,
        norm: str = "layer",
        rotary: bool = False,
    ) -> None:
        super().__init__(model)
        self.size = size
        options = (dropout, activation, norm_first, norm, rotary)
        self.layers = [
            TransformerDecoderLayer(size, heads, hidden, self.model, *options)
            for _ in range(whole("TransformerDecoder", "layers", layers))
        ]
        self.norm = _norm("TransformerDecoder", norm, size, self.model) if norm_first else None

    @built
    def __call__(self, x: Columns, memory: Columns, memory_mask: Mask = None) -> Expression:
        """The output (size, m) for all positions of x (size, m), each of which sees those before it, and
        the memory (size, n).
        """
        x = matrix("TransformerDecoder", "x", x, self.size)
        for layer in self.layers:
            x = layer(x, memory, memory_mask=memory_mask)
        return x if self.norm is None else self.norm(x)

    @built
    def start(self, memory: Columns) -> DecoderState:
        """The state before the first step, with keys and values of the memory (size, n) for each layer.

        >>> decoder = dy.nn.TransformerDecoder(2, 4, 2, 8, dy.ParameterCollection())
        >>> len(decoder.start(dy.zeros((4, 3))).memories)
        2
        """
        memory = matrix("TransformerDecoder", "memory", memory, self.size)
        memories = tuple(layer.keep(memory) for layer in self.layers)
        return DecoderState((None,) * len(self.layers), memories, 0)

    @built
    def step(self, x: Columns, state: DecoderState) -> tuple[Expression, DecoderState]:
        """Goes on by one position or some: the output for x (size, m), and the state for the next step.
        state.length is how many positions there were, for SinusoidalPositions()(x, start=state.length).

        >>> decoder = dy.nn.TransformerDecoder(2, 4, 2, 8, dy.ParameterCollection())
        >>> y, state = decoder.step(dy.zeros(4), decoder.start(dy.zeros((4, 3))))
        >>> y.shape, state.length
        ((4, 1), 1)
        """
        x, now = matrix("TransformerDecoder", "x", x, self.size), []
        length = state.length + x.dim()[0][1]
        for layer, memory, kept in zip(self.layers, state.memories, state.kept, strict=True):
            x, new = layer.step(x, memory, kept)
            now.append(new)
        return (x if self.norm is None else self.norm(x)), DecoderState(tuple(now), state.memories, length)
