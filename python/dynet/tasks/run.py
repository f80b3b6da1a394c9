"""What `run_batched` and its relatives do: tasks go on in turns, and one evaluation answers all that wait."""

from __future__ import annotations

import atexit
import importlib.util
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn

from dynet import _dynet
from dynet._dynet import Expression
from dynet.tasks.pace import WINDOWS, now, pace_of
from dynet.tasks.task import FiberTask, PlainTask, StepTask, Task, end_fibers

Some = list[tuple[int, Any]]  # numbers of examples and results
OFTEN = 16  # examples, where one call comes after another, until what they have made is forgotten


def lot_of(window: int) -> int:
    """After so many examples all tasks end before others begin, and what they have made is forgotten."""
    return max(128, 4 * window)


class Runner:
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

    def run_one_by_one(self, examples: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Numbers and results as they come."""
        for some in self.run(examples):
            some.reverse()
            while some:
                yield some.pop()  # nothing of it is left here

    def run(self, examples: Iterable[Any]) -> Iterator[Some]:
        """The same, some at once."""
        it = iter(examples)
        run = _dynet._TaskRun()
        try:
            pace = None if self.window or self.in_any_order else pace_of(self.f)
            while True:
                window = pace.choose() if pace else self.window or WINDOWS[0]
                lot = _Lot(self, run, window, it, lot_of(window))
                start = now() if pace else 0.0
                yield from lot.run()
                if pace:
                    pace.note(window, now() - start, lot.begun)
                if lot.is_last:
                    return
                run.forget()
        finally:
            run.end()
            if threading.current_thread() is not threading.main_thread():
                end_fibers()  # which would outlive the thread


def failed(index: int, part: int, error: BaseException) -> Task:
    """A task that has failed."""
    task = PlainTask(index, part, lambda _: None, None)
    task.end(None, error)
    return task


class _Lot:
    """Tasks that take turns: places that get free are given to new ones, half of the window at once."""

    def __init__(
        self,
        runner: Runner,
        run: _dynet._TaskRun,
        window: int,
        examples: Iterator[Any],
        most: int,
    ) -> None:
        self.runner, self._run, self._window, self._examples, self._most = runner, run, window, examples, most
        self.begun, self.is_last, self._is_fixed = 0, False, runner.window is not None or runner.in_any_order
        self._waiting: list[Task] = []  # in the order of their numbers
        self._failed: Task | None = None  # the first one
        self._broken: Task | None = None  # stands for the examples that could not be had

    def run(self) -> Iterator[Some]:
        """Results of the lot as they come."""
        if self._window == 1:
            yield from self._run_plainly()
        try:
            while True:
                ended = self._begin_some()
                if not self._waiting and not ended:
                    break
                if ended:
                    yield self._results(ended)
                del ended
                if self._waiting and (ended := self._go_on()):
                    yield self._results(ended)
                    del ended
            if self._failed:
                self._raise(self._failed)
        finally:
            for task in self._waiting:
                self._advance(task, close=True)

    def _run_plainly(self) -> Iterator[Some]:
        """Calls that have nobody to wait for, with as little around each as can be."""
        run, runner, task = self._run, self.runner, PlainTask(0, 0, self.runner.f, None)
        often = 1 if runner.in_any_order else OFTEN
        while self._has_room() and not self.is_last:
            first = runner.taken
            results, ended_by, error = run.call_each(task, runner.f, self._examples, often)
            self._count(len(results) + (ended_by == "call"))
            if runner.in_any_order:
                run.release(task)
            runner.keeps_nodes = runner.keeps_nodes or any(isinstance(r, Expression) for r in results)
            if results:
                yield list(enumerate(results, first))
            del results
            self.is_last = ended_by in ("last", "examples")
            if error is not None:
                yield self._results([failed(runner.taken - (ended_by == "call"), task.part, error)])
                del error
                if self._failed:
                    return
            run.forget()

    def _count(self, begun: int) -> None:
        self.begun, self.runner.taken = self.begun + begun, self.runner.taken + begun

    def _take(self) -> tuple[int, Any] | None:
        """The next example with its number; None after the last one of the lot, or where one has failed."""
        if not self._has_room():
            return None
        try:
            example = next(self._examples)
        except StopIteration:
            self.is_last = True
            return None
        except Exception as error:
            self.is_last, self._broken = True, failed(self.runner.taken, 0, error)
            return None
        self._count(1)
        return self.runner.taken - 1, example

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

    def _results(self, ended: list[Task]) -> Some:
        """Results; after an error only tasks go on that come before the one that has it."""
        some: Some = []
        for task in ended:
            if self.runner.in_any_order:
                self._run.release(task)
            if task.error is None:
                self.runner.keeps_nodes |= isinstance(task.result, Expression)
                some.append((task.index, task.result))
            elif self.runner.returns_errors and isinstance(task.error, Exception):
                some.append((task.index, task.error))
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
        return some

    def _raise(self, task: Task) -> NoReturn:
        error: Any = task.error
        note = f"in example {task.index} of {self.runner.name}"
        if hasattr(error, "add_note"):
            error.add_note(note)
        else:
            error.__notes__ = [*getattr(error, "__notes__", []), note]
        raise error


atexit.register(end_fibers)
