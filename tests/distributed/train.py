"""The program that the tests start in several processes: a small network, trained as the arguments say.

It prints one line of JSON: digests of model and trainer, and the losses, from process 0.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import time

import numpy as np

import dynet as dy

RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")


class Network:
    """Words of sentences, some of them drawn, through an LSTM with dropout; a table is used whole, too."""

    def __init__(self, builds, shape=(40, 12, 16)):
        rows, width, hidden = shape
        self.model = dy.ParameterCollection()
        self.words = self.model.add_lookup_parameters((rows, width))
        self.labels = self.model.add_lookup_parameters((5, hidden))
        self.lstm = dy.VanillaLSTMBuilder(1, width, hidden, self.model)
        self.weights = self.model.add_parameters((5, hidden))
        self.rare = self.model.add_parameters((5, hidden), name="rare")
        self.bias = self.model.add_parameters(5, init=0)
        self.sparse, self.whole = "sparse" in builds, "whole" in builds
        # More numbers than are copied to travel with those of other parameters.
        self.large = self.model.add_parameters((5000, hidden)) if "large" in builds else None
        self.outer = self.model.add_parameters((5, 5000)) if "large" in builds else None
        self.lstm.set_dropout(0.3)

    def loss(self, part):
        losses = [self.loss_of(*example) for example in part]
        return dy.esum(losses)

    def loss_of(self, rows, label):
        drawn = [random.randrange(40) if random.random() < 0.1 else row for row in rows]
        vectors = [self.words[row] for row in drawn]
        state = dy.dropout(self.lstm.initial_state().transduce(vectors)[-1], 0.2)
        scores = self.weights * state + self.bias + np.random.rand() * 0.01
        if self.large is not None and len(rows) > 2:
            scores += self.outer * dy.tanh(self.large * state)
        if len(rows) > 8:
            scores += self.rare * dy.noise(state, 0.1)
        if self.whole and len(rows) == 3:
            scores += dy.transpose(dy.parameter(self.labels)) * state
        return dy.pickneglogsoftmax(scores, label)


def examples(count):
    draw = random.Random(5)
    return [
        ([draw.randrange(40) for _ in range(draw.randint(1, 11))], draw.randrange(5)) for _ in range(count)
    ]


def batches(data, size):
    """Their sizes differ, and the last ones have fewer examples than there are shards."""
    made, start = [], 0
    for number in range(100):
        count = size if number % 3 else max(size // 3, 1)
        if start + count > len(data):
            break
        made.append(data[start : start + count])
        start += count
    return [*made, data[:3], data[:1]]


def trainer_for(name, model):
    if name == "EG":
        for each in [*model.parameters_list(), *model.lookup_parameters_list()]:
            each.set_value(np.abs(each.as_array()) + 0.01)
        return dy.EGTrainer(model)
    return getattr(dy, f"{name}Trainer")(model)


def digest(path_or_model, trainer=None):
    sums = hashlib.sha256()
    for each in [*path_or_model.parameters_list(), *path_or_model.lookup_parameters_list()]:
        sums.update(np.ascontiguousarray(each.as_array()).tobytes())
    return sums.hexdigest()[:16]


def trainer_digest(trainer):
    from dynet.training.checkpoints import trainer_state

    return hashlib.sha256(trainer_state(trainer)).hexdigest()[:16]


def go_wrong(how, trainer, number):
    """Process 1 does what it should not."""
    if trainer.rank != 1 or number != 3:
        return
    if how == "raise":
        raise ValueError("this process has had enough")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    if how == "leave":
        sys.exit(0)
    if how == "exit":
        os._exit(3)
    if how == "slow":
        time.sleep(1)
    if how == "change":
        trainer.model.parameters_list()[3].set_value(np.zeros((5, 16)))
    if how == "sleep":
        time.sleep(120)


def arguments(given):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainer", default="Adam")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--builds", default="sparse,whole")
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--clip", type=float, default=0.5)
    parser.add_argument("--decay", type=float, default=0)
    parser.add_argument("--dense", action="store_true", help="updates of whole tables")
    parser.add_argument("--balance", action="store_true")
    parser.add_argument("--average", action="store_true")
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--checkpoint")
    parser.add_argument("--wrong", default="")
    parser.add_argument("--sum", default="", help="how gradients are summed instead: mpi, ring")
    parser.add_argument("--check-every", type=int, default=4)
    return parser.parse_args(given)


def break_the_law(how, trainer):
    """Sums that depend on the number of processes: what the tests must see."""
    transport, sums = trainer._transport, trainer._sums

    class Broken:
        """Stands for the sums of gradients."""

        def __getattr__(self, name):
            return getattr(sums, name)

        def combine(self, rank, count, _):
            """Floats are added by MPI, or by one process after another."""
            transport.gather(b"")
            sums.put()
            for each in [*trainer.model.parameters_list(), *trainer.model.lookup_parameters_list()]:
                own = np.ascontiguousarray(each.grad_as_array())
                total = np.empty_like(own)
                if how == "mpi":
                    transport.comm.Allreduce(own, total)
                else:
                    parts = np.empty((count, *own.shape), own.dtype)
                    transport.comm.Allgather(own, parts)
                    total[:] = 0
                    for part in parts:
                        total += part
                each.set_gradient(total)

        def put(self):
            """It was."""

    if trainer.ranks > 1:
        trainer._sums = Broken()


def main(given):
    asked = arguments(given)
    own = int(next((os.environ[name] for name in RANKS if name in os.environ), 0))
    dy.reset_random_seed(3 + own)  # all get what the first process has
    random.seed(3 + own)
    network = Network(asked.builds)
    network.model.set_weight_decay(asked.decay)
    inner = trainer_for(asked.trainer, network.model)
    inner.set_clip_threshold(asked.clip)
    inner.set_sparse_updates(not asked.dense)
    if asked.average:
        inner.exponential_moving_average(0.9)
    key = (lambda example: len(example[0])) if asked.balance else None
    trainer = dy.distributed.Trainer(
        inner, shards=asked.shards, exact=asked.exact, key=key, check_every=asked.check_every
    )
    if asked.sum:
        break_the_law(asked.sum, trainer)
    state = (asked.checkpoint and trainer.load(asked.checkpoint)) or {"done": 0, "losses": []}
    losses = state["losses"]
    for number, batch in enumerate(batches(examples(300), 24)):
        if number < state["done"]:
            continue
        if number == asked.updates:
            break
        go_wrong(asked.wrong, trainer, number)
        for part in range(asked.accumulate):
            losses.append(trainer.backward(batch[part :: asked.accumulate], network.loss, "mean"))
        trainer.update()
        if asked.checkpoint:
            trainer.save(asked.checkpoint, {"done": number + 1, "losses": losses})
    right = trainer.total(len(each[0]) / 7 for each in trainer.mine(examples(31)))
    result = {
        "model": digest(network.model),
        "trainer": trainer_digest(inner),
        "losses": hashlib.sha256(json.dumps(losses).encode()).hexdigest()[:16],
        "total": right,
        "loss": losses[-1],
        "updates": inner._updates(),
    }
    if trainer.rank == 0:
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--many"]:  # each argument is the line of one run
        for line in sys.argv[2:]:
            main(line.split())
    else:
        main(sys.argv[1:])
