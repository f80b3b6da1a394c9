"""The order of examples: shuffled, cut into batches, split; the same for a seed on every machine."""

from __future__ import annotations

import numbers
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from dynet.arguments import told
from dynet.checks import whole

T = TypeVar("T")


def shuffled(count: int, seed: object) -> list[int]:
    """The numbers below count in an order that follows from the seed.

    Of Python's generators only random() is promised to give the same numbers in every version.
    """
    draw = random.Random(str(seed)).random
    keys = [draw() for _ in range(count)]
    return sorted(range(count), key=keys.__getitem__)


def listed(call: str, examples: Any) -> Sequence[Any]:
    """Examples that can be counted and taken by position, such as lists, arrays, frames and datasets."""
    from dynet import Expression

    has_places = hasattr(examples, "__len__") and hasattr(examples, "__getitem__")
    is_none = isinstance(examples, Expression | str | bytes | Mapping | type)
    if is_none or not (has_places or hasattr(examples, "__iter__")):
        raise TypeError(f"{call}: examples is {examples!r:.80}; a list of examples is needed")
    if isinstance(examples, set | frozenset):
        raise TypeError(
            f"{call}: examples is a set, whose order is another one in each process; give a list, such as "
            "sorted(examples)"
        )
    if hasattr(examples, "iloc"):  # of pandas, whose [] looks for labels
        return list(examples.iloc) if examples.ndim == 1 else list(examples.itertuples(index=False))
    if has_places:
        return examples  # type: ignore[no-any-return]
    return list(examples)


def seed_of(call: str, given: int | str | None) -> int | str:
    """A seed, which is drawn where none was given."""
    if given is None:
        return random.getrandbits(64)
    return given if isinstance(given, str) else whole(call, "seed", given)


def measured(call: str, examples: Sequence[Any], key: Callable[[Any], Any]) -> list[Any]:
    """The length of each example, by key."""
    lengths = []
    for position in range(len(examples)):
        try:
            lengths.append(key(examples[position]))
        except TypeError as error:
            raise TypeError(
                f"{call}: key cannot measure example {position}, {examples[position]!r:.80}: {error}; "
                "give a key such as lambda example: len(example[0])"
            ) from error
    return lengths


class Cut:
    """How examples are cut into batches: what can be said before their order is known."""

    def __init__(
        self,
        call: str,
        examples: Sequence[Any],
        size: int | None,
        tokens: int | None,
        key: Callable[[Any], Any] | None,
        shuffle: bool,
    ) -> None:
        if (size is None) == (tokens is None):
            raise TypeError(f"{call}: a size or a number of tokens is needed, one of the two")
        self.size = None if size is None else whole(call, "the size of a batch", size, 1)
        self.most = None if tokens is None else whole(call, "tokens", tokens, 1)
        self.count, self.by_length, self.shuffle = len(examples), key is not None, bool(shuffle)
        needed = self.by_length or self.most is not None
        self.lengths = measured(call, examples, key or len) if needed else []

    def batches(self, seed: object) -> list[list[int]]:
        """The positions of the examples of each batch, in the order of this seed."""
        positions = shuffled(self.count, seed) if self.shuffle else list(range(self.count))
        if self.by_length:
            positions.sort(key=self.lengths.__getitem__)
        if self.size is not None:
            parts = [positions[start : start + self.size] for start in range(0, self.count, self.size)]
        else:
            parts = self._by_tokens(positions)
        if self.shuffle and self.by_length:
            parts = [parts[number] for number in shuffled(len(parts), f"{seed} batches")]
        return parts

    def _by_tokens(self, positions: list[int]) -> list[list[int]]:
        parts: list[list[int]] = []
        count = 0
        for position in positions:
            count += self.lengths[position]
            if not parts or count > self.most:
                parts.append([])
                count = self.lengths[position]
            parts[-1].append(position)
        return parts


@told
def batches(
    examples: Iterable[T],
    size: int | None = None,
    *,
    tokens: int | None = None,
    key: Callable[[T], Any] | None = None,
    shuffle: bool = True,
    seed: int | str | None = None,
) -> list[list[T]]:
    """The examples cut into batches: a list of lists.

    `size` is the number of examples of a batch, or `tokens` the largest sum of their lengths (an example
    longer than that is a batch of its own). Lengths are what `key` gives, or len. With a `key`, such as len,
    a batch has examples of like length, so that more of its operations can be computed together. `shuffle`
    draws a random order, of the examples and of the batches. An order follows from its seed, on every machine
    and with every version of Python; None draws a seed from Python's random, as random.shuffle does. Another
    epoch needs another seed: that of dy.fit is f"{seed} {epoch}", with epochs from 1 on.

        for epoch in range(10):
            for batch in dy.data.batches(sentences, 16, key=len, seed=epoch):
                ...

    Errors: TypeError if neither or both of size and tokens are given, or for an example that key cannot
    measure; ValueError for a size below 1.
    """
    all_ = listed("batches", examples)
    drawn = seed_of("batches", seed)
    parts = Cut("batches", all_, size, tokens, key, shuffle).batches(drawn)
    return [[all_[position] for position in part] for part in parts]


@told
def split(
    examples: Iterable[T], held_out: float = 0.1, *, shuffle: bool = True, seed: int | str | None = 0
) -> tuple[list[T], list[T]]:
    """The examples in two lists: those to train with, and a part that is held out.

    `held_out` is a part of all (0.1) or a number of examples (500). What is held out follows from the seed,
    on every machine; without `shuffle` it is the end.

        training, held_out = dy.data.split(examples, 0.1)

    ValueError where one of the two would have nothing.
    """
    all_ = listed("split", examples)
    if isinstance(held_out, bool) or not isinstance(held_out, numbers.Real):
        raise TypeError(f"split: held_out is {held_out!r}; a part such as 0.1, or a number, is needed")
    count = 0
    if isinstance(held_out, numbers.Integral):
        count = int(held_out)
    elif 0 < held_out < 1:
        count = round(held_out * len(all_))
    if not 0 < count < len(all_):
        raise ValueError(
            f"split: held_out is {held_out}, of {len(all_)} examples; one of the two has nothing"
        )
    drawn = seed_of("split", seed)
    positions = shuffled(len(all_), f"{drawn} split") if shuffle else list(range(len(all_)))
    chosen = set(positions[-count:])
    training = [all_[position] for position in range(len(all_)) if position not in chosen]
    return training, [all_[position] for position in sorted(chosen)]
