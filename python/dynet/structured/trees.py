"""Binary trees over words, and dependency trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dynet.arguments import built
from dynet.structured.distribution import Distribution, allow, shape_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dynet import Expression

Span = tuple[int, int, int]


class BinaryTrees(Distribution[Sequence[Span]]):
    """Binary trees over words, with a label for each span: a constituency parser by its spans.

    `spans[first, last, label]` scores the span from word `first` to word `last`, both in it: a tensor
    (words, words, labels), or (words, words) for one label; of it only first ≤ last counts, and spans of one
    word too. A structure is a list of 2 · words - 1 triples (first, last, label), in any order. Time grows
    as words³ + words² · labels. `allowed` is an array of truths in the shape of the scores. ValueError for
    other shapes. (Cocke, Kasami and Younger; Stern et al. 2017)

    >>> trees = dy.structured.BinaryTrees(dy.zeros((4, 4)))
    >>> print(round(float(np.exp(trees.log_partition().value())), 3))
    5.0
    """

    _name = "BinaryTrees"

    @built
    def __init__(self, spans: Expression, *, allowed: ArrayLike | None = None) -> None:
        self._words = shape_of(spans)[0]
        super().__init__((allow(spans, allowed, "BinaryTrees"),))

    def _given(self, structure: Sequence[Span]) -> Sequence[int]:
        words = self._words
        for first, last, label in structure:
            if not (0 <= first <= last < words and label >= 0):
                raise IndexError(f"BinaryTrees: span ({first}, {last}, {label}) of {words} words")
        return [(label * words + last) * words + first for first, last, label in structure]

    def _is_one(self, listed: list[Any]) -> bool:
        return all(len(each) == 3 and all(isinstance(n, int | np.integer) for n in each) for each in listed)

    def _told(self, numbers: list[int]) -> list[Span]:
        words = self._words
        return sorted((n % words, n // words % words, n // words**2) for n in numbers)


class _Heads(Distribution[Sequence[int]]):
    """What both kinds of dependency trees have in common."""

    @built
    def __init__(
        self, arcs: Expression, single_root: bool = True, *, allowed: ArrayLike | None = None
    ) -> None:
        super().__init__((allow(arcs, allowed, self._name),), int(single_root))

    def _given(self, structure: Sequence[int]) -> Sequence[int]:
        return structure

    def _told(self, numbers: list[int]) -> list[int]:
        return numbers


class ProjectiveTrees(_Heads):
    """Dependency trees whose arcs do not cross (Eisner 1996).

    `arcs[head, word]` scores word `word` under `head`: a matrix (words + 1, words), where head 0 is the root
    and head h the h-th word, so that arcs[w + 1, w], a word under itself, is ignored. A structure is a list
    of the head of each word, 0 for the root. With single_root, the default, one word hangs on the root;
    without it any number. `allowed` is an array of truths in the shape of the scores. ValueError for other
    shapes. supar and torch-struct have matrices [dependent, head] or roots on the diagonal: arrange theirs.

    >>> trees = dy.structured.ProjectiveTrees(dy.zeros((4, 3)))
    >>> print(round(float(np.exp(trees.log_partition().value())), 3))
    7.0
    """

    _name = "ProjectiveTrees"


class SpanningTrees(_Heads):
    """All dependency trees, whether arcs cross or not.

    `arcs` and structures are those of `ProjectiveTrees`. Sums are by the matrix-tree theorem (Koo et al.
    2007), in an elimination without differences that loses no digits for scores far apart, and exact for a
    single root too; the best tree is found by contracting cycles (Chu and Liu 1965, Edmonds 1967), the k
    best by Lawler's divisions, samples head by head. Time grows as words³, that of a sample as words⁴.
    ValueError for other shapes.

    >>> trees = dy.structured.SpanningTrees(dy.zeros((4, 3)))
    >>> print(round(float(np.exp(trees.log_partition().value())), 3))
    9.0
    """

    _name = "SpanningTrees"
