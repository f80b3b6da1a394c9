"""What happened in training: a record for each epoch, and its picture."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np


def plain(what: str, given: Any) -> Any:
    """What JSON has of it, with NumPy's numbers as those of Python. TypeError that says `what` for others."""

    def number(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(f"it has {value!r:.60}")

    try:
        return json.loads(json.dumps(given, default=number))
    except (TypeError, ValueError, RecursionError) as error:
        needed = "numbers, texts, lists and dictionaries of texts are needed, as JSON has them"
        raise TypeError(f"{what} cannot be written: {error}; {needed}") from error


def figure(size: tuple[float, float]) -> Any:
    """An empty picture of that many inches."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        what = "plot: matplotlib draws, and is not installed; python -m pip install dynet[plot]"
        raise ImportError(what) from error
    made = pyplot.figure(figsize=size, layout="constrained")
    pyplot.close(made)  # Whoever asked for it shows it; notebooks would show it twice.
    return made


class History:
    """What dy.fit returns.

    `epochs` has a dictionary for each epoch: epoch, loss (the mean of the training examples), score (of the
    held-out ones), learning_rate, seconds and examples_per_second; history["loss"] is a list of one of them.
    best_epoch and best_score tell which was the best, `stopped` why training ended: "epochs", "patience",
    "callback" or "interrupted". plot() draws the curves; pandas.DataFrame(history.epochs) is a table.
    """

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []
        self.best_epoch: int | None = None
        self.best_score: float | None = None
        self.stopped: str | None = None

    def __getitem__(self, name: str) -> list[Any]:
        if self.epochs and name not in self.epochs[0]:
            raise KeyError(f"{name!r} is in no epoch; there are {', '.join(self.epochs[0])}")
        return [epoch[name] for epoch in self.epochs]

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        text = f"History of {len(self)} epochs"
        if self.epochs:
            text += f", loss {self.epochs[-1]['loss']:.4g}"
        if self.best_epoch is not None:
            text += f", best score {self.best_score:.4g} in epoch {self.best_epoch}"
        return text + (f", stopped by {self.stopped}" if self.stopped else "")

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """The loss and the score of each epoch as a figure of matplotlib, which is also written to a file."""
        has_score = bool(self.epochs) and "score" in self.epochs[0]
        drawn = figure((9 if has_score else 4.5, 3.2))
        axes = drawn.subplots(1, 1 + has_score, squeeze=False)[0]
        numbers = self["epoch"]
        axes[0].plot(numbers, self["loss"], "o-")
        axes[0].set_ylabel("training loss")
        if has_score:
            axes[1].plot(numbers, self["score"], "o-", color="tab:green")
            axes[1].set_ylabel("held-out score")
            if self.best_epoch is not None:
                axes[1].axvline(self.best_epoch, color="grey", linestyle="--", label="best epoch")
                axes[1].legend()
        for each in axes:
            each.set_xlabel("epoch")
            each.grid(alpha=0.3)
            each.xaxis.get_major_locator().set_params(integer=True)
        if path is not None:
            drawn.savefig(path, dpi=120)
        return drawn
