"""Where time and memory go: all calls that ran while a profile was made, as tables, page and trace."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from dynet import _dynet, inspection
from dynet.inspection.kinds import Kind
from dynet.inspection.table import Cell, Column, Table, bytes_text, in_notebook

_MOST_ROWS = 25  # in print()

# What is timed and belongs to no node.
_OTHER = ("schedule", "plan of gradients", "gradients of parameters", "update")


class Timing(NamedTuple):
    """A merged call, or other work, which has no nodes."""

    kind: Kind
    nodes: int
    items: int  # batch elements of all nodes
    graph: int  # its version; 0 for an update
    thread: int
    is_forward: bool
    start: float  # seconds from the beginning of the profile
    duration: float  # seconds
    memory: int  # bytes: forward of values and what is kept with them, backward of gradients


class LineTiming(NamedTuple):
    """The share of calls that nodes of one line of the program have."""

    filename: str
    lineno: int
    function: str
    text: str
    nodes: int
    forward: float  # seconds
    backward: float
    memory: int  # bytes

    @property
    def place(self) -> str:
        """The file without its folder, and the line."""
        return f"{os.path.basename(self.filename)}:{self.lineno}" if self.lineno else self.filename


class Profile:
    """What `with dy.profile() as p:` has timed. It prints as text; p.save() makes a page or a trace of it."""

    def __init__(self, lines: bool) -> None:
        self._with_lines = lines
        self._began = 0.0
        self._state = "not begun"
        self.seconds = 0.0
        self.calls: list[Timing] = []
        self.lines: list[LineTiming] = []

    def __enter__(self) -> Profile:
        if self._state != "not begun":
            raise RuntimeError("profile: this one was made already; make another one by dy.profile()")
        began = time.perf_counter()
        if not _dynet._start_recording():
            raise RuntimeError("profile: another one is being made; two cannot be made at once")
        if self._with_lines:
            inspection.line_records.begin()
        self._state = "begun"
        self._began = began
        return self

    def __exit__(self, *reason: object) -> None:
        self.seconds = time.perf_counter() - self._began
        calls, kinds, lines = self._stop()
        known = [Kind(*kind) for kind in kinds]
        self.calls = [
            Timing(known[kind], nodes, items, graph, thread, is_forward, start / 1e9, duration / 1e9, memory)
            for kind, nodes, items, graph, thread, is_forward, start, duration, memory in calls
        ]
        found = [_line(*line) for line in lines] if self._with_lines else []
        self.lines = sorted(found, key=lambda line: -line.forward - line.backward)

    def _stop(self) -> tuple[Any, Any, Any]:
        self._state = "ended"
        if self._with_lines:
            inspection.line_records.end()
        return _dynet._stop_recording()

    def __del__(self) -> None:
        """Ends one whose block was left half done: it would keep all others from beginning."""
        if self._state == "begun":
            self._stop()

    @property
    def graphs(self) -> int:
        """How many graphs there were something computed of."""
        return len({call.graph for call in self.calls if call.graph})

    def _check_ended(self, call: str) -> None:
        if self._state != "ended":
            raise RuntimeError(f"{call}: the profile is {self._state}; it is complete after its `with` block")

    def title(self) -> str:
        """The whole of it in a sentence or two."""
        self._check_ended("profile")
        graphs = self.graphs
        text = f"{_time(self.seconds)} in all, {graphs:,} graph{'' if graphs == 1 else 's'}"
        if not self.calls or not self.seconds:
            return text + ": nothing was computed."
        own = [call for call in self.calls if call.thread == self.calls[0].thread]
        other = sum(call.duration for call in own if not call.nodes)
        inside = sum(call.duration for call in own if call.nodes)
        rest = max(0.0, self.seconds - inside - other)
        shares = [
            f"{100 * part / self.seconds:.0f} % {name}"
            for name, part in (("operations", inside), ("planning and updates", other), ("the rest", rest))
        ]
        largest = max(self._memory_of_graphs().values(), default=0)
        return (
            f"{text}: {', '.join(shares)}, which is the program itself. "
            f"The largest graph takes {bytes_text(largest)} for its values."
        )

    def _memory_of_graphs(self) -> dict[int, int]:
        memory: dict[int, int] = {}
        for call in self.calls:
            if call.is_forward and call.graph:
                memory[call.graph] = memory.get(call.graph, 0) + call.memory
        return memory

    def operations_table(self) -> Table:
        """A row for each operation: how often it was called, of how many nodes, for how long."""
        rows = _grouped((call.kind.name, call) for call in self.calls)
        return self._table("Operations", "operation", rows)

    def batches_table(self) -> Table:
        """A row for each kind of call: nodes of one operation, of the same shapes."""
        rows = _grouped((call.kind.text(), call) for call in self.calls if call.nodes)
        return self._table("Calls, by what their nodes have in common", "nodes", rows)

    def _table(self, title: str, heading: str, groups: dict[str, list[Timing]]) -> Table:
        columns = (
            Column(heading),
            Column("nodes", 0),
            Column("calls", 0),
            Column("nodes per call", 1),
            Column("forward, ms", 2),
            Column("backward, ms", 2),
            Column("%", 1),
            Column("memory per graph", 0),
        )
        graphs = max(self.graphs, 1)
        total = sum(call.duration for call in self.calls) or 1.0

        def cells(name: str, calls: list[Timing]) -> tuple[Cell, ...]:
            ahead = [call for call in calls if call.is_forward and call.nodes]
            nodes, memory = sum(call.nodes for call in ahead), sum(call.memory for call in ahead)
            times = [
                1e3 * sum(call.duration for call in calls if call.is_forward is forward)
                for forward in (True, False)
            ]
            return (
                name,
                nodes or None,
                len(ahead) or len(calls),
                nodes / len(ahead) if ahead else None,
                times[0],
                times[1],
                sum(times) / total / 10,
                bytes_text(memory / graphs) if memory else None,
            )

        rows = [cells(name, calls) for name, calls in groups.items()]
        return Table(title, columns, rows, cells("all", self.calls))

    def lines_table(self) -> Table:
        """A row for each line of the program that made nodes: what its nodes took."""
        columns = (
            Column("line"),
            Column("function"),
            Column("nodes", 0),
            Column("forward, ms", 2),
            Column("backward, ms", 2),
            Column("%", 1),
            Column("memory per graph", 0),
            Column("text"),
        )
        total, graphs = sum(call.duration for call in self.calls) or 1.0, max(self.graphs, 1)
        rows = [
            (
                line.place,
                line.function,
                line.nodes,
                1e3 * line.forward,
                1e3 * line.backward,
                100 * (line.forward + line.backward) / total,
                bytes_text(line.memory / graphs),
                line.text[:70],
            )
            for line in self.lines
        ]
        return Table("Lines of the program, by what their nodes took", columns, rows)

    def __str__(self) -> str:
        if self._state != "ended":
            return f"a profile that is {self._state}"
        tables = [self.operations_table()] + ([self.lines_table()] if self.lines else [])
        return "\n\n".join([self.title(), *(table.text(_MOST_ROWS) for table in tables)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from dynet.inspection import page

        return in_notebook(page.content(self)) if self._state == "ended" else str(self)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Writes a page (.html), a trace for Perfetto or chrome://tracing (.json), or the tables (.txt).

            p.save("profile.html")

        The page shows calls over time, what ran together, and why not more; it needs no network.
        ValueError for another ending.
        """
        self._check_ended("save")
        path = Path(filename)
        if path.suffix == ".html":
            from dynet.inspection import page

            text = page.document(self)
        elif path.suffix == ".json":
            text = json.dumps(self.trace())
        elif path.suffix == ".txt":
            text = f"{self}\n"
        else:
            raise ValueError(
                f"save: {str(path)!r} was given; a name that ends in .html, .json or .txt is needed"
            )
        path.write_text(text, encoding="utf-8")

    def trace(self) -> dict[str, object]:
        """The calls as events in Chrome's trace format."""
        events: list[dict[str, object]] = [
            {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "DyNet"}},
            *(
                {
                    "name": "thread_name",
                    "ph": "M",
                    "pid": 1,
                    "tid": thread,
                    "args": {"name": f"thread {thread}"},
                }
                for thread in sorted({call.thread for call in self.calls})
            ),
        ]
        for call in self.calls:
            arguments = {
                "graph": call.graph,
                "nodes": call.nodes,
                "batch elements": call.items,
                "bytes": call.memory,
            }
            events.append(
                {
                    "name": f"{call.kind.name} ×{call.nodes}" if call.nodes else call.kind.name,
                    "cat": category(call),
                    "ph": "X",
                    "ts": round(call.start * 1e6, 3),
                    "dur": round(call.duration * 1e6, 3),
                    "pid": 1,
                    "tid": call.thread,
                    "args": {"what": call.kind.text(), **arguments} if call.nodes else {"graph": call.graph},
                }
            )
        return {"traceEvents": events, "displayTimeUnit": "ns"}

    def steps(self) -> list[list[Timing]]:
        """The calls of each graph one after another, with the update that follows them."""
        steps: list[list[Timing]] = []
        graph = 0
        for call in sorted(self.calls, key=lambda call: call.start):
            if call.graph and call.graph != graph:
                graph = call.graph
                steps.append([])
            if steps:
                steps[-1].append(call)
        return steps


def category(call: Timing) -> str:
    """Of which pass a call is; work without nodes is of none."""
    return "other" if not call.nodes else "forward" if call.is_forward else "backward"


def _line(summary: object, forward: float, backward: float, nodes: int, memory: int) -> LineTiming:
    filename, lineno = getattr(summary, "filename", "made before the profile"), getattr(summary, "lineno", 0)
    text, name = getattr(summary, "line", ""), getattr(summary, "name", "")
    return LineTiming(filename, lineno, name, text or "", nodes, forward / 1e9, backward / 1e9, memory)


def _grouped(pairs: Iterable[tuple[str, Timing]]) -> dict[str, list[Timing]]:
    """Calls by name, those that took longest first."""
    groups: dict[str, list[Timing]] = {}
    for name, call in pairs:
        groups.setdefault(name, []).append(call)
    return dict(sorted(groups.items(), key=lambda item: -sum(call.duration for call in item[1])))


def _time(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{1e3 * seconds:,.1f} ms"
