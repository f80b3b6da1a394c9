"""The ONNX graph while it is made: values with their batch axis, operations, constants, and names.

DyNet's tensor of shape (r, c, …) is ONNX's of shape (batch, r, c, …): the index of an element stays the same,
and the batch comes first. Only what DyNet says of memory, which lies by columns, needs care: reshape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynet.export.files import Array

FLOAT = np.dtype(np.float32)
Shape = tuple[int, ...]


class FixedBatchError(Exception):
    """An operation mixes batch elements, or depends on how many there are."""


@dataclass
class Value:
    """A tensor of the ONNX graph: `name` has the shape (batch, *shape), `natural` that without a batch."""

    shape: Shape
    batch: int | None  # None: as many as the inputs have
    name: str = ""
    natural: str = ""  # of a parameter, whose batch axis is made when it is asked for

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_batched(self) -> bool:
        return self.batch != 1


@dataclass(frozen=True)
class Step:
    """A node, or a step of a cell: what an emitter sees of it."""

    operation: str
    attributes: dict[str, Any]
    indices: tuple[int, ...]
    shape: Shape
    batch: int  # as in the graph
    described: str
    arguments: tuple[Shape, ...] = field(default=())

    def axis(self, name: str = "axis") -> int:
        """In ONNX, where the batch is axis 0."""
        return int(self.attributes[name]) + 1


class Builder:
    """Collects nodes and initializers."""

    def __init__(self, helper: Any, dynamic: bool, reserved: Iterable[str]) -> None:
        self._helper = helper
        self.dynamic = dynamic
        self.nodes: list[Any] = []
        self.initializers: dict[str, Array] = {}
        self._names: set[str] = set(reserved)
        self._constants: dict[tuple[Any, ...], str] = {}
        self._scope = "value"

    # -- names

    def enter(self, scope: str) -> None:
        """What the following tensors are named after."""
        self._scope = scope

    def unique(self, wanted: str) -> str:
        """A name that is a C identifier, as ONNX asks for, and that nothing else has."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "value"
        if base[0].isdigit():
            base = f"_{base}"
        name, count = base, 1
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        self._names.add(name)
        return name

    # -- what nodes are made of

    def emit(self, operation: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; the name of its output, or of each."""
        names = [self.unique(f"{self._scope}_{operation.lower()}") for _ in range(outputs)]
        node = self._helper.make_node(operation, list(inputs), names, name=names[0], **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def initializer(self, wanted: str, array: Array) -> str:
        """Stored numbers under a name of their own."""
        name = self.unique(wanted)
        self.initializers[name] = array
        return name

    def constant(self, value: Any, kind: Any = FLOAT) -> str:
        """A small constant; equal ones are stored once."""
        array = np.asarray(value, kind)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = self.initializer("constant", array)
        return self._constants[key]

    def integers(self, *values: int) -> str:
        """A list of whole numbers, as shapes and axes are."""
        return self.constant(values, np.int64)

    # -- values

    def name(self, value: Value) -> str:
        """The tensor with its batch axis."""
        if not value.name:
            value.name = self.emit("Unsqueeze", value.natural, self.integers(0))
        return value.name

    def padded(self, value: Value, rank: int) -> str:
        """With so many axes besides the batch: DyNet's missing last axes have size 1."""
        name = self.name(value)
        if value.rank >= rank:
            return name
        axes = self.integers(*range(value.rank + 1, rank + 1))
        return str(self.emit("Unsqueeze", name, axes))

    def aligned(self, values: Sequence[Value]) -> list[str]:
        """With as many axes as the one that has most."""
        rank = max(value.rank for value in values)
        return [self.padded(value, rank) for value in values]

    def reshaped(self, name: str, shape: Shape) -> str:
        """The same numbers by rows: for axes of size 1 that come or go."""
        return str(self.emit("Reshape", name, self.integers(0, *shape)))

    def fitted(self, name: str, values: Sequence[Value], shape: Shape) -> str:
        """Of aligned values, with the axes that DyNet gives the result: of size 1, some may come or go."""
        return name if max(value.rank for value in values) == len(shape) else self.reshaped(name, shape)

    def reduced(self, operation: str, name: str, axes: Sequence[int], shape: Shape) -> str:
        """Reduces some of ONNX's axes, and no others, to the shape that DyNet gives the result."""
        if not axes:  # ONNX would take all.
            return self.reshaped(name, shape)
        kept = self.emit(operation, name, self.integers(*axes), keepdims=1)
        return self.reshaped(kept, shape)

    def flat(self, value: Value) -> str:
        """(batch, size): the numbers in the order of DyNet's memory, the first axis changing fastest."""
        name = self.name(value)
        if value.rank == 1:
            return name
        if sum(n > 1 for n in value.shape) > 1:
            name = self.emit("Transpose", name, perm=[0, *range(value.rank, 0, -1)])
        return self.reshaped(name, (int(np.prod(value.shape)),))

    def unflattened(self, name: str, shape: Shape) -> str:
        """The reverse."""
        if len(shape) == 1:
            return name
        name = self.reshaped(name, shape[::-1])
        return str(self.emit("Transpose", name, perm=[0, *range(len(shape), 0, -1)]))

    def stretched(self, names: Sequence[str], values: Sequence[Value], rank: int) -> list[str]:
        """With one batch size, where some have 1."""
        largest = next((i for i, value in enumerate(values) if value.is_batched), None)
        if largest is None:
            return list(names)
        if values[largest].batch is None:
            size = self.emit("Shape", names[largest], end=1)
        else:
            size = self.integers(int(values[largest].batch or 1))
        stretched = []
        for name, value in zip(names, values, strict=True):
            if not value.is_batched:
                shape = self.emit("Concat", size, self.integers(*[1] * rank), axis=0)
                name = self.emit("Expand", name, shape)
            stretched.append(name)
        return stretched

    def fix_batch(self, step: Step) -> None:
        """Refuses a batch of any size."""
        if self.dynamic:
            raise FixedBatchError(step.described)
