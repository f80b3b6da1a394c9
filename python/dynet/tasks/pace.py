"""How many examples to run in turns: what has taken the least time, found out while the program runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from dynet import _dynet

WINDOWS = 32, 1, 16, 8  # The first is the one that is best most often.
TRIALS = 2  # of each window, before the best is used
LAST = 4  # times that count
RETRIAL = 50  # Another window is tried once more after so many runs, twice as many, …: programs change.


class Pace:
    """The seconds an example has taken with each window. Any choice is right, as it changes no result."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[float]] = {window: [] for window in WINDOWS}
        self._runs, self._next_retrial, self._retrials = 0, RETRIAL, 0

    def choose(self) -> int:
        """The window of the next run."""
        self._runs += 1
        for window, seconds in self._seconds.items():
            if len(seconds) < TRIALS:
                return window
        if self._runs >= self._next_retrial:
            self._next_retrial *= 2
            self._retrials += 1
            return WINDOWS[self._retrials % len(WINDOWS)]
        return min(self._seconds, key=lambda window: min(self._seconds[window]))

    def note(self, window: int, seconds: float, examples: int) -> None:
        """Remembers what a run took."""
        if examples:
            times = self._seconds[window]
            times.append(seconds / examples)
            del times[:-LAST]


def now() -> float:
    """Seconds of this process, where it computes with one thread: other programs then count less.

    The clock of a thread takes longer to read than many calls take on some machines.
    """
    return time.process_time() if _dynet.get_num_threads() == 1 else time.perf_counter()


_paces: WeakKeyDictionary[Any, Pace] = WeakKeyDictionary()


def pace_of(function: Callable[..., Any]) -> Pace:
    """The pace of a function; of one that is made anew for each run, by its code."""
    return _paces.setdefault(getattr(function, "__code__", type(function)), Pace())
