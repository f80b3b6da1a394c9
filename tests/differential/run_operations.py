"""Evaluates the table of operations with whichever DyNet is imported: run_operations.py RESULT ROUNDS.

RESULT is a pickle: a list of all calls, each with the value and the gradients, or the error. Each entry has a
process of its own, because DyNet 2 may crash.
"""

import os
import pickle
import sys

import numpy as np

import dynet_config

dynet_config.set(mem=16, random_seed=1)  # Little memory makes fork() fast.

import dynet as dy  # noqa: E402


class MissingError(Exception):
    """The toolkit does not have the operation."""


class Missing:
    """Stands for a function or a module that a toolkit does not have."""

    def __init__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.name = name

    def __getattr__(self, name):
        return Missing(name)

    def __call__(self, *_, **__):
        raise MissingError(self.name)


if not hasattr(dy, "__path__"):  # DyNet 2 is a single module.
    dy.__getattr__ = Missing

from calls import Call  # noqa: E402
from cases import CASES  # noqa: E402
from table import Case, label, loss_of  # noqa: E402


def resized(case, random):
    """The inputs with other sizes; equal sizes stay equal."""
    sizes = {n: int(random.integers(1, 7)) for s in case.inputs for n in s.shape}
    return [type(s)(tuple(sizes[n] for n in s.shape), s.low, s.high, s.batch) for s in case.inputs]


def variants(case: Case, rounds: int):
    """The ways in which an entry is called: a name, the samples, and the batch size of each input."""
    random = np.random.default_rng([len(case.name), len(case.inputs), 5])
    own = [s.batch for s in case.inputs]
    yield "as listed", case.inputs, own
    if case.mixes_batch or not case.inputs:
        return
    yield "batched", case.inputs, [3] * len(own)
    for i in range(rounds):
        yield f"resized {i}", resized(case, random), own
        yield f"resized and batched {i}", resized(case, random), [2] * len(own)
        if len(own) > 1:
            some = random.permutation([2] + [0] * (len(own) - 1))
            yield f"batched in part {i}", case.inputs, [int(batch) for batch in some]


def evaluate(case, samples, batches, salt):
    """The value of an operation, and the gradient of each input."""
    random = np.random.default_rng([len(case.name), salt])
    arrays = [sample.draw(random, batch) for sample, batch in zip(samples, batches, strict=True)]
    dy.renew_cg()
    xs = [dy.inputTensor(a, batched=batch > 0) for a, batch in zip(arrays, batches, strict=True)]
    y = case.call(*xs, **case.attributes)
    loss = loss_of(y)
    value = np.asarray(y.npvalue(), dtype=np.float64)
    loss.value()
    loss.backward(full=True)
    return [value, *(np.asarray(x.gradient(), dtype=np.float64) for x in xs)]


def attempt(*arguments):
    """What evaluate() gives, or its error as text."""
    try:
        return evaluate(*arguments)
    except MissingError:
        return "missing"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"


def apart(calls):
    """attempt() for some calls in a process of its own; None if it crashed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump([attempt(*arguments) for arguments in calls], pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(sent) if os.waitstatus_to_exitcode(status) == 0 and sent else None


def attempts(calls):
    """What each call gives; when one crashes, the others are made again, each in its own process."""
    return apart(calls) or [(apart([arguments]) or ["crashed"])[0] for arguments in calls]


def main(result, rounds):
    outcomes = []
    for case in CASES:
        if case.ref is None:
            continue  # The result is random.
        ways = list(variants(case, rounds))
        found = attempts([(case, samples, batches, i) for i, (_, samples, batches) in enumerate(ways)])
        for (name, samples, batches), outcome in zip(ways, found, strict=True):
            shapes = [s.shape for s in samples]
            call = Call(label(case), case.name, name, case.attributes, shapes, batches)
            outcomes.append((call, outcome))
    with open(result, "wb") as file:
        pickle.dump(outcomes, file)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
