"""Gradients before an update: clipped, or those of several batches together; and averages of parameters."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from dynet._dynet import LookupParameters, ParameterCollection, Parameters, Trainer, _a_kind
from dynet.arguments import told
from dynet.checks import positive, whole


def _gradients(call: str, model: Any) -> Iterator[tuple[Parameters | LookupParameters, Any]]:
    """Parameters and tables that have a gradient, and the gradient."""
    if not isinstance(model, ParameterCollection):
        raise TypeError(f"{call}: model is {_a_kind(model)}; a ParameterCollection is needed")
    every: list[Parameters | LookupParameters] = [*model.parameters_list(), *model.lookup_parameters_list()]
    for each in every:
        gradient = each.grad_as_array()
        if gradient.any():
            yield each, gradient


@told
def clip_norm(model: ParameterCollection, most: float) -> float:
    """Scales all gradients of a collection down by one factor, so that their norm together is at most
    `most`; gives the norm they had. Call it between backward() and update().
    trainer.set_clip_threshold(most) does so in each update, faster; its threshold is 5 unless it is set.

    >>> model = dy.ParameterCollection()
    >>> w = model.add_parameters(2, init=1)
    >>> dy.dot_product(w, dy.inputVector([3, 4])).backward()
    >>> print(dy.optim.clip_norm(model, 1), w.grad_as_array().round(4))
    5.0 [0.6 0.8]
    """
    most, norm = positive("clip_norm", "most", most), model.gradient_l2_norm()
    if norm > most:
        for each, _ in _gradients("clip_norm", model):
            each.scale_gradient(most / norm)
    return norm


@told
def clip_value(model: ParameterCollection, most: float) -> None:
    """Brings each number of each gradient of a collection within ±most. Call it between backward() and
    update().

    >>> model = dy.ParameterCollection()
    >>> w = model.add_parameters(2, init=1)
    >>> dy.dot_product(w, dy.inputVector([3, 0.5])).backward()
    >>> dy.optim.clip_value(model, 1); print(w.grad_as_array())
    [1.  0.5]
    """
    most = positive("clip_value", "most", most)
    for each, gradient in _gradients("clip_value", model):
        if (abs(gradient) > most).any():
            each.set_gradient(gradient.clip(-most, most))


@told
def clip_each(model: ParameterCollection, most: float) -> None:
    """Scales the gradient of each parameter, and of each table, down so that its own norm is at most
    `most`. Call it between backward() and update().

    >>> model = dy.ParameterCollection()
    >>> v, w = model.add_parameters(1, init=1), model.add_parameters(2, init=1)
    >>> (0.5 * v + dy.dot_product(w, dy.inputVector([3, 4]))).backward()
    >>> dy.optim.clip_each(model, 1); print(v.grad_as_array(), w.grad_as_array().round(4))
    [0.5] [0.6 0.8]
    """
    most = positive("clip_each", "most", most)
    for each, gradient in _gradients("clip_each", model):
        norm = math.sqrt(float((gradient.astype(float) ** 2).sum()))
        if norm > most:
            each.scale_gradient(most / norm)


class Accumulation:
    """Makes one update of several batches: their gradients come together, and each `batches`-th call of
    update() is one of the trainer, of their mean (or their sum with reduction="sum"). finish() makes one
    of what is left.

    >>> model = dy.ParameterCollection()
    >>> w, trainer = model.add_parameters(1, init=0), dy.SimpleSGDTrainer(model, learning_rate=1)
    >>> accumulation = dy.optim.Accumulation(trainer, batches=2, model=model)
    >>> for x in (1, 3):
    ...     (w * dy.scalarInput(x)).backward(); print(accumulation.update(), w.as_array())
    False [0.]
    True [-2.]
    """

    @told
    def __init__(
        self, trainer: Trainer, batches: int, model: ParameterCollection, reduction: str = "mean"
    ) -> None:
        if not isinstance(trainer, Trainer):
            raise TypeError(f"Accumulation: trainer is {trainer!r:.60}; a trainer is needed")
        if not isinstance(model, ParameterCollection):
            raise TypeError(f"Accumulation: model is {_a_kind(model)}; a ParameterCollection is needed")
        if reduction not in ("mean", "sum"):
            raise ValueError(f"Accumulation: reduction is {reduction!r:.60}; 'mean' or 'sum' is needed")
        self.trainer, self.batches = trainer, whole("Accumulation", "batches", batches, 1)
        self.model, self.reduction = model, reduction
        self.waiting = 0

    def update(self) -> bool:
        """Counts a batch, whose backward() was; says whether this was an update of the trainer.

        >>> model = dy.ParameterCollection()
        >>> dy.optim.Accumulation(dy.AdamTrainer(model), batches=2, model=model).update()
        False
        """
        self.waiting += 1
        if self.waiting < self.batches:
            return False
        self.finish()
        return True

    def finish(self) -> None:
        """An update of the batches since the last one, if there were any: at the end of an epoch.

        >>> model = dy.ParameterCollection()
        >>> dy.optim.Accumulation(dy.AdamTrainer(model), batches=2, model=model).finish()
        """
        if not self.waiting:
            return
        if self.reduction == "mean" and self.waiting > 1:
            for each, _ in _gradients("Accumulation", self.model):
                each.scale_gradient(1 / self.waiting)
        self.waiting = 0
        self.trainer.update()


@contextlib.contextmanager
def averaged(trainer: Trainer, bias_correction: bool = True) -> Iterator[None]:
    """A block in which parameters are the averages that the trainer keeps, after which they are the
    weights again: for scores, and for saving. The trainer was told before its first update to keep them,
    by trainer.exponential_moving_average(0.999) or trainer.cumulative_moving_average(). bias_correction
    makes up for an exponential average's beginning at zero.

    >>> model = dy.ParameterCollection()
    >>> w, trainer = model.add_parameters(1, init=1), dy.SimpleSGDTrainer(model, learning_rate=0.1)
    >>> trainer.exponential_moving_average(0.9)
    >>> w.backward(); trainer.update()
    >>> w.backward(); trainer.update()
    >>> with dy.optim.averaged(trainer): print(w.as_array().round(4))
    [0.8474]
    >>> print(w.as_array().round(4))
    [0.8]
    """
    is_exponential = trainer.moving_average() == "Exponential"
    trainer.swap_params_to_moving_average(True, bias_correction and is_exponential)
    try:
        yield
    finally:
        trainer.swap_params_to_weights()
