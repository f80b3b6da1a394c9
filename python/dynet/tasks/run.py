"""`run_batched` and its relatives: tasks go on in turns, and one evaluation answers all that wait."""

from __future__ import annotations

import atexit
import importlib.util
import inspect
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn, TypeVar

from dynet import _dynet
from dynet._dynet import Expression
from dynet.tasks.pace import WINDOWS, now, pace_of
from dynet.tasks.task import FiberTask, PlainTask, StepTask, Task, Wanted, end_fibers

Example = TypeVar("Example")


OFTEN = 16  # examples, where one call comes after another, until what they have made is forgotten


def lot_of(window: int) -> int:
    """After so many examples all tasks end before others begin, and what they have made is forgotten."""
    return max(128, 4 * window)


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
    random numbers they are those of a loop; the numbers that a loop draws are others. Python's own `random`
    is drawn from in turns: give each call a generator of its own, such as random.Random(number).
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
    results: dict[int, Any] = dict(_Runner("run_batched", f, window, errors).run(examples))
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
    return _Runner("run_as_completed", f, window, errors, in_any_order=True).run(examples)


class _Runner:
    """Checks what was given, and runs lots of examples with the window that is chosen for each."""

    def __init__(
        self, name: str, f: Callable[[Any], Any], window: int | None, errors: str, in_any_order: bool = False
    ) -> None:
        if not callable(f):
            raise TypeError(f"{name}: {_dynet._a_kind(f)} was given; a function of one example is needed")
        if window is not None and (isinstance(window, bool) or not isinstance(window, int)):
            raise TypeError(f"{name}: window is {window!r}; a whole number or None is needed")
        if window is not None and window < 1:
            raise ValueError(f"{name}: window is {window}; at least 1 is needed")
        if errors not in ("raise", "return"):
            raise ValueError(f'{name}: errors is {errors!r}; "raise" or "return" is needed')
        self.name, self.f, self.window, self.returns_errors = name, f, window, errors == "return"
        self.in_any_order, self.taken, self.keeps_nodes = in_any_order, 0, False
        called = f if inspect.isroutine(f) or isinstance(f, partial) else type(f).__call__
        self.yields = inspect.isgeneratorfunction(called) or inspect.iscoroutinefunction(called)
        if not self.yields and window != 1 and importlib.util.find_spec("greenlet") is None:
            raise ImportError(
                f"{name}: tasks that are plain functions need greenlet (pip install dynet[fibers]); "
                "without it, write f as a generator that yields what it waits for, or give window=1"
            )

    def task(self, index: int, part: int, example: object, window: int) -> Task:
        """A call that has not begun; alone it has nobody to wait for."""
        kind = StepTask if self.yields else FiberTask if window > 1 else PlainTask
        return kind(index, part, self.f, example)

    def run(self, examples: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Numbers and results as they come."""
        numbered = enumerate(examples)
        run = _dynet._TaskRun()
        try:
            pace = None if self.window or self.in_any_order else pace_of(self.f)
            while True:
                window = pace.choose() if pace else self.window or WINDOWS[0]
                lot = _Lot(self, run, window, numbered, lot_of(window))
                if pace:
                    start = now()
                    results = list(lot.run())
                    pace.note(window, now() - start, lot.begun)
                    yield from results
                    del results
                else:
                    yield from lot.run()
                if lot.is_last:
                    return
                run.forget()
        finally:
            run.end()
            if threading.current_thread() is not threading.main_thread():
                end_fibers()  # which would outlive the thread


def ended_by(index: int, part: int, error: BaseException) -> Task:
    """A task that has failed."""
    task = PlainTask(index, part, lambda _: None, None)
    task.end(None, error)
    return task


class _Lot:
    """Tasks that take turns: places that get free are given to new ones, half of the window at once."""

    def __init__(
        self,
        runner: _Runner,
        run: _dynet._TaskRun,
        window: int,
        examples: Iterator[tuple[int, Any]],
        most: int,
    ) -> None:
        self.runner, self._run, self._window, self._examples, self._most = runner, run, window, examples, most
        self.begun, self.is_last, self._is_fixed = 0, False, runner.window is not None or runner.in_any_order
        self._waiting: list[Task] = []  # in the order of their numbers
        self._failed: Task | None = None  # the first one
        self._broken: Task | None = None  # stands for the examples that could not be had

    def run(self) -> Iterator[tuple[int, Any]]:
        """Numbers and results of the lot as they come."""
        if self._window == 1 and not self.runner.yields:
            yield from self._run_plainly()
        try:
            while True:
                ended = self._begin_some()
                if not self._waiting and not ended:
                    break
                yield from self._results(ended)
                del ended
                if self._waiting:
                    yield from self._results(self._go_on())
            if self._failed:
                self._raise(self._failed)
        finally:
            for task in self._waiting:
                self._advance(task, close=True)

    def _run_plainly(self) -> Iterator[tuple[int, Any]]:
        """Calls that have nobody to wait for, with as little around each as can be."""
        run, runner, task = self._run, self.runner, PlainTask(0, 0, self.runner.f, None)
        for index, example in iter(self._take, None):
            error = None
            run.begin(task)
            try:
                result = task.in_full(runner.f(example))
            except BaseException as raised:
                error = raised
            finally:
                run.leave(task)
            if error:
                yield from self._results([ended_by(index, task.part, error)])
                if self._failed:
                    return
                continue
            if runner.in_any_order:
                run.release(task)
            runner.keeps_nodes |= isinstance(result, Expression)
            yield index, result
            del result
            if self.begun % OFTEN == 0:
                run.forget()
        if self._broken:
            yield from self._results([self._broken])

    def _take(self) -> tuple[int, Any] | None:
        """The next example with its number; None after the last one of the lot, or where one has failed."""
        if not self._has_room():
            return None
        try:
            index, example = next(self._examples)
        except StopIteration:
            self.is_last = True
            return None
        except Exception as error:
            self.is_last, self._broken = True, ended_by(self.runner.taken, 0, error)
            return None
        self.begun, self.runner.taken = self.begun + 1, index + 1
        return index, example

    def _begin_some(self) -> list[Task]:
        """Fills the places that are free, if these are half of them; gives the tasks that have ended."""
        ended: list[Task] = []
        if self._failed or 2 * len(self._waiting) > self._window:
            return ended
        while len(self._waiting) < self._window and not self.is_last:
            task = self._next()
            if task is None:
                break
            (ended if task.is_done else self._waiting).append(task)
            if task.is_done and (task.error or len(ended) >= self._window):
                break
        return ended

    def _has_room(self) -> bool:
        """Nothing can be forgotten whose results are nodes: then there is no reason for all to end."""
        return self.begun < self._most or (self.runner.keeps_nodes and self._is_fixed)

    def _next(self) -> Task | None:
        """The next task, which has begun; one that has failed where the examples have."""
        taken = self._take()
        if taken is None:
            broken, self._broken = self._broken, None
            return broken
        task = self.runner.task(taken[0], self._run.add(), taken[1], self._window)
        self._advance(task)
        return task

    def _go_on(self) -> list[Task]:
        """One evaluation for all, after which they go on; gives those that have ended."""
        if self.runner.in_any_order:
            self._come_back_here()
        try:
            self._run.evaluate(self._waiting)
        except Exception:
            self._go_on_one_by_one()
        else:
            if not self._run.go_on(self._waiting):
                return []
        ended = [task for task in self._waiting if task.is_done]
        self._waiting = [task for task in self._waiting if not task.is_done]
        return ended

    def _come_back_here(self) -> None:
        """Whoever asks for the next result may be another greenlet each time."""
        fibers = [task for task in self._waiting if isinstance(task, FiberTask)]
        if fibers:
            from greenlet import getcurrent

            for task in fibers:
                task.come_back_to(getcurrent())

    def _go_on_one_by_one(self) -> None:
        """An evaluation for each; its error is raised where the task waits."""
        known = []
        for task in self._waiting:
            try:
                self._run.evaluate([task])
            except Exception as error:
                self._advance(task, error)
            else:
                known.append(task)
        self._run.go_on(known)

    def _advance(self, task: Task, error: BaseException | None = None, close: bool = False) -> None:
        self._run.enter(task)
        try:
            if close:
                task.close()
            else:
                task.go_on(error)
        finally:
            self._run.leave(task)

    def _results(self, ended: list[Task]) -> Iterator[tuple[int, Any]]:
        """Results; after an error only tasks go on that come before the one that has it."""
        for task in ended:
            if self.runner.in_any_order:
                self._run.release(task)
            if task.error is None:
                self.runner.keeps_nodes |= isinstance(task.result, Expression)
                yield task.index, task.result
            elif self.runner.returns_errors and isinstance(task.error, Exception):
                yield task.index, task.error
            elif not isinstance(task.error, Exception):
                self._raise(task)
            elif self._failed is None or task.index < self._failed.index:
                self._failed = task
        if self._failed:
            last = self._failed.index
            for task in self._waiting:
                if task.index > last:
                    self._advance(task, close=True)
            self._waiting = [task for task in self._waiting if task.index < last]

    def _raise(self, task: Task) -> NoReturn:
        error: Any = task.error
        note = f"in example {task.index} of {self.runner.name}"
        if hasattr(error, "add_note"):
            error.add_note(note)
        else:
            error.__notes__ = [*getattr(error, "__notes__", []), note]
        raise error


atexit.register(end_fibers)
