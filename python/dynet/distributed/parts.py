"""How examples are divided: by their numbers and lengths alone, so that any process finds the same parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dynet.arguments import told
from dynet.checks import whole
from dynet.data.order import listed, measured

T = TypeVar("T")


def cut(call: str, count: int, parts: int, lengths: Sequence[float] | None = None) -> list[list[int]]:
    """The positions of the examples of each part, rising; parts differ by one example at most, or in length
    by little: the longest examples first, each goes to the part that is shortest so far."""
    if lengths is None:
        bounds = [count * part // parts for part in range(parts + 1)]
        return [list(range(bounds[part], bounds[part + 1])) for part in range(parts)]
    sums: list[float] = [0.0] * parts
    made: list[list[int]] = [[] for _ in range(parts)]
    for position in sorted(range(count), key=lambda each: (-lengths[each], each)):
        part = min(range(parts), key=lambda each: (sums[each], len(made[each]), each))
        sums[part] += lengths[position]
        made[part].append(position)
    for part_of in made:
        part_of.sort()
    return made


@told
def shard(data: Sequence[T], rank: int, ranks: int, key: Callable[[T], Any] | None = None) -> list[T]:
    """Those of the examples that one of several processes works on, in their order.

    All parts together are the examples, whatever their number; some are empty where there are fewer examples
    than parts. Without `key` they are consecutive examples, and parts differ by one example at most; with it,
    as key=len, parts are about equally long: the longest example goes first, each to the part that is
    shortest so far (Graham 1969). IndexError where `rank` is not below `ranks`.

    >>> dy.distributed.shard([0, 1, 2, 3, 4], rank=1, ranks=2)
    [2, 3, 4]
    >>> dy.distributed.shard(["a", "bbb", "cc"], rank=1, ranks=2, key=len)
    ['a', 'cc']
    """
    examples = listed("shard", data)
    ranks = whole("shard", "ranks", ranks, 1)
    rank = whole("shard", "rank", rank, 0)
    if rank >= ranks:
        raise IndexError(f"shard: rank is {rank} and ranks is {ranks}; a number below that is needed")
    lengths = None if key is None else measured("shard", examples, key)
    return [examples[position] for position in cut("shard", len(examples), ranks, lengths)[rank]]
