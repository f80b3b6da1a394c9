"""Tables of text."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns side by side, two spaces apart; those in `right` end together."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def padded(line: list[str]) -> str:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(map(padded, lines))


def counted(number: int, what: str) -> str:
    """ "1 array", "2,000 arrays"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def shape_text(shape: Sequence[int]) -> str:
    """A shape as Python writes tuples."""
    return str(tuple(int(n) for n in shape))
