"""Numbers in boxes: DyNet 2 gave them to inputs and picks that change; here they are plain containers."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from dynet.arguments import told


def _unsigned(value: float) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{value!r} was given; a whole number from 0 on is needed") from None
    if number < 0:
        raise OverflowError(f"{value} was given; a whole number from 0 on is needed")
    return number


def _number(value: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{value!r} was given; a number is needed") from None


T = TypeVar("T")


def _each(convert: Callable[[float], T], values: Iterable[float]) -> list[T]:
    if not hasattr(values, "__iter__"):
        raise TypeError(f"{values!r} was given; a list of numbers is needed")
    return [convert(value) for value in values]


class UnsignedValue:
    """A whole number from 0 on; OverflowError for negative ones."""

    @told
    def __init__(self, val: float = 0) -> None:
        self._value = _unsigned(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, val: float) -> None:
        """Replaces the number; what lies behind the point is cut off."""
        self._value = _unsigned(val)

    def get(self) -> int:
        """The number."""
        return self._value


class FloatValue:
    """A number."""

    @told
    def __init__(self, val: float = 0.0) -> None:
        self._value = _number(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, val: float) -> None:
        """Replaces the number."""
        self._value = _number(val)

    def get(self) -> float:
        """The number."""
        return self._value


class UnsignedVectorValue:
    """A list of whole numbers from 0 on; OverflowError for negative ones."""

    @told
    def __init__(self, vals: Iterable[float]) -> None:
        self._values = _each(_unsigned, vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, as many as there are."""
        self._values = _each(_unsigned, newval)

    def get(self) -> list[int]:
        """The numbers, as a new list."""
        return list(self._values)

    def size(self) -> int:
        """How many numbers there are."""
        return len(self._values)


class FloatVectorValue:
    """A list of numbers."""

    @told
    def __init__(self, vals: Iterable[float]) -> None:
        self._values = _each(_number, vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, as many as there are."""
        self._values = _each(_number, newval)

    def get(self) -> list[float]:
        """The numbers, as a new list."""
        return list(self._values)

    def size(self) -> int:
        """How many numbers there are."""
        return len(self._values)
