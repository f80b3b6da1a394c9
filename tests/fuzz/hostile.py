"""Arguments that no call wants: wrong kinds, edges of numbers, objects whose conversion runs code."""

from __future__ import annotations

import array
import ctypes
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import dynet as dy


class BoomError(Exception):
    """What hostile objects raise: it must arrive where the call was made."""


def renew(world: Any) -> None:
    dy.renew_cg()
    world.kept = [dy.tanh(dy.inputVector([1.0, 2.0])) for _ in range(9)]


def revert(world: Any) -> None:
    if world.marks:
        world.marks -= 1
        dy.cg_revert()
    world.kept = [dy.inputVector([5.0, 6.0, 7.0]) for _ in range(9)]


def train(world: Any) -> None:
    dy.squared_norm(world.parameters[0]).backward()
    world.trainer.update()


def forget(world: Any) -> None:
    world.things.clear()
    world.other = world.stale = None


def build(world: Any) -> None:
    world.kept = [dy.esum([dy.inputVector([1.0]) for _ in range(40)]) for _ in range(9)]


def boom(world: Any) -> None:
    raise BoomError("boom")


DEEDS: dict[str, Callable[[Any], None]] = {
    "renews": renew,
    "reverts": revert,
    "trains": train,
    "forgets": forget,
    "builds": build,
    "raises": boom,
}


class Doer:
    """Looks like anything that can be converted, and does something each time it is."""

    def __init__(self, world: Any, deed: Callable[[Any], None], result: Any = 1) -> None:
        self.world, self.deed, self.result = world, deed, result

    def _do(self, result: Any) -> Any:
        self.world.changed = True
        self.deed(self.world)
        return result

    def __index__(self) -> int:
        return self._do(1)

    def __float__(self) -> float:
        return self._do(0.5)

    def __bool__(self) -> bool:
        return self._do(True)

    def __len__(self) -> int:
        return self._do(3)

    def __fspath__(self) -> str:
        return self._do("no-such-file")


class ArrayDoer(Doer):
    """An array once it is asked."""

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        return self._do(np.ones(3))


class ListDoer(Doer):
    """A sequence whose items come with a deed."""

    def __iter__(self) -> Any:
        yield self.result
        self._do(None)
        yield self.result

    def __getitem__(self, i: int) -> Any:
        if i > 1:
            raise IndexError
        return self._do(self.result)


class Lying(list):
    """A list that says another length than it has."""

    def __len__(self) -> int:
        return 1000


class NoClass:
    """It says that it is of another class."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return dy.Expression


def generator(world: Any, deed: Callable[[Any], None], item: Any) -> Any:
    yield item
    world.changed = True
    deed(world)
    yield item


def self_referring() -> list[Any]:
    nested: list[Any] = []
    nested.append(nested)
    return nested


def deep(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def calls(world: Any) -> dict[str, Callable[[], Any]]:
    """Functions, for what takes them."""

    def doing(deed: Callable[[Any], None]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            world.changed = True
            deed(world)
            return args[0] if args else None

        return call

    return {f"function that {name}": lambda deed=deed: doing(deed) for name, deed in DEEDS.items()}


NUMBERS = [0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, -(2**63), 10**30]
FLOATS = [0.5, -0.5, 1.5, 1e308, 1e-320, 3e38, float("nan"), float("inf"), float("-inf")]
OTHERS: list[Any] = [
    *(
        None,
        True,
        False,
        ...,
        NotImplemented,
        "",
        "abc",
        "\0",
        "\ud800",
        "a/b",
        b"",
        b"abc",
        bytearray(b"abcd"),
    ),
    *(1j, (), [], {}, {1}, {"a": 1}, object, int, len, (0,), (3, 0), [0], [-1], [1, 2], [1.5], ["a"], [None]),
    *([[1, 2], [3]], [[[1.0]]], (2**31, 2**31), (2**32, 2**32), [2**33], (1,) * 8, range(0), range(3)),
    *(slice(None), slice(1, 0), slice(0, 3, 2), slice(-9, 9), slice(None, None, -1), slice("a", None)),
    *(
        dy.Expression,
        dy.GRUBuilder,
        memoryview(b"abcd"),
        array.array("d", [1.0, 2.0]),
        array.array("i", [1, 9]),
    ),
    *((ctypes.c_float * 3)(), ((ctypes.c_float * 2) * 3)(), ctypes.c_int(3), [1e40, -1e40], ["1", "2"]),
]
ARRAYS: list[Any] = [
    *(
        np.float32(0.5),
        np.int64(2),
        np.bool_(True),
        np.array(0.5),
        np.array(2),
        np.array([]),
        np.zeros((0, 3)),
    ),
    *(np.ones(3), np.ones((3, 4)), np.ones((2,) * 8), np.ones((2,) * 20), np.arange(3), -np.arange(3)),
    *(np.ones(3, np.float16), np.ones(3, np.longdouble), np.ones(3, complex), np.ones(3, bool)),
    *(np.array(["a", "b"]), np.array([b"a"]), np.array([None, 1]), np.array([[1], [1, 2]], object)),
    *(
        np.datetime64("2020-01-01"),
        np.timedelta64(3, "D"),
        np.array(["2020"], "M8[D]"),
        np.array([3], "m8[s]"),
    ),
    *(np.ones(2, [("a", "f4"), ("b", "i8")]), np.ones(6)[::-2], np.ones((3, 4), order="F")[:, ::2]),
    *(
        np.broadcast_to(np.float32(1), (3, 4)),
        np.ones(3, ">f4"),
        np.ones(3, ">i8"),
        np.array([np.nan, np.inf]),
    ),
    *(
        np.array([2**63], np.uint64),
        np.array([2**32]),
        np.ma.masked_array([1.0, 2.0], [0, 1]),
        np.matrix([[1.0]]),
    ),
    *(np.frombuffer(b"\0" * 12, "V3"), np.array("abc"), np.iinfo(np.int32), np.dtype("f4")),
]


def named(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype} {value.shape}, strides {value.strides}"
    text = re.sub(r" at 0x\w+", "", repr(value))  # The same in every process.
    return f"{type(value).__name__} {text}"[:60]


# By name; they are never changed.
VALUES = {named(value): value for value in [*NUMBERS, *FLOATS, *OTHERS, *ARRAYS]}


def made(world: Any) -> dict[str, Callable[[], Any]]:
    """Hostile arguments by name; each call of a function makes a new one."""
    table: dict[str, Callable[[], Any]] = {name: lambda v=value: v for name, value in VALUES.items()}
    for name, deed in DEEDS.items():
        table[f"number that {name}"] = lambda deed=deed: Doer(world, deed)
        table[f"array that {name}"] = lambda deed=deed: ArrayDoer(world, deed)
        table[f"list of such numbers, {name}"] = lambda deed=deed: [Doer(world, deed), 1, 0]
        table[f"list of numbers that {name}"] = lambda deed=deed: ListDoer(world, deed)
        table[f"list of expressions that {name}"] = lambda deed=deed: ListDoer(world, deed, world.x)
        table[f"generator of expressions that {name}"] = lambda deed=deed: generator(world, deed, world.x)
        table[f"generator of numbers that {name}"] = lambda deed=deed: generator(world, deed, 1)
        table[f"generator of parameters that {name}"] = lambda deed=deed: generator(
            world, deed, world.parameters[0]
        )
    table |= calls(world)
    table |= {
        "stale expression": lambda: world.stale,
        "removed expression": lambda: world.removed,
        "expression of another graph": lambda: world.other,
        "parameter of another collection": lambda: world.foreign,
        "parameter": lambda: world.parameters[0],
        "lookup table": lambda: world.table,
        "expression": lambda: world.x,
        "matrix": lambda: world.matrix,
        "batch": lambda: world.batch,
        "list of mixed expressions": lambda: [world.x, world.stale],
        "list of two graphs": lambda: [world.x, world.other],
        "list with a removed one": lambda: [world.x, world.removed],
        "list of expressions and numbers": lambda: [world.x, 1.0],
        "the same expression often": lambda: [world.x] * 3000,
        "collection": lambda: world.model,
        "tensor": lambda: world.x.tensor_value(),
        "graph": lambda: dy.cg(),
        "self-referring list": self_referring,
        "deep list": lambda: deep(2000),
        "lying list": lambda: Lying([1, 2]),
        "lying list of expressions": lambda: Lying([world.x]),
        "object": object,
        "of a false class": NoClass,
        "things": lambda: world.things,
    }
    return table
