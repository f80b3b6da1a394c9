"""Learning rates that change with time: functions of it, and what sets them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from dynet._dynet import Trainer
from dynet.arguments import told
from dynet.checks import positive
from dynet.training.callbacks import Callback

Schedule: TypeAlias = Callable[[float], float]


def _check_positive(schedule: object, *names: str) -> None:
    for name in names:
        positive(type(schedule).__name__, name, getattr(schedule, name))


@dataclasses.dataclass(frozen=True)
class StepSchedule:
    """rate · factor^⌊time / every⌋: the rate falls in steps, by a factor (0.1) after each `every`. Time
    is in what the schedule is asked by: epochs for dy.fit(schedule=…), updates for dy.optim.Scheduled.

    >>> schedule = dy.optim.StepSchedule(0.1, every=10, factor=0.5)
    >>> schedule(0), schedule(25)
    (0.1, 0.025)
    """

    rate: float
    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_positive(self, "rate", "every", "factor")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        return float(self.rate * self.factor ** (time // self.every))


@dataclasses.dataclass(frozen=True)
class ExponentialSchedule:
    """rate · factor^time: the rate falls by a factor in each unit of time, gradually.

    >>> dy.optim.ExponentialSchedule(0.1, 0.5)(2)
    0.025
    """

    rate: float
    factor: float

    def __post_init__(self) -> None:
        _check_positive(self, "rate", "factor")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        return float(self.rate * self.factor**time)


@dataclasses.dataclass(frozen=True)
class LinearSchedule:
    """rate + (last - rate) · min(1, time / length): the rate goes in a straight line from `rate` to
    `last` (0), and stays there.

    >>> schedule = dy.optim.LinearSchedule(0.1, length=10)
    >>> schedule(5), schedule(20)
    (0.05, 0.0)
    """

    rate: float
    length: float
    last: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(self, "rate", "length")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        return self.rate + (self.last - self.rate) * min(1.0, time / self.length)


@dataclasses.dataclass(frozen=True)
class CosineSchedule:
    """least + (rate - least) (1 + cos(π time / length)) / 2: the rate falls slowly, quickly, slowly, from
    `rate` to `least` (0), and stays there. With `restarts` it begins anew after each length, which is
    `growth` (1) times as long as the one before. (Loshchilov and Hutter 2017)

    >>> schedule = dy.optim.CosineSchedule(0.1, length=10)
    >>> schedule(0), round(schedule(5), 4), schedule(12)
    (0.1, 0.05, 0.0)
    """

    rate: float
    length: float
    least: float = 0.0
    restarts: bool = False
    growth: float = 1.0

    def __post_init__(self) -> None:
        _check_positive(self, "rate", "length", "growth")
        if self.growth < 1:
            raise ValueError(f"CosineSchedule: growth is {self.growth}; a number from 1 on is needed")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        length = self.length
        if self.restarts and self.growth == 1:
            time %= length
        elif self.restarts:
            while time >= length:
                time, length = time - length, length * self.growth
        share = min(1.0, time / length)
        return self.least + (self.rate - self.least) * (1 + math.cos(math.pi * share)) / 2


@dataclasses.dataclass(frozen=True)
class InverseSquareRootSchedule:
    """rate · min(time / warm_up, √(warm_up / time)): the rate rises to `rate` at the time `warm_up`, and
    then falls as 1 / √time. (Vaswani et al. 2017, whose rate is 1 / √(d warm_up))

    >>> schedule = dy.optim.InverseSquareRootSchedule(0.001, warm_up=100)
    >>> schedule(50), schedule(100), schedule(400)
    (0.0005, 0.001, 0.0005)
    """

    rate: float
    warm_up: float

    def __post_init__(self) -> None:
        _check_positive(self, "rate", "warm_up")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        if time < self.warm_up:
            return self.rate * time / self.warm_up
        return self.rate * math.sqrt(self.warm_up / time)


@dataclasses.dataclass(frozen=True)
class WarmUp:
    """Another schedule whose rate first rises: in a straight line from `first` (0.01) times the
    schedule's first rate to all of it at the time `length`, and then the schedule, from its own beginning
    on.

    >>> schedule = dy.optim.WarmUp(dy.optim.CosineSchedule(0.1, 90), length=10)
    >>> schedule(0), schedule(10), schedule(100)
    (0.001, 0.1, 0.0)
    """

    schedule: Schedule
    length: float
    first: float = 0.01

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            raise TypeError(f"WarmUp: schedule is {self.schedule!r:.60}; a schedule is needed")
        _check_positive(self, "length")

    def __call__(self, time: float) -> float:
        """The rate at a time."""
        if time < self.length:
            return self.schedule(0) * (self.first + (1 - self.first) * time / self.length)
        return self.schedule(time - self.length)


class Scheduled(Callback):
    """Sets a trainer's rate before each update by a schedule, whose time is the number of updates so far.
    With a trainer of your own loop call step() before each update; as a callback of dy.fit it needs no
    trainer.

    >>> model = dy.ParameterCollection()
    >>> w, trainer = model.add_parameters(1, init=1), dy.SimpleSGDTrainer(model)
    >>> scheduled = dy.optim.Scheduled(dy.optim.LinearSchedule(0.1, length=2), trainer)
    >>> [scheduled.step() for _ in range(3)]
    [0.1, 0.05, 0.0]
    """

    @told
    def __init__(self, schedule: Schedule, trainer: Trainer | None = None) -> None:
        if not callable(schedule):
            raise TypeError(f"Scheduled: schedule is {schedule!r:.60}; a schedule is needed")
        self.schedule, self.trainer, self.updates = schedule, trainer, 0

    def step(self) -> float:
        """Sets the trainer's rate for the next update, and gives it; the time goes on by 1.

        >>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection())
        >>> dy.optim.Scheduled(dy.optim.LinearSchedule(0.5, length=2), trainer).step()
        0.5
        """
        if self.trainer is None:
            raise ValueError("Scheduled: step was called without a trainer; give one to Scheduled")
        self.trainer.learning_rate = rate = self.schedule(self.updates)
        self.updates += 1
        return rate

    def on_batch_begin(self, run: Any) -> None:
        """Sets the rate of the run's trainer, by the number of its updates."""
        run.trainer.learning_rate = self.schedule(run.step)


class Plateau(Callback):
    """Multiplies a trainer's rate by `factor` (0.5) when a score has not become better for more than
    `patience` (2) epochs, until it is `least`. mode is "min" for losses and "max" for accuracies. In a
    loop of your own call step(score) after each epoch; as a callback of dy.fit it looks at the held-out
    score, or at the training loss where there is none, and needs no trainer.

    >>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection(), 0.8)
    >>> plateau = dy.optim.Plateau("min", patience=1, trainer=trainer)
    >>> [plateau.step(loss) for loss in (3.0, 2.0, 2.5, 2.5, 1.0)]
    [0.8, 0.8, 0.8, 0.4, 0.4]
    """

    @told
    def __init__(
        self,
        mode: str = "min",
        factor: float = 0.5,
        patience: int = 2,
        least: float = 0.0,
        min_delta: float = 0.0,
        trainer: Trainer | None = None,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"Plateau: mode is {mode!r:.60}; 'min' or 'max' is needed")
        if not 0 < factor < 1:
            raise ValueError(f"Plateau: factor is {factor!r:.60}; a number between 0 and 1 is needed")
        self.mode, self.factor, self.patience = mode, factor, patience
        self.least, self.min_delta, self.trainer = least, min_delta, trainer
        self.best, self.bad = math.nan, 0

    def step(self, score: float) -> float:
        """Looks at the score of an epoch, and gives the rate from now on.

        >>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection(), 0.8)
        >>> dy.optim.Plateau("max", trainer=trainer).step(0.9)
        0.8
        """
        if self.trainer is None:
            raise ValueError("Plateau: step was called without a trainer; give one to Plateau")
        return self._look(self.trainer, score)

    def _look(self, trainer: Trainer, score: float) -> float:
        gain = score - self.best if self.mode == "max" else self.best - score
        if math.isnan(self.best) or gain > self.min_delta:
            self.best, self.bad = score, 0
        else:
            self.bad += 1
        if self.bad > self.patience:
            lower = max(trainer.learning_rate * self.factor, self.least)
            trainer.learning_rate = min(trainer.learning_rate, lower)
            self.bad = 0
        return trainer.learning_rate

    def on_epoch_end(self, run: Any) -> None:
        """Looks at the epoch's score, or its loss."""
        record = run.history.epochs[-1]
        self._look(run.trainer, record.get("score", record["loss"]))

    def state_dict(self) -> Any:
        """The best score, and how many epochs were no better since."""
        return {"best": None if math.isnan(self.best) else self.best, "bad": self.bad}

    def load_state_dict(self, state: Any) -> None:
        """Goes on from there."""
        self.best, self.bad = math.nan if state["best"] is None else state["best"], state["bad"]
