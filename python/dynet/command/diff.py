"""`python -m dynet diff A B`: what differs between two model files."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np

from dynet.command.table import counted, shape_text, table
from dynet.export.files import Array, Tensor, read_tensors


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "diff",
        help="compare two model files, of any formats",
        description="Compares the arrays of two model files by name. Exits with 0 if they are the same, with "
        "1 if they differ, and with 2 if one cannot be read. Two NaN count as the same.",
    )
    parser.add_argument("a", metavar="A")
    parser.add_argument("b", metavar="B")
    parser.add_argument(
        "--tolerance", metavar="T", type=_tolerance, default=0.0, help="differences up to T do not count (0)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


def _tolerance(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text} was given; a number from 0 on is needed")
    return value


def _by_name(tensors: list[Tensor]) -> dict[str, Tensor]:
    """A name that comes again, as text files may have it, gets a number."""
    named: dict[str, Tensor] = {}
    for tensor in tensors:
        name, count = tensor.name, 1
        while name in named:
            count += 1
            name = f"{tensor.name} ({count})"
        named[name] = tensor
    return named


def compared(a: Tensor, b: Tensor, tolerance: float) -> dict[str, Any] | None:
    """How two arrays of one name differ, or None."""
    kinds = {a.kind, b.kind} - {""}
    if len(kinds) > 1:
        return {"what": "kind", "a": a.kind, "b": b.kind}
    x, y = np.asarray(a.array), np.asarray(b.array)
    if x.shape != y.shape:
        return {"what": "shape", "a": list(x.shape), "b": list(y.shape)}
    x, y, apart = _apart(x, y)
    differ = apart > tolerance
    if not differ.any():
        return None
    at = np.unravel_index(int(np.argmax(apart)), apart.shape)
    largest = abs(x[at] - y[at])
    return {
        "what": "numbers",
        "differ": int(differ.sum()),
        "of": int(apart.size),
        "largest": _plain(largest) if math.isfinite(largest) else None,
        "at": [int(i) for i in at],
        "a": _plain(x[at]),
        "b": _plain(y[at]),
    }


def _apart(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Both in a type that has all their numbers, and how far they are apart: 0 where both are NaN."""
    kinds = x.dtype.kind + y.dtype.kind
    if set(kinds) <= set("biu"):  # Python's numbers where those of 64 bits may not have the difference.
        exact = object if max(x.dtype.itemsize, y.dtype.itemsize) > 4 else np.int64
        x, y = x.astype(exact), y.astype(exact)
        return x, y, np.asarray(abs(x - y), np.float64)
    wide = np.complex128 if "c" in kinds else np.float64
    x, y = x.astype(wide, copy=False), y.astype(wide, copy=False)
    with np.errstate(invalid="ignore"):
        apart = np.asarray(np.abs(x - y))
    apart[(x == y) | (np.isnan(x) & np.isnan(y))] = 0
    apart[np.isnan(apart)] = np.inf
    return x, y, apart


def _plain(value: Any) -> int | float | str:
    """As JSON has it; what that does not have is text."""
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, complex | np.complexfloating) or not math.isfinite(value):
        return str(value)
    return float(value)


def _number(value: int | float | str | None) -> str:
    if value is None:
        return "not finite"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print(found: dict[str, Any], chosen: argparse.Namespace) -> None:
    for file, side in ((chosen.a, "only_in_a"), (chosen.b, "only_in_b")):
        for name, shape in found[side].items():
            print(f"only in {file}: {name} {shape_text(shape)}")
    rows = []
    for name, difference in found["differ"].items():
        if difference["what"] != "numbers":
            sides = [difference["a"], difference["b"]]
            if difference["what"] == "shape":
                sides = [shape_text(side) for side in sides]
            print(f"{difference['what']} of {name}: {sides[0]} and {sides[1]}")
            continue
        rows.append(
            [
                name,
                f"{difference['differ']:,} of {difference['of']:,}",
                _number(difference["largest"]),
                shape_text(difference["at"]),
                _number(difference["a"]),
                _number(difference["b"]),
            ]
        )
    if rows:
        head = ["name", "numbers that differ", "largest difference", "at", "A", "B"]
        print(table(head, rows, right=frozenset({1, 2, 4, 5})))


def run(chosen: argparse.Namespace) -> int:
    a, b = _by_name(read_tensors(chosen.a)), _by_name(read_tensors(chosen.b))
    both = [name for name in a if name in b]
    differences = {name: compared(a[name], b[name], chosen.tolerance) for name in both}
    found: dict[str, Any] = {
        "only_in_a": {name: list(np.shape(t.array)) for name, t in a.items() if name not in b},
        "only_in_b": {name: list(np.shape(t.array)) for name, t in b.items() if name not in a},
        "differ": {name: each for name, each in differences.items() if each},
    }
    is_same = not any(found.values())
    if chosen.json:
        print(json.dumps({"same": is_same, **found}, indent=1))
    elif is_same:
        total = sum(int(np.size(tensor.array)) for tensor in a.values())
        print(f"no difference: {counted(len(a), 'array')}, {counted(total, 'number')}")
    else:
        _print(found, chosen)
    return 0 if is_same else 1
