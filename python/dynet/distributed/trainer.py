"""The trainer of a distributed training: gradients of shards, summed over processes."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import os
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

import dynet as dy
from dynet import _dynet, shards
from dynet.arguments import told
from dynet.checks import whole
from dynet.data.order import listed, measured
from dynet.distributed import checks, guard
from dynet.distributed.parts import cut
from dynet.distributed.transport import mpi, transport_for
from dynet.training import checkpoints


class Trainer:
    """Trains over the processes of MPI, to the same bits for any number of them.

    Each minibatch is cut into `shards`, whose gradients g_1, …, g_S are computed by one process or another,
    each in a graph of its own, and added in a fixed tree, ((g_1 + g_2) + (g_3 + g_4)) + …; so the sum does
    not depend on who computed what. Random numbers, dropout among them, follow from seed, update and shard;
    so do those that Python's `random` and NumPy's old generator give while a loss is built. The number of
    processes must divide `shards`. With `exact` every example is a shard and gradients are added as whole
    numbers (64 bits from the largest number of each parameter on): then any number of processes gives the
    same bits, also 3 or 5, at the cost of a graph for each example.

    `trainer` is any trainer; its settings stay its own, and all that it can do this one can. `comm` is a
    communicator of mpi4py, by default MPI.COMM_WORLD. At the start all processes get the model, the trainer's
    state and the random numbers of process 0; then every process runs the same program. `key`, as len,
    balances shards by length. Every `check_every` updates (0: never) the values of all processes are
    compared; PeerError names the first parameter that differs. An exception that nobody catches ends the
    whole job with one message. ImportError where MPI or mpi4py is missing; ValueError where the processes do
    not divide the shards.

        trainer = dy.distributed.Trainer(dy.AdamTrainer(model))
        for batch in batches:
            loss = trainer.step(batch, network.loss)

    Zinkevich et al. (2010) sum over processes; Dean et al. (2012) and DyNet 2 do not wait for others.
    """

    @told
    def __init__(
        self,
        trainer: dy.Trainer,
        comm: Any = None,
        *,
        shards: int = 8,
        exact: bool = False,
        key: Callable[[Any], Any] | None = None,
        check_every: int = 100,
    ) -> None:
        if not isinstance(trainer, dy.Trainer):
            raise TypeError(
                f"Trainer: trainer is {trainer!r:.60}; a trainer, as AdamTrainer(model), is needed"
            )
        self.trainer, self.model = trainer, _dynet._model_of(trainer)
        self.shards, self.exact = whole("Trainer", "shards", shards, 1), bool(exact)
        self.key, self.check_every = key, whole("Trainer", "check_every", check_every, 0)
        self._transport = transport_for(comm)
        #: The number of this process and how many there are.
        self.rank, self.ranks = self._transport.rank, self._transport.count
        if not exact and self.shards % self.ranks:
            raise ValueError(
                f"Trainer: shards is {shards} and there are {self.ranks} processes; a multiple of "
                f"{self.ranks} is needed, or exact=True, with which any number will do"
            )
        guard.install(mpi())
        self._sums = _dynet._Shards(self.model, self.exact)
        self._numpy = _OldGenerator()
        self._pass = 0  # backward passes since the last update
        self._checked = 0  # updates since values were compared
        settings = {"number of shards": self.shards, "choice of exact sums": self.exact}
        checks.compare(self._transport, checks.facts(self.model, trainer, settings))
        checks.start_alike(self._transport, self.model, trainer)

    def __repr__(self) -> str:
        what = "exact" if self.exact else f"{self.shards} shards"
        return f"distributed.Trainer({self.trainer!r}, process {self.rank} of {self.ranks}, {what})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "trainer":
            raise AttributeError(f"distributed.Trainer has no attribute {name!r}", name=name)
        return getattr(self.trainer, name)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the trainer that this one drives; set it in all processes alike."""
        return self.trainer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.trainer.learning_rate = rate

    # -- training

    def step(
        self, batch: Sequence[Any], loss_of: Callable[[list[Any]], dy.Expression], reduction: str = "sum"
    ) -> float:
        """One update with a minibatch, the same list in all processes: backward() and update().

        loss_of gets a list of examples, a part of the batch, and makes the sum of their losses, a scalar, in
        the current graph, which is new. The loss of the whole batch is returned: with `reduction` "sum" the
        sum Σ l_i that an update minimises, with "mean" Σ l_i / n.

            loss = trainer.step(batch, tagger.loss)
        """
        loss = self.backward(batch, loss_of, reduction)
        self.update()
        return loss

    def backward(
        self, batch: Sequence[Any], loss_of: Callable[[list[Any]], dy.Expression], reduction: str = "sum"
    ) -> float:
        """Adds the gradient of a minibatch to that of the model, in all processes the same; gives the loss.

        Several calls before an update() accumulate. In between grad_as_array() and the like show the
        gradient of all processes.

            trainer.backward(first_half, tagger.loss)
            trainer.backward(second_half, tagger.loss)
            trainer.update()
        """
        if reduction not in ("sum", "mean"):
            raise ValueError(f"backward: reduction is {reduction!r}; 'sum' or 'mean' is needed")
        examples = listed("backward", batch)
        scale = 1.0 if reduction == "sum" else 1 / max(len(examples), 1)
        return self._summed(examples, lambda part: loss_of([examples[each] for each in part]), scale)

    def _summed(self, examples: Sequence[Any], loss_at: Callable[[list[int]], Any], scale: float) -> float:
        """backward() with a loss of the examples at some positions."""
        seen = fingerprint(examples, self._transport.calls) << 32 if self.ranks > 1 else 0
        self._transport.meet("backward", len(examples) + seen)
        self._sums.begin()
        try:
            losses = self._shards_of(examples, loss_at, scale)
        except Exception as error:
            self.model.reset_gradient()
            if self.ranks > 1:
                self._transport.fail(error)
            raise
        self._pass += 1
        self._transport.attached = np.array(losses, np.float64).tobytes()
        self._sums.combine(self.rank, self.ranks, self._transport)
        self._sums.put()
        if self.ranks > 1:
            losses = np.frombuffer(b"".join(self._transport.attachments), np.float64).tolist()
        return math.fsum(losses)

    def _shards_of(
        self, examples: Sequence[Any], loss_at: Callable[[list[int]], Any], scale: float
    ) -> list[float]:
        """The losses of the shards of this process, whose gradients are taken."""
        parts = self._parts(examples)
        mine = range(len(parts) * self.rank // self.ranks, len(parts) * (self.rank + 1) // self.ranks)
        losses = []
        with self._apart() as enter:
            for number in mine:
                if part := parts[number]:
                    enter(number)
                    losses.append(_backward(loss_at(part), scale))
                self._sums.take(number)
        return losses

    @contextlib.contextmanager
    def _apart(self) -> Iterator[Callable[[int], None]]:
        """Gives what enters one shard after another; at the end all is as before."""
        seed, update = _dynet._random_position()[0], self.trainer._updates()
        before = random.getstate()
        numpys = self._numpy.lend()
        shards.computed = True
        try:
            yield functools.partial(self._enter, seed, update)
        finally:
            shards.computed = False
            self._sums.leave()
            random.setstate(before)
            self._numpy.take_back(numpys)

    def _scored(self, count: int, loss_of: Callable[[int], float]) -> float:
        """The sum of the losses of `count` batches that are not trained with, which processes divide."""
        try:
            losses = []
            with self._apart() as enter:
                for number in range(self.rank, count, self.ranks):
                    enter(number)
                    losses.append(loss_of(number))
        except Exception as error:
            if self.ranks > 1:
                self._transport.fail(error)
            raise
        return self.total(losses)

    def _parts(self, examples: Sequence[Any]) -> list[list[int]]:
        if self.exact:
            return [[position] for position in range(len(examples))]
        lengths = None if self.key is None else measured("backward", examples, self.key)
        return cut("backward", len(examples), self.shards, lengths)

    def _enter(self, seed: int, update: int, shard: int) -> None:
        """Random numbers are those of the shard, whichever process computes it; the graph is new."""
        own = _dynet._shard_seed(seed, update, self._pass, shard)
        random.seed(own)
        np.random.seed(own)
        self._sums.enter(seed, update, self._pass, shard)
        dy.renew_cg()

    def update(self) -> None:
        """One step of the trainer with the gradient of all processes, which clipping sees as well."""
        self.trainer.update()
        self._pass = 0
        self._checked += 1
        if self.check_every and self.ranks > 1 and self._checked % self.check_every == 0:
            self.check()

    def check(self) -> None:
        """Compares the values of all parameters; PeerError names the first one that differs, and where."""
        checks.compare_values(self._transport, self.model)

    # -- what processes know together

    def total(self, numbers: Iterable[float]) -> float:
        """The sum of numbers of all processes, rounded once (Shewchuk 1997): the same for any division.

        For metrics: right = trainer.total(score(each) for each in trainer.mine(held_out)). In all processes.
        """
        own = np.array([float(each) for each in numbers], np.float64)
        self._transport.meet("total")
        return math.fsum(np.frombuffer(b"".join(self._transport.gather(own.tobytes())), np.float64).tolist())

    def mine(self, examples: Sequence[Any], key: Callable[[Any], Any] | None = None) -> list[Any]:
        """This process's part of examples, for tests and predictions: dy.distributed.shard for its rank."""
        from dynet.distributed.parts import shard

        return shard(examples, self.rank, self.ranks, key)

    # -- files

    def save(self, path: str | os.PathLike[str], state: dict[str, Any] | None = None) -> None:
        """Writes model, trainer and random numbers to a file, and what the program adds, as JSON has it.

        Process 0 writes, in one step: whenever the job ends, the old file or the new one is there. All wait
        for it, and get its exception. load() goes on from there with any number of processes.

            trainer.save("tagger.checkpoint", {"epoch": epoch})
        """
        training = {"state": state or {}, "pass": self._pass}
        self._write(os.fsdecode(path), training, None)

    def _write(self, path: str, training: dict[str, Any], best: checkpoints.Weights | None) -> None:
        def write() -> bytes:
            checkpoints.write(path, self.model, self.trainer, training, best)
            return b""

        self._transport.meet("checkpoint")
        self._transport.broadcast(write)

    def load(self, path: str | os.PathLike[str]) -> dict[str, Any] | None:
        """Goes on from what save() wrote, to the same bits as without the interruption; gives what was added.

        Process 0 reads, and tells the others. None where there is no such file; ValueError for a file that is
        none of a checkpoint, or of another model; then nothing has changed.

            state = trainer.load("tagger.checkpoint") or {"epoch": 0}
        """
        checkpoint = self._read("load", os.fsdecode(path))
        if checkpoint is None:
            return None
        if "pass" not in checkpoint.training:
            raise ValueError(
                f"load: {os.fsdecode(path)} is a checkpoint of dy.fit, which goes on with resume=True"
            )
        checkpoint.restore(self.model, self.trainer)
        self._pass = int(checkpoint.training["pass"])
        return dict(checkpoint.training["state"])

    def _read(self, call: str, path: str) -> checkpoints.Checkpoint | None:
        """What process 0 finds in a file; None for all where there is none."""

        def read() -> bytes:
            if not os.path.exists(path):
                return b""
            with open(path, "rb") as file:
                content = file.read()
            checkpoints.Checkpoint(call, path, io.BytesIO(content))
            return content

        self._transport.meet("checkpoint", 1)
        content = self._transport.broadcast(read)
        return checkpoints.Checkpoint(call, path, io.BytesIO(content)) if content else None


def fingerprint(examples: Sequence[Any], turn: int) -> int:
    """31 bits of the first and last items of four examples, others in each turn: other batches mostly differ.

    All of them would take a tenth of the time of a small update.
    """
    bits, count = 0, len(examples)
    some = min(count, 4)
    for number in range(some):
        bits = zlib.crc32(_told(examples[(turn + number * count // some) % count], 2), bits)
    return bits >> 1


def _told(value: Any, depth: int) -> bytes:
    """The same in all processes for equal values, and quick."""
    if isinstance(value, int | float | str | bytes | type(None)):
        return repr(value).encode()
    if isinstance(value, np.ndarray):
        return f"{value.shape}{value.reshape(-1)[:4]}{value.reshape(-1)[-4:]}".encode()
    if isinstance(value, list | tuple) and depth > 0:
        some = value if len(value) <= 8 else [*value[:4], *value[-4:]]
        return b"%d(%s)" % (len(value), b",".join(_told(each, depth - 1) for each in some))
    return type(value).__name__.encode()


def _backward(loss: Any, scale: float) -> float:
    """Brings the gradient of a loss into the model; gives the loss."""
    if not isinstance(loss, dy.Expression):
        raise TypeError(f"backward: loss_of gave {loss!r:.60}; it must return an expression")
    shape, count = loss.dim()
    if math.prod(shape) != 1:
        raise ValueError(f"backward: the loss has shape {shape}; a single number is needed")
    if count > 1:
        loss = dy.sum_batches(loss)
    if scale != 1:
        loss = loss * scale
    value = float(loss.scalar_value())
    loss.backward()
    return value


class _OldGenerator:
    """NumPy's generator of np.random.rand() and the like, another one for the length of a call.

    To read and write the state of the one that there is takes longer than a small batch.
    """

    def __init__(self) -> None:
        self._swap = getattr(np.random, "set_bit_generator", None)  # since NumPy 1.24
        self._own = np.random.MT19937(0)

    def lend(self) -> Any:
        if self._swap is None:
            return np.random.get_state(legacy=False)
        before = np.random.get_bit_generator()  # type: ignore[attr-defined]
        self._swap(self._own)
        return before

    def take_back(self, before: Any) -> None:
        if self._swap is None:
            np.random.set_state(before)
        else:
            self._swap(before)
