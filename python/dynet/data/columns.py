"""Files with a word and its columns a line, and an empty line after each sentence, as of CoNLL 2000 to 2009.

An own reader: those of NLTK want a corpus in a folder of its own, and split words at Unicode's other spaces.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dynet.arguments import told
from dynet.data.files import BYTE_ORDER_MARK, File, Lines, write

_SPACES = re.compile("[ \t]+")


def _row_type(columns: Sequence[str]) -> Any:
    if isinstance(columns, str):
        raise TypeError(f"read_columns: columns is {columns!r}; a list of names is needed")
    try:
        return collections.namedtuple("Row", columns)
    except ValueError as error:
        raise ValueError(f"read_columns: columns is {columns!r}: {error}") from None


@told
def read_columns(
    file: File,
    columns: Sequence[str] | None = None,
    *,
    separator: str | None = None,
    comment: str | None = None,
    document: str | None = "-DOCSTART-",
) -> Iterator[list[Any]]:
    """The sentences of a file of columns, such as those of CoNLL 2000, 2002, 2003 and 2009, one by one.

    A sentence is a list of rows, a row a tuple of texts, with the names of `columns` where they are given.
    Columns are separated by `separator`, or by runs of spaces and tabs. Lines that start with `comment` are
    left out, and so are those whose first column is `document`. A name that ends in .gz, .bz2 or .xz is a
    compressed file.

        for sentence in dy.data.read_columns("eng.train", ["text", "pos", "chunk", "entity"]):
            tags = [word.entity for word in sentence]

    ValueError, with the file and the line, where a line has more or fewer columns than the first, or than
    `columns`.
    """
    make = _row_type(columns) if columns is not None else None
    width = len(columns) if columns is not None else None
    with Lines("read_columns", file) as lines:
        sentence: list[Any] = []
        for line in lines:
            if lines.number == 1:
                line = line.removeprefix(BYTE_ORDER_MARK)
            text = line.rstrip("\r\n")
            if not text.strip(" \t"):
                if sentence:
                    yield sentence
                    sentence = []
                continue
            if comment is not None and text.startswith(comment):
                continue
            row = text.split(separator) if separator is not None else _SPACES.split(text.strip(" \t"))
            if document is not None and row[0] == document:
                continue
            width = width or len(row)
            if len(row) != width:
                hint = "; is it a comment? give comment='#'" if text.startswith("#") and not comment else ""
                raise lines.error(f"{len(row)} columns in {text!r:.80}; {width} are needed{hint}")
            sentence.append(make(*row) if make else tuple(row))
        if sentence:
            yield sentence


@told
def write_columns(
    file: File,
    sentences: Iterable[Iterable[Sequence[object]]],
    *,
    separator: str | None = None,
    document: str | None = "-DOCSTART-",
) -> None:
    """Writes sentences, lists of rows, a row a line, with an empty line after each sentence.

    read_columns with the same `separator` and `document` gives them back. Columns are separated by
    `separator`, or else by tabs, and may not have spaces then.

        dy.data.write_columns("tagged.tsv", [[("ὁ", "RA"), ("λόγος", "N")]])

    ValueError for what read_columns would not give back: a column that is empty or holds the separator or the
    end of a line, rows of unlike length, a row that begins with `document`, a sentence without rows.
    """
    if separator is not None and (separator == "" or set(separator) & set("\r\n")):
        raise ValueError(f"write_columns: separator is {separator!r}; a text within a line is needed")
    write(file, _Writer(separator, document).sentences(sentences))


class _Writer:
    """Makes lines of rows; what would not be read back is told with its sentence."""

    def __init__(self, separator: str | None, document: str | None) -> None:
        self.separator, self.document = separator, document
        self.width: int | None = None
        self.number = 0

    def error(self, what: str) -> ValueError:
        return ValueError(f"write_columns: sentence {self.number}: {what}")

    def sentences(self, sentences: Iterable[Iterable[Sequence[object]]]) -> Iterator[str]:
        for self.number, rows in enumerate(sentences, 1):
            lines = [self.line(row) for row in rows]
            if not lines:
                raise self.error("it has no rows")
            if self.number == 1 and lines[0].startswith(BYTE_ORDER_MARK):
                raise self.error("the file would begin with a byte-order mark, which is not read")
            yield "".join(lines) + "\n"

    def line(self, row: Sequence[object]) -> str:
        if isinstance(row, str):
            raise TypeError(f"write_columns: a row is {row!r:.80}; a tuple of columns is needed")
        texts = [self.column(column) for column in row]
        self.width = self.width or len(texts)
        if len(texts) != self.width or not texts:
            raise self.error(f"{len(texts)} columns in {row!r:.80}; {self.width or 1} are needed")
        if texts[0] == self.document:
            raise self.error(f"{row!r:.80} would be left out when it is read; document=None has it kept")
        line = ("\t" if self.separator is None else self.separator).join(texts)
        if not line.strip(" \t"):
            raise self.error(f"{row!r:.80} would be an empty line")
        return line + "\n"

    def column(self, column: object) -> str:
        text = "" if column is None else str(column)
        if self.separator is None and " " in text and "\t" not in text:
            raise self.error(
                f"a column is {text!r:.80}, with a space; give separator='\\t', here and to read_columns"
            )
        if not text or (self.separator or "\t") in text or "\n" in text or "\r" in text:
            given = None if column is None else text
            needed = f"a text without {self.separator or chr(9)!r} and ends of lines"
            raise ValueError(f"write_columns: a column is {given!r:.80}; {needed} is needed")
        return text
