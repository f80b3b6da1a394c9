"""Vocabularies: words, how often they came, and their rows in a table."""

from __future__ import annotations

import collections
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dynet._dynet import Expression, LookupParameters, ParameterCollection
from dynet.arguments import told
from dynet.checks import whole
from dynet.data.files import replaced
from dynet.data.vectors import WordVectors

_FORMAT = "dynet vocabulary 1"


class Vocabulary:
    """The words of a corpus, each with a row in a lookup table.

    vocabulary["word"] is its row, and that of `unknown` for a word that is not there; rows(sentence) has
    those of a sentence, words[row] is the word of a row. The unknown word and `special` ones come first, then
    the others, the most frequent first. Words that came fewer than `minimum_count` times have no row; counts
    has them. A dictionary, such as a Counter, gives words with their counts. Without an unknown word (None),
    as for tags, what is not there is a KeyError.

        vocabulary = dy.data.Vocabulary(word for sentence in training for word in sentence)
        table = model.add_lookup_parameters((len(vocabulary), 64))
        vectors = [table[row] for row in vocabulary.rows(["the", "cat"])]

    save and load keep it in a file of its own; dy.save takes it, too, beside the parameters.
    """

    @told
    def __init__(
        self,
        words: Iterable[str] | Mapping[str, int] = (),
        *,
        minimum_count: int = 1,
        unknown: str | None = "<unk>",
        special: Sequence[str] = (),
    ) -> None:
        if isinstance(special, str):
            raise TypeError(f"Vocabulary: special is {special!r}; a list of words is needed")
        self.minimum_count = whole("Vocabulary", "minimum_count", minimum_count, 1)
        self.unknown = unknown
        #: The words by row.
        self.words: list[str] = []
        #: How often each word came, also of those without a row.
        self.counts: collections.Counter[str] = collections.Counter()
        self._rows: dict[str, int] = {}
        for word in (*(() if unknown is None else (unknown,)), *special):
            if not isinstance(word, str):
                raise TypeError(f"Vocabulary: {word!r:.60} was given as a word; a text is needed")
            self._add(word)
        self.special = tuple(self.words[0 if unknown is None else 1 :])
        self.add(words)

    def _add(self, word: str) -> None:
        if word not in self._rows:
            self._rows[word] = len(self.words)
            self.words.append(word)

    @staticmethod
    def _count(word: str, count: object) -> int:
        try:
            return whole("add", f"the count of {word!r:.40}", count, 1)
        except (TypeError, ValueError) as error:
            error.args = (f"{error}; a dictionary has words and their counts, list(dictionary) words alone",)
            raise

    @told
    def add(self, words: Iterable[str] | Mapping[str, int]) -> int:
        """Counts more words. Those that came often enough get rows behind the others, which keep theirs.

        A dictionary, such as a Counter, says how often each word came: a whole number from 1 on.
        Gives the number of new rows; grow(table) adds them to a table.
        """
        if isinstance(words, str | Expression) or not isinstance(words, Iterable):
            raise TypeError(f"add: {words!r:.60} was given; a list of words is needed")
        more: collections.Counter[str] = collections.Counter()
        counted = words.items() if isinstance(words, Mapping) else ((word, 1) for word in words)
        for word, count in counted:
            if not isinstance(word, str):
                what = f"add: {word!r:.60} was given as a word; a text is needed"
                raise TypeError(what + ("; is this a list of sentences?" if hasattr(word, "__len__") else ""))
            more[word] += self._count(word, count) if isinstance(words, Mapping) else count
        self.counts.update(more)
        before = len(self.words)
        new = {word: self.counts[word] for word in more if word not in self._rows}
        # Sorting keeps the order of first occurrence where counts are equal.
        for word in sorted(new, key=new.__getitem__, reverse=True):
            if new[word] >= self.minimum_count:
                self._add(word)
        return len(self.words) - before

    def __getitem__(self, word: str) -> int:
        """The row of a word: that of `unknown` for one that has none, KeyError where there is no unknown."""
        if not isinstance(word, str):
            raise TypeError(f"a word is needed, not {word!r:.60}; the word of a row is vocabulary.words[row]")
        row = self._rows.get(word)
        if row is None:
            if self.unknown is None:
                raise KeyError(f"{word!r:.60} is not in the vocabulary, which has no unknown word")
            return self._rows[self.unknown]
        return row

    def rows(self, words: Iterable[str]) -> list[int]:
        """The row of each word."""
        if isinstance(words, str):
            raise TypeError(f"rows: {words!r:.60} was given; a list of words is needed")
        return [self[word] for word in words]

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.spec == other.spec

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        rare = len(self.counts.keys() - self._rows.keys())
        return f"Vocabulary of {len(self)} words" + (f", and {rare} rare ones without a row" if rare else "")

    # -- tables

    def _check(self, call: str, table: object) -> None:
        if not isinstance(table, LookupParameters):
            raise TypeError(f"{call}: table is {table!r:.60}; lookup parameters are needed")

    @told
    def grow(self, table: LookupParameters, init: Any = None, vectors: WordVectors | None = None) -> int:
        """Adds rows to a table until each word has one; gives how many.

        Old rows keep their values and the trainers' state, and the table its name. New rows are drawn as
        `init` says (as in add_lookup_parameters), and those of words in `vectors` are filled from there.
        """
        self._check("grow", table)
        before = table.shape()[0]
        missing = len(self) - before
        if missing < 0:
            raise ValueError(f"grow: {table.name()} has {before} rows; the vocabulary has {len(self)} words")
        if vectors is not None:
            self._check_size("grow", table, vectors)
        if missing:
            table.add_rows(missing, init)
        if vectors is not None:
            self._fill(table, vectors, range(before, len(self)))
        return missing

    @told
    def fill(self, table: LookupParameters, vectors: WordVectors) -> int:
        """Gives the rows of words the values that they have in `vectors`; how many there were."""
        self._check("fill", table)
        if table.shape()[0] < len(self):
            what = f"fill: {table.name()} has {table.shape()[0]} rows; the vocabulary has {len(self)} words"
            raise ValueError(what + "; grow(table) adds what is missing")
        self._check_size("fill", table, vectors)
        return self._fill(table, vectors, range(len(self)))

    def _check_size(self, call: str, table: LookupParameters, vectors: WordVectors) -> None:
        if not isinstance(vectors, WordVectors):
            raise TypeError(f"{call}: vectors is {vectors!r:.60}; what read_vectors gives is needed")
        if table.shape()[1:] != vectors.array.shape[1:]:
            raise ValueError(
                f"{call}: a row of {table.name()} has {table.shape()[1:]} numbers; those of vectors have "
                f"{vectors.array.shape[1:]}"
            )

    def _fill(self, table: LookupParameters, vectors: WordVectors, rows: Iterable[int]) -> int:
        found = [row for row in rows if self.words[row] in vectors]
        for row in found:
            table[row] = vectors[self.words[row]]
        return len(found)

    # -- files

    @property
    def spec(self) -> tuple[Any, ...]:
        """What from_spec makes it of."""
        return self.words, dict(self.counts), self.minimum_count, self.unknown, self.special

    @classmethod
    def from_spec(cls, spec: tuple[Any, ...], model: ParameterCollection | None = None) -> Vocabulary:
        """The vocabulary of a spec, as dy.load makes it."""
        words, counts, minimum_count, unknown, special = spec
        made = cls(minimum_count=minimum_count, unknown=unknown, special=list(special))
        if not isinstance(words, list) or not isinstance(counts, dict) or words[: len(made)] != made.words:
            raise ValueError("its words are not as they were saved")
        for count in counts.values():
            whole("Vocabulary", "a count", count, 0)
        if not all(isinstance(word, str) for word in (*words, *counts)) or len(set(words)) != len(words):
            raise ValueError("its words are no texts, or one of them comes twice")
        for word in words:
            made._add(word)
        made.counts.update(counts)
        return made

    def param_collection(self) -> ParameterCollection:
        """A collection of nothing, for dy.save."""
        return ParameterCollection()

    @told
    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file, as JSON; load reads it. An old file stays until the new one is whole."""
        content = dict(
            zip(("words", "counts", "minimum_count", "unknown", "special"), self.spec, strict=True)
        )
        text = json.dumps({"format": _FORMAT, **content}, ensure_ascii=False)
        with replaced(path) as file:
            file.write(text.encode("utf-8", "surrogatepass"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """The vocabulary that save wrote. ValueError for another file."""
        if not isinstance(path, str | os.PathLike):  # A number would be an open file, such as the terminal.
            raise TypeError(f"load: {path!r:.60} was given; the name of a file is needed")
        with open(os.fsdecode(path), "rb") as file:
            text = file.read()
        try:
            read = json.loads(text.decode("utf-8", "surrogatepass"))
            if not isinstance(read, dict) or read.pop("format", None) != _FORMAT:
                raise ValueError("it does not say that it is one")
            fields = [read[name] for name in ("words", "counts", "minimum_count", "unknown", "special")]
            return cls.from_spec(tuple(fields))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"load: {os.fsdecode(path)} is no vocabulary: {error}") from error
