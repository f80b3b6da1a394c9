"""The loss of a batch: built, evaluated, and explained where it is not finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dynet as dy
from dynet.training.options import Learning

ADVICE = (
    "Try a smaller learning rate (dy.find_learning_rate looks for one) or stricter clipping "
    "(trainer.set_clip_threshold(1)); look for a logarithm or a square root of 0, and a division by 0"
)
_ONE_NUMBER = ((1,), 1)


class BatchLoss:
    """The loss of the examples at some positions, in a new graph."""

    def __init__(self, learning: Learning, positions: Sequence[int], examples: Any = None) -> None:
        self.learning, self.positions = learning, positions
        self.examples = learning.examples if examples is None else examples
        dy.renew_cg()
        version = dy.cg_version()
        taken = [self.examples[position] for position in positions]
        self.each: list[dy.Expression] = []
        if learning.batched:
            self.total = self._scalar(learning.loss(taken), "the batch")
        else:
            for position, example in zip(positions, taken, strict=True):
                loss = learning.loss(example)
                if dy.cg_version() != version and len(positions) > 1:
                    raise ValueError(
                        f"{learning.call}: loss must not call renew_cg; {learning.call} does it for each "
                        "batch"
                    )
                self.each.append(self._scalar(loss, f"example {position}"))
            self.total = dy.esum(self.each)
            if learning.reduction == "mean":
                self.total = self.total * (1 / len(positions))

    def _scalar(self, given: Any, whose: str) -> dy.Expression:
        call, loss = self.learning.call, given
        if isinstance(loss, dy.Expression) and loss.dim() == _ONE_NUMBER:
            return loss
        if not isinstance(loss, dy.Expression):
            raise TypeError(
                f"{call}: the loss of {whose} is {given!r:.60}; the function must return an expression"
            )
        shape, count = loss.dim()
        if math.prod(shape) != 1:
            raise ValueError(f"{call}: the loss of {whose} has shape {shape}; a single number is needed")
        if count > 1:
            loss = dy.sum_batches(loss)
            if self.learning.batched and self.learning.reduction == "mean":
                loss = loss * (1 / count)
        return loss

    def value(self) -> float:
        """What an update minimises."""
        return float(self.total.scalar_value())

    def per_example(self, value: float) -> float:
        """The mean over the examples."""
        return value / len(self.positions) if self.learning.reduction == "sum" else value

    def explain(self, value: float, where: str) -> FloatingPointError:
        """Which example has a loss that is not finite."""
        culprit = "the loss of a batch"
        for position, loss in zip(self.positions, self.each, strict=False):
            own = loss.scalar_value()
            if not math.isfinite(own):
                value, culprit = own, f"the loss of example {position}"
                example = self.examples[position]
                return self._error(culprit, value, where, f": {example!r:.200}")
        listed = ", ".join(map(str, self.positions[:20]))
        return self._error(culprit, value, where, f": examples {listed}{', …' * (len(self.positions) > 20)}")

    def _error(self, culprit: str, value: float, where: str, which: str) -> FloatingPointError:
        rate = self.learning.trainer.learning_rate
        return FloatingPointError(
            f"{self.learning.call}: {culprit} is {value}, in {where}, at a learning rate of {rate:g}{which}. "
            f"The model is as after the last update. {ADVICE}"
        )


class SharedLoss(BatchLoss):
    """The same of a batch whose parts several processes compute; the gradient comes with the value."""

    def __init__(self, learning: Learning, positions: Sequence[int]) -> None:
        self.learning, self.positions, self.examples = learning, positions, learning.examples

    def value(self) -> float:
        """The loss of the whole batch, in all processes the same."""
        count = len(self.positions)

        def loss_at(part: list[int]) -> dy.Expression:
            own = BatchLoss(self.learning, [self.positions[each] for each in part]).total
            return own * (len(part) / count) if self.learning.reduction == "mean" else own

        assert self.learning.together is not None
        batch = [self.examples[position] for position in self.positions]
        return float(self.learning.together._summed(batch, loss_at, 1.0))

    def explain(self, value: float, where: str) -> FloatingPointError:
        """Which example has a loss that is not finite: each process looks at all."""
        return BatchLoss(self.learning, self.positions).explain(value, where)


def mean_loss(learning: Learning, examples: Sequence[Any]) -> float:
    """The mean loss of examples that are not trained with; several processes divide the batches."""
    size = learning.batch_size or 16
    count = -(-len(examples) // size)

    def loss_of(number: int) -> float:
        return _loss_from(learning, examples, number * size, size)

    if learning.together is None:
        return sum(map(loss_of, range(count))) / len(examples)
    return float(learning.together._scored(count, loss_of)) / len(examples)


def _loss_from(learning: Learning, examples: Sequence[Any], start: int, size: int) -> float:
    batch = BatchLoss(learning, range(start, min(start + size, len(examples))), examples)
    return batch.per_example(batch.value()) * len(batch.positions)
