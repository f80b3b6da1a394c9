"""Sampling of sequences: by temperature, from the likeliest words, from the nucleus."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dynet._dynet as dy
from dynet.arguments import told
from dynet.checks import positive, whole
from dynet.decoding.hypotheses import Allowed, Hypothesis, Partial, Step, Stepper

if TYPE_CHECKING:
    from dynet.decoding.hypotheses import Row


def _narrowed(row: Row, temperature: float, top_k: int | None, top_p: float | None) -> Row:
    """The probabilities to draw from, of log-probabilities."""
    import numpy as np

    scores = row.astype(float) / temperature
    scores = scores - scores.max()
    probabilities: Row = np.exp(scores)
    if top_k is not None and top_k < len(row):
        order = np.argsort(-scores, kind="stable")
        probabilities[order[top_k:]] = 0
    probabilities = probabilities / probabilities.sum()
    if top_p is not None and top_p < 1:
        order = np.argsort(-probabilities, kind="stable")
        before = np.cumsum(probabilities[order]) - probabilities[order]
        probabilities[order[before >= top_p]] = 0
        probabilities = probabilities / probabilities.sum()
    return probabilities


class _Sampler:
    """What a draw is made of."""

    def __init__(
        self,
        call: str,
        advance: Stepper,
        longest: int,
        temperature: float,
        top_k: int | None,
        top_p: float | None,
    ) -> None:
        self.call, self.advance, self.longest = call, advance, whole(call, "longest", longest, 1)
        self.temperature = positive(call, "temperature", temperature)
        self.top_k = None if top_k is None else whole(call, "top_k", top_k, 1)
        self.top_p = None if top_p is None else positive(call, "top_p", top_p)
        if self.top_p is not None and self.top_p > 1:
            raise ValueError(f"{call}: top_p is {top_p}; a number above 0, up to 1, is needed")

    def __call__(self, states: Sequence[Any], start: int, seed: int) -> list[Hypothesis]:
        import numpy as np

        draws = [np.random.Generator(np.random.PCG64([seed, number])) for number in range(len(states))]
        going = {number: Partial((), 0.0, start, state) for number, state in enumerate(states)}
        done: dict[int, Hypothesis] = {}
        while going:
            for number, (row, state, _) in zip(list(going), self.advance(list(going.values())), strict=True):
                partial = going[number]
                if np.isnan(row.max()):
                    raise self.advance.no_number(partial)
                if row.max() == -np.inf:
                    raise ValueError(
                        f"{self.call}: nothing may follow the words {partial.words}: allowed gave none"
                    )
                shares = np.cumsum(_narrowed(row, self.temperature, self.top_k, self.top_p))
                place = np.searchsorted(shares, draws[number].random() * shares[-1], side="right")
                word = min(int(place), len(row) - 1)
                probability = partial.log_probability + float(row[word])
                words = partial.words if word == self.advance.end else (*partial.words, word)
                if word == self.advance.end or len(words) == self.longest:
                    is_finished = word == self.advance.end
                    done[number] = Hypothesis(words, probability, probability, state, is_finished)
                    del going[number]
                else:
                    going[number] = Partial(words, probability, word, state)
        return [done[number] for number in range(len(states))]


@told
def sample(
    step: Step,
    state: Any,
    *,
    start: int,
    end: int,
    count: int = 1,
    longest: int = 100,
    shortest: int = 0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    allowed: Allowed | None = None,
    seed: int | None = None,
) -> list[Hypothesis]:
    """`count` sequences drawn word by word, each by the probabilities of step(word, state), which is as in
    beam_search; all of them make a step in one evaluation.

    temperature divides the log-probabilities: below 1 likely words become likelier. top_k keeps the
    likeliest k words in each step; top_p, the nucleus, the fewest that have p of the probability
    together. What is drawn follows from `seed`, and that from dy.reset_random_seed where none is given.
    log_probability and score are those of the model, before temperature and choice. (Fan, Lewis and
    Dauphin 2018; Holtzman et al. 2020)

    >>> step = lambda word, state: (np.log([0.3, 0.3, 0.4]), state)
    >>> found = dy.decoding.sample(step, None, start=0, end=0, count=2, top_k=1, longest=3)
    >>> [each.words for each in found]
    [(2, 2, 2), (2, 2, 2)]
    """
    count = whole("sample", "count", count, 1)
    advance = Stepper("sample", step, end, shortest, allowed)
    draw = _Sampler("sample", advance, longest, temperature, top_k, top_p)
    return draw([state] * count, start, _seed("sample", seed))


@told
def samples(
    step: Step,
    states: Sequence[Any],
    *,
    start: int,
    end: int,
    longest: int = 100,
    shortest: int = 0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    allowed: Allowed | None = None,
    seed: int | None = None,
) -> list[Hypothesis]:
    """A sequence drawn for each of several first states, such as those of many sentences, which make a
    step in one evaluation. Arguments are those of sample.

    >>> step = lambda word, state: (np.log([0.5, 0.5]), state)
    >>> len(dy.decoding.samples(step, [None] * 3, start=0, end=0, seed=1))
    3
    """
    advance = Stepper("samples", step, end, shortest, allowed)
    draw = _Sampler("samples", advance, longest, temperature, top_k, top_p)
    return draw(list(states), start, _seed("samples", seed))


def _seed(call: str, given: int | None) -> int:
    """The seed that was given, or one drawn by the library."""
    if given is None:
        high, low = dy.random_uniform(2, 0, 1 << 16).npvalue()
        return (int(high) << 16) | int(low)
    try:
        return operator.index(given) & ((1 << 64) - 1)
    except TypeError:
        raise TypeError(f"{call}: seed is {given!r:.60}; a whole number is needed") from None
