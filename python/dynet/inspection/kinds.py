"""Calls of one operation that could not be one call: in what the nodes differ, told in words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dynet.inspection.drawing import attributes_text
from dynet.inspection.table import sizes_text

_MOST_LISTED = 4


class Kind(NamedTuple):
    """What all nodes of a call have in common; nodes of different kinds never run as one call."""

    operation: str  # as it is run
    written: str  # as the program wrote it; empty for work that is no node
    shapes: tuple[tuple[int, ...], ...]  # of the arguments
    shape: tuple[int, ...]
    attributes: dict[str, float | list[float]]
    matrices: tuple[str, ...]  # by argument: the parameter that it must be, or ""

    @property
    def name(self) -> str:
        """The operation; for one that computes others itself, with what it is run as."""
        if self.written in ("", self.operation):
            return self.operation
        return f"{self.written} ({self.operation})"

    def text(self) -> str:
        """What the nodes are, in a line: "matmul of /W, (64,)"."""
        matrices = self.matrices or [""] * len(self.shapes)
        arguments = [name or sizes_text(sizes) for name, sizes in zip(matrices, self.shapes, strict=True)]
        details = attributes_text(self.attributes)
        repeated = [(text, len(list(alike))) for text, alike in itertools.groupby(arguments)]
        told = [f"{count} × {text}" if count > 1 else text for text, count in repeated]
        of = f" of {_listed(told)}" if told else f" of shape {sizes_text(self.shape)}"
        return self.name + of + (f", {', '.join(details)}" if details else "")


class Call(NamedTuple):
    """A batch of nodes of one kind: so many of them, in one call."""

    kind: int
    nodes: int


class Group(NamedTuple):
    """An operation in a schedule: how often it was called, of how many nodes, and why not less often."""

    name: str
    nodes: int
    calls: int
    reasons: tuple[str, ...]


def groups_of(
    calls: Iterable[Call], kinds: Sequence[Kind], chains: Mapping[int, int] | None = None
) -> list[Group]:
    """The operations of a schedule, those with the most calls first.

    chains: how many nodes of a kind need one another in a row, where that is known.
    """
    of_kind: dict[int, list[int]] = {}
    for call in calls:
        of_kind.setdefault(call.kind, []).append(call.nodes)
    by_name: dict[str, list[int]] = {}
    for kind in of_kind:
        by_name.setdefault(kinds[kind].name, []).append(kind)
    groups = []
    for name, members in by_name.items():
        batches = [size for kind in members for size in of_kind[kind]]
        reasons = [*_differences([kinds[kind] for kind in members])]
        reasons += _orders({kind: of_kind[kind] for kind in members}, kinds, chains)
        groups.append(Group(name, sum(batches), len(batches), tuple(reasons)))
    return sorted(groups, key=lambda group: (-group.calls, -group.nodes))


def _differences(kinds: Sequence[Kind]) -> list[str]:
    """In what the kinds of one operation differ: matrices, shapes of arguments, attributes."""
    if len(kinds) < 2:
        return []
    found = []
    names = sorted({name for kind in kinds for name in kind.matrices if name})
    if len(names) > 1:
        found.append(f"{len(names)} matrices: {_listed(names)}")
    found += _different("numbers of arguments", [len(kind.shapes) for kind in kinds], str)
    counts = Counter(len(kind.shapes) for kind in kinds)
    for count, alike in counts.items():
        same = [kind for kind in kinds if len(kind.shapes) == count]
        for i in range(count if alike > 1 else 0):
            free = [kind.shapes[i] for kind in same if not (kind.matrices and kind.matrices[i])]
            found += _different(f"shapes of argument {i}" if count > 1 else "shapes", free, sizes_text)
    if not found:
        found += _different("shapes", [kind.shape for kind in kinds], sizes_text)
    for name in dict.fromkeys(name for kind in kinds for name in kind.attributes):
        values = [kind.attributes.get(name) for kind in kinds]
        found += _different(f"values of {name}", [_frozen(value) for value in values], str)
    return list(dict.fromkeys(found)) or ["different batch elements within a node"]


def _different(what: str, values: Sequence[Any], text: Any) -> list[str]:
    distinct = [*dict.fromkeys(values)]
    if len(distinct) < 2:
        return []
    try:
        distinct.sort()
    except TypeError:  # Some kinds have none.
        distinct.sort(key=str)
    return [f"{len(distinct)} {what}: {_listed([text(value) for value in distinct])}"]


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _orders(
    of_kind: Mapping[int, Sequence[int]], kinds: Sequence[Kind], chains: Mapping[int, int] | None
) -> list[str]:
    """Nodes of one kind are in several calls where some need others, or were ready at other times."""
    several = {kind: len(batches) for kind, batches in of_kind.items() if len(batches) > 1}
    if not several:
        return []
    if chains is None:
        most = max(several.values())
        return [f"order: up to {most} calls of the same kind, each ready only after the one before"]
    needed = {kind: chains[kind] for kind in several}
    found = []
    longest = max(several, key=lambda kind: needed[kind])
    if needed[longest] > 1:
        where = f": {kinds[longest].text()}" if len(of_kind) > 1 else ""
        found.append(f"a chain of {needed[longest]}, where each needs the one before{where}")
    spare = sum(several.values()) - sum(needed.values())
    if spare > 0:
        found.append(f"{spare} more calls, as nodes of the same kind were ready at different times")
    return found


def _listed(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_MOST_LISTED])
    return shown + (f" and {len(items) - _MOST_LISTED} more" if len(items) > _MOST_LISTED else "")
