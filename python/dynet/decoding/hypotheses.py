"""What decoding works with: hypotheses, the options of all ways of decoding, and scores of many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import dynet._dynet as dy
from dynet._dynet import Expression
from dynet.checks import whole

if TYPE_CHECKING:
    import numpy as np

    Row: TypeAlias = np.ndarray[Any, Any]

Step: TypeAlias = Callable[[int, Any], tuple[Any, Any]]
Allowed: TypeAlias = "Callable[[tuple[int, ...]], Iterable[int] | None]"


class Hypothesis(NamedTuple):
    """A sequence that decoding found: its `words` without start and end, its `score`, by which hypotheses
    are ordered, its `log_probability`, the `state` after its last step, and whether it is `finished` by
    the end word.

    >>> found = dy.decoding.greedy(lambda word, state: (np.log([0.1, 0.9]), state), None, start=0, end=1)
    >>> found.words, found.finished, round(found.log_probability, 4)
    ((), True, -0.1054)
    """

    words: tuple[int, ...]
    score: float
    log_probability: float
    state: Any
    finished: bool


class Partial:
    """A hypothesis that goes on: its words, its log-probability, its last word and the state before that
    is read."""

    __slots__ = ("coverage", "log_probability", "state", "word", "words")

    def __init__(
        self, words: tuple[int, ...], log_probability: float, word: int, state: Any, coverage: Any = None
    ) -> None:
        self.words, self.log_probability, self.word, self.state = words, log_probability, word, state
        self.coverage = coverage  # sums of the shares that each position of the input has had


def _row(numbers: Row) -> Row:
    """The numbers of a column (k, 1), which a decoder's step makes, as a vector."""
    return numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers


class Stepper:
    """Runs the step function for many hypotheses, and asks for all numbers at once."""

    def __init__(
        self, call: str, step: Step, end: int, shortest: int, allowed: Allowed | None, shares: Any = None
    ) -> None:
        for name, given in (("step", step), ("allowed", allowed), ("shares", shares)):
            if not callable(given) and (name == "step" or given is not None):
                raise TypeError(f"{call}: {name} is {given!r:.60}; a function is needed")
        self.call, self.step, self.allowed, self.shares = call, step, allowed, shares
        self.end, self.shortest = whole(call, "end", end, 0), whole(call, "shortest", shortest, 0)

    def __call__(self, partials: Sequence[Partial]) -> list[tuple[Row, Any, Any]]:
        """Log-probabilities, state and shares of each after one more step; what may not follow has -inf."""
        made = []
        for each in partials:
            scores, state = self.step(each.word, each.state)
            made.append((scores, state, self.shares(state) if self.shares else None))
        rows = self._numbers(
            [scores for scores, _, _ in made] + [shares for _, _, shares in made if self.shares], len(made)
        )
        every = []
        for number, (partial, (_, state, _)) in enumerate(zip(partials, made, strict=True)):
            shares = rows[len(made) + number] if self.shares else None
            every.append((self._permitted(partial, rows[number]), state, shares))
        return every

    def _numbers(self, given: list[Any], scores: int) -> list[Row]:
        """Arrays of expressions, which run together, or of what is an array already; scores come first."""
        import numpy as np

        places = [place for place, each in enumerate(given) if isinstance(each, Expression)]
        values = dict(
            zip(places, dy.npvalues([given[place] for place in places]) if places else [], strict=True)
        )
        rows = [_row(np.asarray(values.get(place, each))) for place, each in enumerate(given)]
        highest = max((row.max(initial=-np.inf) for row in rows[:scores]), default=-np.inf)
        if highest > 1e-3:  # more than rounding
            raise ValueError(
                f"{self.call}: step gave {highest:.4g}; log-probabilities, as dy.log_softmax makes them of "
                "scores, are 0 at most"
            )
        for row in rows:
            if row.ndim != 1:
                raise ValueError(
                    f"{self.call}: step gave scores of shape {row.shape}; a vector, a log-probability for "
                    "each word, is needed"
                )
        return rows

    def _permitted(self, partial: Partial, row: Row) -> Row:
        import numpy as np

        if self.end >= len(row):
            raise ValueError(f"{self.call}: end is {self.end}; step gave scores of {len(row)} words")
        chosen = self.allowed(partial.words) if self.allowed else None
        is_too_short = len(partial.words) < self.shortest
        if chosen is None and not is_too_short:
            return row
        permitted = np.full(len(row), -np.inf) if chosen is not None else row.copy()
        if chosen is not None:
            index = np.fromiter(chosen, int)
            if index.size and not (index.min() >= 0 and index.max() < len(row)):
                raise IndexError(f"{self.call}: allowed gave a word that is not there; there are {len(row)}")
            permitted[index] = row[index]
        if is_too_short:
            permitted[self.end] = -np.inf
        return permitted

    def no_number(self, partial: Partial) -> ValueError:
        """The error for NaN."""
        return ValueError(f"{self.call}: step gave NaN after the words {partial.words}")
