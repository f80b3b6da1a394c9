"""Tables as text and as HTML: columns of names to the left, of numbers to the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

Cell = str | int | float | None

STYLE = """
.dynet table { border-collapse: collapse; font: 13px/1.5 system-ui, sans-serif; margin: .4em 0 1em; }
.dynet th { text-align: left; border-bottom: 1.5px solid currentColor; }
.dynet th, .dynet td { padding: .1em .9em .1em 0; vertical-align: top; background: none; }
.dynet .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.dynet .total td { border-top: 1.5px solid currentColor; font-weight: 600; }
.dynet .name { font-family: ui-monospace, monospace; text-align: left; white-space: nowrap; }
.dynet .prose { text-align: left; white-space: pre-line; }
.dynet caption { text-align: left; font-weight: 600; padding-bottom: .3em; }
"""


class Column(NamedTuple):
    """A heading, and how many digits numbers have after the point; none: the cells are names, or prose."""

    heading: str
    digits: int | None = None
    is_prose: bool = False

    @property
    def style(self) -> str:
        """The class of its cells in a page."""
        return "number" if self.digits is not None else "prose" if self.is_prose else "name"


class Table:
    """Rows of cells. None is an empty cell."""

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        total: Sequence[Cell] = (),
    ) -> None:
        self.title = title
        self.columns = columns
        self.rows = [tuple(row) for row in rows]
        self.total = tuple(total)

    def _texts(self, row: Sequence[Cell]) -> list[str]:
        return [_text(cell, column.digits) for cell, column in zip(row, self.columns, strict=True)]

    def text(self, most: int | None = None) -> str:
        """Lines of equal columns, of which the first `most` rows are shown."""
        shown = self.rows[:most]
        rows = [[column.heading for column in self.columns], *map(self._texts, shown)]
        if len(self.rows) > len(shown):
            rows.append([f"and {len(self.rows) - len(shown)} more", *[""] * (len(self.columns) - 1)])
        if self.total:
            rows.append(self._texts(self.total))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if column.digits is None else cell.rjust(width)
                for cell, width, column in zip(row, widths, self.columns, strict=True)
            ).rstrip()
            for row in rows
        ]
        rule = "-" * max(map(len, lines))
        lines.insert(1, rule)
        if self.total:
            lines.insert(-1, rule)
        return "\n".join([self.title, *lines] if self.title else lines)

    def html(self, most: int | None = None) -> str:
        """The same as an element of a page that has STYLE."""
        kinds = [column.style for column in self.columns]

        def line(cells: Iterable[str], tag: str, name: str = "") -> str:
            inside = "".join(
                f'<{tag} class="{kind}">{escape(cell)}</{tag}>'
                for cell, kind in zip(cells, kinds, strict=True)
            )
            return f'<tr class="{name}">{inside}</tr>' if name else f"<tr>{inside}</tr>"

        lines = [line((column.heading for column in self.columns), "th")]
        lines += [line(self._texts(row), "td") for row in self.rows[:most]]
        if most is not None and len(self.rows) > most:
            lines.append(f'<tr><td colspan="{len(kinds)}">and {len(self.rows) - most} more</td></tr>')
        if self.total:
            lines.append(line(self._texts(self.total), "td", "total"))
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return f"<table>{caption}{''.join(lines)}</table>"


def _text(cell: Cell, digits: int | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.{digits or 0}f}"


def in_notebook(*parts: str) -> str:
    """Elements for the output of a notebook's cell, with the style that they need."""
    return f'<div class="dynet"><style>{STYLE}</style>{"".join(parts)}</div>'


def bytes_text(count: float) -> str:
    """A number of bytes as people say it."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def sizes_text(shape: Sequence[int], batch_size: int = 1) -> str:
    """A shape as Python writes a tuple, and the batch size behind it."""
    return str(tuple(shape)) + (f" ×{batch_size}" if batch_size > 1 else "")
