"""`python -m dynet convert A B`: a model file in another format."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
from typing import Any

import numpy as np

from dynet.command.table import counted
from dynet.export.files import TEXT, Tensor, format_of, read_tensors, write_tensors


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "convert",
        help="write a model file in another format",
        description="Reads A and writes B, in the formats that their names end in: .safetensors, .npz, .pt, "
        ".pth or .bin (with PyTorch), .onnx (read only), or else DyNet 2's text. Names, shapes and order "
        "stay. B is replaced in one step, or stays. Gradients, which only texts have, are left out.",
    )
    parser.add_argument("source", metavar="A", help="the file to read")
    parser.add_argument("target", metavar="B", help="the file to write")
    parser.add_argument(
        "--table",
        metavar="NAME",
        action="append",
        default=[],
        help="in text, write this array as a lookup table, whose rows come first (with * for several; again "
        "for more)",
    )
    parser.set_defaults(run=run)


def _marked(tensors: list[Tensor], patterns: list[str]) -> list[Tensor]:
    """The arrays with those that the patterns name as tables."""
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(tensor.name, pattern) for tensor in tensors):
            raise ValueError(f"--table {pattern}: no array has that name; `python -m dynet show` lists them")
    return [
        dataclasses.replace(tensor, is_table=True)
        if any(fnmatch.fnmatchcase(tensor.name, pattern) for pattern in patterns)
        else tensor
        for tensor in tensors
    ]


def _notes(tensors: list[Tensor], target: str) -> list[str]:
    """What differs in the new file."""
    notes = []
    if dropped := sum(tensor.has_gradient for tensor in tensors):
        notes.append(f"the gradients of {counted(dropped, 'array')} are left out")
    if format_of(target) is TEXT:
        if rounded := sum(np.asarray(tensor.array).dtype == np.float64 for tensor in tensors):
            notes.append(f"the numbers of {counted(rounded, 'array')} are rounded to nine digits")
        if all(tensor.is_table is None for tensor in tensors):
            notes.append("every array is a parameter; --table NAME makes lookup tables")
    return notes


def run(chosen: argparse.Namespace) -> int:
    tensors = _marked(read_tensors(chosen.source), chosen.table)
    write_tensors(chosen.target, tensors)
    total = sum(int(np.asarray(tensor.array).size) for tensor in tensors)
    form = format_of(chosen.target).name
    print(f"{chosen.target}: {form}, {counted(len(tensors), 'array')}, {counted(total, 'number')}")
    for note in _notes(tensors, chosen.target):
        print(f"note: {note}")
    return 0
