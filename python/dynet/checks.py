"""What functions of several rooms ask of their arguments: whole numbers, rates and numbers above 0."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable
from typing import Any


def whole(call: str, name: str, given: Any, least: float = -math.inf) -> int:
    """A whole number, such as NumPy's are too; TypeError for what is none, ValueError below `least`."""
    bound = f" from {least} on" if least > -math.inf else ""
    try:
        number = None if isinstance(given, bool) else operator.index(given)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{call}: {name} is {given!r:.60}; a whole number{bound} is needed")
    if number < least:
        raise ValueError(f"{call}: {name} is {number}; a whole number{bound} is needed")
    return number


def real(call: str, name: str, given: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number from `least` to `most`, with errors as those of whole."""
    bound = f" from {least:g}" + (f" to {most:g}" if most < math.inf else " on") if least > -math.inf else ""
    return _number(call, name, given, bound, lambda x: least <= x <= most)


def positive(call: str, name: str, given: Any) -> float:
    """A finite number above 0."""
    return _number(call, name, given, " above 0", lambda x: x > 0)


def rate(call: str, name: str, given: Any) -> float:
    """A probability of dropout."""
    return _number(call, name, given, " from 0 to below 1", lambda x: 0 <= x < 1)


def _number(call: str, name: str, given: Any, bound: str, fits: Callable[[float], bool]) -> float:
    if isinstance(given, bool) or not isinstance(given, numbers.Real):
        raise TypeError(f"{call}: {name} is {given!r:.60}; a number{bound} is needed")
    found = float(given)
    if not (math.isfinite(found) and fits(found)):
        raise ValueError(f"{call}: {name} is {given!r:.60}; a number{bound} is needed")
    return found
