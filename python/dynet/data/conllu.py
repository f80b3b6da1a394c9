"""CoNLL-U: sentences whose columns and comments are kept as text, so that writing gives the file back.

An own reader: on hard files conllu 6.0 cuts MISC at a second "=", drops comments without one, and writes
"_" for an empty value; pyconll 3.3 loses one of two relations to the same head and sorts features.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dynet.arguments import told
from dynet.data.files import BYTE_ORDER_MARK, File, Lines, write

_IDENTIFIER = re.compile(r"[1-9][0-9]*(-[1-9][0-9]*)?|[0-9]+\.[1-9][0-9]*")
_NUMBER = re.compile(r"[1-9][0-9]*")


class Token(NamedTuple):
    """A line of CoNLL-U: its ten columns as they stand in the file, each a text.

    `_` is what an empty column has, and what all but the first two have where they are not given. A token is
    a named tuple: _replace makes a changed one. features, attributes and relations take columns apart.

        token = dy.data.Token("1", "mar", upos="NOUN", feats="Gender=Masc|Number=Sing")
        token.features["Number"], int(token._replace(head="0").head)  # "Sing", 0
    """

    id: str
    form: str
    lemma: str = "_"
    upos: str = "_"
    xpos: str = "_"
    feats: str = "_"
    head: str = "_"
    deprel: str = "_"
    deps: str = "_"
    misc: str = "_"

    @property
    def is_word(self) -> bool:
        """Whether it is a syntactic word, and neither a range such as 1-2 nor an empty node such as 5.1."""
        return _NUMBER.fullmatch(self.id) is not None

    @property
    def features(self) -> dict[str, str]:
        """The features by name: {"Case": "Acc", "Number": "Plur"}."""
        return {name: value or "" for name, value in _pairs(self.feats)}

    @property
    def attributes(self) -> list[tuple[str, str | None]]:
        """MISC as pairs, cut at the first "="; None where there is none."""
        return _pairs(self.misc)

    @property
    def relations(self) -> list[tuple[str, str]]:
        """DEPS as pairs of a head and a relation; a head can come more than once."""
        if self.deps == "_":
            return []
        parts = (each.partition(":") for each in self.deps.split("|"))
        return [(head, relation) for head, _, relation in parts]


def _pairs(column: str) -> list[tuple[str, str | None]]:
    if column == "_":
        return []
    parts = (each.partition("=") for each in column.split("|"))
    return [(name, value if sign else None) for name, sign, value in parts]


@dataclasses.dataclass
class Sentence:
    """A sentence of CoNLL-U. Its length, its items and what iteration gives are its words.

    `tokens` has all lines, with those of multiword tokens and empty nodes, `comments` the lines before them,
    each with its "#". str() is the sentence as it stood in the file.

        sentence = dy.data.Sentence([dy.data.Token("1", "Ἰησοῦς", upos="PROPN")], ["# sent_id = 1"])
        len(sentence), sentence[0].form, sentence.metadata["sent_id"]  # 1, "Ἰησοῦς", "1"
    """

    tokens: list[Token]
    comments: list[str] = dataclasses.field(default_factory=list)
    #: What comes before it in the file (a byte-order mark, empty lines), how lines end, and what comes after.
    before: str = dataclasses.field(default="", repr=False)
    newline: str = dataclasses.field(default="\n", repr=False)
    after: str = dataclasses.field(default="\n\n", repr=False)

    @property
    def words(self) -> list[Token]:
        """The syntactic words."""
        return [token for token in self.tokens if token.is_word]

    @property
    def metadata(self) -> dict[str, str]:
        """What comments of the form "# name = value" say; of a name that comes twice, the first."""
        found: dict[str, str] = {}
        for comment in self.comments:
            name, sign, value = comment.lstrip("#").partition("=")
            if sign:
                found.setdefault(name.strip(), value.strip())
        return found

    def __iter__(self) -> Iterator[Token]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, position: int) -> Token:
        return self.words[position]

    def __str__(self) -> str:
        lines = [*self.comments, *("\t".join(token) for token in self.tokens)]
        return self.before + self.newline.join(lines) + self.after


class _Reader:
    """Reads sentence by sentence; what is wrong is told with its line."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.start()

    def start(self) -> None:
        self.sentence = Sentence([], after="")
        self.newline: str | None = None
        self.heads: list[tuple[int, int]] = []  # and the lines they stand in
        self.count = 0

    def sentences(self) -> Iterator[Sentence]:
        for line in self.lines:
            if self.lines.number == 1 and line.startswith(BYTE_ORDER_MARK):
                self.sentence.before, line = line[:1], line[1:]
            text = line.rstrip("\r\n")
            if not text.strip(" \t"):
                self.blank(line)
                continue
            if self.sentence.after and self.sentence.tokens:
                yield self.finished()
            self.row(text, line[len(text) :])
        if self.sentence.tokens:
            yield self.finished()
        elif self.sentence.comments:
            raise self.lines.error("the file ends with comments that no sentence follows")

    def blank(self, line: str) -> None:
        if self.sentence.tokens:
            self.sentence.after += line
        elif self.sentence.comments:
            raise self.lines.error("there is an empty line between comments and their sentence")
        else:
            self.sentence.before += line

    def row(self, text: str, newline: str) -> None:
        sentence = self.sentence
        if newline:
            if self.newline not in (None, newline):
                raise self.lines.error(f"it ends with {newline!r}, the line before with {self.newline!r}")
            self.newline = newline
        self.end = newline
        if text.startswith("#"):
            if sentence.tokens:
                raise self.lines.error("a comment between words; comments come before the sentence")
            sentence.comments.append(text)
        else:
            sentence.tokens.append(self.token(text))

    def token(self, text: str) -> Token:
        columns = text.split("\t")
        if len(columns) != 10:
            hint = "; it has spaces where tabs are needed" if len(text.split()) == 10 else ""
            raise self.lines.error(f"{len(columns)} columns in {text!r:.80}; ten are needed{hint}")
        token = Token(*columns)
        if not _IDENTIFIER.fullmatch(token.id):
            raise self.lines.error(f"{token.id!r} is no ID such as 3, 3-4 or 3.1")
        if token.is_word:
            self.count += 1
            if token.id != str(self.count):
                raise self.lines.error(f"word {token.id} comes where word {self.count} should")
            if token.head != "_":
                if not (token.head.isascii() and token.head.isdigit()):
                    raise self.lines.error(f"HEAD is {token.head!r}; the number of a word, 0 or _ is needed")
                self.heads.append((int(token.head), self.lines.number))
        return token

    def finished(self) -> Sentence:
        for head, number in self.heads:
            if head > self.count:
                what = f"HEAD is {head}; the sentence has {self.count} words"
                raise self.lines.error(what, number)
        done = self.sentence
        done.newline = self.newline or "\n"
        done.after = self.end + done.after
        self.start()
        return done


@told
def read_conllu(file: File) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file, one after another.

    Columns and comments are kept as text: str(sentence), and write_conllu, give the file back byte for byte.
    Multiword tokens and empty nodes are among `sentence.tokens`; iteration gives the words alone. A name that
    ends in .gz, .bz2 or .xz is a compressed file; an open file is read, too.

        for sentence in dy.data.read_conllu("he_htb-ud-train.conllu"):
            heads = [int(word.head) for word in sentence]

    ValueError, with the file and the line, for what is no CoNLL-U.
    """
    with Lines("read_conllu", file) as lines:
        yield from _Reader(lines).sentences()


@told
def write_conllu(file: File, sentences: Iterable[Sentence]) -> None:
    """Writes sentences as CoNLL-U, compressed where the name ends in .gz, .bz2 or .xz.

    What read_conllu gave comes back byte for byte. Where sentences are put together in another order, those
    that need it get the empty line after them, and only the first keeps its byte-order mark.

        dy.data.write_conllu("copy.conllu.gz", dy.data.read_conllu("he_htb-ud-dev.conllu"))

    A file is replaced when all of it is written. ValueError for what read_conllu would not give back: a
    column that is empty or holds a tab or the end of a line, wrong IDs and heads, a sentence without tokens.
    """
    write(file, _parts(sentences))


def _parts(sentences: Iterable[Sentence]) -> Iterator[str]:
    """The texts of sentences, each with what keeps it apart from the next one."""
    last: Sentence | None = None
    for number, sentence in enumerate(sentences, 1):
        if last is not None:
            yield _apart(last)
        _check(sentence, number)
        if number > 1 and sentence.before.startswith(BYTE_ORDER_MARK):
            sentence = dataclasses.replace(sentence, before=sentence.before[1:])
        last = sentence
    if last is not None:
        yield str(last)


def _apart(sentence: Sentence) -> str:
    text, after = str(sentence), sentence.after
    if not after.endswith("\n"):
        text, after = text + sentence.newline, after + sentence.newline
    return text if after.count("\n") > 1 else text + sentence.newline


def _check(sentence: Sentence, number: int) -> None:
    """Fails unless read_conllu would give the sentence back."""
    if not isinstance(sentence, Sentence):
        raise TypeError(f"write_conllu: {sentence!r:.80} was given; sentences are needed")
    if not sentence.newline.endswith("\n"):
        raise ValueError(f"write_conllu: newline is {sentence.newline!r:.80}; the end of a line is needed")
    for comment in sentence.comments:
        if not comment.startswith("#") or "\n" in comment:
            raise ValueError(
                f"write_conllu: a comment is {comment!r:.80}; a line that begins with # is needed"
            )
    for token in sentence.tokens:
        for name, column in zip(Token._fields, token, strict=True):
            if not isinstance(column, str) or not column or "\t" in column or "\n" in column:
                raise ValueError(f"write_conllu: {name} of {token!r:.80} is {column!r}; a text is needed")
    with Lines("write_conllu", io.StringIO(_apart(sentence), newline="")) as lines:
        lines.name = f"sentence {number}"
        read = list(_Reader(lines).sentences())
        if [(each.comments, each.tokens) for each in read] != [(sentence.comments, sentence.tokens)]:
            what = (
                "it would not be read back as it is: a line ends with \\r, before or after is no empty line"
            )
            raise lines.error(what if sentence.tokens else "it has no tokens", 1)
