"""Graphs as pictures: in Graphviz's language, as SVG where that program is installed, and else as a table."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from dynet.inspection.table import Column, Table, sizes_text

if TYPE_CHECKING:
    from dynet import ComputationGraph, Expression, GraphNode

MOST_DRAWN = 80  # nodes in a notebook; a picture of more tells nobody anything
_MOST_INDICES = 4
_MOST_SECONDS = 20.0

# Fill and line by what a node is.
_COLOURS = {
    "parameter": ("#dce9f7", "#3f6ea8"),
    "lookup": ("#d9f1e4", "#2f8a5f"),
    "input": ("#eeeeee", "#777777"),
    "last": ("#ffe7c7", "#c9731a"),
    "operation": ("#ffffff", "#555555"),
}
_INPUTS = ("input", "input_from_memory", "constant")


class _Box(NamedTuple):
    """A node as it is drawn."""

    place: int
    name: str
    details: str
    shape: str
    arguments: tuple[int, ...]
    kind: str
    line: str

    @classmethod
    def of(cls, node: GraphNode, is_last: bool) -> _Box:
        operation, parameter = node.operation, node.parameter
        kind = (
            operation
            if operation in _COLOURS
            else "input" if operation in _INPUTS
            else "last" if is_last
            else "operation"
        )  # fmt: skip
        name = parameter.name() if parameter is not None else operation
        if operation == "lookup":
            name += f"[{_listed(node.indices)}]"
        line = node.line
        return cls(
            node.index,
            name,
            "" if parameter is not None else _details(node),
            sizes_text(node.shape, node.batch_size),
            node.arguments,
            kind,
            "" if line is None else f"{line.filename}:{line.lineno}, in {line.name}",
        )


def _listed(numbers: Sequence[float]) -> str:
    shown = ", ".join(f"{number:.6g}" for number in numbers[:_MOST_INDICES])
    return shown + (f", … {len(numbers)}" if len(numbers) > _MOST_INDICES else "")


def _details(node: GraphNode) -> str:
    """What the operation was told besides its arguments; not what its shape says, too."""
    told = [] if node.operation in _INPUTS else attributes_text(node.attributes)
    return ", ".join(([_listed(node.indices)] if node.indices else []) + told)


def attributes_text(attributes: dict[str, float | list[float]]) -> list[str]:
    """Each attribute as "name value"."""
    return [
        f"{name} {_listed(value) if isinstance(value, list) else f'{value:.6g}'}"
        for name, value in attributes.items()
        if value != [] and not (name == "batch" and value == 0)
    ]


def dot_of(nodes: Iterable[GraphNode], last: int | None = None) -> str:
    """Nodes in Graphviz's language, arguments below what uses them. The node `last` stands out."""
    boxes = [_Box.of(node, node.index == last) for node in nodes]
    drawn = {box.place for box in boxes}
    lines = [
        "digraph G {",
        '  graph [rankdir=BT, nodesep=0.15, ranksep=0.3, bgcolor="transparent"];',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, '
        "margin=\"0.14,0.07\", height=0.4];",
        '  edge [color="#999999", arrowsize=0.6];',
    ]  # fmt: skip
    for box in boxes:
        fill, colour = _COLOURS[box.kind]
        style = "filled" if box.kind in ("parameter", "lookup", "input") else "rounded,filled"
        small = ", ".join(filter(None, (box.details, box.shape)))
        label = f'<b>{_safe(box.name)}</b><br/><font point-size="9" color="#555555">{_safe(small)}</font>'
        tip = f"v{box.place} = {box.name}" + (f"\n{box.line}" if box.line else "")
        lines.append(
            f'  N{box.place} [label=<{label}>, style="{style}", fillcolor="{fill}", color="{colour}", '
            f'tooltip="{_quoted(tip)}"];'
        )
        lines += [f"  N{argument} -> N{box.place};" for argument in box.arguments if argument in drawn]
        if any(argument not in drawn for argument in box.arguments):
            lines.append(f'  M{box.place} [label="…", shape=plaintext, style="", tooltip="more nodes"];')
            lines.append(f"  M{box.place} -> N{box.place} [style=dashed];")
    return "\n".join([*lines, "}", ""])


def _safe(text: str) -> str:
    """For a label that is HTML, of which no control character is a part."""
    return escape(re.sub(r"[\x00-\x1f\x7f]", " ", text))


def _quoted(text: str) -> str:
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text).replace("\\", "\\\\").replace('"', '\\"')


def svg_of(dot: str) -> str | None:
    """The picture as an element of a page; None where Graphviz is not installed, or does not manage."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        drawn = subprocess.run(
            [program, "-Tsvg"], input=dot, capture_output=True, text=True, encoding="utf-8",
            timeout=_MOST_SECONDS, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    start = drawn.find("<svg")
    return drawn[start:] if start >= 0 else None


def nodes_before(graph: ComputationGraph, last: int, most: int | None = None) -> list[GraphNode]:
    """A node and what it depends on, the nearest first to be among the most; in the order of the graph."""
    nodes = graph.nodes()
    chosen, at = {last: None}, 0
    order = [last]
    while at < len(order) and (most is None or len(order) < most):
        for argument in nodes[order[at]].arguments:
            if argument not in chosen and (most is None or len(order) < most):
                chosen[argument] = None
                order.append(argument)
        at += 1
    return [nodes[index] for index in sorted(order)]


def dot_of_graph(graph: ComputationGraph) -> str:
    """All of a graph."""
    nodes = graph.nodes()
    return dot_of(nodes, len(nodes) - 1)


def dot_of_expression(e: Expression) -> str:
    """An expression and all it depends on."""
    return dot_of(*_chosen(e, None))


def _chosen(e: Expression, most: int | None) -> tuple[list[GraphNode], int]:
    """The nodes to draw of an expression. One of a parameter that no graph uses has none."""
    from dynet import _dynet

    graph, index = _dynet._graph_of(e)
    return (nodes_before(graph, index, most), index) if graph is not None else ([], -1)


def table_of(nodes: Sequence[GraphNode]) -> Table:
    """Nodes line by line, for where no picture can be drawn."""
    boxes = [_Box.of(node, False) for node in nodes]
    names = ("node", "operation", "shape", "of", "line")
    rows = [
        (
            f"v{box.place}",
            box.name + (f" ({box.details})" if box.details else ""),
            box.shape,
            ", ".join(f"v{argument}" for argument in box.arguments),
            box.line,
        )
        for box in boxes
    ]
    shown = len(names) if any(box.line for box in boxes) else len(names) - 1
    return Table("", [Column(name) for name in names[:shown]], [row[:shown] for row in rows])


def picture(nodes: Sequence[GraphNode], last: int) -> str:
    """The nodes as SVG, or else as a table."""
    return svg_of(dot_of(nodes, last)) or table_of(nodes).html(MOST_DRAWN)


def svg_of_expression(e: Expression) -> str | None:
    """What a notebook draws of an expression: what is nearest to it."""
    nodes, last = _chosen(e, MOST_DRAWN)
    return svg_of(dot_of(nodes, last)) if nodes else None


def picture_of_expression(e: Expression) -> str:
    """The same, or a table."""
    nodes, last = _chosen(e, MOST_DRAWN)
    return picture(nodes, last) if nodes else ""


def _newest(graph: ComputationGraph) -> tuple[list[GraphNode], int]:
    """What a notebook draws of a graph: all of it, or what its last node depends on."""
    nodes = graph.nodes()
    last = len(nodes) - 1
    return (nodes if len(nodes) <= MOST_DRAWN else nodes_before(graph, last, MOST_DRAWN)), last


def svg_of_graph(graph: ComputationGraph) -> str | None:
    """What a notebook draws of a graph."""
    nodes, last = _newest(graph)
    return svg_of(dot_of(nodes, last)) if nodes else None


def picture_of_graph(graph: ComputationGraph) -> str:
    """The same, or a table."""
    nodes, last = _newest(graph)
    return picture(nodes, last) if nodes else ""
