"""`python -m dynet show MODEL`: what is in a model file."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np

from dynet.command.table import counted, shape_text, table
from dynet.export.files import Tensor, format_of, read_tensors


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "show",
        help="names, shapes and norms of a model file",
        description="Lists what a model file holds: DyNet 2's text (also NAME.data of dy.save), "
        ".safetensors, .npz, .pt, .pth and .bin (with PyTorch), .onnx (with onnx). Remarks tell of NaN, "
        "infinities and zeros.",
    )
    parser.add_argument("model", metavar="MODEL", help="the file")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def described(tensor: Tensor) -> dict[str, Any]:
    """The facts of one array. Those of its numbers leave out what is not finite, and are None if nothing is
    left."""
    array = np.asarray(tensor.array)
    numbers = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False).ravel()
    finite = np.isfinite(numbers)
    known = np.abs(numbers[finite]) if array.dtype.kind == "c" else numbers[finite]
    facts: dict[str, Any] = {
        "name": tensor.name,
        "kind": tensor.kind or None,
        "shape": [int(n) for n in array.shape],
        "type": str(array.dtype),
        "numbers": int(array.size),
        "norm": _norm(known),
        "least": float(known.min()) if known.size else None,
        "greatest": float(known.max()) if known.size else None,
        "nan": int(np.isnan(numbers).sum()),
        "infinite": int(np.isinf(numbers).sum()),
        "zeros": int((numbers == 0).sum()),
        "has_gradient": tensor.has_gradient,
    }
    if array.ndim > 1:
        facts["rows_of_zeros"] = int((~np.any(array, axis=tuple(range(1, array.ndim)))).sum())
    return facts


def _norm(numbers: np.ndarray[Any, Any]) -> float | None:
    """Scaled, as the squares of large numbers may be too large."""
    if not numbers.size:
        return None
    largest = float(np.abs(numbers).max())
    return largest and largest * math.sqrt(float(np.sum((numbers / largest) ** 2)))


def remarks(facts: dict[str, Any]) -> str:
    """What may be wrong with an array, and what else is to be known."""
    said = []
    if facts["nan"]:
        said.append(f"{facts['nan']:,} NaN")
    if facts["infinite"]:
        said.append(f"{facts['infinite']:,} infinite")
    if facts["numbers"] and facts["zeros"] == facts["numbers"]:
        said.append("all zeros")
    elif facts.get("rows_of_zeros"):
        said.append(counted(facts["rows_of_zeros"], "row") + " of zeros")
    if facts["has_gradient"]:
        said.append("has a gradient")
    if facts["type"] != "float32":
        said.append(facts["type"])
    return ", ".join(said)


def run(chosen: argparse.Namespace) -> int:
    tensors = read_tensors(chosen.model)
    form = format_of(chosen.model).name
    all_facts = [described(tensor) for tensor in tensors]
    if chosen.json:
        print(json.dumps({"file": str(chosen.model), "format": form, "arrays": all_facts}, indent=1))
        return 0
    total = sum(facts["numbers"] for facts in all_facts)
    print(f"{chosen.model}: {form}, {counted(len(tensors), 'array')}, {counted(total, 'number')}")
    rows = [
        [
            facts["name"],
            facts["kind"] or "",
            shape_text(facts["shape"]),
            f"{facts['numbers']:,}",
            *("" if facts[fact] is None else f"{facts[fact]:.4g}" for fact in ("norm", "least", "greatest")),
            remarks(facts),
        ]
        for facts in all_facts
    ]
    if rows:
        head = ["name", "kind", "shape", "numbers", "norm", "least", "greatest", "remarks"]
        print(table(head, rows, right=frozenset({3, 4, 5, 6})))
    return 0
