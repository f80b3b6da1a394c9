"""Sequences of tags and labelled segments of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dynet import _dynet
from dynet.arguments import built
from dynet.structured.distribution import Distribution, allow, shape_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dynet import Expression
    from dynet.structured.constraints import TagConstraints


def as_matrix(scores: Expression | Sequence[Expression], name: str) -> Expression:
    """A list of vectors as the columns of a matrix."""
    if isinstance(scores, list | tuple):
        if not scores:
            raise ValueError(
                f"{name}: an empty list of scores; a vector for each word, one at least, is needed"
            )
        return _dynet.concatenate_cols(scores)
    return scores  # type: ignore[return-value]


class LinearChain(Distribution[Sequence[int]]):
    """A linear-chain conditional random field: sequences of one tag for each word.

    `emissions` are scores of tags: a matrix (tags, words) or a list of vectors, one for each word.
    `transitions[to, from]` scores tag `to` after tag `from`, a matrix (tags, tags); `start` and `end` score
    the first and the last tag, 0 by default. The score of tags y is Σ emissions[y_t, t] + Σ transitions[y_t,
    y_(t-1)] + start[y_1] + end[y_n]. `allowed` is an array of truths in the shape of the emissions;
    `constraints`, of `tag_constraints`, say which tags may follow each other. ValueError for other shapes
    and for no words.

    pytorch-crf and NCRF++ have transitions[from, to]: transpose theirs. (Lafferty et al. 2001)

    >>> chain = dy.structured.LinearChain(dy.zeros((3, 4)), dy.zeros((3, 3)))
    >>> print(round(chain.nll([0, 1, 2, 2]).value(), 3))
    4.394
    """

    _name = "LinearChain"

    @built
    def __init__(
        self,
        emissions: Expression | Sequence[Expression],
        transitions: Expression,
        start: Expression | None = None,
        end: Expression | None = None,
        *,
        allowed: ArrayLike | None = None,
        constraints: TagConstraints | None = None,
    ) -> None:
        scores = allow(as_matrix(emissions, "LinearChain"), allowed, "LinearChain")
        if constraints is not None:
            tags = constraints.start.shape[0]
            zeros = _dynet.zeros(tags)
            transitions = allow(transitions, constraints.transitions, "LinearChain: transitions")
            start = allow(zeros if start is None else start, constraints.start, "LinearChain: start")
            end = allow(zeros if end is None else end, constraints.end, "LinearChain: end")
        if start is None and end is None:
            super().__init__((scores, transitions))
            return
        tags = shape_of(scores)[0]
        start = _dynet.zeros(tags) if start is None else start
        end = _dynet.zeros(tags) if end is None else end
        super().__init__((scores, transitions, start, end))

    def _given(self, structure: Sequence[int]) -> Sequence[int]:
        return structure

    def _told(self, numbers: list[int]) -> list[int]:
        return numbers


class Segments(Distribution[Sequence[tuple[int, int, int]]]):
    """A semi-Markov model: words are cut into segments of up to a longest length, each with a label.

    `scores[label, length - 1, first]` scores the segment of that label and length that begins with word
    `first`: a tensor (labels, longest, words), of which what reaches beyond the last word is ignored.
    `transitions[to, from]` scores a label after another, 0 by default. A structure is a list of (first, end,
    label), words first to end - 1. `allowed` is an array of truths in the shape of the scores. ValueError
    for other shapes. (Sarawagi and Cohen 2004)

    >>> segments = dy.structured.Segments(dy.zeros((1, 2, 3)))
    >>> print(round(float(np.exp(segments.log_partition().value())), 3), segments.best())
    3.0 [(0, 1, 0), (1, 2, 0), (2, 3, 0)]
    """

    _name = "Segments"
    _one_for_all = True

    @built
    def __init__(
        self, scores: Expression, transitions: Expression | None = None, *, allowed: ArrayLike | None = None
    ) -> None:
        self._labels = shape_of(scores)[0]
        scores = allow(scores, allowed, "Segments")
        super().__init__((scores,) if transitions is None else (scores, transitions))

    def _given(self, structure: Sequence[tuple[int, int, int]]) -> Sequence[int]:
        at, numbers = 0, []
        for first, end, label in structure:
            if first != at or end <= first:
                raise ValueError(
                    f"Segments: a segment from {first} to {end} after {at} words; "
                    "it must begin there, and end later"
                )
            numbers += [end - first, label]
            at = end
        return numbers

    def _told(self, numbers: list[int]) -> list[tuple[int, int, int]]:
        labels = self._labels
        return [(t, t + 1 + n // labels, n % labels) for t, n in enumerate(numbers) if n >= 0]
