"""Which tags may follow each other, made from the names of the tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_PARTS = {"BIO": "BIO", "BIOES": "BIOES"}


@dataclass(frozen=True)
class TagConstraints:
    """Which tags may follow each other, stand first and stand last: arrays of truths.

    `transitions[to, from]` is true where tag `to` may follow tag `from`. Made by `tag_constraints`, or by
    hand.

    >>> c = dy.structured.tag_constraints(["O", "B-X", "I-X"])
    >>> print(c.start, c.transitions[2])
    [ True  True False] [False  True  True]
    """

    transitions: np.ndarray[Any, Any]
    start: np.ndarray[Any, Any]
    end: np.ndarray[Any, Any]


def _split(tag: str, scheme: str) -> tuple[str, str]:
    part, _, kind = tag.partition("-")
    if part not in scheme or len(part) != 1 or (part == "O") != (kind == ""):
        raise ValueError(
            f"tag_constraints: {tag!r} is no tag of {scheme}; O, or one of "
            f"{', '.join(scheme.replace('O', ''))} with a kind, such as B-PER, is needed"
        )
    return part, kind


def tag_constraints(tags: Sequence[str], scheme: str = "BIO") -> TagConstraints:
    """What a scheme of tags allows, for `LinearChain(..., constraints=...)`.

    With BIO, I-X stands only after B-X or I-X. With BIOES, a span of several words is B-X, any number of
    I-X, then E-X, a span of one word is S-X, and spans are complete. The tags are given by their names, in
    order of their numbers. ValueError for a name that is none of the scheme, and for another scheme.

    >>> c = dy.structured.tag_constraints(["O", "B-X", "I-X", "E-X", "S-X"], "BIOES")
    >>> print(c.end)
    [ True False False  True  True]
    """
    if scheme not in _PARTS:
        raise ValueError(f"tag_constraints: scheme {scheme!r}; 'BIO' or 'BIOES' would be right")
    if isinstance(tags, str) or not tags:
        raise ValueError(f"tag_constraints: {tags!r}; a list of names of tags is needed")
    split = [_split(tag, scheme) for tag in tags]
    inner = "IE" if scheme == "BIOES" else "I"
    opens = "BI"

    def follows(to: tuple[str, str], before: tuple[str, str]) -> bool:
        inside = to[0] in inner
        is_open = before[0] in opens
        if inside:
            return is_open and to[1] == before[1]
        return scheme == "BIO" or not is_open

    return TagConstraints(
        transitions=np.array([[follows(to, before) for before in split] for to in split]),
        start=np.array([part not in inner for part, _ in split]),
        end=np.array([scheme == "BIO" or part not in opens for part, _ in split]),
    )
