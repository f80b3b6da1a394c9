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
    """A box for a whole number from 0 on: DyNet 2 gave it to picks and lookups whose index changes. Here
    set() of the expression takes the number itself. OverflowError for negative ones.

    >>> box = dy.UnsignedValue(3)
    >>> box.set(5); box.get()
    5
    """

    @told
    def __init__(self, val: float = 0) -> None:
        self._value = _unsigned(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, val: float) -> None:
        """Replaces the number; what lies behind the point is cut off. OverflowError for a negative one,
        TypeError or ValueError for what is none.

        >>> box = dy.UnsignedValue()
        >>> box.set(2.9); box.get()
        2
        """
        self._value = _unsigned(val)

    def get(self) -> int:
        """The number, as an int: the one of the last set(), or the one that the box was made with, which is 0
        by default.
        """
        return self._value


class FloatValue:
    """A box for a number: DyNet 2 gave it to scalar inputs that change. Here set() of the expression takes
    the number itself.

    >>> box = dy.FloatValue(0.5)
    >>> box.set(1.5); box.get()
    1.5
    """

    @told
    def __init__(self, val: float = 0.0) -> None:
        self._value = _number(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, val: float) -> None:
        """Replaces the number. TypeError or ValueError for what is none; the box then holds what it had
        before.

        >>> box = dy.FloatValue()
        >>> box.set(2); box.get()
        2.0
        """
        self._value = _number(val)

    def get(self) -> float:
        """The number, as a float: the one of the last set(), or the one that the box was made with, which is
        0.0 by default.
        """
        return self._value


class UnsignedVectorValue:
    """A box for a list of whole numbers from 0 on: DyNet 2 gave it to batches of picks and lookups whose
    indices change. Here set() of the expression takes the list itself. OverflowError for negative numbers.

    >>> box = dy.UnsignedVectorValue([1, 2])
    >>> box.set([3]); box.get(), box.size()
    ([3], 1)
    """

    @told
    def __init__(self, vals: Iterable[float]) -> None:
        self._values = _each(_unsigned, vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, by a list of any length; what lies behind the point is cut off. OverflowError
        for a negative one, TypeError for what is no list.
        """
        self._values = _each(_unsigned, newval)

    def get(self) -> list[int]:
        """The numbers, as a new list of ints: a program may change that list without changing the box."""
        return list(self._values)

    def size(self) -> int:
        """How many numbers there are: len() of the list that get() gives, which set() may have changed."""
        return len(self._values)


class FloatVectorValue:
    """A box for a list of numbers: DyNet 2 gave it to vector inputs that change. Here set() of the expression
    takes the list itself.

    >>> box = dy.FloatVectorValue([0.5, 1])
    >>> box.set([3]); box.get(), box.size()
    ([3.0], 1)
    """

    @told
    def __init__(self, vals: Iterable[float]) -> None:
        self._values = _each(_number, vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    @told
    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, by a list of any length. TypeError for what is no list; the box then holds
        what it had before.
        """
        self._values = _each(_number, newval)

    def get(self) -> list[float]:
        """The numbers, as a new list of floats: a program may change that list without changing the box."""
        return list(self._values)

    def size(self) -> int:
        """How many numbers there are: len() of the list that get() gives, which set() may have changed."""
        return len(self._values)
