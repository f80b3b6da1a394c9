"""Draws how far each measured line is from its target."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

REACHED, MISSED = "#2a7f62", "#c0504d"
LINE_HEIGHT = 0.19  # inches


def draw(findings, path):
    """A bar for each line: where it is in relation to its target, on a logarithmic scale."""
    measured = [finding for finding in findings if finding.margin()]
    measured.reverse()
    figure, axes = plt.subplots(figsize=(11, 1.2 + LINE_HEIGHT * len(measured)))
    margins = [finding.margin() for finding in measured]
    colours = [REACHED if finding.reached() else MISSED for finding in measured]
    places = range(len(measured))
    axes.barh(places, [margin - 1 for margin in margins], left=1, color=colours, height=0.7)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log", base=2)
    ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(places, [f"{finding.what}: {finding.against}" for finding in measured], fontsize=7)
    axes.set_ylim(-0.6, len(measured) - 0.4)
    for place, finding in zip(places, measured, strict=True):
        text = f" {finding.value_text().partition(' (')[0]} ({finding.bound_text()}) "
        side = "left" if finding.margin() >= 1 else "right"
        axes.text(finding.margin(), place, text, va="center", ha=side, fontsize=6)
    axes.set_xlabel("measured in units of the target: to the right is better than asked for")
    axes.grid(axis="x", linewidth=0.3)
    axes.margins(x=0.25)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
