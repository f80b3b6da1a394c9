"""Trees in brackets, as of the Penn Treebank.

An own reader: NLTK's reads one tree of a text that is there as a whole, up to a depth of 500, and takes
seconds to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Union

from dynet.arguments import told
from dynet.data.files import BYTE_ORDER_MARK, File, Lines

_PIECE = re.compile(r"[()]|[^() \t\r\n\f\v]+")


class _Hash:
    """Stands for something of this hash in a tuple."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return self.number


class Tree(NamedTuple):
    """A tree: its label, and its children, which are trees and words. str() is the tree in brackets.

    A tree is a named tuple, and compares by what is in it; trees of any depth are walked without recursion.

        tree = dy.data.Tree("NP", (dy.data.Tree("DT", ("the",)), dy.data.Tree("NN", ("dog",))))
        tree.leaves(), str(tree)  # ["the", "dog"], "(NP (DT the) (NN dog))"
    """

    label: str
    children: tuple[Union[Tree, str], ...]  # noqa: UP007  Not known yet, and no text.

    @property
    def is_preterminal(self) -> bool:
        """Whether its only child is a word: the label is a part of speech then."""
        return len(self.children) == 1 and isinstance(self.children[0], str)

    def nodes(self) -> Iterator[Tree]:
        """The tree and all trees in it, each before its children."""
        waiting = [self]
        while waiting:
            tree = waiting.pop()
            yield tree
            waiting.extend(child for child in reversed(tree.children) if isinstance(child, Tree))

    def leaves(self) -> list[str]:
        """The words, from left to right."""
        return [word for word, _ in self.tagged()]

    def tagged(self) -> list[tuple[str, str]]:
        """Words, from left to right, with their parts of speech, the labels right above them."""
        tagged: list[tuple[str, str]] = []
        waiting: list[tuple[Tree | str, str]] = [(self, "")]
        while waiting:
            node, above = waiting.pop()
            if isinstance(node, str):
                tagged.append((node, above))
            else:
                waiting.extend((child, node.label) for child in reversed(node.children))
        return tagged

    # A tuple compares and hashes what is in it by recursion, the latter until the stack ends.

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple):
            return NotImplemented
        waiting: list[tuple[Any, Any]] = [(self, other)]
        while waiting:
            one, two = waiting.pop()
            if isinstance(one, tuple) and isinstance(two, tuple):
                if len(one) != len(two):
                    return False
                waiting.extend(zip(one, two, strict=True))
            elif one != two:
                return False
        return True

    def __ne__(self, other: object) -> bool:
        return NotImplemented if not isinstance(other, tuple) else not self == other

    def __hash__(self) -> int:
        """That of the tuple: trees are equal to tuples of the same contents."""
        done: list[Any] = []  # the children of trees whose turn comes
        for tree in reversed(list(self.nodes())):
            # A tree stands before what is in it: its children were done last, the first one on top.
            children = [done.pop() if isinstance(child, Tree) else child for child in tree.children]
            done.append(_Hash(hash((tree.label, _Hash(hash(tuple(children)))))))
        return hash(done.pop())

    def __str__(self) -> str:
        parts: list[str] = []
        waiting: list[Tree | str | None] = [self]
        while waiting:
            node = waiting.pop()
            if node is None:
                parts.append(")")
            elif isinstance(node, str):
                parts.append(f" {node}")
            else:
                parts.append(f"{' ' if parts else ''}({node.label}")
                waiting += [None, *reversed(node.children)]
        return "".join(parts)


class _Open(NamedTuple):
    """A bracket that is not closed yet."""

    label: list[str]  # of one text, or none
    children: list[Tree | str]
    line: int


class _Reader:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.open: list[_Open] = []

    def trees(self) -> Iterator[Tree]:
        for line in self.lines:
            if self.lines.number == 1:
                line = line.removeprefix(BYTE_ORDER_MARK)
            for piece in _PIECE.findall(line):
                if (tree := self.take(piece)) is not None:
                    yield tree
        if self.open:
            raise self.lines.error("the file ends before this bracket is closed", self.open[-1].line)

    def take(self, piece: str) -> Tree | None:
        """The tree that a piece completes."""
        if piece == "(":
            self.open.append(_Open([], [], self.lines.number))
        elif not self.open:
            raise self.lines.error(f"{piece!r:.80} stands outside of brackets")
        elif piece == ")":
            return self.close()
        elif not self.open[-1].label and not self.open[-1].children:
            self.open[-1].label.append(piece)
        else:
            self.open[-1].children.append(piece)
        return None

    def close(self) -> Tree | None:
        label, children, _ = self.open.pop()
        if not children:
            what = f"({''.join(label)}) has no words; a bracket has a label, and words or brackets in it"
            raise self.lines.error(what)
        only = children[0]
        # The treebank puts each sentence in a bracket without a label.
        alone = not label and len(children) == 1 and isinstance(only, Tree)
        tree = only if alone and isinstance(only, Tree) else Tree("".join(label), tuple(children))
        if not self.open:
            return tree
        self.open[-1].children.append(tree)
        return None


@told
def read_trees(file: File) -> Iterator[Tree]:
    """The trees of a file in brackets, as of the Penn Treebank or the Stanford Sentiment one.

    A tree may go over many lines, and a line may have many trees. A bracket without a label around a single
    tree is left out. Labels and words are the texts of the file: NP-SBJ, -LRB-, *T*-1. A name that ends in
    .gz, .bz2 or .xz is a compressed file.

        for tree in dy.data.read_trees("wsj_0001.mrg"):
            words, tags = zip(*tree.tagged())

    ValueError, with the file and the line, for brackets that do not fit or have nothing in them.
    """
    with Lines("read_trees", file) as lines:
        yield from _Reader(lines).trees()
