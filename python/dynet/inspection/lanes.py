"""A picture of calls: a row for each operation, a bar for each call, wide as it took long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_HEIGHT = 20  # of a row, in pixels

# Bars by what they are. Those of a single node are light: they are what could be better.
_COLOURS = {
    "forward": ("#3f76ad", "#ffffff", "forward, several nodes in a call"),
    "alone": ("#b9d3ea", "#1d3d5c", "forward, one node"),
    "backward": ("#c9731a", "#ffffff", "backward, several nodes in a call"),
    "alone back": ("#f5d5af", "#5c3307", "backward, one node"),
    "other": ("#9a9a9a", "#ffffff", "planning, gradients of parameters, update"),
}

STYLE = """
.dynet .lanes { display: flex; font: 12px/1 system-ui, sans-serif; max-width: 100%; margin: .6em 0; }
.dynet .lanes .names { flex: none; padding-right: 8px; text-align: right; }
.dynet .lanes .names div { height: 20px; line-height: 20px; white-space: nowrap; }
.dynet .lanes .names .count { opacity: .6; padding-left: .6em; font-variant-numeric: tabular-nums; }
.dynet .lanes .bars { flex: 1; min-width: 0; overflow-x: auto; }
.dynet .lanes svg text { font: 10px system-ui, sans-serif; }
.dynet .legend { font: 12px/1.6 system-ui, sans-serif; }
.dynet .legend i { display: inline-block; width: 10px; height: 10px; margin: 0 4px 0 12px; }
.dynet .zoom button { font: 12px system-ui, sans-serif; margin-right: 2px; }
"""

# Wider bars show what is written in them, since each is a picture of its own that cuts it off.
_SCRIPT = (
    "var s=this.closest('.lanes-of').querySelector('.bars>svg');"
    "var w=Math.max(1,parseFloat(s.dataset.zoom||1)*{factor});s.dataset.zoom=w;s.style.width=(100*w)+'%';"
)


class Bar(NamedTuple):
    """A call: where it begins and how wide it is, in the unit of the picture."""

    row: str
    start: float
    width: float
    label: str
    tip: str
    kind: str


def _ticks(end: float, unit: float) -> list[tuple[float, str]]:
    """Round places along an axis, about eight of them, in per cent, and what they are in a unit."""
    step = 10.0 ** math.floor(math.log10(end / unit))
    step = next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if end / unit / (step * part) <= 10)
    count = int(end / unit / step)
    return [(100 * at * step * unit / end, f"{at * step:.6g}") for at in range(count + 1)]


def lanes(bars: Sequence[Bar], end: float, legend: Sequence[str], axis: str, unit: float = 1.0) -> str:
    """The picture as elements of a page, rows in the order in which they are first needed.

    axis: what lies along it, in a unit that is so much of that of the bars.
    """
    rows = {name: at for at, name in enumerate(dict.fromkeys(bar.row for bar in bars))}
    if not rows or end <= 0:
        return ""
    counts = dict.fromkeys(rows, 0)
    for bar in bars:
        counts[bar.row] += 1
    names = "".join(f'<div>{escape(name)}<span class="count">{counts[name]:,}</span></div>' for name in rows)
    height = _HEIGHT * len(rows)
    stripes = "".join(
        f'<rect x="0" width="100%" y="{_HEIGHT * at}" height="{_HEIGHT}" fill="#888" fill-opacity="0.07"/>'
        for at in range(0, len(rows), 2)
    )
    drawn = "".join(_bar(bar, rows[bar.row], end) for bar in bars)
    ticks = "".join(
        f'<svg x="{x:.4f}%" overflow="visible">'
        f'<path d="M0 0V{height + 5}" stroke="#888" stroke-opacity=".4"/>'
        f'<text x="3" y="{height + 12}" fill="currentColor">{text}</text></svg>'
        for x, text in _ticks(end, unit)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" style="width:100%;display:block" '
        f'height="{height + _HEIGHT}">{stripes}{ticks}{drawn}</svg>'
    )
    buttons = "".join(
        f'<button type="button" onclick="{escape(_SCRIPT.format(factor=factor))}">{text}</button>'
        for text, factor in (("wider", 2), ("narrower", 0.5), ("all", 0))
    )
    keys = "".join(
        f'<i style="background:{_COLOURS[kind][0]}"></i>{escape(_COLOURS[kind][2])}' for kind in legend
    )
    return (
        f'<div class="lanes-of"><style>{STYLE}</style>'
        f'<div class="legend"><span class="zoom">{buttons}</span>{keys}</div>'
        f'<div class="lanes"><div class="names">{names}</div><div class="bars">{svg}</div></div>'
        f'<div class="legend">→ {escape(axis)}</div></div>'
    )


def _bar(bar: Bar, row: int, end: float) -> str:
    fill, ink, _ = _COLOURS[bar.kind]
    x, width = 100 * bar.start / end, 100 * bar.width / end
    return (
        f'<svg x="{x:.4f}%" y="{_HEIGHT * row + 2}" width="{width:.4f}%" height="{_HEIGHT - 4}">'
        f"<title>{escape(bar.tip)}</title>"
        f'<rect width="100%" height="100%" fill="{fill}"/>'
        f'<path d="M0 0V16" stroke="{ink}" stroke-opacity=".5"/>'
        f'<text x="3" y="{_HEIGHT - 8}" fill="{ink}">{escape(bar.label)}</text></svg>'
    )
