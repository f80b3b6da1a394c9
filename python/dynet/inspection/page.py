"""A profile as a page: tables, and the calls of some graphs over time. All of it is in the one file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from dynet.inspection.kinds import Call, Kind, groups_of
from dynet.inspection.lanes import Bar, lanes
from dynet.inspection.recording import Timing, category
from dynet.inspection.table import STYLE, Column, Table

if TYPE_CHECKING:
    from dynet.inspection.recording import Profile

_MOST_ROWS = 60
_MOST_BARS = 6000  # of a graph

_PAGE_STYLE = """
body { margin: 1.5em auto; padding: 0 1.5em; max-width: 1500px; font: 15px/1.5 system-ui, sans-serif;
       color: #222; background: #fff; }
h1 { font-size: 1.5em; margin-bottom: .2em; }
h2 { font-size: 1.15em; margin: 1.6em 0 .3em; }
details > summary { cursor: pointer; font-weight: 600; margin: 1em 0 .3em; }
p { max-width: 60em; }
"""


def document(profile: Profile) -> str:
    """The whole file."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>DyNet profile</title>'
        f'<style>{_PAGE_STYLE}{STYLE}</style></head><body class="dynet"><h1>DyNet profile</h1>'
        f"{content(profile)}</body></html>\n"
    )


def content(profile: Profile) -> str:
    """What is on it."""
    parts = [f"<p>{escape(profile.title())}</p>", profile.operations_table().html(_MOST_ROWS)]
    if profile.lines:
        parts.append(profile.lines_table().html(_MOST_ROWS))
    parts += [_step(name, step) for name, step in _chosen(profile.steps())]
    if profile.calls:
        inside = profile.batches_table().html(_MOST_ROWS)
        parts.append(f"<details><summary>Every kind of call</summary>{inside}</details>")
    return "".join(parts)


def _chosen(steps: Sequence[list[Timing]]) -> list[tuple[str, list[Timing]]]:
    """The graphs to show: one of usual length and the longest; not the first, which is slow."""
    if not steps:
        return []
    by_length = sorted(steps[1:] or steps, key=_length)
    usual, longest = by_length[len(by_length) // 2], by_length[-1]
    chosen = [("A graph of usual length", usual)]
    if longest is not usual:
        chosen.append(("The graph that took longest", longest))
    return chosen if len(steps) > 1 else [("The graph", usual)]


def _length(step: Sequence[Timing]) -> float:
    return max(call.start + call.duration for call in step) - step[0].start


def _step(name: str, step: Sequence[Timing]) -> str:
    """The calls of one graph over time, and why they are not fewer."""
    begin, end = step[0].start, _length(step)
    bars = [
        Bar(
            row=call.kind.name,
            start=call.start - begin,
            width=call.duration,
            label=f"×{call.nodes}" if call.nodes else "",
            tip=_tip(call, begin),
            kind={"other": "other", "forward": "alone", "backward": "alone back"}[category(call)]
            if call.nodes <= 1
            else category(call),
        )
        for call in step[:_MOST_BARS]
    ]
    nodes = sum(call.nodes for call in step if call.is_forward)
    calls = sum(1 for call in step if call.is_forward and call.nodes)
    legend = ("forward", "alone", "backward", "alone back", "other")
    return (
        f"<h2>{escape(name)}</h2><p>{nodes:,} nodes in {calls:,} calls, {nodes / max(calls, 1):.1f} nodes "
        f"per call; {1e3 * end:.2f} ms from the first call to the end of the last.</p>"
        + lanes(bars, end, legend, "milliseconds; a bar is a call, ×n of n nodes", 1e-3)
        + _apart(step)
    )


def _tip(call: Timing, begin: float) -> str:
    if not call.nodes:
        return f"{call.kind.name}: {1e6 * call.duration:.1f} µs"
    return (
        f"{call.nodes} × {call.kind.text()}, {category(call)}: {1e6 * call.duration:.1f} µs, "
        f"{1e6 * call.duration / call.nodes:.2f} µs per node, from {1e3 * (call.start - begin):.3f} ms on"
    )


def _apart(step: Sequence[Timing]) -> str:
    """What keeps the nodes of each operation from being one call."""
    kinds: dict[int, int] = {}
    list_of_kinds: list[Kind] = []
    calls = []
    for call in step:
        if not call.is_forward or not call.nodes:
            continue
        at = kinds.setdefault(id(call.kind), len(list_of_kinds))
        if at == len(list_of_kinds):
            list_of_kinds.append(call.kind)
        calls.append(Call(at, call.nodes))
    rows = [
        (group.name, group.nodes, group.calls, "\n".join(group.reasons))
        for group in groups_of(calls, list_of_kinds)
        if group.calls > 1
    ]
    columns = (
        Column("operation"),
        Column("nodes", 0),
        Column("calls", 0),
        Column("what keeps its nodes apart", is_prose=True),
    )
    return Table("Why there are not fewer calls", columns, rows).html() if rows else ""
