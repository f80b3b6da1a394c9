"""Convolution over time, and words as their letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.activations import Activation, activation_of
from dynet.nn.checks import Columns, matrix, rate, whole, with_columns
from dynet.nn.embedding import Embedding
from dynet.nn.module import Module
from dynet.nn.recurrent import BiLSTM


class Conv1d(Module):
    """A convolution over the columns of a matrix: column t of the result is b + Σ_k W_k x_(s t + k d - p).

    x is a matrix (inputs, n), with a batch or without, or a list of n vectors; the result is (outputs, m)
    with m = (n + p + q - dilation (width - 1) - 1) / stride + 1, rounded down, for p columns of zeros
    before and q after. `padding` is a number (of both), "same" (m = n, stride 1), "causal" (all of it
    before, so that no column sees later ones; m = n), or "valid", 0.

    Parameters: weight (outputs, width · inputs), W_0 … W_(width-1) side by side, and bias (outputs,).
    Those of torch.nn.Conv1d, (outputs, inputs, width), become ours by w.transpose(0, 2,
    1).reshape(outputs, -1).

    >>> layer = dy.nn.Conv1d(3, 8, 5, dy.ParameterCollection(), padding="same")
    >>> layer(dy.zeros((3, 2))).shape
    (8, 2)
    """

    @built
    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        model: ParameterCollection,
        padding: int | str = 0,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
        init: Any = None,
    ) -> None:
        super().__init__(model)
        sizes = {"inputs": inputs, "outputs": outputs, "width": width, "stride": stride, "dilation": dilation}
        self.inputs, self.outputs, self.width, self.stride, self.dilation = (
            whole("Conv1d", name, given) for name, given in sizes.items()
        )
        reach = self.dilation * (self.width - 1)
        named = {"same": (reach // 2, reach - reach // 2), "causal": (reach, 0), "valid": (0, 0)}
        if isinstance(padding, str):
            if padding not in named:
                raise ValueError(
                    f"Conv1d: padding is {padding!r:.60}; a number, 'same', 'causal' or 'valid' is needed"
                )
            if padding != "valid" and stride != 1:
                raise ValueError(f"Conv1d: padding is {padding!r} and stride {stride}; stride 1 is needed")
            self.padding = named[padding]
        else:
            self.padding = (whole("Conv1d", "padding", padding, 0),) * 2
        self.weight = self.model.add_parameters(
            (self.outputs, self.width * self.inputs), init=init, name="weight"
        )
        self.bias = self.model.add_parameters(self.outputs, init=0, name="bias") if bias else None

    @built
    def __call__(self, x: Columns) -> Expression:
        """The convolution of a matrix (inputs, n) or of a list of vectors; ValueError where n and the padding
        are shorter than a filter.
        """
        x = matrix("Conv1d", "x", x, self.inputs)
        length, (before, after) = x.dim()[0][1], self.padding
        last = length + before + after - self.dilation * (self.width - 1)
        if last < 1:
            raise ValueError(
                f"Conv1d: {length} columns with {before + after} of padding; a filter of width {self.width} "
                f"and dilation {self.dilation} needs {self.dilation * (self.width - 1) + 1}; give padding"
            )
        zeros = [dy.zeros((self.inputs, n)) if n else None for n in self.padding]
        padded = [part for part in (zeros[0], x, zeros[1]) if part is not None]
        if len(padded) > 1:
            x = dy.concatenate(padded, d=1)
        starts = range(0, self.dilation * self.width, self.dilation)
        parts = [self._columns(x, start, start + last) for start in starts]
        spread = parts[0] if len(parts) == 1 else dy.concatenate(parts)
        if self.bias is None:
            y = self.weight * spread
        else:
            y = dy.affine_transform([self.bias, self.weight, spread])
        return with_columns(y, spread.dim()[0][1])

    def _columns(self, x: Expression, start: int, end: int) -> Expression:
        chosen = dy.pick_range(x, start, end, 1)
        return chosen if self.stride == 1 else dy.strided_select(chosen, [1, self.stride])


class CharacterLSTM(Module):
    """A vector for each word from its letters, by an LSTM in each direction: the last output of both, one
    above the other, (outputs,). (Ling et al. 2015)

    `letters` is a dy.data.Vocabulary of letters, or how many there are; `size` that of a letter's vector;
    `outputs` must be even. A word is a text, or a list of letters, or of rows.

    >>> letters = dy.data.Vocabulary(list("abc"))
    >>> spell = dy.nn.CharacterLSTM(letters, 4, 6, dy.ParameterCollection())
    >>> spell("cab").shape, spell(["cab", "a"]).shape
    ((6,), (6, 2))
    """

    @built
    def __init__(
        self, letters: Any, size: int, outputs: int, model: ParameterCollection, dropout: float = 0.0
    ) -> None:
        super().__init__(model)
        self.embedding = Embedding(letters, size, self.model)
        self.reader = BiLSTM(size, outputs, self.model, dropout=dropout)
        self.outputs = self.reader.outputs

    @built
    def __call__(self, words: Sequence[Any]) -> Expression:
        """The vector (outputs,) of a word that is a text, or the matrix (outputs, n) of a list of n words."""
        if isinstance(words, str):
            return self._word(words)
        return dy.concatenate_cols([self._word(word) for word in _words("CharacterLSTM", words)])

    def _word(self, word: Sequence[Any]) -> Expression:
        return self.reader.final(self.embedding(list(word)))


class CharacterCNN(Module):
    """A vector for each word from its letters, by convolutions: activation of each, the largest number of
    each filter over the word, all of them one above the other, (outputs,). (Kim et al. 2016)

    `letters` is a dy.data.Vocabulary of letters, or how many there are; `size` that of a letter's vector;
    `filters` says how many filters of each width there are, {3: 50} for 50 trigrams. A word is a text, or
    a list of letters, or of rows; its ends are padded with zeros, so that any word is long enough.

    >>> letters = dy.data.Vocabulary(list("abc"))
    >>> spell = dy.nn.CharacterCNN(letters, 4, {2: 5, 3: 7}, dy.ParameterCollection())
    >>> spell("cab").shape, spell(["cab", "a"]).shape
    ((12,), (12, 2))
    """

    @built
    def __init__(
        self,
        letters: Any,
        size: int,
        filters: dict[int, int],
        model: ParameterCollection,
        activation: Activation = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(model)
        if not isinstance(filters, dict) or not filters:
            raise ValueError(
                f"CharacterCNN: filters is {filters!r:.60}; a dictionary such as {{3: 50}} is needed"
            )
        self.activation = activation_of("CharacterCNN", activation)
        self.dropout = rate("CharacterCNN", "dropout", dropout)
        self.embedding = Embedding(letters, size, self.model)
        self.convolutions = [
            Conv1d(size, count, width, self.model, padding="same") for width, count in filters.items()
        ]
        self.outputs = sum(filters.values())

    @built
    def __call__(self, words: Sequence[Any]) -> Expression:
        """The vector (outputs,) of a word that is a text, or the matrix (outputs, n) of a list of n words."""
        if isinstance(words, str):
            return self._word(words)
        return dy.concatenate_cols([self._word(word) for word in _words("CharacterCNN", words)])

    def _word(self, word: Sequence[Any]) -> Expression:
        x = self.embedding(list(word))
        if self.training and self.dropout:
            x = dy.dropout(x, self.dropout)
        found = [dy.max_dim(self.activation(convolution(x)), 1) for convolution in self.convolutions]
        return found[0] if len(found) == 1 else dy.concatenate(found)


def _words(call: str, words: Any) -> list[Any]:
    if not hasattr(words, "__iter__") or isinstance(words, Expression):
        raise TypeError(f"{call}: words is {words!r:.60}; a text or a list of words is needed")
    found = list(words)
    if not found:
        raise ValueError(f"{call}: words is empty; at least one word is needed")
    return found
