"""What was measured beside what was aimed for: one finding for each line of the table of targets."""

from dataclasses import asdict, dataclass

UNITS = {"×": "{:.2f}×", "%": "{:.0f} %", "ns": "{:.1f} ns", "µs": "{:.1f} µs"}
SHORT = {"×": "{:g}×", "%": "{:g} %", "ns": "{:g} ns", "µs": "{:g} µs"}


@dataclass
class Finding:
    """One line: a measured value, and the bound that it should reach."""

    part: str  # of the suite
    key: str  # unique, stable: what is written about a line refers to it
    what: str
    against: str
    value: float | None
    unit: str = "×"
    bound: float | None = None
    at_most: bool = False
    low: float | None = None  # of a round
    high: float | None = None
    detail: str = ""  # the figures behind the value, or why there is none

    def reached(self):
        """Whether the value is as good as the bound; None where one of them is missing."""
        if self.value is None or self.bound is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def margin(self):
        """How far the value is beyond the bound: 1 is at it, above is better."""
        if self.value is None or self.bound is None:
            return None
        return self.bound / self.value if self.at_most else self.value / self.bound

    def value_text(self):
        """The value with its spread."""
        if self.value is None:
            return "–"
        text = UNITS[self.unit].format(self.value)
        if self.low is None:
            return text
        low, high = (UNITS[self.unit].format(end).rstrip("×% nsµ") for end in (self.low, self.high))
        return f"{text} ({low}–{high})"

    def bound_text(self):
        """The target."""
        if self.bound is None:
            return "–"
        return f"{'≤' if self.at_most else '≥'} {SHORT[self.unit].format(self.bound)}"

    def verdict(self):
        """Reached, missed, or not measured."""
        return {True: "reached", False: "missed", None: "–"}[self.reached()]

    def cells(self):
        """The line of the table."""
        return (self.what, self.against, self.bound_text(), self.value_text(), self.verdict(), self.detail)


HEADINGS = ("what", "against", "target", "measured", "", "figures")


def lines(findings):
    """The cells of all lines."""
    return [finding.cells() for finding in findings]


def as_fields(findings):
    """All findings, for JSON."""
    return [asdict(finding) for finding in findings]


def from_fields(fields):
    """The findings of a file."""
    return [Finding(**each) for each in fields]


def summary(findings):
    """How many lines are reached, missed, and not measured."""
    verdicts = [finding.reached() for finding in findings if finding.bound is not None]
    counts = (verdicts.count(True), verdicts.count(False), verdicts.count(None))
    return "{} of {} targets reached, {} missed, {} not measured".format(
        counts[0], len(verdicts), *counts[1:]
    )


def merged(old, new):
    """The old findings with those of measured parts replaced, in the order of the old ones."""
    by_key = {finding.key: finding for finding in new}
    kept = [by_key.pop(finding.key, finding) for finding in old]
    return kept + list(by_key.values())
