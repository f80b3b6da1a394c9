"""Rows of tables: embeddings of words."""

from __future__ import annotations

import operator
from typing import Any

import dynet._dynet as dy
from dynet._dynet import Expression, ParameterCollection
from dynet.arguments import built
from dynet.nn.checks import rate, whole
from dynet.nn.module import Module


class Embedding(Module):
    """A vector for each word: rows of a table that is learned.

    `words` is a dy.data.Vocabulary, or how many rows there are; `size` that of a vector. Called with a
    word (a text, or the number of a row) it gives a vector (size,), with a list of n of them a matrix
    (size, n).

    Parameter: table (words, size), initialised as `init` says. `vectors`, what dy.data.read_vectors
    gives, are put into the rows of their words; frozen=True leaves the table as it is in training.
    `dropout` is that of numbers, in training. Files of dy.save have the rows, and don't need `vectors`
    again.

    >>> words = dy.data.Vocabulary(["the", "cat"])
    >>> embedding = dy.nn.Embedding(words, 4, dy.ParameterCollection())
    >>> embedding("cat").shape, embedding(["the", "cat", "cat"]).shape
    ((4,), (4, 3))
    """

    @built
    def __init__(
        self,
        words: Any,
        size: int,
        model: ParameterCollection,
        vectors: Any = None,
        frozen: bool = False,
        dropout: float = 0.0,
        init: Any = None,
    ) -> None:
        super().__init__(model)
        self.vocabulary = None if isinstance(words, int) else words
        if self.vocabulary is not None and not (hasattr(words, "rows") and hasattr(words, "fill")):
            raise TypeError(
                f"Embedding: words is {words!r:.60}; a dy.data.Vocabulary, or how many rows, is needed"
            )
        if vectors is not None and self.vocabulary is None:
            raise ValueError("Embedding: vectors need a Vocabulary, which tells the rows of their words")
        self.count = whole("Embedding", "the number of words", len(words) if self.vocabulary else words)
        self.outputs, self.dropout = (
            whole("Embedding", "size", size),
            rate("Embedding", "dropout", dropout),
        )
        self.table = self.model.add_lookup_parameters((self.count, self.outputs), init=init, name="table")
        if vectors is not None and self.vocabulary is not None:
            self.vocabulary.fill(self.table, vectors)
        if frozen:
            self.table.set_updated(False)

    def _unsaved(self) -> tuple[str, ...]:
        return ("vectors",)

    @built
    def __call__(self, words: Any) -> Expression:
        """The vector (size,) of a word or row, or the matrix (size, n) of a list of n. IndexError for a
        row that is not there.
        """
        is_one = hasattr(words, "__index__") and not hasattr(words, "__len__")
        if isinstance(words, str) or is_one:
            x = dy.lookup(self.table, self._rows([words])[0])
        else:
            rows = self._rows(words)
            x = dy.reshape(dy.lookup_batch(self.table, rows), (self.outputs, len(rows)), 1)
        return dy.dropout(x, self.dropout) if self.training and self.dropout else x

    def _rows(self, words: Any) -> list[int]:
        """The numbers of the rows, within the table."""
        if isinstance(words, Expression) or not hasattr(words, "__iter__"):
            raise TypeError(f"Embedding: words is {words!r:.60}; words or numbers of rows are needed")
        rows = []
        for word in words:
            if isinstance(word, str):
                if self.vocabulary is None:
                    raise TypeError(
                        f"Embedding: {word!r:.40} was given; without a Vocabulary numbers are needed"
                    )
                row = self.vocabulary[word]
            else:
                try:
                    row = operator.index(word)
                except TypeError:
                    raise TypeError(
                        f"Embedding: {word!r:.40} was given; a word or the number of a row is needed"
                    ) from None
            if not 0 <= row < self.count:
                raise IndexError(f"Embedding: row {row} of a table of {self.count}")
            rows.append(row)
        if not rows:
            raise ValueError("Embedding: words is empty; at least one word is needed")
        return rows
