"""Numbers in boxes: DyNet 2 gave them to inputs and picks that change; here they are plain containers."""

from collections.abc import Iterable

from dynet.arguments import told


def _unsigned(value: float) -> int:
    number = int(value)
    if number < 0:
        raise OverflowError(f"{value} was given; a whole number from 0 on is needed")
    return number


class UnsignedValue:
    """A whole number from 0 on; OverflowError for negative ones."""

    @told
    def __init__(self, val: float = 0) -> None:
        self.set(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

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
        self.set(val)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    def set(self, val: float) -> None:
        """Replaces the number."""
        self._value = float(val)

    def get(self) -> float:
        """The number."""
        return self._value


class UnsignedVectorValue:
    """A list of whole numbers from 0 on; OverflowError for negative ones."""

    @told
    def __init__(self, vals: Iterable[float]) -> None:
        self.set(vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, as many as there are."""
        self._values = [_unsigned(value) for value in newval]

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
        self.set(vals)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get()})"

    def set(self, newval: Iterable[float]) -> None:
        """Replaces the numbers, as many as there are."""
        self._values = [float(value) for value in newval]

    def get(self) -> list[float]:
        """The numbers, as a new list."""
        return list(self._values)

    def size(self) -> int:
        """How many numbers there are."""
        return len(self._values)
