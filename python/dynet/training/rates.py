"""The search for a learning rate: a short training whose rate grows until the loss explodes."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any

from dynet.checks import real, whole
from dynet.training.checkpoints import Snapshot
from dynet.training.history import figure
from dynet.training.losses import BatchLoss
from dynet.training.options import Learning

_WINDOW = 0.06  # of the steps, to each side, over which losses are averaged
_FALL = 0.01  # of the first loss: less is chance
_EXPLODED = 4.0  # times what losses differ by, above the lowest: losses may be negative


@dataclasses.dataclass
class LearningRates:
    """What dy.find_learning_rate gives: learning rates, and the loss of a batch at each, before its update.

    `rates` and `losses` are lists of the same length, `smoothed` the losses with less chance in them;
    `suggestion` is a rate to train with, and plot() draws all of it.

        rates = dy.find_learning_rate(model, trainer, examples, loss)
        trainer.learning_rate = rates.suggestion
    """

    rates: list[float]
    losses: list[float]

    @property
    def smoothed(self) -> list[float]:
        """Each loss as the mean of those around it: a single batch says little."""
        width = max(1, round(_WINDOW * len(self.losses)))
        parts = [self.losses[max(0, i - width) : i + width + 1] for i in range(len(self.losses))]
        return [_mean(part) for part in parts]

    @property
    def suggestion(self) -> float:
        """The rate at which the loss falls fastest, before it is lowest."""
        smoothed = self.smoothed
        lowest = min(range(len(smoothed)), key=smoothed.__getitem__)
        if lowest < 2 or smoothed[0] - smoothed[lowest] < _FALL * abs(smoothed[0]):
            raise ValueError(
                f"find_learning_rate: the loss does not fall, from a rate of {self.rates[0]:g} on; give a "
                "smaller `lowest`, or see whether the loss depends on the model"
            )
        falls = [smoothed[i + 1] - smoothed[i - 1] for i in range(1, lowest)]
        return self.rates[1 + min(range(len(falls)), key=falls.__getitem__)]

    def _limits(self) -> tuple[float, float]:
        """The lowest and the highest loss to show: those of the explosion would make the others a line."""
        smoothed = self.smoothed
        low, high = min(smoothed), max(smoothed[: max(3, len(smoothed) // 3)])
        margin = (high - low) / 2 or abs(high) / 2 or 1.0
        return low - margin if low < 0 else 0.0, high + margin

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """The losses over the rates as a figure of matplotlib, which is also written to a file."""
        drawn = figure((5, 3.2))
        axes = drawn.subplots()
        axes.plot(self.rates, self.losses, color="lightgrey", label="of a batch")
        axes.plot(self.rates, self.smoothed, label="smoothed")
        axes.axvline(
            self.suggestion, color="tab:red", linestyle="--", label=f"suggestion {self.suggestion:.2g}"
        )
        axes.set_xscale("log")
        axes.set_ylim(*self._limits())
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss")
        axes.legend()
        axes.grid(alpha=0.3)
        if path is not None:
            drawn.savefig(path, dpi=120)
        return drawn


def sweep(lowest: float, highest: float, steps: int, **given: Any) -> LearningRates:
    """What dy.find_learning_rate does."""
    call = "find_learning_rate"
    steps = whole(call, "steps", steps, 5)
    lowest, highest = real(call, "lowest", lowest), real(call, "highest", highest)
    if not 0 < lowest < highest < math.inf:
        raise ValueError(f"{call}: rates from {lowest} to {highest}; 0 < lowest < highest is needed")
    learning = Learning(call, shuffle=True, tokens=None, key=None, **given)
    before = Snapshot(learning.model, learning.trainer)
    rates: list[float] = []
    losses: list[float] = []
    is_exploded = _Explosion(steps)
    try:
        for number, positions in zip(range(steps), _forever(learning), strict=False):
            rate = lowest * (highest / lowest) ** (number / (steps - 1))
            learning.trainer.learning_rate = rate
            loss = _step(learning, positions)
            if loss is None:
                break
            rates.append(rate)
            losses.append(loss)
            if is_exploded(losses):
                break
    finally:
        before.model.reset_gradient()
        before.restore()
    if len(rates) < 3:
        raise ValueError(
            f"{call}: the loss is not finite from a rate of {lowest:g} on; give a smaller `lowest`"
        )
    return LearningRates(rates, losses)


class _Explosion:
    """Whether the latest losses are far above the lowest ones, by what the first ones and those differ by."""

    def __init__(self, steps: int) -> None:
        self.first = steps // 5  # of the smallest rates, which change little
        self.lowest = math.inf

    def __call__(self, losses: list[float]) -> bool:
        latest = _mean(losses[-self.first // 2 :])
        if len(losses) >= self.first:
            self.lowest = min(self.lowest, latest)
        if len(losses) <= 2 * self.first:
            return False
        begin = losses[: self.first]
        spread = max(max(begin) - self.lowest, _FALL * abs(_mean(begin)))
        return latest - self.lowest > _EXPLODED * spread


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def _forever(learning: Learning) -> Any:
    epoch = 0
    while True:
        epoch += 1
        yield from learning.cut.batches(f"{learning.seed} {epoch}")


def _step(learning: Learning, positions: list[int]) -> float | None:
    """The loss of a batch, before the update by it; None where something is not finite."""
    batch = BatchLoss(learning, positions)
    value = batch.value()
    if not math.isfinite(value):
        return None
    batch.total.backward()
    try:
        learning.trainer.update()
    except RuntimeError:  # a gradient that is not finite
        return None
    return batch.per_example(value)
