"""How an expression would be batched, and what keeps nodes of one operation in calls of their own."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from dynet import _dynet
from dynet._dynet import Expression
from dynet.inspection.kinds import Call, Group, Kind, groups_of
from dynet.inspection.lanes import Bar, lanes
from dynet.inspection.table import Column, Table, in_notebook

_MOST_BARS = 4000  # in a picture


class Batch(NamedTuple):
    """Nodes that run as one call."""

    kind: Kind
    nodes: tuple[int, ...]  # by their places in the graph


class Batching:
    """What dy.explain_batching() finds: `batches` in their order, and `groups` of one operation each.

    It prints as text, and shows as a picture in notebooks.
    """

    def __init__(self, e: Expression) -> None:
        batches, kinds, chains = _dynet._schedule(e)
        self.kinds = [Kind(*kind) for kind in kinds]
        self.batches = [Batch(self.kinds[kind], tuple(nodes)) for kind, nodes in batches]
        self.node_count = sum(len(batch.nodes) for batch in self.batches)
        calls = [Call(kind, len(nodes)) for kind, nodes in batches]
        self.groups: list[Group] = groups_of(calls, self.kinds, dict(enumerate(chains)))

    @property
    def title(self) -> str:
        """The whole of it in a sentence."""
        count, calls = self.node_count, len(self.batches)
        if not calls:
            return "nothing is to be computed"
        return f"{count:,} nodes run in {calls:,} calls, {count / calls:.1f} nodes per call"

    def table(self) -> Table:
        """The operations, those with the most calls first."""
        columns = (Column("operation"), Column("nodes", 0), Column("calls", 0), Column("nodes per call", 1))
        rows = [(group.name, group.nodes, group.calls, group.nodes / group.calls) for group in self.groups]
        return Table("", columns, rows)

    def __str__(self) -> str:
        parts = [self.title]
        if self.batches:
            parts.append(self.table().text())
        apart = [group for group in self.groups if group.reasons]
        if apart:
            lines = ["What keeps nodes of one operation apart:"]
            for group in apart:
                lines += [
                    f"  {group.name}, {group.calls} calls",
                    *(f"    {reason}" for reason in group.reasons),
                ]
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    __repr__ = __str__

    def picture(self) -> str:
        """The calls in their order, a row for each operation, as elements of a page."""
        shown = self.batches[:_MOST_BARS]
        bars = [
            Bar(
                row=batch.kind.name,
                start=float(at),
                width=1.0,
                label=str(len(batch.nodes)),
                tip=f"call {at}: {len(batch.nodes)} × {batch.kind.text()}",
                kind="forward" if len(batch.nodes) > 1 else "alone",
            )
            for at, batch in enumerate(shown)
        ]
        return lanes(
            bars, float(len(shown)), legend=("forward", "alone"), axis="calls, in the order in which they run"
        )

    def _repr_html_(self) -> str:
        columns = (*self.table().columns, Column("what keeps the calls apart", is_prose=True))
        rows = [
            (*row, "\n".join(group.reasons))
            for row, group in zip(self.table().rows, self.groups, strict=True)
        ]
        return in_notebook(
            f"<p><b>{escape(self.title)}</b></p>", self.picture(), Table("", columns, rows).html()
        )
