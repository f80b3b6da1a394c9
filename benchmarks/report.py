"""Turns the windows of all contestants into medians, ratios with spread, and a Markdown table."""

import statistics
from dataclasses import asdict, dataclass, field

HEADINGS = (
    "task",
    "minibatch",
    "ours",
    "dyNET38 plain",
    "dyNET38 best",
    "PyTorch example",
    "PyTorch batched",
    "ours ÷ dyNET38 best",
    "ours ÷ PyTorch best",
    "target",
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
    target: float | None
    operation_limit: float
    byte_limit: float
    entries: list = field(default_factory=list)
    missing: dict = field(default_factory=dict)

    def best(self, toolkit):
        """The contestant of a toolkit with the highest median, or None."""
        entries = [entry for entry in self.entries if entry.toolkit == toolkit]
        return max(entries, key=Entry.median, default=None)

    def ratio(self, toolkit):
        """Ours over a toolkit's best: ratio of medians, lowest and highest ratio of a round."""
        ours, other = self.best("ours"), self.best(toolkit)
        if ours is None or other is None:
            return None
        rounds = [mine / theirs for mine, theirs in zip(ours.rates, other.rates, strict=True)]
        return ours.median() / other.median(), min(rounds), max(rounds)

    def as_fields(self):
        """Everything about the row, for JSON."""
        ratios = {toolkit: self.ratio(toolkit) for toolkit in ("dynet", "torch")}
        return {**asdict(self), "ratios": ratios}


def number(value):
    """A rate with three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def ratio_text(ratio):
    """A ratio with its spread."""
    if ratio is None:
        return NOTHING
    return "{:.2f} ({:.2f}–{:.2f})".format(*ratio)


def rate_text(row, name, toolkit):
    """The median of a contestant, or why there is none."""
    for entry in row.entries:
        if entry.name == name:
            return entry.text()
    if toolkit in row.missing:
        return "not available"
    return "failed" if name in row.missing else NOTHING


def best_text(row):
    """The median of dyNET38's best setting and its name."""
    best = row.best("dynet")
    if best is None:
        return "not available" if "dynet" in row.missing else NOTHING
    return f"{best.text()} ({best.name.removeprefix('dyNET38 ')})"


def target_text(row):
    """The target, and whether the ratio of medians reaches it."""
    if row.target is None:
        return NOTHING
    ratio = row.ratio("dynet")
    if ratio is None:
        return f"≥ {row.target}"
    return f"≥ {row.target}: {'reached' if ratio[0] >= row.target else 'missed'}"


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
        rate_text(row, "ours", "ours"),
        rate_text(row, "dyNET38 plain", "dynet"),
        best_text(row),
        rate_text(row, "PyTorch example", "torch"),
        rate_text(row, "PyTorch batched", "torch"),
        ratio_text(row.ratio("dynet")),
        ratio_text(row.ratio("torch")),
        target_text(row),
        f"{number(row.operation_limit)}, {number(row.byte_limit)}",
        share_text(row),
    )


def markdown(headings, lines):
    """A Markdown table."""
    table = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in table)


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
