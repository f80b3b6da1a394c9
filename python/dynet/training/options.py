"""What dy.fit was asked for, checked before anything changes."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from dynet._dynet import ParameterCollection, Trainer
from dynet.checks import real, whole
from dynet.data.order import Cut, listed

MOMENTS = [
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_batch_begin",
    "on_batch_end",
]


@dataclasses.dataclass
class Learning:
    """What is learned of what: shared by training and the search for a learning rate."""

    call: str
    model: Any  # a collection; or a module, which becomes its own
    trainer: Any  # a trainer; or that of several processes, which becomes the one that it drives
    examples: Any
    loss: Callable[[Any], Any]
    batch_size: int | None
    tokens: int | None
    key: Callable[[Any], Any] | None
    shuffle: bool
    seed: int
    reduction: str
    batched: bool

    def __post_init__(self) -> None:
        call = self.call
        self.module = self.model if hasattr(self.model, "evaluating") else None
        if self.module is not None:
            self.model = self.module.param_collection()
        if not isinstance(self.model, ParameterCollection):
            raise TypeError(
                f"{call}: model is {self.model!r:.60}; a ParameterCollection or a dy.nn.Module is needed"
            )
        kinds = (kind.__module__ for kind in type(self.trainer).__mro__)
        self.together = self.trainer if any(each.startswith("dynet.distributed") for each in kinds) else None
        if self.together is not None:
            if call != "fit":
                raise TypeError(
                    f"{call}: a distributed trainer was given; the trainer that it drives is needed"
                )
            self.trainer = self.together.trainer
        if not isinstance(self.trainer, Trainer):
            raise TypeError(
                f"{call}: trainer is {self.trainer!r:.60}; a trainer, as AdamTrainer(model), is needed"
            )
        if not self.trainer._learns(self.model):
            raise ValueError(
                f"{call}: the trainer learns another collection than model; make it of model, as "
                f"{type(self.trainer).__name__}(model)"
            )
        needs_function(call, "loss", self.loss)
        needs_function(call, "key", self.key, or_none=True)
        if self.reduction not in ("mean", "sum"):
            raise ValueError(f"{call}: reduction is {self.reduction!r}; 'mean' or 'sum' is needed")
        if self.batch_size is None and self.tokens is None:
            self.batch_size = 16
        self.seed = whole(call, "seed", self.seed)
        self.examples = listed(call, self.examples)
        if len(self.examples) == 0:
            raise ValueError(f"{call}: there are no examples")
        self.cut = Cut(call, self.examples, self.batch_size, self.tokens, self.key, self.shuffle)


def needs_function(call: str, name: str, given: Any, or_none: bool = False) -> None:
    if not (callable(given) or (or_none and given is None)):
        raise TypeError(f"{call}: {name} is {given!r:.60}; a function is needed")


class Options:
    """The arguments of dy.fit."""

    def __init__(self, **given: Any) -> None:
        names = [field.name for field in dataclasses.fields(Learning)][1:]
        self.learning = Learning("fit", **{name: given[name] for name in names})
        self.epochs = whole("fit", "epochs", given["epochs"], 0)
        self.score: Callable[[Any], float] | None = given["score"]
        needs_function("fit", "score", self.score, or_none=True)
        self.held_out: Sequence[Any] | None = None
        if given["held_out"] is not None:
            self.held_out = listed("fit", given["held_out"])
            if len(self.held_out) == 0:
                raise ValueError("fit: held_out has no examples")
        self.schedule: Callable[[float], float] | None = given["schedule"]
        needs_function("fit", "schedule", self.schedule, or_none=True)
        self._stopping(given)
        self.restore_best = bool(given["restore_best"])
        self._checkpoints(given)
        self.callbacks = list(given["callbacks"])
        for each in self.callbacks:
            if isinstance(each, type) or not any(hasattr(each, name) for name in MOMENTS):
                raise TypeError(
                    f"fit: a callback is {each!r:.60}; an object with on_epoch_end or the like is needed"
                )
        self.progress: bool | None = given["progress"]
        if self.learning.together is not None and self.learning.together.rank > 0:
            self.progress = False

    def _stopping(self, given: dict[str, Any]) -> None:
        mode, patience = given["mode"], given["patience"]
        if mode not in (None, "max", "min"):
            raise ValueError(f"fit: mode is {mode!r}; 'max' or 'min' is needed")
        self.mode = mode or ("max" if self.score else "min")
        self.patience = None if patience is None else whole("fit", "patience", patience, 1)
        self.min_delta = real("fit", "min_delta", given["min_delta"])
        if not 0 <= self.min_delta < math.inf:
            raise ValueError(f"fit: min_delta is {self.min_delta}; a number from 0 on is needed")
        if self.held_out is None:
            for name in ("score", "mode", "patience"):
                if given[name] is not None:
                    raise TypeError(f"fit: {name} was given without held_out examples")

    def _checkpoints(self, given: dict[str, Any]) -> None:
        path = given["checkpoint"]
        if path is not None and not isinstance(path, str | os.PathLike):
            raise TypeError(f"fit: checkpoint is {path!r:.60}; the name of a file is needed")
        self.checkpoint = None if path is None else os.fsdecode(path)
        self.resume = bool(given["resume"])
        every = given["checkpoint_every"]
        self.checkpoint_every = None if every is None else whole("fit", "checkpoint_every", every, 1)
        if self.checkpoint is None:
            if self.resume or every is not None:
                name = "resume" if self.resume else "checkpoint_every"
                raise TypeError(f"fit: {name} was given without a checkpoint, the name of a file")
            return
        folder = os.path.dirname(os.path.realpath(self.checkpoint))
        several = self.learning.together
        if not os.path.isdir(folder) and (several is None or several.rank == 0):
            raise FileNotFoundError(f"fit: there is no folder {folder} for the checkpoint; make it first")

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same where training goes on, to see the same batches."""
        of = self.learning
        return {
            "examples": len(of.examples),
            "batch_size": of.batch_size,
            "tokens": of.tokens,
            "key": of.key is not None,
            "shuffle": of.cut.shuffle,
            "seed": of.seed,
            "reduction": of.reduction,
            "shards": of.together and ("exact" if of.together.exact else of.together.shards),
        }
