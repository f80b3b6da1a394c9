"""Structured models as findings: dy.structured over pytorch-crf, torch's CTC loss and torch-struct."""

import json
import pathlib
import statistics

from environments import interpreter
from findings import Finding
from micro import guarded

WORKER = pathlib.Path(__file__).resolve().parent / "structures_worker.py"
ROUNDS = {False: 15, True: 3}  # quick or not
# What is measured, against what, and how many times faster it should be for one and for many examples.
LINES = {
    "crf": ("CRF loss and gradient, 25 words, 20 tags", "pytorch-crf", {1: 25, 32: 6}),
    "best": ("CRF best path, 25 words, 20 tags", "pytorch-crf", {1: 15, 32: 8}),
    "ctc": ("CTC loss and gradient, 100 frames, 40 labels", "torch's ctc_loss", {1: 1.5, 16: 2}),
    "ProjectiveTrees": ("Eisner, sum and gradient, 30 words", "torch-struct", {1: 20, 16: 3}),
    "SpanningTrees": ("matrix-tree, sum and gradient, 30 words", "torch-struct", {1: 20, 16: 3}),
    "encoder": (
        "Transformer encoder, 4 layers of 256, forward and backward",
        "PyTorch, padded",
        {1: 2, 16: 2.2},
    ),
    "beam": ("beam of 8, LSTM with attention, 256 numbers, 30 words", "PyTorch, by hand", {1: 3}),
    "BinaryTrees": ("CKY inside, sum and gradient, 30 words", "torch-struct", {1: 20, 16: 3}),
}


def targets():
    """The findings by the worker's keys, not measured yet."""
    return {
        f"{key}/{count}": Finding(
            "structures", f"structures/{key}/{count}", f"{what}, {count} at once", against, None, bound=bound
        )
        for key, (what, against, bounds) in LINES.items()
        for count, bound in bounds.items()
    }


def fill(finding, measured):
    """Notes what the worker has measured."""
    if measured["ratios"]:
        finding.value = statistics.median(measured["ratios"])
        finding.low, finding.high = min(measured["ratios"]), max(measured["ratios"])
        finding.detail = f"{measured['ours']:.1f} : {measured['theirs']:.1f} µs"
    else:
        finding.detail = f"{measured['ours']:.1f} µs; the other one is not installed"


def measure(bench):
    """All findings of the part; one process has both sides, which take turns."""
    made = targets()

    def run():
        where = bench.output([bench.python, "-c", "import dynet; print(dynet.__path__[0])"]).strip()
        package = pathlib.Path(where).parent
        command = [interpreter("structures"), str(WORKER), "--rounds", str(ROUNDS[bench.quick])]
        for line in bench.output(["env", f"PYTHONPATH={package}", *command]).splitlines():
            measured = json.loads(line)
            fill(made[measured["key"]], measured)

    return guarded(list(made.values()), run)
