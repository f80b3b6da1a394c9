"""Draws how far each measured line is from its target."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

REACHED, MISSED = "#2a7f62", "#c0504d"
LINE_HEIGHT = 0.19  # inches
LINES = 50  # of a panel


def panel(axes, findings, lines):
    """A bar for each line, from top to bottom."""
    axes.axvline(1, color="black", linewidth=1)
    for place, finding in zip(range(lines - 1, -1, -1), findings, strict=False):
        margin, reached = finding.margin(), finding.reached()
        axes.barh(place, margin - 1, left=1, color=REACHED if reached else MISSED, height=0.7)
        text = f" {finding.value_text().partition(' (')[0]} ({finding.bound_text()}) "
        axes.text(margin, place, text, va="center", ha="left" if margin >= 1 else "right", fontsize=6)
    names = [f"{finding.what}: {finding.against}" for finding in findings]
    axes.set_yticks([lines - 1 - place for place in range(len(names))], names, fontsize=7)
    axes.set_ylim(-0.6, lines - 0.4)
    axes.set_xscale("log", base=2)
    axes.set_xlim(1 / 8, 16)
    ticks = [1 / 4, 1 / 2, 1, 2, 4, 8]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("measured in units of the target: to the right is better than asked for", fontsize=8)
    axes.grid(axis="x", linewidth=0.3)


def draw(findings, path):
    """Where each line is in relation to its target, on a logarithmic scale."""
    measured = [finding for finding in findings if finding.margin()]
    if not measured:
        return
    count = -(-len(measured) // LINES)
    lines = -(-len(measured) // count)
    size = (9.5 * count, 1.2 + LINE_HEIGHT * lines)
    figure, panels = plt.subplots(1, count, figsize=size, squeeze=False)
    for number, axes in enumerate(panels[0]):
        panel(axes, measured[number * lines : (number + 1) * lines], lines)
    figure.tight_layout()
    figure.savefig(path, dpi=90, bbox_inches="tight")
