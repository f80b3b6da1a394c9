"""Processes of one machine that learn one model at once in shared memory, as DyNet 2's dynet::mp."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dynet import _dynet
from dynet._dynet import Trainer
from dynet.arguments import told
from dynet.checks import whole
from dynet.data.order import listed

__all__ = ["shared_parameters", "train"]


@contextlib.contextmanager
def shared_parameters() -> Iterator[None]:
    """Parameters and tables that are made in this block lie in memory that processes forked later share.

    What C++ says by initialize(argc, argv, true). Others are copied to each process as they are, and what a
    process changes in its copy the others do not see.

    >>> with dy.mp.shared_parameters():
    ...     model = dy.ParameterCollection()
    ...     weights = model.add_parameters((2, 3))
    """
    _dynet._share_new_parameters(True)
    try:
        yield
    finally:
        _dynet._share_new_parameters(False)


@told
def train(
    trainer: Trainer,
    examples: Sequence[Any],
    learn: Callable[[Any], float],
    processes: int | None = None,
    shuffle: bool = True,
) -> float:
    """Trains with each example once, in processes that share the model; gives the sum of what `learn` gives.

    learn(example) builds the loss of one example, or of one batch where `examples` are batches, calls its
    backward(), and gives the loss as a number; an update follows. The processes, as many as there are cores
    by default, take examples in turn, in a new order with `shuffle`.

    What is asynchronous: a gradient is computed with the values there are at the moment, while other
    processes update them (Hogwild; Recht et al. 2011); a graph may even see a matrix of which a half is
    new. Updates themselves take turns, so no gradient and no count is lost; all share the values, the
    learning rate and the trainer's memory, such as momentum, unless that was made by an update before. So
    no two runs give the same bits, which those of dy.distributed do. RuntimeError where no parameter was
    made within shared_parameters(), or where a process fails, with its text; OSError where the system
    cannot fork.

        with dy.mp.shared_parameters():
            network = Network()
        trainer = dy.SimpleSGDTrainer(network.parameters)
        for epoch in range(5):
            print(dy.mp.train(trainer, training, network.learn, processes=2))
    """
    given = listed("train", examples)
    count = whole("train", "processes", os.cpu_count() or 1 if processes is None else processes, 1)
    if not isinstance(trainer, Trainer):
        raise TypeError(
            f"train: trainer is {trainer!r:.60}; a trainer, as SimpleSGDTrainer(model), is needed"
        )
    if not callable(learn):
        raise TypeError(f"train: learn is {learn!r:.60}; a function is needed")
    order = list(range(len(given)))
    if shuffle:
        random.shuffle(order)
    return _Job(trainer, given, learn, order).run(count)


class _Job:
    """The processes of one call."""

    def __init__(
        self, trainer: Trainer, examples: Any, learn: Callable[[Any], float], order: list[int]
    ) -> None:
        self.examples, self.learn, self.order = examples, learn, order
        self.trainer = trainer

    def run(self, count: int) -> float:
        with shared_parameters():  # and the trainer's memory, where this is its first use
            workers = _dynet._Workers(count, self.trainer)
        forking = multiprocessing.get_context("fork")
        sys.stdout.flush()
        seeds = [random.getrandbits(31) for _ in range(count)]
        started = []
        for seed in seeds:
            here, there = forking.Pipe(duplex=False)
            process = forking.Process(target=self._work, args=(workers, seed, there), daemon=True)
            process.start()
            there.close()
            started.append((process, here))
        results = [self._result(*each) for each in started]
        workers.end()
        failures = [text for _, text in results if text]
        if failures:
            raise RuntimeError(f"train: a process failed: {failures[0]}")
        return sum(loss for loss, _ in results)

    @staticmethod
    def _result(process: Any, pipe: Any) -> tuple[float, str]:
        try:
            result: tuple[float, str] = pipe.recv()
        except EOFError:
            process.join()
            return 0.0, f"it was ended by {process.exitcode} before it was done"
        process.join()
        return result

    def _work(self, workers: Any, seed: int, pipe: Any) -> None:
        """In a process of its own."""
        total = 0.0
        try:
            random.seed(seed)
            _dynet.reset_random_seed(seed)
            _dynet.set_num_threads(1)
            workers.begin()
            while (at := workers.take()) < len(self.order):
                workers.see_values()
                total += float(self.learn(self.examples[self.order[at]]))
                workers.update()
            pipe.send((total, ""))
        except Exception:
            pipe.send((total, traceback.format_exc()))
