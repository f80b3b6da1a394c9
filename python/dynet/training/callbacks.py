"""What is told what happens in training: callbacks of programs, the progress bar, logs."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from dynet.training.history import plain

if TYPE_CHECKING:
    from dynet.training.loop import Run


class Callback:
    """What dy.fit tells of training: derive from it, and write the methods that you want.

    Each gets the run: run.epoch (from 1 on), run.batch of run.batches (how many of the epoch are done),
    run.step (how many updates there were), run.loss (of the last batch, a mean over its examples), run.model,
    run.trainer, run.history. run.stop() ends training after this batch.

        class Freeze(dy.training.Callback):
            def on_epoch_begin(self, run):
                table.set_updated(run.epoch > 1)

    What a callback must remember when training goes on from a checkpoint: state_dict() gives it, as JSON has
    it, and load_state_dict(state) takes it back.
    """

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch, or where training goes on."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, also where training was interrupted; the best model is restored after it."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self, run: Run) -> None:
        """After the scores; run.history.epochs[-1] is the epoch's record."""

    def on_batch_begin(self, run: Run) -> None:
        """Before the loss of a batch is built."""

    def on_batch_end(self, run: Run) -> None:
        """After the update."""

    def state_dict(self) -> Any:
        """What load_state_dict needs."""
        return None

    def load_state_dict(self, state: Any) -> None:
        """Takes what state_dict gave when the checkpoint was written."""


class ProgressBar(Callback):
    """A bar of tqdm for each epoch, with the mean loss so far, and at its end the held-out score.

    dy.fit makes one by itself where tqdm is there (progress=None). It is shown on a terminal or in a
    notebook, and elsewhere only with `always`. ImportError where tqdm is missing.

        bar = dy.training.ProgressBar(always=True)
        dy.fit(model, trainer, examples, loss, progress=False, callbacks=[bar])
    """

    def __init__(self, always: bool = False) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            what = "fit: progress needs tqdm, which is not installed; python -m pip install dynet[progress]"
            raise ImportError(what) from error
        self.tqdm, self.always = tqdm, always
        self.bar: Any = None

    def on_epoch_begin(self, run: Run) -> None:
        self.bar = self.tqdm(
            desc=f"epoch {run.epoch}/{run.epochs}",
            total=run.count,
            initial=run.seen,
            unit="example",
            unit_scale=True,
            # A program without a console has no stderr.
            disable=sys.stderr is None or (False if self.always else None),
            file=sys.stderr,
        )

    def on_batch_end(self, run: Run) -> None:
        self.bar.set_postfix_str(f"loss {run.mean_loss:.4f}", refresh=False)
        self.bar.update(run.seen - self.bar.n)

    def on_epoch_end(self, run: Run) -> None:
        record = run.history.epochs[-1]
        text = f"loss {record['loss']:.4f}"
        self.bar.set_postfix_str(text + (f", held out {record['score']:.4f}" if "score" in record else ""))
        self.bar.close()

    def on_train_end(self, run: Run) -> None:
        if self.bar is not None:
            self.bar.close()


def progress_bars(wanted: bool | None) -> list[Callback]:
    """A bar where one is wanted, or where tqdm is there."""
    if wanted is None and sys.stderr is None:
        return []  # a program without a console
    if wanted is None:
        try:
            return [ProgressBar()]
        except ImportError:
            return []
    return [ProgressBar(always=True)] if wanted else []


class JSONLog(Callback):
    """Writes a line of JSON for each epoch, and for every `batches` batches, to a file.

        dy.fit(model, trainer, examples, loss, callbacks=[dy.training.JSONLog("log.jsonl")])

    Where training goes on from a checkpoint, lines after it are taken away, and written again.
    """

    def __init__(self, path: str | os.PathLike[str], batches: int | None = 1) -> None:
        self.path, self.batches = os.fsdecode(path), batches
        self.file: Any = None

    def on_train_begin(self, run: Run) -> None:
        kept = []
        if run.step and os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                kept = [line for line in file if _is_before(line, run.step, run.epoch)]
        self.file = open(self.path, "w", encoding="utf-8")  # noqa: SIM115  Closed when training ends.
        self.file.writelines(kept)

    def on_batch_end(self, run: Run) -> None:
        if self.batches and run.step % self.batches == 0:
            rate = run.trainer.learning_rate
            self._write({"step": run.step, "epoch": run.epoch, "loss": run.loss, "learning_rate": rate})

    def on_epoch_end(self, run: Run) -> None:
        self._write({"step": run.step, **run.history.epochs[-1], "time": time.time(), "end": True})

    def on_train_end(self, run: Run) -> None:
        if self.file is not None:
            self.file.close()

    def _write(self, record: dict[str, Any]) -> None:
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain("JSONLog: the record of an epoch", record).items()
        }
        self.file.write(json.dumps(finite) + "\n")
        self.file.flush()


def _is_before(line: str, step: int, epoch: int) -> bool:
    """Whether a line of the log tells of what a checkpoint has."""
    try:
        record = json.loads(line)
        return bool(record["step"] <= step and (record["epoch"] < epoch or not record.get("end")))
    except (ValueError, KeyError, TypeError):
        return False  # cut off


class TensorBoard(Callback):
    """Writes losses, learning rates and scores for TensorBoard, through tensorboardX.

        dy.fit(model, trainer, examples, loss, callbacks=[dy.training.TensorBoard("runs/tagger")])

    To see them: tensorboard --logdir runs.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            what = "TensorBoard: tensorboardX writes its files; python -m pip install dynet[tensorboard]"
            raise ImportError(what) from error
        self.make, self.folder = SummaryWriter, os.fsdecode(folder)
        self.writer: Any = None

    def on_train_begin(self, run: Run) -> None:
        self.writer = self.make(self.folder, purge_step=run.step + 1 if run.step else None)

    def on_batch_end(self, run: Run) -> None:
        self.writer.add_scalar("loss/batch", run.loss, run.step)
        self.writer.add_scalar("learning_rate", run.trainer.learning_rate, run.step)

    def on_epoch_end(self, run: Run) -> None:
        record = run.history.epochs[-1]
        for name in ("loss", "score", "examples_per_second"):
            if name in record:
                self.writer.add_scalar(f"epoch/{name}", record[name], record["epoch"])
        self.writer.flush()

    def on_train_end(self, run: Run) -> None:
        if self.writer is not None:
            self.writer.close()
