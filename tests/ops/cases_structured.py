"""Operations over all structures of a kind, beside the list of all structures."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
from table import case, uniform

import dynet as dy
from dynet import _dynet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "structured"))
import enumeration
from enumeration import Kind

NAMES = {
    "chain 3x3 with ends",
    "segments 2x3x4",
    "ctc 3x5 [1, 2]",
    "alignment 3x4",
    "edits 3x4",
    "binary tree 3x2",
    "projective 4 single",
    "spanning 4 single",
}


def told(kind: Kind, structure: Any) -> list[int]:
    """A structure as the operation tells it."""
    rows = kind.shapes[0][0]
    if kind.operation == "segments":
        numbers = [-1] * kind.shapes[0][2]
        for i, j, k in structure:
            numbers[i] = (j - i - 1) * rows + k
        return numbers
    if kind.operation == "alignment":
        numbers = [j * rows + i for i, j in structure]
        return numbers + [-1] * (sum(kind.shapes[0]) - 1 - len(numbers))
    return list(structure)


def asked(question: str, *given: Any):
    """What a kind of structure is asked, as a function of its scores."""

    def call_of(kind: Kind):
        return lambda *xs: getattr(kind.make(*xs), question)(*given)

    return call_of


def best_of(kind: Kind, k: int):
    def columns(*xs: np.ndarray) -> np.ndarray:
        found = kind.ranked(*xs)[:k]
        return np.array([[score, *told(kind, structure)] for structure, score in found]).T

    return columns


def cases_of(kind: Kind) -> list[Any]:
    inputs = [uniform(*shape) for shape in kind.shapes]
    first, parts = kind.listed()[0]

    def score(*xs: np.ndarray) -> float:
        return float(sum(xs[a][at] for a, at in parts))

    def still(*xs: np.ndarray) -> np.ndarray:
        return 0 * best_of(kind, 1)(*xs)

    likelihood, entropy, marginals, best, sample = (
        f"{kind.operation}_{name}" for name in ("likelihood", "entropy", "marginals", "best", "sample")
    )
    listed = [
        case(likelihood, inputs, kind.log_partition, call=asked("log_partition")(kind)),
        case(likelihood, inputs, score, call=asked("score", first)(kind)),
        case(
            likelihood,
            inputs,
            lambda *xs: kind.log_partition(*xs) - score(*xs),
            call=asked("nll", first)(kind),
        ),
        case(entropy, inputs, kind.entropy, call=asked("entropy")(kind)),
        *(
            case(marginals, inputs, lambda *xs, i=i: kind.marginals(i, *xs), call=asked("marginals", i)(kind))
            for i in range(len(inputs))
        ),
        case(sample, inputs, None, call=lambda *xs: kind.make(*xs)._all.sample()),
    ]
    if kind.operation in ("edits", "binary_tree"):  # Of these the order of what is told is the program's.
        best_case = case(
            best,
            inputs,
            lambda *xs: kind.ranked(*xs)[0][1],
            call=lambda *xs: dy.pick(kind.make(*xs)._all.k_best(1), 0),
            slope_of=lambda *xs: 0 * xs[0].sum(),
        )
    else:
        best_case = case(
            best, inputs, best_of(kind, 1), call=lambda *xs: kind.make(*xs)._all.k_best(1), slope_of=still
        )
    return [*listed, best_case]


def best_path(x: np.ndarray) -> np.ndarray:
    path = x.argmax(0)
    labels = [k for i, k in enumerate(path) if k != 0 and (i == 0 or path[i - 1] != k)]
    return np.array([[x.max(0).sum(), *labels, *[-1] * (x.shape[1] - len(labels))]]).T


# What the names of these operations begin with.
KINDS = ("assignment_", "ctc_decode", *{f"{kind.operation}_" for kind in enumeration.kinds()})
ASSIGNMENT = Kind("assignment", [(3, 3)], dy.structured.Assignment, lambda: enumeration.assignments(3, 3))
STRUCTURES = [
    *(one for kind in enumeration.kinds() if kind.name in NAMES for one in cases_of(kind)),
    case(
        "assignment_likelihood",
        [uniform(3, 3)],
        lambda x: x[0, 2] + x[1, 0] + x[2, 1],
        call=lambda x: dy.structured.Assignment(x).score([2, 0, 1]),
    ),
    case(
        "assignment_best",
        [uniform(3, 3)],
        best_of(ASSIGNMENT, 1),
        call=lambda x: dy.structured.Assignment(x)._all.k_best(1),
        slope_of=lambda x: np.zeros((4, 1)),
    ),
    case(
        "ctc_decode",
        [uniform(3, 5)],
        best_path,
        call=lambda x: _dynet._decode_labels(x, 0, 1, 0),
        slope_of=lambda x: np.zeros((6, 1)),
    ),
]
