"""Recurrent layers: builders of the library as layers, over matrices or lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection, RNNState
from dynet.arguments import built
from dynet.nn.checks import Columns, columns, listed, matrix, rate, rows, whole
from dynet.nn.module import Module
from dynet.rnn import BiRNNBuilder


class _Reader(Module):
    """A layer that reads a sequence: a matrix (inputs, n) or a list of n vectors."""

    builder: Any
    inputs: int
    dropout: float

    @overload
    def __call__(self, x: Expression) -> Expression: ...
    @overload
    def __call__(self, x: Sequence[Expression]) -> list[Expression]: ...
    @built
    def __call__(self, x: Columns) -> Expression | list[Expression]:
        """The outputs of all steps: of a matrix (inputs, n) a matrix (outputs, n), of a list a list.
        ValueError for another number of rows, and for an empty list.
        """
        outputs = self._outputs(self._vectors(x))
        return dy.concatenate_cols(outputs) if isinstance(x, Expression) else outputs

    def _vectors(self, x: Columns) -> list[Expression]:
        name = type(self).__name__
        if isinstance(x, Expression):
            return columns(matrix(name, "x", x, self.inputs))
        return [rows(name, f"x[{i}]", each, self.inputs, (1,)) for i, each in enumerate(listed(name, "x", x))]

    def _outputs(self, vectors: list[Expression]) -> list[Expression]:
        raise NotImplementedError

    def _mode_changed(self) -> None:
        self.builder.set_dropout(self.dropout if self.training else 0.0)


class LSTM(_Reader):
    """An LSTM that reads a sequence from left to right: of a matrix (inputs, n) it makes a matrix
    (outputs, n), of a list of vectors a list.

    `layers` is how many lie one above another. In training `dropout` drops inputs, and outputs where the
    next step reads them, with one mask for a sequence. `builder` is another class of builders, such as
    dy.GRUBuilder. layer.builder is the builder itself, for programs that go on step by step: start()
    gives its first state.

    >>> layer = dy.nn.LSTM(3, 4, dy.ParameterCollection())
    >>> layer(dy.zeros((3, 5))).shape, layer.start().add_input(dy.zeros(3)).output().shape
    ((4, 5), (4,))
    """

    @built
    def __init__(
        self,
        inputs: int,
        outputs: int,
        model: ParameterCollection,
        layers: int = 1,
        dropout: float = 0.0,
        builder: type[Any] = dy.VanillaLSTMBuilder,
    ) -> None:
        super().__init__(model)
        self.inputs, self.outputs = whole("LSTM", "inputs", inputs), whole("LSTM", "outputs", outputs)
        self.dropout = rate("LSTM", "dropout", dropout)
        self.builder = builder(whole("LSTM", "layers", layers), self.inputs, self.outputs, self.model)
        self._mode_changed()

    def start(self, vectors: Sequence[Expression] | None = None) -> RNNState:
        """The state before the first input: zeros, or what `vectors` has, as builder.initial_state(vectors)
        takes it.

        >>> layer = dy.nn.LSTM(3, 4, dy.ParameterCollection())
        >>> layer.start().add_input(dy.zeros(3)).output().shape
        (4,)
        """
        return self.builder.initial_state(vectors)  # type: ignore[no-any-return]

    @built
    def final(self, x: Columns) -> Expression:
        """The output after the last step, (outputs,), of a matrix or a list.

        >>> layer = dy.nn.LSTM(3, 4, dy.ParameterCollection())
        >>> layer.final(dy.zeros((3, 5))).shape
        (4,)
        """
        return self._outputs(self._vectors(x))[-1]

    def _outputs(self, vectors: list[Expression]) -> list[Expression]:
        return self.builder.initial_state().transduce(vectors)  # type: ignore[no-any-return]


class BiLSTM(_Reader):
    """LSTMs that read a sequence in both directions: of a matrix (inputs, n) a matrix (outputs, n), of a
    list of vectors a list; the upper half of the rows is the one that reads forwards.

    `outputs` is the size of both together, and must be even; torch.nn.LSTM(bidirectional=True) has that
    of one. `layers`, `dropout` and `builder` are as in dy.nn.LSTM; layer.builder is a dy.BiRNNBuilder.

    >>> layer = dy.nn.BiLSTM(3, 4, dy.ParameterCollection(), layers=2, dropout=0.3)
    >>> layer(dy.zeros((3, 5))).shape, len(layer([dy.zeros(3), dy.zeros(3)]))
    ((4, 5), 2)
    """

    @built
    def __init__(
        self,
        inputs: int,
        outputs: int,
        model: ParameterCollection,
        layers: int = 1,
        dropout: float = 0.0,
        builder: type[Any] = dy.VanillaLSTMBuilder,
    ) -> None:
        super().__init__(model)
        self.inputs, self.outputs = whole("BiLSTM", "inputs", inputs), whole("BiLSTM", "outputs", outputs)
        if self.outputs % 2:
            raise ValueError(f"BiLSTM: outputs is {outputs}; each direction has half, so it must be even")
        self.dropout = rate("BiLSTM", "dropout", dropout)
        count = whole("BiLSTM", "layers", layers)
        self.builder = BiRNNBuilder(count, self.inputs, self.outputs, self.model, builder)
        self._mode_changed()

    @built
    def final(self, x: Columns) -> Expression:
        """What both directions have after all of the sequence, one above the other, (outputs,): a vector
        for a word from its letters, or for a sentence.

        >>> layer = dy.nn.BiLSTM(3, 4, dy.ParameterCollection())
        >>> layer.final(dy.zeros((3, 5))).shape
        (4,)
        """
        outputs, half = self._outputs(self._vectors(x)), self.outputs // 2
        return dy.concatenate(
            [dy.pick_range(outputs[-1], 0, half), dy.pick_range(outputs[0], half, 2 * half)]
        )

    def _outputs(self, vectors: list[Expression]) -> list[Expression]:
        return self.builder.transduce(vectors)  # type: ignore[no-any-return]
