"""dy.fit and dy.find_learning_rate: what they take. dynet.training does it, loaded when they are called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from dynet._dynet import Expression, ParameterCollection, Trainer
from dynet.arguments import told

if TYPE_CHECKING:
    from dynet.distributed import Trainer as DistributedTrainer
    from dynet.nn import Module
    from dynet.training.history import History
    from dynet.training.rates import LearningRates


@told
def fit(
    model: ParameterCollection | Module,
    trainer: Trainer | DistributedTrainer,
    examples: Iterable[Any],
    loss: Callable[[Any], Expression],
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    tokens: int | None = None,
    key: Callable[[Any], Any] | None = None,
    shuffle: bool = True,
    seed: int = 0,
    reduction: str = "mean",
    batched: bool = False,
    held_out: Iterable[Any] | None = None,
    score: Callable[[Any], float] | None = None,
    mode: str | None = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    restore_best: bool = True,
    schedule: Callable[[float], float] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    callbacks: Iterable[Any] = (),
    progress: bool | None = None,
) -> History:
    """Trains a model with the examples, in batches and in a new order each epoch; gives the history.

    `model` is the collection that the trainer learns, or a dy.nn.Module, whose dropout is then off while
    held-out examples are scored. loss(example) makes the loss of one example, a scalar; those of a batch, of
    `batch_size` (16) or of at most `tokens`, are evaluated together, and their `reduction`, "mean" or "sum",
    is what one update minimises. `batched`: loss takes a list of examples, and reduces itself. `key` (len)
    sorts batches by length, and `seed` decides the order.

    `held_out` examples are scored after each epoch: by score(held_out), of which more is better, or else by
    their mean loss; `mode` "max" or "min" says it otherwise. Training ends when `patience` epochs have not
    been better by more than `min_delta`. `restore_best`: the model ends as it was in the best epoch.
    schedule(1.5) is the learning rate in the middle of the second epoch. Gradients are clipped as the trainer
    says.

    `checkpoint` is a file, written after each epoch and every `checkpoint_every` batches; with `resume`
    training goes on from it, to the same bits as without the interruption. `callbacks` are told what happens
    (see dy.training.Callback). `progress` shows a bar: None where tqdm and a terminal or notebook are there.
    Ctrl-C ends training; the model is as after the last update. FloatingPointError, which names the example,
    where a loss is NaN or infinite.

    With a dy.distributed.Trainer all processes call this alike. Each computes a part of each batch, and all
    get the same model and history, but for the times; process 0 writes and reads the checkpoint, `score` is
    called in all, and Ctrl-C ends the job.

        dy.fit(model, dy.AdamTrainer(model), training, tagger.loss, held_out=held_out, patience=2)
    """
    arguments = dict(locals())
    from dynet.training.loop import Run
    from dynet.training.options import Options

    return Run(Options(**arguments)).run()


@told
def find_learning_rate(
    model: ParameterCollection | Module,
    trainer: Trainer,
    examples: Iterable[Any],
    loss: Callable[[Any], Expression],
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 16,
    seed: int = 0,
    reduction: str = "mean",
    batched: bool = False,
) -> LearningRates:
    """Trains for a few steps with a learning rate that grows from `lowest` to `highest`; the loss of each.

    Batches are random ones: of like length, their losses would tell more of lengths than of rates. The search
    ends early where the loss explodes. `suggestion` of what it returns is the rate at which the loss falls
    fastest, and plot() draws the curve. Examples and their loss are as in dy.fit. Model, trainer and random
    numbers are as before in the end, bit for bit; gradients are zero.

        rates = dy.find_learning_rate(model, trainer, training, tagger.loss)
        trainer.learning_rate = rates.suggestion
    """
    arguments = dict(locals())
    from dynet.training.rates import sweep

    return sweep(**arguments)
