"""The loop of dy.fit: epochs, batches, scores, checkpoints."""

from __future__ import annotations

import contextlib
import math
import os
import time
from typing import Any

from dynet.training import checkpoints
from dynet.training.callbacks import progress_bars
from dynet.training.history import History, plain
from dynet.training.interrupts import Interrupts
from dynet.training.losses import BatchLoss, SharedLoss, mean_loss
from dynet.training.options import Options


class Run:
    """Training as it goes: what callbacks of dy.fit get, to see how far it is, and to end it.

    class Stop(dy.training.Callback):
        def on_batch_end(self, run):
            if run.loss < 0.01:
                run.stop()
    """

    def __init__(self, options: Options) -> None:
        self.options, self.learning = options, options.learning
        self._together = self.learning.together  # the trainer of several processes
        self.model, self.trainer = self.learning.model, self.learning.trainer
        self._whole = checkpoints.whole_of(self.model, self.trainer)
        self.epochs, self.count = options.epochs, len(self.learning.examples)
        self.history = History()
        #: The number of the epoch, from 1 on; the batches of it that are done, and how many it has.
        self.epoch, self.batch, self.batches = 1, 0, 0
        #: How many updates there were; how many examples of the epoch are done; the loss of the last batch.
        self.step, self.seen, self.loss = 0, 0, math.nan
        self._sum, self._seconds = 0.0, 0.0  # of the losses and of the batches of this epoch
        self._bad = 0  # epochs since the best one
        self._best: checkpoints.Weights | None = None
        self._stopping = False
        self._is_between = False  # whether everything is as after a batch, and as before the next
        self._interrupts = Interrupts()
        self._callbacks = [*progress_bars(options.progress), *options.callbacks]

    @property
    def mean_loss(self) -> float:
        """The mean loss of the examples of this epoch so far."""
        return self._sum / self.seen if self.seen else math.nan

    def stop(self) -> None:
        """Ends training after this batch, or after this epoch where it is at its end."""
        self._stopping = True

    def run(self) -> History:
        """Trains until the epochs are done, patience or a callback ends it, or Ctrl-C; gives the history."""
        checkpoint = self._read()
        history = self.history
        if checkpoint is not None:
            self._restore(checkpoint)
        history.stopped = None
        self._interrupts.install()
        try:
            try:
                self._tell("on_train_begin")
                self._train()
            except KeyboardInterrupt:
                self._whole.reset_gradient()
                if self._together is not None:  # Others may not have heard of it: the job ends.
                    raise
                history.stopped = "interrupted"
                if self._is_between:
                    self._write()
        finally:
            self._interrupts.remove()
            self._tell("on_train_end")
        if history.stopped != "interrupted" and self._best is not None and self.options.restore_best:
            self._whole.load_state_dict(self._best)
        return history

    def _train(self) -> None:
        patience = self.options.patience
        while True:
            if patience is not None and self._bad >= patience:
                self.history.stopped = "patience"
            elif self._stopping:
                self.history.stopped = "callback"
            elif self.epoch > self.epochs:
                self.history.stopped = "epochs"
            if self.history.stopped:
                return
            self._one_epoch()

    def _one_epoch(self) -> None:
        parts = self.learning.cut.batches(f"{self.learning.seed} {self.epoch}")
        self.batches = len(parts)
        self._tell("on_epoch_begin")
        while self.batch < self.batches:
            self._one_batch(parts[self.batch])
            if self._stopping and self.batch < self.batches:
                self._write()
                return
            every = self.options.checkpoint_every
            if every and self.step % every == 0 and self.batch < self.batches:
                self._write()
        self._is_between = False
        self._end_epoch()
        self.epoch, self.batch, self.seen, self._sum, self._seconds = self.epoch + 1, 0, 0, 0.0, 0.0
        self._write()

    def _one_batch(self, positions: list[int]) -> None:
        self._is_between = False
        with self._interrupts:
            begin = time.monotonic()
            if self.options.schedule:
                done = self.epoch - 1 + self.batch / self.batches
                self.trainer.learning_rate = self.options.schedule(done)
            self._tell("on_batch_begin")
            several = self._together
            loss = (BatchLoss if several is None else SharedLoss)(self.learning, positions)
            value = loss.value()
            if not math.isfinite(value):
                self._whole.reset_gradient()
                raise loss.explain(value, f"epoch {self.epoch}, batch {self.batch + 1}")
            if several is None:
                loss.total.backward()
            try:
                (several or self.trainer).update()
            except RuntimeError:  # It names the parameters whose gradients are not finite.
                self._whole.reset_gradient()
                raise
            self.loss = loss.per_example(value)
            self._sum += self.loss * len(positions)
            self.seen += len(positions)
            self.batch, self.step = self.batch + 1, self.step + 1
            self._seconds += time.monotonic() - begin
            self._tell("on_batch_end")
            self._is_between = True

    def _end_epoch(self) -> None:
        record: dict[str, Any] = {"epoch": self.epoch, "loss": self.mean_loss}
        if self.options.held_out is not None:
            record["score"] = self._score()
        record["learning_rate"] = self.trainer.learning_rate
        record["seconds"] = self._seconds
        record["examples_per_second"] = self.seen / max(self._seconds, 1e-9)
        self.history.epochs.append(record)
        if "score" in record:
            self._compare(record["score"])
        self._tell("on_epoch_end")

    def _score(self) -> float:
        options, module = self.options, self.learning.module
        assert options.held_out is not None
        with module.evaluating() if module is not None else contextlib.nullcontext():
            if options.score is None:
                return mean_loss(self.learning, options.held_out)
            given = options.score(options.held_out)
        try:
            return float(given)
        except TypeError:
            raise TypeError(f"fit: score gave {given!r:.60}; a number is needed") from None

    def _compare(self, score: float) -> None:
        """Keeps the best model; a score that is no number is never better."""
        history, least = self.history, self.options.min_delta
        sign = 1 if self.options.mode == "max" else -1
        if history.best_score is None:
            is_better = not math.isnan(score)
        else:
            is_better = sign * (score - history.best_score) > least
        self._bad = 0 if is_better else self._bad + 1
        if is_better:
            history.best_score, history.best_epoch = score, self.epoch
            if self.options.restore_best:
                self._best = self._whole.state_dict()

    def _tell(self, moment: str) -> None:
        for callback in self._callbacks:
            if method := getattr(callback, moment, None):
                method(self)

    # -- checkpoints

    _KEPT = ("epoch", "batch", "step", "seen", "loss", "_sum", "_seconds", "_bad")

    def _write(self) -> None:
        path = self.options.checkpoint
        if path is None:
            return
        states = [
            plain(
                f"fit: the state_dict of {type(each).__name__}", getattr(each, "state_dict", lambda: None)()
            )
            for each in self.options.callbacks
        ]
        training = {
            "asked": self.options.fingerprint(),
            "position": {name: getattr(self, name) for name in self._KEPT},
            "epochs": plain("fit: the history's records, to which callbacks may add,", self.history.epochs),
            "best": [self.history.best_epoch, self.history.best_score],
            "callbacks": states,
        }
        with self._interrupts:
            if self._together is None:
                checkpoints.write(path, self.model, self.trainer, training, self._best)
            else:
                self._together._write(path, training, self._best)

    def _read(self) -> checkpoints.Checkpoint | None:
        path = self.options.checkpoint
        if path is None or not self.options.resume:
            return None
        read: checkpoints.Checkpoint | None = None
        if self._together is not None:
            read = self._together._read("fit", path)
        elif os.path.exists(path):
            read = checkpoints.Checkpoint("fit", path)
        if read is None:
            return None
        read.check(self.options.fingerprint())
        states, callbacks = read.training["callbacks"], self.options.callbacks
        if len(states) != len(callbacks) and any(state is not None for state in states):
            raise ValueError(
                f"fit: {path} was written with {len(states)} callbacks, some of which keep a state, and "
                f"{len(callbacks)} were given; give the same ones, or begin anew with resume=False"
            )
        return read

    def _restore(self, checkpoint: checkpoints.Checkpoint) -> None:
        checkpoint.restore(self.model, self.trainer)
        training = checkpoint.training
        for name in self._KEPT:
            setattr(self, name, training["position"][name])
        self.history.epochs = training["epochs"]
        self.history.best_epoch, self.history.best_score = training["best"]
        self._best = checkpoint.best
        for callback, state in zip(self.options.callbacks, training["callbacks"], strict=False):
            if state is not None:
                callback.load_state_dict(state)
