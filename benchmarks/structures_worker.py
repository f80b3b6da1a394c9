"""Structured models beside pytorch-crf, torch's CTC loss and torch-struct: processor time, in one process.

    python benchmarks/structures_worker.py [--rounds 30]

prints a line of JSON for each: microseconds of a call, ours and theirs, and the ratio of each round. What is
not installed is left out. benchmarks/structures.py makes the part "structures" of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from structures_layers import Beams, Encoders

import dynet as dy

WORDS, TAGS, FRAMES, LABELS, TARGET = 25, 20, 100, 40, 20


def seconds(run: Callable[[], object], least: float = 0.02) -> float:
    """Processor time of one call, from as many as take long enough."""
    calls = 1
    while True:
        start = time.process_time()
        for _ in range(calls):
            run()
        taken = time.process_time() - start
        if taken >= least:
            return taken / calls
        calls = max(2 * calls, int(calls * least / max(taken, 1e-6)))


def arrays(*shape: int, batch: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(*shape, batch)).astype(np.float32)


class Chains:
    """A CRF's loss and gradient, and its best path."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.emissions = arrays(TAGS, WORDS, batch=batch)
        self.tags = np.random.default_rng(2).integers(0, TAGS, (batch, WORDS))
        model = self.model = dy.ParameterCollection()
        self.transitions = model.add_parameters((TAGS, TAGS), init=arrays(TAGS, TAGS, batch=1)[..., 0])
        self.start = model.add_parameters(TAGS, init=arrays(TAGS, batch=1)[:, 0])
        self.end = model.add_parameters(TAGS, init=arrays(TAGS, batch=1)[:, 0])
        self.given = self.tags.tolist() if batch > 1 else self.tags[0].tolist()

    def chain(self) -> dy.structured.LinearChain:
        dy.renew_cg()
        x = dy.inputTensor(self.emissions, batched=True)
        return dy.structured.LinearChain(x, self.transitions, self.start, self.end)

    def loss(self) -> float:
        loss = self.chain().nll(self.given)
        if self.batch > 1:
            loss = dy.sum_batches(loss)
        value = loss.value()
        loss.backward(full=True)
        return float(value)

    def best(self) -> object:
        return self.chain().best()

    def rivals(self) -> tuple[Callable[[], float], Callable[[], object]]:
        import torch
        import torchcrf

        crf = torchcrf.CRF(TAGS, batch_first=True)
        with torch.no_grad():
            crf.transitions.copy_(torch.tensor(self.transitions.as_array().T.copy()))
            crf.start_transitions.copy_(torch.tensor(self.start.as_array()))
            crf.end_transitions.copy_(torch.tensor(self.end.as_array()))
        emissions = torch.tensor(self.emissions.transpose(2, 1, 0).copy(), requires_grad=True)
        tags = torch.tensor(self.tags)

        def loss() -> float:
            emissions.grad = None
            crf.zero_grad()
            value = -crf(emissions, tags, reduction="sum")
            value.backward()
            return float(value)

        def best() -> object:
            with torch.no_grad():
                return crf.decode(emissions)

        return loss, best


class Paths:
    """CTC's loss and gradient."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        scores = arrays(LABELS, FRAMES, batch=batch)
        self.log_probs = scores - np.log(np.exp(scores).sum(0, keepdims=True))
        self.targets = np.random.default_rng(3).integers(1, LABELS, (batch, TARGET))

    def loss(self) -> float:
        dy.renew_cg()
        losses = [
            dy.structured.CTC(dy.inputTensor(self.log_probs[..., b]), self.targets[b].tolist()).loss()
            for b in range(self.batch)
        ]
        total = dy.esum(losses) if self.batch > 1 else losses[0]
        value = total.value()
        total.backward(full=True)
        return float(value)

    def rival(self) -> Callable[[], float]:
        import torch

        log_probs = torch.tensor(self.log_probs.transpose(1, 2, 0).copy(), requires_grad=True)
        targets = torch.tensor(self.targets)
        lengths = torch.full((self.batch,), FRAMES), torch.full((self.batch,), TARGET)

        def loss() -> float:
            log_probs.grad = None
            value = torch.nn.functional.ctc_loss(log_probs, targets, *lengths, reduction="sum")
            value.backward()
            return float(value)

        return loss


class Trees:
    """Sums over trees of 30 words, and their gradients."""

    NAMES = ("ProjectiveTrees", "SpanningTrees", "BinaryTrees")

    def __init__(self, name: str, batch: int) -> None:
        self.name, self.batch = name, batch
        rows = 30 if name == "BinaryTrees" else 31
        self.scores = arrays(rows, 30, batch=batch)

    def loss(self) -> float:
        dy.renew_cg()
        x = dy.inputTensor(self.scores, batched=True)
        total = dy.sum_batches(getattr(dy.structured, self.name)(x).log_partition())
        value = total.value()
        total.backward(full=True)
        return float(value)

    def rival(self) -> Callable[[], float]:
        import torch
        import torch_struct

        kind = {
            "ProjectiveTrees": torch_struct.DependencyCRF,
            "SpanningTrees": torch_struct.NonProjectiveDependencyCRF,
            "BinaryTrees": torch_struct.TreeCRF,
        }[self.name]
        numbers = self.scores.transpose(2, 0, 1).copy()
        options = {}
        if self.name == "BinaryTrees":
            numbers = numbers[..., None]
        else:  # Their roots are on the diagonal.
            roots, numbers = numbers[:, 0], numbers[:, 1:].copy()
            numbers[:, range(30), range(30)] = roots
            options = {"multiroot": False}
        scores = torch.tensor(numbers, requires_grad=True)

        def loss() -> float:
            scores.grad = None
            value = kind(scores * 1, **options).partition.sum()
            value.backward()
            return float(value)

        return loss


def compare(key: str, ours: Callable[[], object], theirs: Callable[[], object] | None, rounds: int) -> None:
    """Calls both in turns."""
    pairs = [(seconds(ours), seconds(theirs) if theirs else 0.0) for _ in range(rounds)]
    own, other = (statistics.median(times) * 1e6 for times in zip(*pairs, strict=True))
    measured = {"key": key, "ours": own, "theirs": other or None, "ratios": [b / a for a, b in pairs if b]}
    print(json.dumps(measured), flush=True)


def main() -> None:
    """Measures every line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        torch = None
    dy.set_num_threads(1)
    has_struct = torch is not None and importlib.util.find_spec("torch_struct") is not None
    for batch in (1, 32):
        chains = Chains(batch)
        loss, best = chains.rivals() if torch else (None, None)
        if loss:
            np.testing.assert_allclose(chains.loss(), loss(), rtol=1e-4)
        compare(f"crf/{batch}", chains.loss, loss, rounds)
        compare(f"best/{batch}", chains.best, best, rounds)
    for batch in (1, 16):
        paths = Paths(batch)
        rival = paths.rival() if torch else None
        if rival:
            np.testing.assert_allclose(paths.loss(), rival(), rtol=1e-4)
        compare(f"ctc/{batch}", paths.loss, rival, rounds)
        for name in Trees.NAMES:
            trees = Trees(name, batch)
            rival = trees.rival() if has_struct else None
            if rival:
                np.testing.assert_allclose(trees.loss(), rival(), rtol=1e-4)
            compare(f"{name}/{batch}", trees.loss, rival, rounds)
    for key, made, ours in (
        ("encoder/1", Encoders(1), "loss"),
        ("encoder/16", Encoders(16), "loss"),
        ("beam/1", Beams(), "best"),
    ):
        rival = made.rival() if torch else None
        if rival:
            np.testing.assert_allclose(getattr(made, ours)(), rival(), rtol=1e-4)
        compare(key, getattr(made, ours), rival, rounds)


if __name__ == "__main__":
    main()
