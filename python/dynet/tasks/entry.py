"""`run_batched` and its relatives: what they take. dynet.tasks.run does it, loaded when they are called."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from dynet import _dynet
from dynet._dynet import Expression

if TYPE_CHECKING:
    from dynet.tasks.task import Wanted

Example = TypeVar("Example")


class value_of:  # noqa: N801  It reads as a function.
    """Waits, in a coroutine, for the value of an expression, or of each of a list.

    `await dy.value_of(e)` gives what `e.value()` gives; of a list, a list. All tasks of the run that wait are
    answered by one evaluation.

    >>> async def grows(number):
    ...     return await dy.value_of(dy.scalarInput(number) * 2) > number
    >>> dy.run_batched(grows, [1.0, -1.0])
    [True, False]
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted

    def __await__(self) -> Generator[Wanted, None, Any]:
        yield self.wanted
        return self.wanted.value() if isinstance(self.wanted, Expression) else _dynet.values(self.wanted)


def run_batched(
    f: Callable[[Example], Any],
    examples: Iterable[Example],
    *,
    window: int | None = None,
    errors: str = "raise",
) -> list[Any]:
    """The results of f(example) for each example, computed together although f looks at values.

    Each call is a task. Where it asks for a value that is not known (`value`, `npvalue`, `dy.forward`,
    `float(e)`, …) it waits, and others go on; when all wait or have ended, one evaluation answers them. f may
    be a plain function (this needs greenlet: `pip install dynet[fibers]`), a generator function that yields
    what it waits for (`(yield e).value()`), or a coroutine function (`await dy.value_of(e)`).

    window: how many tasks take turns; None: found out while the program runs. Values, gradients and the
    random numbers of dropout and noise are the same bits for any window; 1 is one call after another. Without
    random numbers values are those of a loop, and gradients, but for their rounding where a node from before
    the run had no reader; the random numbers of a loop are others. Python's own `random` is drawn from in
    turns: give each call a generator of its own, such as random.Random(number).
    errors: "raise" raises the error of the first example that has one, as a loop would, after the tasks that
    wait have been closed; "return" puts it where the result would be.

    Tasks share the current graph and the program's own objects. An expression that one task has made is
    refused in others; what they share is made before the run. `renew_cg` as the first line of f is passed
    over; later, and for `backward` and checkpoints, a task gets a RuntimeError.

    >>> def halvings(number):
    ...     x, steps = dy.scalarInput(number), 0
    ...     while x.value() > 1:
    ...         x, steps = x / 2, steps + 1
    ...     return steps
    >>> dy.run_batched(halvings, [8.0, 1.0, 100.0])
    [3, 0, 7]
    """
    from dynet.tasks.run import Runner

    results: dict[int, Any] = {}
    for some in Runner("run_batched", f, window, errors).run(examples):
        results.update(some)
    return [results[i] for i in range(len(results))]


def run_as_completed(
    f: Callable[[Example], Any],
    examples: Iterable[Example],
    *,
    window: int | None = None,
    errors: str = "raise",
) -> Iterator[tuple[int, Any]]:
    """The same, as an iterator of (number of the example, result) in the order in which calls end.

    >>> sorted(dy.run_as_completed(len, ["a", "bc"]))
    [(0, 1), (1, 2)]
    """
    from dynet.tasks.run import Runner

    return Runner("run_as_completed", f, window, errors, in_any_order=True).run_one_by_one(examples)
