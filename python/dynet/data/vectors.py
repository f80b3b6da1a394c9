"""Files of word vectors: the text and the binary format of word2vec, GloVe, fastText's .vec.

An own reader: gensim 4.4 fails at words with spaces and at a byte-order mark, repeats a number where a row
is too short, silently reads as few rows as a wrong header says, and keeps a duplicate as a row of zeros.
"""

from __future__ import annotations

import array
import codecs
import collections
import re
import warnings
from collections.abc import Iterable, Iterator, Set
from typing import TYPE_CHECKING, Any

from dynet.arguments import told
from dynet.checks import whole
from dynet.data.files import BYTE_ORDER_MARK, File, Lines

if TYPE_CHECKING:
    import numpy as np

_SAMPLE = 100  # lines that tell how many numbers a row of a file without a header has
_LONGEST = 1 << 16  # bytes of a word
_FRACTION = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9.]+[eE][-+]?[0-9]+)")


class WordVectors:
    """Words and their vectors: what read_vectors gives, or dy.data.WordVectors(words, array) of your own.

    `words` is a list, `array` has shape (number of words, numbers of each), in 32 bits from a file;
    vectors["word"] is a row, "word" in vectors whether there is one. `duplicates` is how many rows the
    file had besides for words that it had before, `zeros` has the words whose numbers are all zero.

        vectors = dy.data.WordVectors(["a", "b"], np.eye(2, dtype=np.float32))
        vectors["b"]  # array([0., 1.])
    """

    def __init__(self, words: list[str], array: np.ndarray[Any, Any], duplicates: int = 0) -> None:
        self.words, self.array, self.duplicates = words, array, duplicates
        self._rows = {word: row for row, word in enumerate(words)}
        self.zeros = [word for word, vector in zip(words, array, strict=True) if not vector.any()]

    def __getitem__(self, word: str) -> np.ndarray[Any, Any]:
        vector: np.ndarray[Any, Any] = self.array[self._rows[word]]
        return vector

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        text = f"WordVectors of {len(self)} words, {self.array.shape[1]} numbers each"
        if self.duplicates:
            text += f", {self.duplicates} duplicates left out"
        return text + (f", {len(self.zeros)} rows of zeros" if self.zeros else "")


class _Collected:
    """The rows that are wanted, without a copy of the file in memory."""

    def __init__(self, wanted: Set[str] | None) -> None:
        self.wanted = wanted
        self.words: dict[str, None] = {}
        self.numbers = array.array("f")
        self.duplicates = 0

    def wants(self, word: str) -> bool:
        if self.wanted is not None and word not in self.wanted:
            return False
        if word in self.words:
            self.duplicates += 1
            return False
        return True

    def add(self, word: str, numbers: bytes) -> None:
        self.words[word] = None
        self.numbers.frombytes(numbers)

    def vectors(self, size: int) -> WordVectors:
        import numpy as np

        table = np.frombuffer(self.numbers, np.float32).reshape(len(self.words), size)
        return WordVectors(list(self.words), table, self.duplicates)


def _header(line: str) -> tuple[int, int] | None:
    """The number of words and of their numbers, if a first line says so."""
    parts = line.split()
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        return int(parts[0]), int(parts[1])
    return None


def _fields(line: str) -> list[str]:
    return line.replace("\t", " ").rstrip(" \r\n").split(" ")


class _Text:
    """A file with a row a line. Words may have spaces: rows are split from the right."""

    def __init__(self, lines: Lines, size: int | None) -> None:
        self.lines = lines
        self.first = [each for each in (lines.readline() for _ in range(_SAMPLE)) if each]
        self.first[:1] = [line.removeprefix(BYTE_ORDER_MARK) for line in self.first[:1]]
        self.count: int | None = None
        widths = [len(_fields(line)) for line in self.first if line.strip(" \t\r\n")]
        if not widths:
            raise lines.error("the file is empty", 1)
        header = _header(self.first[0])
        # A line of two numbers could be a word and its only number.
        if header and (len(widths) == 1 or header[1] == 1 or widths[1] > 2):
            self.count = header[0]
            if size is None:
                size = header[1]
            elif size != header[1]:
                raise lines.error(f"the header says {header[1]} numbers a word; size is {size}", 1)
        self.is_sure = size is not None
        if size is None:
            often = collections.Counter(widths).most_common()
            size = min(width for width, times in often if times == often[0][1]) - 1
        if size < 1:
            raise lines.error(f"{self.first[0]!r:.80} is no word with its numbers", 1)
        self.size = size

    def read(self, found: _Collected) -> None:
        number, rows = 0, 0
        for line in self._all():
            number += 1
            if (number == 1 and self.count is not None) or not line.strip(" \t\r\n"):
                continue
            rows += 1
            self.row(line, number, found)
        if self.count is not None and rows != self.count:
            raise self.lines.error(
                f"the header says {self.count} words; the file has {rows}. If nothing is missing, correct "
                "the header, or take it away",
                1,
            )

    def _all(self) -> Iterator[str]:
        yield from self.first
        if len(self.first) == _SAMPLE:
            yield from self.lines

    def row(self, line: str, number: int, found: _Collected) -> None:
        fields = _fields(line)
        if len(fields) <= self.size:
            what = f"{len(fields) - 1} numbers after {fields[0]!r:.40}; {self.size} are needed"
            raise self.lines.error(what, number)
        word = " ".join(fields[: -self.size])
        word = word.rstrip(" ") or word  # A column may be padded.
        if len(fields) > self.size + 1 and not self.is_sure and _FRACTION.fullmatch(fields[-self.size - 1]):
            raise self.lines.error(
                f"{len(fields) - 1} numbers after {fields[0]!r:.40}; {self.size} are needed. If the word is "
                f"{word!r:.60}, give size={self.size}",
                number,
            )
        if found.wants(word):
            found.add(word, self.numbers(fields[-self.size :], number))

    def numbers(self, fields: list[str], number: int) -> bytes:
        import numpy as np

        try:
            if not (text := "".join(fields)).isascii() or "_" in text:  # Python takes 1_0 for 10.
                raise ValueError
            row = np.array(fields, np.float32)
        except ValueError:
            wrong = next(field for field in fields if not _is_number(field))
            raise self.lines.error(f"{wrong!r:.40} stands where a number is needed", number) from None
        if not np.isfinite(row).all():
            wrong = fields[int(np.argmin(np.isfinite(row)))]
            raise self.lines.error(f"{wrong!r:.40} is not finite in 32 bits", number)
        return row.tobytes()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


class _Binary:
    """word2vec's binary format: a header, then each word, a space, and its numbers as they lie in memory."""

    def __init__(self, lines: Lines, size: int | None) -> None:
        self.lines, self.file = lines, lines.file
        header = _header(lines.readline().removeprefix(BYTE_ORDER_MARK))
        if header is None or header[1] < 1:
            raise lines.error("the file does not begin with the number of words and of their numbers")
        self.count, self.size = header
        if size not in (None, self.size):
            raise lines.error(f"the header says {self.size} numbers a word; size is {size}")
        self.buffer, self.at, self.row = b"", 0, 0

    def error(self, what: str) -> ValueError:
        return ValueError(f"{self.lines.call}: {self.lines.name}, word {self.row} of {self.count}: {what}")

    def fill(self, least: int) -> int:
        """Reads on until that many bytes are there, or the file ends; how many there are."""
        there = len(self.buffer) - self.at
        if there < least:
            pieces = [self.buffer[self.at :]]
            while there < least and (piece := self.file.read(max(least - there, 1 << 20))):
                pieces.append(piece)
                there += len(piece)
            self.buffer, self.at = b"".join(pieces), 0
        return there

    def word(self) -> str:
        length = 256
        while True:
            there = self.fill(length)
            end = self.buffer.find(b" ", self.at)
            if end >= 0:
                break
            if there < length:
                raise self.error("the file ends here: it is cut off, or its header is wrong")
            if length > _LONGEST:
                raise self.error("no space ends the word: this is no binary file of word2vec")
            length *= 2
        word, self.at = self.buffer[self.at : end].lstrip(b"\n"), end + 1
        try:
            return word.decode(errors=self.lines.errors)
        except UnicodeDecodeError as error:
            raise self.error(
                f"{word!r:.60} is not UTF-8: {error.reason}. If nothing is cut off, errors='replace' reads it"
            ) from None

    def read(self, found: _Collected) -> None:
        import numpy as np

        length = 4 * self.size
        for row in range(1, self.count + 1):
            self.row = row
            word = self.word()
            if self.fill(length) < length:
                raise self.error(f"the file ends within the numbers of {word!r:.40}: it is cut off")
            if found.wants(word):
                numbers = np.frombuffer(self.buffer, "<f4", self.size, self.at).astype(np.float32)
                if not np.isfinite(numbers).all():
                    raise self.error(
                        f"a number of {word!r:.40} is not finite: this is no file of 32-bit numbers"
                    )
                found.add(word, numbers.tobytes())
            self.at += length
        if self.fill(2) > 1 or self.buffer[self.at :].strip(b"\n"):
            raise self.error("the file goes on after the last word that its header says")


def _is_binary(lines: Lines) -> bool:
    """By the name, without what says how it is compressed, or else by what follows the header."""
    name = lines.name
    if re.search(r"\.bin(\.gz|\.bz2|\.xz|\.lzma)?$", name):
        return True
    file, length = lines.file, 1 << 12
    if hasattr(file, "peek"):
        begin = file.peek(length)[:length]
    elif hasattr(file, "seekable") and file.seekable():
        place = file.tell()
        begin = file.read(length)
        file.seek(place)
    else:
        return False
    return isinstance(begin, bytes) and b"\0" in begin


def _wanted(words: Iterable[str]) -> Set[str]:
    """A set of what iteration gives: `in` looks at the labels of a Series, and along an array."""
    needed = "a list of words is needed"
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise TypeError(f"read_vectors: words is {words!r:.40}; {needed}")
    wanted = words if isinstance(words, Set) else tuple(words)
    for word in wanted:
        if not isinstance(word, str):
            raise TypeError(f"read_vectors: {word!r:.40} was given as a word in words; {needed}")
    return wanted if isinstance(wanted, Set) else frozenset(wanted)


@told
def read_vectors(
    file: File,
    words: Iterable[str] | None = None,
    *,
    size: int | None = None,
    binary: bool | None = None,
    errors: str = "strict",
) -> WordVectors:
    """The word vectors of a file: of word2vec (text or binary), GloVe, or fastText (.vec).

    With `words`, such as a Vocabulary, only their rows are kept, and a large file needs no more memory than
    they do. Of a word that has many rows the first counts, and `duplicates` says how many were left out.
    Words may have spaces; `size`, how many numbers a word has, is read off the file where it is not given.
    `binary` is seen by the name (.bin) and the contents. A name that ends in .gz, .bz2 or .xz is a compressed
    file. `errors` says what becomes of words that are not UTF-8, as for bytes.decode: "replace" reads them.

        vectors = dy.data.read_vectors("glove.6B.100d.txt", vocabulary)
        vocabulary.fill(table, vectors)

    ValueError, with the file and the line, for rows that are too short or too long, for what is no finite
    number, and where a header does not tell the truth or a file is cut off.
    """
    wanted = None if words is None else _wanted(words)
    if size is not None:
        size = whole("read_vectors", "size", size, 1)
    try:
        codecs.lookup_error(errors)
    except (LookupError, TypeError):
        what = f"read_vectors: errors is {errors!r:.40}; 'strict', 'replace' or the like is needed"
        raise ValueError(what) from None
    with Lines("read_vectors", file, errors) as lines, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers too large for 32 bits, which are refused
        if binary is None:
            binary = _is_binary(lines)
        found = _Collected(wanted)
        reader = (_Binary if binary else _Text)(lines, size)
        reader.read(found)
    if not found.words and wanted is None:
        raise lines.error("the file has no words", 1)
    return found.vectors(reader.size)
