"""Beam search: the best sequences by their scores, of one sentence or of many in one evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from dynet._dynet import Expression
from dynet.arguments import told
from dynet.checks import real, whole
from dynet.decoding.hypotheses import Allowed, Hypothesis, Partial, Step, Stepper

Divisor = Callable[[int], float]


class _Scoring:
    """The score of a hypothesis: log-probability over a divisor of its length, and a penalty of what it
    has not looked at.
    """

    def __init__(
        self, call: str, length_penalty: float | Divisor, coverage_penalty: float, shares: Any
    ) -> None:
        self.coverage = real(call, "coverage_penalty", coverage_penalty, 0)
        if self.coverage and shares is None:
            raise ValueError(
                f"{call}: coverage_penalty without shares(state), which gives an attention's shares"
            )
        self.shares = shares if self.coverage else None
        if callable(length_penalty):
            self.divisor: Divisor = length_penalty
        else:
            power = real(call, "length_penalty", length_penalty, 0)
            self.divisor = lambda length: ((5 + length) / 6) ** power

    def __call__(self, log_probability: float, length: int, seen: Any) -> float:
        score = log_probability / self.divisor(length)
        if self.coverage and seen is not None:
            import numpy as np

            with np.errstate(divide="ignore"):
                looked = float(np.log(np.minimum(seen, 1.0)).sum())
            score += self.coverage * looked
        return score

    def bound(self, log_probability: float, longest: int) -> float:
        """What one that goes on can reach at most: divisors don't fall, and penalties are no gain."""
        return log_probability / self.divisor(longest) if log_probability < 0 else math.inf


class _Beam:
    """The hypotheses of one sentence."""

    def __init__(
        self, stepper: Stepper, start: int, state: Any, width: int, longest: int, score: _Scoring
    ) -> None:
        self.stepper, self.end = stepper, stepper.end
        self.width, self.longest, self.score = width, longest, score
        self.going = [Partial((), 0.0, start, state)]
        self.finished: list[Hypothesis] = []

    def advance(self, found: Sequence[tuple[Any, Any, Any]]) -> None:
        """Takes the scores of one more step of each hypothesis that goes on."""
        parents, self.going = self.going, []
        for total, number, word in self._best(parents, [row for row, _, _ in found]):
            parent, (_, state, shares) = parents[number], found[number]
            seen = shares if parent.coverage is None or shares is None else parent.coverage + shares
            words = parent.words if word == self.end else (*parent.words, word)
            if word == self.end or len(words) == self.longest:
                length = len(parent.words) + 1
                score = self.score(total, length, seen)
                self.finished.append(Hypothesis(words, score, total, state, word == self.end))
            else:
                self.going.append(Partial(words, total, word, state, seen))
        self.finished.sort(key=lambda hypothesis: -hypothesis.score)
        del self.finished[self.width :]
        if len(self.finished) == self.width and self.going:
            reachable = max(self.score.bound(each.log_probability, self.longest + 1) for each in self.going)
            if reachable <= self.finished[-1].score:
                self.going = []

    def _best(self, parents: Sequence[Partial], rows: Sequence[Any]) -> list[tuple[float, int, int]]:
        """The likeliest sequences: log-probability, number of the hypothesis that goes on, and word."""
        import numpy as np

        totals = np.full((len(rows), max(map(len, rows))), -np.inf)
        for total, row, parent in zip(totals, rows, parents, strict=True):
            total[: len(row)] = row
            total += parent.log_probability
        if np.isnan(totals.max()):
            raise self.stepper.no_number(parents[int(np.isnan(totals).any(1).argmax())])
        width = totals.shape[1]
        places = _largest(totals.reshape(-1), min(self.width, totals.size))
        return [(total, place // width, place % width) for total, place in places]

    def result(self) -> list[Hypothesis]:
        if not self.finished:
            raise ValueError(
                f"{self.stepper.call}: nothing may follow the words that were found: allowed gave none"
            )
        return self.finished


_FEW = 64  # as many are found faster by looking for each


def _largest(numbers: Any, count: int) -> list[tuple[float, int]]:
    """The largest numbers above -inf, with their places, in order; of equal ones the first come first."""
    import numpy as np

    if count > _FEW:
        chosen = np.argpartition(-numbers, count - 1)[:count] if count < numbers.size else np.arange(count)
        chosen = chosen[np.lexsort((chosen, -numbers[chosen]))]
        return [(float(numbers[place]), int(place)) for place in chosen if numbers[place] > -np.inf]
    found = []
    for _ in range(count):
        place = int(numbers.argmax())
        if numbers[place] == -np.inf:
            break
        found.append((float(numbers[place]), place))
        numbers[place] = -np.inf
    return found


@told
def beam_search(
    step: Step,
    state: Any,
    *,
    start: int,
    end: int,
    width: int = 5,
    longest: int = 100,
    shortest: int = 0,
    length_penalty: float | Divisor = 0.0,
    coverage_penalty: float = 0.0,
    shares: Callable[[Any], Any] | None = None,
    allowed: Allowed | None = None,
) -> list[Hypothesis]:
    """The sequences of words with the greatest scores that a beam finds, the best first, at most `width`
    of them.

    step(word, state) gives the log-probabilities of the next word, an expression (k,) or (k, 1) such as
    dy.log_softmax(scores) or an array, and the state after the word; it is called with `start` and
    `state` first. States may be anything that is not changed: an RNNState, a dy.nn.DecoderState, a tuple.
    In each round all hypotheses make a step, and one evaluation gives their numbers; `width` of the
    sequences they become stay.

    A sequence ends with the word `end`, or unfinished when it has `longest` words; `shortest` is the least
    number before an end. The score is log p / ((5 + n) / 6)^length_penalty with n words, the end among them;
    length_penalty may be a function of n that gives the divisor, and must not fall. With coverage_penalty b,
    b Σ log min(1, c_j) is added, where c_j is the sum of the shares that position j of the input got:
    shares(state) gives those of a step. allowed(words) gives the words that may follow, or None for all.

    Several sentences: beam_searches. In a task of dy.run_batched that is a plain function, searches of
    several calls are evaluated together too. (Graves 2012; Wu et al. 2016)

    >>> def step(word, state):
    ...     return np.log([[0.1, 0.6, 0.3], [0.5, 0.1, 0.4], [0.9, 0.05, 0.05]][word]), state
    >>> for found in dy.decoding.beam_search(step, None, start=0, end=0, width=2):
    ...     print(found.words, round(found.log_probability, 3))
    (1,) -1.204
    (2,) -1.309
    """
    scoring = _Scoring("beam_search", length_penalty, coverage_penalty, shares)
    advance = Stepper("beam_search", step, end, shortest, allowed, scoring.shares)
    return _searches(advance, [state], start, width, longest, scoring)[0]


@told
def beam_searches(
    step: Step,
    states: Sequence[Any],
    *,
    start: int,
    end: int,
    width: int = 5,
    longest: int = 100,
    shortest: int = 0,
    length_penalty: float | Divisor = 0.0,
    coverage_penalty: float = 0.0,
    shares: Callable[[Any], Any] | None = None,
    allowed: Allowed | None = None,
) -> list[list[Hypothesis]]:
    """beam_search for each of several first states, such as those of many sentences: in each round all
    hypotheses of all of them make a step in one evaluation. The results are those of one search after
    another.

    >>> step = lambda word, state: (np.log([0.5, 0.3, 0.2]), state)
    >>> found = dy.decoding.beam_searches(step, [None, None], start=0, end=0, width=2)
    >>> [[each.words for each in of] for of in found]
    [[(), (1,)], [(), (1,)]]
    """
    if isinstance(states, Expression):
        raise TypeError("beam_searches: states is one expression; a list of first states is needed")
    scoring = _Scoring("beam_searches", length_penalty, coverage_penalty, shares)
    advance = Stepper("beam_searches", step, end, shortest, allowed, scoring.shares)
    return _searches(advance, list(states), start, width, longest, scoring)


def _searches(
    advance: Stepper, states: list[Any], start: int, width: int, longest: int, scoring: _Scoring
) -> list[list[Hypothesis]]:
    call = advance.call
    width, longest = whole(call, "width", width, 1), whole(call, "longest", longest, 1)
    if advance.shortest > longest:
        raise ValueError(
            f"{call}: shortest is {advance.shortest} and longest {longest}; no word count is both"
        )
    beams = [_Beam(advance, start, state, width, longest, scoring) for state in states]
    while any(beam.going for beam in beams):
        found = advance([partial for beam in beams for partial in beam.going])
        at = 0
        for beam in beams:
            count = len(beam.going)
            if count:
                beam.advance(found[at : at + count])
            at += count
    return [beam.result() for beam in beams]


@told
def greedy(
    step: Step,
    state: Any,
    *,
    start: int,
    end: int,
    longest: int = 100,
    shortest: int = 0,
    allowed: Allowed | None = None,
) -> Hypothesis:
    """The sequence that takes the likeliest word in each step: beam_search of width 1, whose arguments it
    has.

    >>> step = lambda word, state: (np.log([[0.1, 0.9], [0.8, 0.2]][word]), state)
    >>> dy.decoding.greedy(step, None, start=0, end=0).words
    (1,)
    """
    advance = Stepper("greedy", step, end, shortest, allowed)
    return _searches(advance, [state], start, 1, longest, _Scoring("greedy", 0.0, 0.0, None))[0][0]
