"""Turns the windows of all contestants into medians, ratios with spread, and a Markdown table of rates."""

import statistics
from dataclasses import asdict, dataclass, field

HEADINGS = (
    "task",
    "minibatch",
    "ours",
    "ours, C++",
    "ours, two threads",
    "host alone",
    "dyNET38 plain",
    "dyNET38 best",
    "PyTorch example",
    "PyTorch batched",
    "machine: FLOP, bytes",
    "ours in % of it",
)
NOTHING = "–"
DISTURBED = " †"


@dataclass
class Entry:
    """The rates of one contestant, in sentences per second, one per round."""

    name: str
    toolkit: str
    rates: list
    version: str
    loss_per_word: float
    disturbed: bool

    def median(self):
        """The median rate."""
        return statistics.median(self.rates)

    def text(self):
        """The median rate, marked when other processes took much of the cores."""
        return number(self.median()) + (DISTURBED if self.disturbed else "")


@dataclass
class Row:
    """All contestants on one task with one size of minibatch."""

    task: str
    minibatch: int
    operation_limit: float
    byte_limit: float
    entries: list = field(default_factory=list)
    missing: dict = field(default_factory=dict)

    def best(self, toolkit):
        """The contestant of a toolkit with the highest median, or None."""
        entries = [entry for entry in self.entries if entry.toolkit == toolkit]
        return max(entries, key=Entry.median, default=None)

    def as_fields(self):
        """Everything about the row, for JSON."""
        return asdict(self)

    @staticmethod
    def ratio(first, second):
        """The ratio of two entries: that of medians, the lowest and the highest of a round."""
        rounds = [mine / theirs for mine, theirs in zip(first.rates, second.rates, strict=True)]
        return first.median() / second.median(), min(rounds), max(rounds)

    def why_missing(self):
        """The reasons of all that is not there."""
        return "; ".join(f"{name}: {reason}" for name, reason in self.missing.items()) or "not asked for"


def number(value):
    """A rate with three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def rate_text(row, toolkit):
    """The median of a contestant, or why there is none."""
    entry = row.best(toolkit)
    if entry is not None:
        return entry.text()
    return "failed" if toolkit in row.missing else NOTHING


def plain_text(row):
    """The median of dyNET38 without batching."""
    texts = [entry.text() for entry in row.entries if entry.name == "dyNET38 plain"]
    return texts[0] if texts else NOTHING


def best_text(row):
    """The median of dyNET38's best setting and its name."""
    best = row.best("dynet")
    if best is None:
        return "not available" if "dynet" in row.missing else NOTHING
    return f"{best.text()} ({best.name.removeprefix('dyNET38 ')})"


def share_text(row):
    """The share of both limits of the machine that we reach."""
    ours = row.best("ours")
    if ours is None:
        return NOTHING
    shares = (ours.median() / limit for limit in (row.operation_limit, row.byte_limit))
    return ", ".join(f"{100 * share:.0f} %" for share in shares)


def cells(row):
    """The cells of a row, in the order of the headings."""
    return (
        row.task,
        str(row.minibatch),
        rate_text(row, "ours"),
        rate_text(row, "cpp"),
        rate_text(row, "two threads"),
        rate_text(row, "host"),
        plain_text(row),
        best_text(row),
        rate_text(row, "torch example"),
        rate_text(row, "torch batched"),
        f"{number(row.operation_limit)}, {number(row.byte_limit)}",
        share_text(row),
    )


def markdown(headings, lines):
    """A Markdown table."""
    table = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in table)


def table_lines(text):
    """The lines of a Markdown table, as dictionaries by heading."""
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def notes(rows):
    """The versions that ran, and what is missing and why."""
    entries = [entry for row in rows for entry in row.entries]
    versions = sorted({f"{entry.toolkit}: {entry.version}" for entry in entries})
    lost = {f"{name}: {reason}" for row in rows for name, reason in row.missing.items()}
    lines = [f"* ran {version}" for version in versions]
    if any(entry.disturbed for entry in entries):
        lines.append(f"*{DISTURBED}: waited for its core; --clock cpu leaves the waiting out")
    return "\n".join(lines + [f"* missing {reason}" for reason in sorted(lost)])


def table(rows):
    """The table of all rows, in sentences per second, and the notes below it."""
    return f"{markdown(HEADINGS, [cells(row) for row in rows])}\n\n{notes(rows)}"
